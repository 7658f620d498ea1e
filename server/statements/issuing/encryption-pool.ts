// Encrypts, signs and inspects in worker threads, so that no statement and no hostile key holds up the event loop.
// Invariant: the thread that reads a stranger's certificate never holds the broker's signing key.
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import { importSigningKey } from '@broadgate/openpgp-writer';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { createSemaphore } from '../../kernel/limits.ts';
import type { Refusal, RefusalParams } from '../../kernel/refusal.ts';
import type { OpenPgpCertificate } from '../keys/openpgp-certificate.ts';
import { refusals } from '../keys/rules.ts';
import { createLane, type Outcome } from './encryption-lane.ts';
import { feed, pull } from './encryption-stream.ts';
import type { MessageFacts, WorkerJob } from './encryption-worker.ts';

export interface EncryptionPool extends AsyncDisposable {
  /** One message, encrypted to the recipients and signed inside by the pool's key. */
  encrypt(job: MessageFacts & { data: Uint8Array }): Promise<Buffer>;
  /** The same for any size, in bounded memory. Shape: read it to its end, or stop early by leaving the loop. */
  encryptStream(
    job: MessageFacts & { source: AsyncIterable<Uint8Array>; sizeBytes?: number | undefined },
  ): AsyncGenerator<Buffer>;
  /** A detached signature, the bytes of `NAME.sig`. */
  sign(job: { data: Uint8Array; signedAtMs: number }): Promise<Buffer>;
  signStream(job: { source: AsyncIterable<Uint8Array>; signedAtMs: number }): Promise<Buffer>;
  /** Refuses: key_too_slow beyond `inspectionCpuMsMax` (default one second) of processor time, and what readCertificate refuses. */
  inspectCertificate(bytes: Uint8Array, nowMs: number): Promise<OpenPgpCertificate>;
  close(): Promise<void>;
}

const inspection = { cpuMsMax: 1000, waitMsMax: 30_000, lookEveryMs: 50 } as const;
const streamsPerWorker = 4;

/**
 * Opens the pool; its threads start with the first job that needs them.
 * Shape: `signingKey` is the private form from the vault; without it messages are not signed and `sign` is a fault.
 * Refuses: each operation throws an Outage when `queueLengthMax` jobs wait, after `close`, or when its worker crashed.
 */
export function createEncryptionPool(options: {
  workers: number;
  signingKey?: Uint8Array | undefined;
  queueLengthMax?: number | undefined;
  inspectionCpuMsMax?: number | undefined;
  clock?: Clock | undefined;
}): EncryptionPool {
  const { workers, signingKey, queueLengthMax = 1000, clock = systemClock } = options;
  const cpuMsMax = options.inspectionCpuMsMax ?? inspection.cpuMsMax;
  // A damaged key is found out here, and not by the first statement.
  if (signingKey) importSigningKey(signingKey);
  const sealing = createLane({ workers, turnsMax: 2, waitingMax: queueLengthMax, signingKey });
  const inspecting = createLane({ workers: 1, turnsMax: 1, waitingMax: queueLengthMax, signingKey: undefined });
  const streams = createSemaphore({
    permits: workers * streamsPerWorker,
    waitingMax: queueLengthMax,
    what: 'encryption workers',
  });

  async function runWhole(data: Uint8Array, jobOf: (copy: Uint8Array) => WorkerJob): Promise<Buffer> {
    const prepare = () => {
      // The copy has memory of its own: sending a view would send all that lies around it.
      const copy = new Uint8Array(data);
      return { job: jobOf(copy), transfer: [copy.buffer] };
    };
    return toBuffer(await sealing.run({ prepare, takesTurn: true, mayRetry: () => true }));
  }

  /** Starts a stream job; `failed` only ever rejects: with the worker's fault, or with the source's. */
  function startStream(source: AsyncIterable<Uint8Array>, jobOf: (port: MessagePort) => WorkerJob) {
    const { port1: port, port2 } = new MessageChannel();
    const fed = feed(source, port);
    const done = sealing.run({
      prepare: () => ({ job: jobOf(port2), transfer: [port2] }),
      takesTurn: false,
      mayRetry: () => false,
    });
    const failed = Promise.race([fed, done.then((outcome) => new Promise<never>((_, no) => rejectWith(outcome, no)))]);
    // Both may end badly after the reader has left; nobody is there to be told.
    failed.catch(() => {});
    fed.catch(() => {});
    return { port, done, failed };
  }

  async function* encryptStream(
    job: MessageFacts & { source: AsyncIterable<Uint8Array>; sizeBytes?: number | undefined },
  ): AsyncGenerator<Buffer> {
    const { source, ...facts } = job;
    using _place = await takePlace();
    const { port, failed } = startStream(source, (port) => ({ kind: 'encryptStream', port, ...facts }));
    try {
      for (;;) {
        const part = await Promise.race([pull(port), failed]);
        if (part === undefined) return;
        yield Buffer.from(part.buffer, part.byteOffset, part.length);
      }
    } finally {
      port.close();
    }
  }

  /** Waits for one of the places for streams; it is given back when disposed of. */
  async function takePlace(): Promise<Disposable> {
    const taken = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    const stay = streams.run(async () => {
      taken.resolve();
      await left.promise;
    });
    await Promise.race([taken.promise, stay]);
    return { [Symbol.dispose]: left.resolve };
  }

  async function inspectCertificate(bytes: Uint8Array, nowMs: number): Promise<OpenPgpCertificate> {
    let watch: ReturnType<typeof watchWorker> | undefined;
    try {
      const outcome = await inspecting.run({
        prepare: () => ({ job: { kind: 'inspect', bytes: new Uint8Array(bytes), nowMs }, transfer: [] }),
        takesTurn: true,
        mayRetry: () => watch?.ended !== true,
        onStart: (worker) => {
          watch = watchWorker(worker, { cpuMsMax, clock });
        },
      });
      return resultOf(outcome) as OpenPgpCertificate;
    } catch (fault) {
      throw watch?.ended ? refusals.key_too_slow() : fault;
    } finally {
      watch?.stop();
    }
  }

  const close = async (): Promise<void> => {
    await Promise.all([sealing.close(), inspecting.close()]);
  };

  return {
    encrypt: ({ data, ...facts }) => runWhole(data, (copy) => ({ kind: 'encrypt', data: copy, ...facts })),
    encryptStream,
    sign: ({ data, signedAtMs }) => runWhole(data, (copy) => ({ kind: 'sign', data: copy, signedAtMs })),
    async signStream({ source, signedAtMs }) {
      using _place = await takePlace();
      const { port, done, failed } = startStream(source, (port) => ({ kind: 'signStream', port, signedAtMs }));
      try {
        return toBuffer(await Promise.race([done, failed]));
      } finally {
        port.close();
      }
    },
    inspectCertificate,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Ends the worker when it has used too much processor time since now, or takes far too long. */
function watchWorker(worker: Worker, limits: { cpuMsMax: number; clock: Clock }) {
  const { cpuMsMax, clock } = limits;
  let stopped = false;
  let ended = false;
  const startMs = clock.monotonicMs();
  const usedMs = async (): Promise<number> => {
    const { user, system } = await worker.cpuUsage();
    return (user + system) / 1000;
  };
  async function look(before: number): Promise<void> {
    if (stopped) return;
    const used = (await usedMs()) - before;
    if (stopped) return;
    if (used < cpuMsMax && clock.monotonicMs() - startMs < inspection.waitMsMax) {
      clock.after(inspection.lookEveryMs, () => void look(before).catch(() => {}));
      return;
    }
    ended = true;
    await worker.terminate();
  }
  // A worker that has ended by itself has no usage to tell; its lane has taken note already.
  void usedMs()
    .then(look, () => {})
    .catch(() => {});
  return {
    get ended() {
      return ended;
    },
    stop() {
      stopped = true;
    },
  };
}

function resultOf(outcome: Outcome): unknown {
  if ('refused' in outcome) throw refusalOf(outcome.refused.code, outcome.refused.params);
  if ('fault' in outcome) throw outcome.fault;
  return outcome.result;
}

function rejectWith(outcome: Outcome, reject: (fault: unknown) => void): void {
  try {
    resultOf(outcome);
  } catch (fault) {
    reject(fault);
  }
}

/** A refusal loses its class on the way between threads; code and params make it anew. */
function refusalOf(code: string, params: RefusalParams): Refusal {
  const make = (refusals as unknown as Record<string, ((params: RefusalParams) => Refusal) | undefined>)[code];
  if (!make) throw new Error(`The worker refused with the unknown code ${code}`);
  return make(params);
}

function toBuffer(outcome: Outcome): Buffer {
  const bytes = resultOf(outcome) as Uint8Array;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
