// Requests about the connection as a whole (RFC 4254 §4): host key announcement and proof, signs of life.
import { ConnectionFault, protocolFault } from './faults.ts';
import { type HostKey, signWith } from './host-keys.ts';
import type { Limits } from './limits.ts';
import { message } from './message-numbers.ts';
import type { Transport } from './transport.ts';
import { createReader, formatBoolean, formatByte, formatString, type WireReader } from './wire.ts';

// A signature costs more than an answer; clients ask once, for each key that is new to them.
const chatterPerSignature = 50;

export function createGlobalRequests(parts: {
  readonly transport: Transport;
  readonly limits: Limits;
  /** In use and to come. */
  readonly hostKeys: readonly HostKey[];
  nowMs(): number;
  inTurn(work: () => void): void;
}) {
  const { transport, limits } = parts;
  // Sent and not answered yet; and how many in a row the peer left without a sign of life.
  let outstanding = 0;
  let asked = 0;
  let askedAtMs = 0;

  /** OpenSSH PROTOCOL §2.5: the client asks us to prove that we hold keys that it does not know yet. */
  function proveHostKeys(reader: WireReader): Buffer | undefined {
    const signatures: Buffer[] = [];
    while (reader.leftBytes > 0) {
      const blob = reader.string();
      const key = parts.hostKeys.find((candidate) => candidate.blob.equals(blob));
      if (key === undefined || signatures.length === parts.hostKeys.length) return undefined;
      transport.countChatter(chatterPerSignature);
      const data = [
        formatString('hostkeys-prove-00@openssh.com'),
        formatString(transport.sessionId),
        formatString(blob),
      ];
      signatures.push(formatString(signWith(key, pickAlgorithm(key), Buffer.concat(data))));
    }
    return signatures.length > 0 ? Buffer.concat(signatures) : undefined;
  }

  /** An RSA key signs with the algorithm of the key exchange where that was one of its own. */
  function pickAlgorithm(key: HostKey): string {
    const negotiated = transport.negotiated?.hostKeyAlgorithm ?? '';
    return key.algorithms.includes(negotiated) ? negotiated : key.algorithms[0]!;
  }

  function handleRequest(payload: Buffer): void {
    const reader = createReader(payload, 1);
    const name = reader.ascii(64);
    const wantsReply = reader.boolean();
    transport.countChatter(1);
    if (name !== 'hostkeys-prove-00@openssh.com') return answer(wantsReply, undefined);
    const asked = createReader(Buffer.from(reader.rest()));
    transport.pause();
    parts.inTurn(() => {
      answer(wantsReply, proveHostKeys(asked));
      transport.resume();
    });
  }

  function answer(wantsReply: boolean, proof: Buffer | undefined): void {
    if (!wantsReply) return;
    if (proof === undefined) transport.send(formatByte(message.requestFailure));
    else transport.send(formatByte(message.requestSuccess), proof);
  }

  return {
    /** Takes messages 80 to 82. */
    handle(payload: Buffer): void {
      if (payload[0] === message.globalRequest) return handleRequest(payload);
      // Any answer will do as a sign of life: clients refuse a request that they do not know.
      if (outstanding === 0) throw protocolFault('an answer comes without a request');
      outstanding -= 1;
      asked = 0;
    },
    /** OpenSSH PROTOCOL §2.5; clients with UpdateHostKeys learn the next keys before they are used. */
    announceHostKeys(): void {
      transport.send(
        formatByte(message.globalRequest),
        formatString('hostkeys-00@openssh.com'),
        formatBoolean(false),
        ...parts.hostKeys.map((key) => formatString(key.blob)),
      );
    },
    /** Asks a silent peer for a sign of life. Refuses: a peer that was asked often enough. */
    tick(): void {
      const atMs = parts.nowMs();
      if (transport.heardAtMs > askedAtMs) asked = 0;
      if (atMs - Math.max(transport.heardAtMs, askedAtMs) < limits.keepaliveMs) return;
      if (asked >= limits.keepaliveTriesMax) throw new ConnectionFault({ kind: 'peer_silent' });
      asked += 1;
      outstanding += 1;
      askedAtMs = atMs;
      transport.send(formatByte(message.globalRequest), formatString('keepalive@openssh.com'), formatBoolean(true));
    },
  };
}
