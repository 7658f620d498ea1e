// What the installation counts for Prometheus beside Node's own readings: answers, connections, and what waits.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Outbox } from './kernel/outbox.ts';
import type { Sql } from './kernel/sql.ts';

export function observe(parts: {
  registry: Registry;
  sftp: { readonly counts: { readonly connections: number; readonly signingIn: number; readonly held: number } };
  outbox: Pick<Outbox, 'count'>;
  sql: Sql;
}): { answer(of: { operationId: string; status: number; durationMs: number }): void } {
  const registers = [parts.registry];
  const answers = new Counter({
    name: 'broadgate_https_answers_total',
    help: 'Answers of the HTTPS face, by operation and status.',
    labelNames: ['operation', 'status'],
    registers,
  });
  const durations = new Histogram({
    name: 'broadgate_https_answer_seconds',
    help: 'Time from request to answer.',
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  });
  const connections = new Gauge({
    name: 'broadgate_sftp_connections',
    help: 'SFTP connections, by what they do.',
    labelNames: ['state'],
    registers: [],
    collect() {
      const { connections, signingIn, held } = parts.sftp.counts;
      this.set({ state: 'signed_in' }, connections - signingIn);
      this.set({ state: 'signing_in' }, signingIn);
      this.set({ state: 'held' }, held);
    },
  });
  const events = new Gauge({
    name: 'broadgate_outbox_events',
    help: 'Events of the outbox that wait, or were given up. The same from every worker.',
    labelNames: ['state'],
    registers: [],
    aggregator: 'max',
    async collect() {
      const { pending, dead } = await parts.outbox.count(parts.sql);
      this.set({ state: 'pending' }, pending);
      this.set({ state: 'dead' }, dead);
    },
  });
  for (const gauge of [connections, events]) parts.registry.registerMetric(gauge);
  return {
    answer({ operationId, status, durationMs }) {
      answers.inc({ operation: operationId, status });
      durations.observe(durationMs / 1000);
    },
  };
}
