// A small cluster for the test of the metrics: three workers count, and one of them is asked for all.
import cluster from 'node:cluster';
import { Counter } from 'prom-client';
import { createMetrics, serveClusterMetrics } from './metrics.ts';

const workers = 3;

if (cluster.isPrimary) {
  const served = serveClusterMetrics();
  let counted = 0;
  for (let count = 1; count <= workers; count += 1) cluster.fork({ COUNT: String(count) });
  cluster.on('message', (_, message: unknown) => {
    if (message === 'counted') counted += 1;
    if (message === 'counted' && counted === workers) Object.values(cluster.workers!)[0]?.send('tell');
    if (typeof message === 'string' && message.startsWith('# ')) {
      process.send!(message);
      served.close();
      cluster.disconnect(() => process.disconnect!());
    }
  });
} else {
  const metrics = createMetrics();
  new Counter({ name: 'statements_total', help: 'Statements.', registers: [metrics.registry] }).inc(
    Number(process.env['COUNT']),
  );
  process.on('message', (message) => {
    if (message === 'tell') void metrics.text().then((text) => process.send!(text));
  });
  process.send!('counted');
}
