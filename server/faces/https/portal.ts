// Serves the built portal: its files for good, its one document to whoever is signed in, and to everybody else the way to sign in.
import { randomBytes } from 'node:crypto';
import { directionOf } from '@broadgate/languages';
import { html } from '@broadgate/languages/texts.ts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { readLanguage, readTheme } from './choices.ts';
import type { Brand } from './documents.ts';
import type { Caught } from './mount.ts';
import { acceptsCoding, applicationHeaders, assetHeaders, documentHeaders, ownPath } from './page-headers.ts';
import type { PortalFiles } from './portal-files.ts';
import { refusals } from './rules.ts';

export interface PortalParts {
  readonly files: PortalFiles;
  readonly brand: Brand;
}

/** Mounts files and pages. Shape: the answer to addresses that nothing else is at, undefined where no page is asked for. */
export function mountPortal(
  app: FastifyInstance,
  { files, brand }: PortalParts,
  caughtOf: (request: FastifyRequest) => Caught,
): (request: FastifyRequest, reply: FastifyReply) => FastifyReply | undefined {
  const sendPage = (request: FastifyRequest, reply: FastifyReply, status: number): FastifyReply => {
    if (caughtOf(request).actor !== undefined) return sendApplication(request, reply, { files, brand, status });
    if (cameFromElsewhere(request)) return sendAgain(reply);
    const next = ownPath(request.url);
    const query = next === '/' ? '' : `?${new URLSearchParams({ next }).toString()}`;
    return reply.headers(documentHeaders).redirect(`/sign-in${query}`, 302);
  };
  for (const path of files.pages) app.get(path, (request, reply) => sendPage(request, reply, 200));
  app.get<{ Params: { name: string } }>('/assets/:name', (request, reply) => {
    const asset = files.assets.get(request.params.name);
    if (asset === undefined) throw refusals.no_such_address();
    reply.headers(assetHeaders).header('etag', asset.etag).type(asset.contentType);
    if (request.headers['if-none-match'] === asset.etag) return reply.code(304).send();
    for (const [coding, bytes] of asset.compressed) {
      if (!acceptsCoding(request.headers['accept-encoding'], coding)) continue;
      return reply.header('content-encoding', coding).send(bytes);
    }
    return reply.send(asset.bytes);
  });
  if (brand.logo !== undefined) {
    const { contentType, bytes } = brand.logo;
    app.get('/brand/logo', (_request, reply) =>
      // A drawing may hold styles of its own, and never runs anything.
      reply
        .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; sandbox")
        .header('cache-control', 'public, max-age=3600')
        .type(contentType)
        .send(bytes),
    );
  }
  return (request, reply) => (asksForPage(request) ? sendPage(request, reply, 404) : undefined);
}

/** Whether a person, with a browser, asks for something that could be a page. */
function asksForPage(request: FastifyRequest): boolean {
  const path = request.url.split('?', 1)[0]!;
  return (
    (request.method === 'GET' || request.method === 'HEAD') &&
    !path.startsWith('/v1/') &&
    !path.startsWith('/assets/') &&
    !path.slice(path.lastIndexOf('/')).includes('.') &&
    (request.headers.accept ?? '').includes('text/html')
  );
}

/** A link on another site, or in a mail read in a browser: the cookie is not sent with it, though it may be there. */
const cameFromElsewhere = (request: FastifyRequest): boolean =>
  ['cross-site', 'same-site'].includes(String(request.headers['sec-fetch-site']));

/** Asks for the same page once more, now from a page of our own: then the cookie comes along, if there is one. */
const sendAgain = (reply: FastifyReply): FastifyReply =>
  reply
    .headers(documentHeaders)
    .type('text/html; charset=utf-8')
    .send('<!doctype html>\n<meta charset="utf-8">\n<meta http-equiv="refresh" content="0">\n<title>…</title>\n');

function sendApplication(
  request: FastifyRequest,
  reply: FastifyReply,
  { files, brand, status }: PortalParts & { readonly status: number },
): FastifyReply {
  const nonce = randomBytes(16).toString('base64');
  const locale = readLanguage(request);
  const theme = readTheme(request);
  const root = `<html lang="${locale}" dir="${directionOf(locale)}"${theme === undefined ? '' : ` data-theme="${theme}"`}>`;
  const name = html.escape(brand.name);
  const head = [
    `<meta property="csp-nonce" nonce="${nonce}" content="${nonce}">`,
    `<meta name="application-name" content="${name}">`,
    ...(brand.logo === undefined ? [] : ['<meta name="logo" content="/brand/logo">']),
    `<title>${name}</title>`,
  ].join('\n    ');
  const page = files.index
    .replace(/<html [^>]*>/, () => root)
    .replace(/<meta name="application-name"[^>]*>/, '')
    .replace(/<title>[^<]*<\/title>/, () => head);
  return reply.code(status).headers(applicationHeaders(nonce)).type('text/html; charset=utf-8').send(page);
}
