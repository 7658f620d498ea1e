// The transport layer: identification, packets, the messages every state knows, and what may go out when (RFC 4253).
import { signatureNames } from './algorithms.ts';
import { ConnectionFault, floodFault, protocolFault } from './faults.ts';
import { createKeyAgreement } from './key-agreement.ts';
import type { Allowance, Limits } from './limits.ts';
import { message } from './message-numbers.ts';
import { createPacketInput } from './packet-input.ts';
import { createPacketOutput } from './packet-output.ts';
import type { Negotiated, ServerOptions } from './ssh.ts';
import { createReader, formatByte, formatNameList, formatString, formatUint32, toPlainText } from './wire.ts';

export type Transport = ReturnType<typeof createTransport>;

// RFC 4253 §4.2: 255 bytes with CR and LF.
const identificationBytesMax = 255;
const pingBytesMax = 16 * 1024;
// Bytes that may wait while a sign-in try is decided; clients have nothing to say then.
const pausedBytesMax = 128 * 1024;

export function createTransport(parts: {
  readonly options: ServerOptions;
  readonly limits: Limits;
  readonly allowance: Allowance;
  /** Hands over to the socket; false: it holds enough. */
  send(bytes: Buffer): boolean;
  /** A message that is not the transport's own. */
  deliver(payload: Buffer): void;
  negotiated(negotiated: Negotiated): void;
  /** Data may flow again: new keys are in force or the socket has room. */
  ready(): void;
  inTurn(work: () => void): void;
}) {
  const { options, limits, allowance } = parts;
  const serverLine = Buffer.from(`SSH-2.0-${options.software}`, 'latin1');
  const input = createPacketInput();
  const output = createPacketOutput((sizeBytes) => options.random(sizeBytes));
  let bytesIn = 0;
  let bytesOut = 0;
  let packetBytesMax = limits.earlyPacketBytesMax;
  let isSignedIn = false;
  let isIdentified = false;
  let isPaused = false;
  let isRunning = false;
  let isBlocked = false;
  let isStopped = false;
  let isFlushing = false;
  let peerSoftware: string | undefined;
  let negotiated: Negotiated | undefined;
  // One IGNORE for each packet that does something costs nothing.
  let isIgnoreFree = false;
  // The clock is read by ticks, not by packets.
  let hasHeard = false;
  let heardAtMs = options.nowMs();
  // Messages that wait for the end of a key exchange.
  let postponed: Buffer[] = [];
  let postponedBytes = 0;

  const agreement = createKeyAgreement({
    hostKeys: options.hostKeys,
    limits,
    input,
    output,
    serverLine,
    random: (sizeBytes) => options.random(sizeBytes),
    nowMs: () => options.nowMs(),
    movedBytes: () => ({ inBytes: bytesIn, outBytes: bytesOut + output.waitingBytes }),
    keysSent(isFirst, wantsExtInfo) {
      if (isFirst && wantsExtInfo) output.pushPacket(formatExtInfo());
      for (const payload of postponed) output.pushPacket(payload);
      postponed = [];
      postponedBytes = 0;
      parts.ready();
    },
    keysReceived(agreed) {
      negotiated = agreed;
      parts.negotiated(agreed);
    },
  });

  /** Sends a message now, or right after the key exchange under way; the sum of what waits is bounded. */
  function send(...pieces: Buffer[]): void {
    if (isStopped) return;
    if (agreement.isSending) {
      const payload = Buffer.concat(pieces);
      postponed.push(payload);
      postponedBytes += payload.length;
    } else {
      output.pushPacket(...pieces);
    }
    const waitingBytes = postponedBytes + (isBlocked ? output.waitingBytes : 0);
    if (waitingBytes > limits.controlQueueBytesMax) throw floodFault('replies wait and the peer does not read them');
  }

  /** Hands everything sealed to the socket, unless that is full. */
  function flush(): void {
    if (isBlocked || isFlushing) return;
    isFlushing = true;
    try {
      while (output.waitingBytes > 0 && !isBlocked) {
        for (const run of output.take()) {
          bytesOut += run.length;
          if (!parts.send(run)) isBlocked = true;
        }
      }
    } finally {
      isFlushing = false;
    }
  }

  function identify(): boolean {
    const line = input.takeLine(identificationBytesMax);
    if (line === undefined) return false;
    const text = toPlainText(line, identificationBytesMax);
    // RFC 4253 §4.2: a client's first line is its identification; only servers may send others before it.
    if (!/^SSH-2\.0-./.test(text) || line.includes(0)) {
      throw new ConnectionFault({ kind: 'not_ssh', line: text.slice(0, 64) });
    }
    peerSoftware = text.slice('SSH-2.0-'.length);
    agreement.setClientLine(Buffer.from(line));
    isIdentified = true;
    return true;
  }

  /** Takes packets until there is no whole one, or somebody asked to wait or stop. */
  function run(): void {
    if (!isIdentified && !identify()) return;
    isRunning = true;
    try {
      for (;;) {
        const payload = isPaused || isStopped ? undefined : input.takePacket(packetBytesMax);
        if (payload === undefined) break;
        hasHeard = true;
        handle(payload);
      }
    } finally {
      isRunning = false;
    }
    // A signed-in client may have its windows' worth on the way.
    const pausedMax = isSignedIn ? 4 * limits.windowBytesMax : pausedBytesMax;
    if (isPaused && input.bufferedBytes > pausedMax) throw floodFault('too much while input is paused');
    if (isSignedIn && !isStopped) agreement.renewWhenDue();
  }

  function handle(payload: Buffer): void {
    const number = payload[0]!;
    if (number >= 30 && number <= 49) {
      // The payload may lie on the bench, which others use before its turn comes.
      const kept = Buffer.from(payload);
      isPaused = true;
      parts.inTurn(() => {
        isPaused = false;
        agreement.handle(kept);
        if (!isRunning) run();
      });
    } else if (number >= 20 && number <= 29) {
      agreement.handle(payload);
    } else if (number <= 4) {
      handleCommon(number, payload);
    } else if (agreement.isReceiving) {
      // RFC 4253 §7.1: between its KEXINIT and its NEWKEYS a side sends nothing else.
      throw protocolFault('a message does not belong inside a key exchange');
    } else if (number === message.ping) {
      answerPing(payload);
    } else {
      isIgnoreFree = true;
      parts.deliver(payload);
    }
  }

  /** RFC 4253 §11: messages 1 to 4 may come at any time, outside the first strict key exchange. */
  function handleCommon(number: number, payload: Buffer): void {
    if (number === message.disconnect) {
      const reader = createReader(payload, 1);
      const code = reader.uint32();
      throw new ConnectionFault({ kind: 'peer_disconnected', code, text: toPlainText(reader.string(), 255) });
    }
    if (agreement.isFirstAndStrict) throw protocolFault('strict: a stray message came before NEWKEYS');
    if (number === 0) throw protocolFault('message 0 does not exist');
    // RFC 4251 §9.3.1: some clients send an IGNORE before each packet, against attacks on CBC; AsyncSSH with every cipher.
    if (number === message.ignore && isIgnoreFree) isIgnoreFree = false;
    else countChatter(1);
  }

  function countChatter(units: number): void {
    if (!allowance.take(units)) throw floodFault('too many messages that ask for answers or do nothing');
  }

  /** OpenSSH PROTOCOL §1.8. */
  function answerPing(payload: Buffer): void {
    const reader = createReader(payload, 1);
    const data = reader.string(pingBytesMax);
    reader.end();
    countChatter(1 + data.length / 256);
    send(formatByte(message.pong), formatString(data));
  }

  return {
    start(): void {
      output.pushRaw(Buffer.concat([serverLine, Buffer.from('\r\n')]));
      agreement.begin();
      flush();
    },
    receive(bytes: Buffer): void {
      bytesIn += bytes.length;
      input.push(bytes);
      run();
    },
    send,
    /** CHANNEL_DATA and what else keeps its own queue: only while `canSendData`. */
    sendData(...pieces: readonly Buffer[]): void {
      output.pushPacket(...pieces);
    },
    flush,
    /** RFC 4253 §11.4. */
    answerUnknown(): void {
      countChatter(1);
      send(formatByte(message.unimplemented), formatUint32(input.sequence));
    },
    countChatter,
    /** Takes no packet until `resume`. */
    pause(): void {
      isPaused = true;
    },
    resume(): void {
      isPaused = false;
      if (!isRunning) run();
    },
    /** From now on packets may be large, and keys are renewed when they have served. */
    signedIn(): void {
      isSignedIn = true;
      packetBytesMax = limits.packetBytesMax;
    },
    drained(): void {
      isBlocked = false;
      flush();
      if (!isBlocked) parts.ready();
    },
    /** Begins a key exchange where one is due. Answers false when the one under way takes too long. */
    tick(): boolean {
      if (hasHeard) heardAtMs = options.nowMs();
      hasHeard = false;
      agreement.renewWhenDue();
      return !agreement.isOverdue();
    },
    /** Sends a last message where there is one, whatever the state, then nothing more. */
    stop(farewell: Buffer | undefined): void {
      if (isStopped) return;
      isStopped = true;
      input.clear();
      postponed = [];
      postponedBytes = 0;
      if (farewell !== undefined) {
        output.pushPacket(farewell);
        isBlocked = false;
        flush();
      }
      output.clear();
    },
    get canSendData(): boolean {
      return !agreement.isSending && !isBlocked && !isStopped;
    },
    get sealedBytes(): number {
      return output.waitingBytes;
    },
    get unreadBytes(): number {
      return input.bufferedBytes;
    },
    get bufferedBytes(): number {
      return input.bufferedBytes + output.waitingBytes + postponedBytes;
    },
    get sessionId(): Buffer {
      return agreement.sessionId!;
    },
    get keyExchanges(): number {
      return agreement.exchanges;
    },
    get peerSoftware(): string | undefined {
      return peerSoftware;
    },
    get negotiated(): Negotiated | undefined {
      return negotiated;
    },
    /** When the last packet had come, to the tick. */
    get heardAtMs(): number {
      return heardAtMs;
    },
    get bytesIn(): number {
      return bytesIn;
    },
    get bytesOut(): number {
      return bytesOut;
    },
  };
}

/** RFC 8308 §2.3 and §3.1, OpenSSH PROTOCOL §1.8. */
function formatExtInfo(): Buffer {
  return Buffer.concat([
    formatByte(message.extInfo),
    formatUint32(2),
    formatString('server-sig-algs'),
    formatNameList(signatureNames),
    formatString('ping@openssh.com'),
    formatString('0'),
  ]);
}
