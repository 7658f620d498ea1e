// One worker process: opens the whole application on the shared ports, says so, and closes it when the supervisor asks.
import process from 'node:process';
import v8 from 'node:v8';
import type { App, AppStart } from './app.ts';
import { Refusal } from './kernel/refusal.ts';
import type { Failure, FromWorker, ToWorker } from './supervisor.ts';

// Ctrl-C and a terminal that closes reach the whole foreground group; only the supervisor acts on them. The application is
// loaded after this, because a signal that comes while it loads must not end the worker either.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => undefined);

// Without this V8 collects its whole heap for every 64 MB of buffers that pass through, however small the heap is; in a
// large transfer that was a third of the processor time.
v8.setFlagsFromString('--external-memory-accounted-in-global-limit');

let opening: Promise<App> | undefined;

async function start(values: AppStart): Promise<void> {
  opening = import('./app.ts').then(({ openApp }) => openApp(values));
  try {
    await opening;
    process.send!({ kind: 'ready' } satisfies FromWorker);
  } catch (fault) {
    // The supervisor hears the reason, then sees us go: it gives up at the first start, and tries again later on.
    process.send!({ kind: 'failed', failure: describe(fault) } satisfies FromWorker, () => process.exit(1));
  }
}

function describe(fault: unknown): Failure {
  if (fault instanceof Refusal) return { text: fault.message, refusal: { kind: fault.kind, code: fault.code } };
  return { text: fault instanceof Error ? (fault.stack ?? fault.message) : String(fault) };
}

async function stop(graceMs: number): Promise<void> {
  const app = await opening?.catch(() => undefined);
  await app?.close(graceMs);
  process.exit(0);
}

process.on('message', (message: ToWorker<AppStart>) => {
  if (message.kind === 'start') void start(message.start);
  else if (message.kind === 'stop') void stop(message.graceMs);
});
process.send!({ kind: 'listening' } satisfies FromWorker);
