// Metrics: one worker that is asked answers for all of them.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';
import { Counter } from 'prom-client';
import { createMetrics } from './metrics.ts';

test('Outside a cluster a process shows what it counted, with Node\u2019s own figures', async () => {
  const metrics = createMetrics();
  new Counter({ name: 'refusals_total', help: 'Refusals.', labelNames: ['code'], registers: [metrics.registry] }).inc(
    { code: 'x' },
    3,
  );
  const text = await metrics.text();
  assert.match(text, /^refusals_total\{code="x"\} 3$/m);
  assert.match(text, /^process_cpu_seconds_total /m);
  metrics.close();
});

test('In a cluster any worker answers with the sum of all', async () => {
  const supervisor = fork(new URL('metrics.cluster.ts', import.meta.url), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [text] = (await once(supervisor, 'message')) as [string];
  await once(supervisor, 'exit');
  // Three workers count 1, 2 and 3.
  assert.match(text, /^statements_total 6$/m);
});
