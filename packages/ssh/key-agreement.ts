// When and how keys are agreed on, first and again: KEXINIT to NEWKEYS on both sides (RFC 4253 §7 and §9).
import { choose, type Choice, formatOffer, parseOffer } from './algorithms.ts';
import { createOpener, createSealer, type PacketOpener } from './ciphers.ts';
import { floodFault, protocolFault } from './faults.ts';
import { type HostKey, signWith } from './host-keys.ts';
import { createDerivation, hashExchange, keyExchangeMethods } from './key-exchange.ts';
import { createAllowance, type Limits } from './limits.ts';
import { message } from './message-numbers.ts';
import type { PacketInput } from './packet-input.ts';
import type { PacketOutput } from './packet-output.ts';
import type { Negotiated } from './ssh.ts';
import { createReader, formatByte, formatString } from './wire.ts';

/** What the client must send next while keys are agreed on; 'nothing' between exchanges. */
type Expected = 'nothing' | 'request' | 'wrong_guess' | 'new_keys';

// New keys cost a signature, so a peer that asks again and again without moving data is stopped.
const freeAfterBytes = 64 * 1024;
const idleExchangesMax = 20;
const idleExchangesPerSecond = 1;

export function createKeyAgreement(parts: {
  readonly hostKeys: readonly HostKey[];
  readonly limits: Limits;
  readonly input: PacketInput;
  readonly output: PacketOutput;
  readonly serverLine: Buffer;
  random(sizeBytes: number): Buffer;
  nowMs(): number;
  /** Bytes both ways since the connection began. */
  movedBytes(): { readonly inBytes: number; readonly outBytes: number };
  /** Our new keys are in force: what waited may go. */
  keysSent(isFirst: boolean, wantsExtInfo: boolean): void;
  keysReceived(negotiated: Negotiated): void;
}) {
  const { input, output, limits } = parts;
  const hostKeyNames = parts.hostKeys.flatMap((key) => key.algorithms);
  const allowance = createAllowance(idleExchangesMax, idleExchangesPerSecond, () => parts.nowMs());
  let clientLine: Buffer = Buffer.alloc(0);
  let sessionId: Buffer | undefined;
  let isStrict = false;
  let exchanges = 0;
  // Our side is inside an exchange from our KEXINIT to our NEWKEYS, the client's likewise.
  let serverOffer: Buffer | undefined;
  let clientOffer: Buffer | undefined;
  let isSending = false;
  let expected: Expected = 'nothing';
  let choice: Choice | undefined;
  let nextOpener: PacketOpener | undefined;
  let beganAtMs = parts.nowMs();
  let keyedAtMs = beganAtMs;
  let keyedAtBytes = { inBytes: 0, outBytes: 0 };

  /** Sends our KEXINIT, unless an exchange has begun. */
  function begin(): void {
    if (isSending) return;
    serverOffer = formatOffer({ cookie: parts.random(16), hostKeys: hostKeyNames, isFirst: sessionId === undefined });
    output.pushPacket(serverOffer);
    isSending = true;
    if (expected === 'nothing') beganAtMs = parts.nowMs();
  }

  function handleOffer(payload: Buffer): void {
    if (expected !== 'nothing') throw protocolFault('a second KEXINIT arrives inside a key exchange');
    const isFirst = sessionId === undefined;
    const offer = parseOffer(payload);
    const moved = parts.movedBytes();
    const movedBytes = moved.inBytes + moved.outBytes - keyedAtBytes.inBytes - keyedAtBytes.outBytes;
    if (!isFirst && movedBytes < freeAfterBytes && !allowance.take(1)) {
      throw floodFault('key exchanges without data between them');
    }
    choice = choose(offer, hostKeyNames, isFirst);
    if (isFirst) isStrict = choice.isStrict;
    // OpenSSH PROTOCOL §1.10: under strict key exchange KEXINIT is the very first packet.
    if (isFirst && isStrict && input.sequence !== 0) throw protocolFault('strict: a packet came before KEXINIT');
    clientOffer = Buffer.from(payload);
    expected = choice.dropsGuess ? 'wrong_guess' : 'request';
    begin();
  }

  function handleRequest(payload: Buffer): void {
    if (expected !== 'request' || payload[0] !== message.keyExchangeRequest) {
      throw protocolFault('a key exchange message is out of order');
    }
    const method = keyExchangeMethods[choice!.keyExchange];
    const hostKey = parts.hostKeys.find((key) => key.algorithms.includes(choice!.hostKeyAlgorithm))!;
    const answer = method.respond(createReader(payload, 1));
    const exchangeHash = hashExchange(
      method,
      {
        clientLine,
        serverLine: parts.serverLine,
        clientOffer: clientOffer!,
        serverOffer: serverOffer!,
        hostKeyBlob: hostKey.blob,
      },
      answer,
    );
    // RFC 4253 §7.2: the first exchange hash names the connection for good.
    sessionId ??= exchangeHash;
    output.pushPacket(
      formatByte(message.keyExchangeReply),
      formatString(hostKey.blob),
      answer.serverValue,
      formatString(signWith(hostKey, choice!.hostKeyAlgorithm, exchangeHash)),
    );
    const derive = createDerivation(method, answer.secret, exchangeHash, sessionId);
    nextOpener = createOpener(choice!.cipherIn, choice!.macIn, derive);
    output.pushPacket(formatByte(message.newKeys));
    output.setSealer(createSealer(choice!.cipherOut, choice!.macOut, derive));
    if (isStrict) output.resetSequence();
    expected = 'new_keys';
    isSending = false;
    serverOffer = undefined;
    clientOffer = undefined;
    parts.keysSent(exchanges === 0, choice!.wantsExtInfo);
  }

  function handleNewKeys(payload: Buffer): void {
    if (expected !== 'new_keys') throw protocolFault('NEWKEYS is out of order');
    createReader(payload, 1).end();
    input.setOpener(nextOpener!);
    if (isStrict) input.resetSequence();
    nextOpener = undefined;
    expected = 'nothing';
    exchanges += 1;
    keyedAtMs = parts.nowMs();
    keyedAtBytes = parts.movedBytes();
    const { keyExchange, hostKeyAlgorithm, cipherIn, cipherOut, macIn, macOut } = choice!;
    parts.keysReceived({ keyExchange, hostKeyAlgorithm, cipherIn, cipherOut, macIn, macOut, isStrict });
  }

  return {
    begin,
    setClientLine(line: Buffer): void {
      clientLine = line;
    },
    /** Takes messages 20 to 49. */
    handle(payload: Buffer): void {
      if (payload[0] === message.keyExchangeInit) handleOffer(payload);
      else if (payload[0] === message.newKeys) handleNewKeys(payload);
      else if (expected === 'wrong_guess') expected = 'request';
      else handleRequest(payload);
    },
    /** Begins again when a key has served its time or its bytes (RFC 4253 §9), in either direction. */
    renewWhenDue(): void {
      if (isSending || expected !== 'nothing' || sessionId === undefined) return;
      const moved = parts.movedBytes();
      const isDue =
        moved.inBytes - keyedAtBytes.inBytes >= limits.rekeyBytes ||
        moved.outBytes - keyedAtBytes.outBytes >= limits.rekeyBytes ||
        // RFC 4344 §3.1: no key protects more than 2^31 packets; far fewer fit into the byte limit by default.
        Math.max(input.packetsTaken, output.packetsPushed) >= 2 ** 30 ||
        parts.nowMs() - keyedAtMs >= limits.rekeyMs;
      if (isDue) begin();
    },
    isOverdue: (): boolean =>
      (isSending || expected !== 'nothing') && parts.nowMs() - beganAtMs >= limits.keyExchangeMs,
    /** No message outside the exchange may be sent (RFC 4253 §7.1). */
    get isSending(): boolean {
      return isSending;
    },
    /** No message outside the exchange may arrive. */
    get isReceiving(): boolean {
      return expected !== 'nothing' || exchanges === 0;
    },
    /** Any stray message ends the connection, IGNORE and DEBUG included. */
    get isFirstAndStrict(): boolean {
      return exchanges === 0 && isStrict;
    },
    get sessionId(): Buffer | undefined {
      return sessionId;
    },
    get exchanges(): number {
      return exchanges;
    },
  };
}
