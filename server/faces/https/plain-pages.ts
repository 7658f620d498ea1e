// What is not an operation: the front page, the document, health, readiness and metrics.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caught } from './mount.ts';
import { isLoopback, refusals } from './rules.ts';

export interface PlainPages {
  /** Whether this process can serve, with one word for each part that it needs. */
  readiness(): Promise<{ readonly isReady: boolean; readonly parts: Readonly<Record<string, string>> }>;
  metrics?(): Promise<{ readonly contentType: string; readonly text: string }>;
}

const frontPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Broadgate</title>
<h1>Broadgate</h1>
<p>This address answers programs. What it can do is written down in the
<a href="/v1/openapi.json">description of its operations</a> (OpenAPI 3.1).</p>
<p>The address you come from: <a href="/v1/address">/v1/address</a>.</p>
</html>
`;

/** Mounts the pages; none of them is a secret but the metrics. */
export function mountPlainPages(
  app: FastifyInstance,
  pages: PlainPages,
  parts: { document: unknown; caughtOf: (request: FastifyRequest) => Caught; hasPortal: boolean },
): void {
  const document = JSON.stringify(parts.document);
  if (!parts.hasPortal) app.get('/', (_request, reply) => reply.type('text/html; charset=utf-8').send(frontPage));
  app.get('/v1/openapi.json', (_request, reply) => reply.type('application/json; charset=utf-8').send(document));
  app.get('/healthz', (_request, reply) => reply.type('text/plain; charset=utf-8').send('ok\n'));
  app.get('/readyz', async (_request, reply) => {
    const { isReady, parts: words } = await pages.readiness();
    const text = Object.entries(words)
      .map(([name, word]) => `${name}: ${word}\n`)
      .join('');
    return reply
      .code(isReady ? 200 : 503)
      .type('text/plain; charset=utf-8')
      .send(text);
  });
  app.get('/metrics', async (request, reply) => {
    const { actor, address } = parts.caughtOf(request);
    if (actor?.kind !== 'operator' && !isLoopback(address)) throw refusals.metrics_not_for_you();
    const answer = await pages.metrics?.();
    if (answer === undefined) throw refusals.no_such_address();
    return reply.type(answer.contentType).send(answer.text);
  });
}
