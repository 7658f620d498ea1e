// Catches the input that never ends: the thread beside the fuzzer sees that a case does not finish, keeps it, and ends us.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

interface Shared {
  /** 0: number of the case, 0 while none runs; 1: its size. */
  readonly head: Int32Array;
  readonly bytes: Uint8Array;
  readonly file: string;
}

const patienceMs = 60_000;

export function createWatchdog(bytesMax: number, nameFile: (hash: string) => string) {
  const head = new Int32Array(new SharedArrayBuffer(8));
  const bytes = new Uint8Array(new SharedArrayBuffer(bytesMax));
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { watchdog: true, head, bytes, file: nameFile(`hang-${process.pid}`) } as object,
  });
  worker.unref();
  let cases = 0;
  return {
    begin(input: Uint8Array): void {
      bytes.set(input.subarray(0, bytesMax));
      head[1] = Math.min(input.length, bytesMax);
      cases = (cases % 1_000_000_000) + 1;
      Atomics.store(head, 0, cases);
    },
    end: () => Atomics.store(head, 0, 0),
    [Symbol.dispose]: () => void worker.terminate(),
  };
}

function watch({ head, bytes, file }: Shared): void {
  let seen = 0;
  let sinceMs = performance.now();
  setInterval(() => {
    const now = Atomics.load(head, 0);
    if (now !== seen || now === 0) {
      seen = now;
      sinceMs = performance.now();
    } else if (performance.now() - sinceMs >= patienceMs) {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, bytes.slice(0, head[1]));
      writeFileSync(2, `fuzz: a case does not end; its input is in ${file}\n`);
      process.kill(process.pid, 'SIGKILL');
    }
  }, 1000);
}

const given = workerData as (Shared & { watchdog?: boolean }) | null;
if (!isMainThread && given?.watchdog === true) watch(given);
