// Loaded into each worker of a measured server by `--import`: tells its event-loop delay, and profiles it when asked.
// It does nothing until it is asked. The folder of its socket is in its own address, `probe.ts?folder=…`.
import cluster from 'node:cluster';
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import net from 'node:net';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/** One line of JSON each way. */
export type Question =
  | { readonly ask: 'start-delay' | 'stop-delay' | 'start-profile' | 'collect' }
  | { readonly ask: 'stop-profile'; readonly file: string };

/** Units: milliseconds. */
export interface Delay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

// Nanoseconds of the histogram; a timer that fires on time still shows its own period.
const periodMs = 1;
const histogram = monitorEventLoopDelay({ resolution: periodMs });
const session = new Session();

const readDelay = (): Delay => {
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - periodMs);
  return { p50: late(histogram.percentile(50)), p99: late(histogram.percentile(99)), max: late(histogram.max) };
};

async function stopProfile(file: string): Promise<object> {
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  writeFileSync(file, JSON.stringify(profile));
  return {};
}

const answers: Readonly<Record<Exclude<Question['ask'], 'stop-profile'>, () => unknown>> = {
  'start-delay'() {
    histogram.reset();
    histogram.enable();
    return {};
  },
  'stop-delay'() {
    histogram.disable();
    return readDelay();
  },
  async 'start-profile'() {
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: 500 });
    await session.post('Profiler.start');
    return {};
  },
  async collect() {
    const collector = new Session();
    collector.connect();
    await collector.post('HeapProfiler.collectGarbage');
    collector.disconnect();
    return process.memoryUsage();
  },
};

const answer = async (question: Question): Promise<unknown> =>
  question.ask === 'stop-profile' ? stopProfile(question.file) : answers[question.ask]();

function open(folder: string): void {
  const server = net.createServer((socket) => {
    let received = '';
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString();
      if (!received.endsWith('\n')) return;
      const question = JSON.parse(received) as Question;
      received = '';
      answer(question).then(
        (said) => socket.end(JSON.stringify(said)),
        (fault: unknown) => socket.end(JSON.stringify({ fault: String(fault) })),
      );
    });
  });
  server.listen(path.join(folder, `${process.pid}.sock`));
  server.unref();
}

const folder = new URL(import.meta.url).searchParams.get('folder');
if (folder !== null && cluster.isWorker && isMainThread) open(folder);
