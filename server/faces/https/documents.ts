// Documents that the server makes itself, without the application: forms and texts that are read before, or without, signing in.
import type { Problem } from '@broadgate/contract';
import type { Locale } from '@broadgate/languages';
import { factValues } from '@broadgate/languages/fact-values.ts';
import { html, type Texts } from '@broadgate/languages/texts.ts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../../kernel/actor.ts';
import { setCookie } from './callers.ts';
import { readLanguage, readTheme, type Theme } from './choices.ts';
import { textsOf } from './document-texts.ts';
import type { Caught } from './mount.ts';
import { documentHeaders, type Remembered } from './page-headers.ts';
import type { PortalFiles } from './portal-files.ts';

/** How the pages name the broker. */
export interface Brand {
  readonly name: string;
  readonly logo?: { readonly contentType: string; readonly bytes: Buffer };
}

/** What is written into a document. Shape: `body` is HTML; everything in it that is not ours was escaped. */
export interface Page {
  readonly title: string;
  readonly body: string;
  /** Source of its script and style, below `web/portal`. */
  readonly source: string;
}

export interface DocumentAsked {
  readonly actor: Actor | undefined;
  readonly address: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** What a form sent; empty for GET. */
  readonly form: URLSearchParams;
  /** The texts of the reader's language, written as HTML. */
  readonly texts: Texts;
  readonly brand: Brand;
  /** The whole document around a page. */
  render(page: Page): string;
}

export type DocumentReply = {
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookie?: { readonly token: string; readonly expiresAtMs: number } | 'clear';
  /** A choice of the reader's, to be kept on this device. */
  readonly remember?: { readonly name: Remembered; readonly value: string };
} & (
  | { readonly status: number; readonly html: string }
  | { readonly status: 302 | 303; readonly location: string; readonly html?: undefined }
);

export interface DocumentRoute {
  readonly method: 'GET' | 'POST';
  /** Path with `:name` parameters. */
  readonly path: string;
  /** How many ordinary requests this one counts as. Default 1. */
  readonly weight?: number;
  handle(asked: DocumentAsked): Promise<DocumentReply>;
}

const formSizeBytesMax = 16 * 1024;
const rememberedSeconds = 365 * 86_400;

/** Mounts the documents. NOTE: they need the files of the built portal for their looks. */
export function mountDocuments(
  app: FastifyInstance,
  routes: readonly DocumentRoute[],
  parts: { files: PortalFiles; brand: Brand; caughtOf: (request: FastifyRequest) => Caught },
): void {
  app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: formSizeBytesMax },
      (_request, body, parsed) => parsed(null, new URLSearchParams(body as string)),
    );
    for (const route of routes) {
      scope.route({
        method: route.method,
        url: route.path,
        bodyLimit: formSizeBytesMax,
        config: { weight: route.weight ?? 1, isDocument: true },
        handler: async (request, reply) => {
          const texts = textsOf(readLanguage(request));
          const caught = parts.caughtOf(request);
          const answer = await route.handle({
            actor: caught.actor,
            address: caught.address,
            params: request.params as Record<string, string>,
            query: new URLSearchParams(request.raw.url?.split('?', 2)[1] ?? ''),
            form: request.body instanceof URLSearchParams ? request.body : new URLSearchParams(),
            texts,
            brand: parts.brand,
            render: (page) => renderDocument(page, { ...parts, texts, theme: readTheme(request) }),
          });
          return sendDocument(reply, answer, caught.isSecure);
        },
      });
    }
    done();
  });
}

function sendDocument(reply: FastifyReply, answer: DocumentReply, isSecure: boolean): FastifyReply {
  reply
    .code(answer.status)
    .headers(documentHeaders)
    .headers(answer.headers ?? {});
  if (answer.cookie !== undefined) setCookie(reply, answer.cookie, isSecure);
  if (answer.remember !== undefined) {
    const { name, value } = answer.remember;
    reply.setCookie(name, value, { path: '/', maxAge: rememberedSeconds, sameSite: 'lax', secure: isSecure });
  }
  if (answer.html === undefined) return reply.header('location', (answer as { location: string }).location).send();
  return reply.type('text/html; charset=utf-8').send(answer.html);
}

/** Why something was refused, in the reader's words. Shape: HTML. */
export function renderReason({ code, params, detail, instance }: Problem, texts: Texts): string {
  const values = factValues(texts.locale, { ...params, instance });
  return texts.find(`refusal.${code}`, values) ?? html.escape(detail);
}

/** Answers in place of a document that was declined before it could be made, or failed: why, and the way back. */
export function sendRefusal(
  request: FastifyRequest,
  reply: FastifyReply,
  { problem, status, headers }: { problem: Problem; status: number; headers: Readonly<Record<string, string>> },
  parts: { files: PortalFiles; brand: Brand },
): FastifyReply {
  const texts = textsOf(readLanguage(request));
  const title = texts.text('design.refused');
  const { pathname } = new URL(request.url, 'http://localhost');
  const body = [
    `<h1>${title}</h1>`,
    `<p class="note refused" role="alert">${renderReason(problem, texts)}</p>`,
    `<p><a href="${html.escape(pathname)}">${texts.text('design.retry')}</a></p>`,
  ].join('\n');
  const page: Page = { title, body, source: 'sign-in/sign-in.ts' };
  const document = renderDocument(page, { ...parts, texts, theme: readTheme(request) });
  return sendDocument(reply, { status, headers, html: document }, false);
}

/** A whole document around a page. */
export function renderDocument(
  page: Page,
  parts: { files: PortalFiles; brand: Brand; texts: Texts; theme: Theme | undefined },
): string {
  const { scripts, styles } = parts.files.linksOf(page.source);
  const { locale, direction } = parts.texts;
  const theme = parts.theme === undefined ? '' : ` data-theme="${parts.theme}"`;
  return [
    '<!doctype html>',
    `<html lang="${locale satisfies Locale}" dir="${direction}"${theme}>`,
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<title>${html.escape(page.title)} · ${html.escape(parts.brand.name)}</title>`,
    ...(parts.files.icon === undefined ? [] : [`<link rel="icon" type="image/svg+xml" href="${parts.files.icon}">`]),
    ...styles.map((href) => `<link rel="stylesheet" href="${href}">`),
    ...scripts.map((src) => `<script type="module" src="${src}"></script>`),
    '</head>',
    '<body>',
    `<header class="brand">${renderBrand(parts.brand)}</header>`,
    `<main id="content">${page.body}</main>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

/** The broker's mark; its name is read out whether it is drawn or written. */
const renderBrand = ({ name, logo }: Brand): string =>
  logo === undefined
    ? `<a href="/">${html.escape(name)}</a>`
    : `<a href="/"><img src="/brand/logo" alt="${html.escape(name)}"></a>`;
