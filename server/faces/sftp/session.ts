// SFTP on one channel: takes requests as fast as they can be answered and no faster, and closes everything at the end.
//
// States: waiting for INIT -> serving -> ending -> ended. Ending begins with the client's EOF (after what it sent was
// answered), with a broken stream, with `end()` of ours, or with the loss of the channel.
// Invariants: at most 64 requests and 8 MiB are unanswered; every upload that the client did not close is aborted, never
// published; `ended` resolves after the mount is closed.
import { packetFramingBytes } from '@broadgate/ssh';
import { createFrameReader, formatVersion, type Packet, parseRequest, protocolVersion } from '@broadgate/sftp';
import { createPassingBuffers } from '../../kernel/buffers.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Random } from '../../kernel/random.ts';
import type { Allotment } from './allotment.ts';
import { refusals } from './answer.ts';
import type { BatchBuffers } from './batch-buffers.ts';
import { type Answerable, dispatch } from './dispatch.ts';
import { createExchange } from './exchange.ts';
import { closeThing, createHandleRequests } from './handle-requests.ts';
import { createHandles } from './handles.ts';
import type { SftpMount } from './mount.ts';
import { createPathRequests } from './path-requests.ts';
import { createPathOrder } from './work-queue.ts';

/** What the session needs of an SSH channel; `Channel` of @broadgate/ssh is one. */
export interface SessionChannel {
  onData: (bytes: Buffer) => void;
  onEof: () => void;
  onDrain: () => void;
  onClosed: () => void;
  consume(sizeBytes: number): void;
  write(...parts: Buffer[]): boolean;
  exit(status: number): void;
  close(): void;
  readonly queuedBytes: number;
  readonly writtenBytes: number;
}

export interface SessionParts {
  /** Opens the tree; asked once, at the start. A throw answers every request. */
  readonly openMount: () => Promise<SftpMount>;
  readonly user: string;
  /** Of the listener. */
  readonly buffers: BatchBuffers;
  /** Of the connection. */
  readonly allotment: Allotment;
  readonly clock: Clock;
  readonly random: Random;
  /** Keeps a fault of ours with its stack and gives its incident id. */
  readonly recordFault: (fault: unknown) => string;
  readonly countRead: (sizeBytes: number) => void;
  readonly countWritten: (sizeBytes: number) => void;
}

export interface Session {
  /** Lets open transfers finish, takes no new ones, and ends when nothing is open. */
  finish(): void;
  /** Ends now: what is under way is cut, uploads are kept for resume. */
  end(): void;
  readonly ended: Promise<void>;
  /** Requests that wait, and answers that are being made. */
  readonly heldBytes: number;
}

export const sessionLimits = { requests: 64, unansweredBytes: 8 * 1024 * 1024 } as const;

/** What a request costs while it waits, beside its payload. */
const requestCostBytes = 256;

/** Takes over a channel that was just opened for the subsystem. */
export function openSession(channel: SessionChannel, parts: SessionParts): Session {
  const frames = createFrameReader();
  const incoming = createPassingBuffers(packetFramingBytes);
  const requests = createRequestOrder(incoming.passed);
  const handles = createHandles(parts.random, parts.allotment);
  const ended = Promise.withResolvers<void>();
  let start: ((request: Answerable, exchange: ReturnType<typeof createExchange>) => void) | undefined;
  let mount: SftpMount | undefined;
  let hasVersion = false;
  let unanswered = 0;
  let unansweredBytes = 0;
  // The peer does not take our answers: no request is taken until it does.
  let isOutputFull = false;
  let isPumping = false;
  let state: 'serving' | 'finishing' | 'ending' = 'serving';
  let isEofSeen = false;
  let isGone = false;
  let exitStatus = 0;

  const isOver = (): boolean => state === 'ending';
  const record = (fault: unknown): void => void parts.recordFault(fault);
  const isBusy = (): boolean =>
    !start || isOutputFull || unanswered >= sessionLimits.requests || unansweredBytes >= sessionLimits.unansweredBytes;

  /** Takes requests while there is room for their answers; what is left stays in the channel's window. */
  function pump(): void {
    if (isPumping) return;
    isPumping = true;
    for (;;) {
      const packet = isOver() || isBusy() ? undefined : frames.next();
      if (packet === undefined) break;
      channel.consume(packet.sizeBytes);
      take(packet);
    }
    isPumping = false;
    if (frames.fault !== undefined) breakOff();
    settleDown();
  }

  function take(packet: Packet): void {
    const request = parseRequest(packet);
    const done = requests.begin(packet.sizeBytes);
    if (request.kind === 'init') {
      done();
      // Draft §4: once, first, and we speak nothing below version 3.
      if (hasVersion || request.version < protocolVersion) return breakOff();
      hasVersion = true;
      write([formatVersion()]);
      return;
    }
    if (!hasVersion || request.id === undefined) return breakOff();
    const costBytes = requestCostBytes + costOf(request as Answerable);
    unanswered++;
    unansweredBytes += costBytes;
    const exchange = createExchange(request.id, costBytes, {
      settle(cost, reply) {
        done();
        return settle(cost, reply);
      },
      recordFault: parts.recordFault,
    });
    if (request.kind === 'malformed') return exchange.refuse('badMessage', `Malformed request: ${request.why}.`);
    try {
      if (state === 'finishing' && (request.kind === 'open' || request.kind === 'opendir')) {
        throw refusals.sftp_stopping();
      }
      start!(request as Answerable, exchange);
    } catch (thrown) {
      exchange.fail(thrown);
    }
  }

  function settle(costBytes: number, reply: readonly Buffer[]): boolean {
    unanswered--;
    unansweredBytes -= costBytes;
    const isTaken = !isGone;
    write(reply);
    pump();
    return isTaken;
  }

  function write(reply: readonly Buffer[]): void {
    if (!isGone && !channel.write(...reply)) isOutputFull = true;
  }

  /** The stream cannot be trusted any more: nothing further is read from it. */
  function breakOff(): void {
    exitStatus = 1;
    state = 'ending';
  }

  /** Goes on to the end when nothing is left to be answered. */
  function settleDown(): void {
    if (isPumping || unanswered > 0 || !start) return;
    if (state === 'finishing' && handles.count === 0) state = 'ending';
    // A part of a packet that is still there will never be whole.
    if (isEofSeen && !isBusy()) state = 'ending';
    if (isOver()) void close();
  }

  let isClosing = false;
  async function close(): Promise<void> {
    if (isClosing) return;
    isClosing = true;
    // In the queue of each handle, behind work that answers nobody but still runs.
    await Promise.all(
      handles.takeAll().map((handle) => {
        const closed = Promise.withResolvers<void>();
        handle.queue.push({ run: () => closeThing(handle, 'cut').catch(record).finally(closed.resolve) });
        return closed.promise;
      }),
    );
    await mount?.close().catch((fault: unknown) => {
      record(fault);
      exitStatus = 1;
    });
    if (!isGone) {
      // RFC 4254 §6.10 and §5.3: the status, then EOF and CLOSE, behind every answer.
      channel.exit(exitStatus);
      channel.close();
    }
    ended.resolve();
  }

  channel.onData = (bytes) => {
    if (isOver()) return channel.consume(bytes.length);
    incoming.push(bytes);
    frames.push(bytes);
    pump();
  };
  channel.onEof = () => {
    isEofSeen = true;
    pump();
  };
  channel.onDrain = () => {
    isOutputFull = false;
    pump();
  };
  channel.onClosed = () => {
    isGone = true;
    isOutputFull = false;
    state = 'ending';
    settleDown();
  };

  parts.openMount().then(
    (opened) => {
      mount = opened;
      const order = createPathOrder();
      const onPath = createPathRequests({ ...parts, mount, handles, order, isOver, output: channel });
      const onHandle = createHandleRequests({
        handles,
        order,
        allotment: parts.allotment,
        countRead: parts.countRead,
        isOver,
      });
      const targets = { onPath, onHandle, user: parts.user };
      start = (request, exchange) => dispatch(request, exchange, targets);
      pump();
    },
    (thrown: unknown) => {
      start = (_request, exchange) => exchange.fail(thrown);
      pump();
    },
  );

  return {
    finish() {
      if (state === 'serving') state = 'finishing';
      settleDown();
    },
    end() {
      state = 'ending';
      settleDown();
    },
    ended: ended.promise,
    get heldBytes() {
      return frames.waitingBytes + unansweredBytes;
    },
  };
}

/** Tells up to where in the stream every request was answered. Requests on several handles end in any order. */
function createRequestOrder(answeredUpTo: (bytes: number) => void) {
  const begun: { readonly endBytes: number; isDone: boolean }[] = [];
  let begunBytes = 0;
  return {
    /** Shape: to be called when the request is answered and its bytes are looked at no more. */
    begin(sizeBytes: number): () => void {
      begunBytes += sizeBytes;
      const request = { endBytes: begunBytes, isDone: false };
      begun.push(request);
      return () => {
        request.isDone = true;
        let endBytes: number | undefined;
        while (begun[0]?.isDone) endBytes = begun.shift()!.endBytes;
        if (endBytes !== undefined) answeredUpTo(endBytes);
      };
    },
  };
}

/** What the request makes us keep until its answer is gone: the payload of a WRITE, the answer of a READ. */
function costOf(request: Answerable): number {
  if (request.kind === 'write') return request.payloadBytes;
  return request.kind === 'read' ? Math.min(request.length, sessionLimits.unansweredBytes) : 0;
}
