// Prometheus metrics: each worker counts for itself, and whichever of them is asked answers for all.
import cluster, { type Worker } from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import {
  AggregatorRegistry,
  collectDefaultMetrics,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';

/** What prom-client passes between processes: a registry as plain values. */
type Readings = MetricObjectWithValues<MetricValue<string>>[];

export interface Metrics {
  /** Where a part registers its counters: `new Counter({ registers: [metrics.registry], … })`. */
  readonly registry: Registry;
  readonly contentType: string;
  /** The text of all workers together, in the Prometheus format. Outside a cluster, of this process. */
  text(): Promise<string>;
  close(): void;
}

type Message =
  | { readonly broadgateMetrics: 'ask'; readonly id: number }
  | { readonly broadgateMetrics: 'give'; readonly id: number }
  | { readonly broadgateMetrics: 'given'; readonly id: number; readonly readings: Readings }
  | { readonly broadgateMetrics: 'answer'; readonly id: number; readonly text: string };

const isMessage = (message: unknown): message is Message =>
  typeof message === 'object' && message !== null && 'broadgateMetrics' in message;

/** How long a worker that does not answer is waited for; the others are shown without it. */
const waitMs = 2000;

/** Opens the metrics of this process, with Node's own (memory, event loop, garbage collection). */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const asked = new Map<number, (text: string) => void>();
  let nextId = 0;

  const heard = (message: unknown): void => {
    if (!isMessage(message)) return;
    if (message.broadgateMetrics === 'give') {
      registry.getMetricsAsJSON().then(
        (readings) => process.send?.({ broadgateMetrics: 'given', id: message.id, readings: readings as Readings }),
        () => undefined,
      );
    } else if (message.broadgateMetrics === 'answer') asked.get(message.id)?.(message.text);
  };
  if (cluster.isWorker) process.on('message', heard);

  return {
    registry,
    contentType: registry.contentType,
    async text() {
      if (!cluster.isWorker) return registry.metrics();
      const id = (nextId += 1);
      const answer = Promise.withResolvers<string>();
      asked.set(id, answer.resolve);
      process.send?.({ broadgateMetrics: 'ask', id });
      try {
        // Without a supervisor that answers, a worker shows what it counted itself.
        return await Promise.race([
          answer.promise,
          delay(2 * waitMs, undefined, { ref: false }).then(() => registry.metrics()),
        ]);
      } finally {
        asked.delete(id);
      }
    },
    close() {
      process.off('message', heard);
      registry.clear();
    },
  };
}

/** In the supervisor: gathers the readings of all workers for whichever of them asks. */
export function serveClusterMetrics(): { text(): Promise<string>; close(): void } {
  const rounds = new Map<number, { readings: Readings[]; missing: number; done: () => void }>();
  let nextId = 0;

  async function gather(): Promise<string> {
    const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker?.isConnected());
    const id = (nextId += 1);
    const all = Promise.withResolvers<void>();
    const round = { readings: [] as Readings[], missing: workers.length, done: all.resolve };
    rounds.set(id, round);
    for (const worker of workers) worker!.send({ broadgateMetrics: 'give', id } satisfies Message);
    await Promise.race([all.promise, delay(waitMs, undefined, { ref: false })]);
    rounds.delete(id);
    return AggregatorRegistry.aggregate(round.readings).metrics();
  }

  const heard = (worker: Worker, message: unknown): void => {
    if (!isMessage(message)) return;
    if (message.broadgateMetrics === 'ask') {
      gather().then(
        (text) =>
          worker.isConnected() && worker.send({ broadgateMetrics: 'answer', id: message.id, text } satisfies Message),
        () => undefined,
      );
    } else if (message.broadgateMetrics === 'given') {
      const round = rounds.get(message.id);
      if (!round) return;
      round.readings.push(message.readings);
      round.missing -= 1;
      if (round.missing === 0) round.done();
    }
  };
  cluster.on('message', heard);
  return { text: gather, close: () => cluster.off('message', heard) };
}
