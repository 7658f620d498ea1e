// The HTTPS face: takes requests, finds out who asks, hands them to the declared operations and answers as problems or values.
import { createHash } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import cookiePlugin from '@fastify/cookie';
import type { ErrorObject } from 'ajv/dist/2020.js';
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { formatActor } from '../../kernel/actor.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
import { createTokenBuckets } from '../../kernel/limits.ts';
import type { Log } from '../../kernel/log.ts';
import { Refusal } from '../../kernel/refusal.ts';
import { answerThrown, type FieldError } from './answer.ts';
import { type FindActor, identify } from './callers.ts';
import { createCursors } from './cursors.ts';
import { createEventStreams } from './event-stream.ts';
import { type ListenOptions, openListener } from './listener.ts';
import { type Caught, mountRoutes } from './mount.ts';
import { openApiDocument, type RefusalSets } from './openapi.ts';
import { ownRoutes } from './own-routes.ts';
import { type DocumentRoute, mountDocuments, sendRefusal } from './documents.ts';
import { mountPlainPages, type PlainPages } from './plain-pages.ts';
import { mountPortal, type PortalParts } from './portal.ts';
import type { Route } from './route.ts';
import { refusals } from './rules.ts';
import { buildSerializer } from './serializing.ts';
import { compileValidator, readFieldErrors } from './validation.ts';

/** How often one caller may ask, in each process: `burst` at once, then so many a second. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

export interface HttpsFaceParts extends PlainPages {
  readonly routes: readonly Route[];
  /** Every set of refusals that operations may throw. */
  readonly refusals: RefusalSets;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Who a token belongs to; undefined when it is not valid or has ended. */
  readonly findActor: FindActor;
  /** At least 32 secret bytes, the same in every worker. */
  readonly cursorKey: Uint8Array;
  readonly listen: ListenOptions;
  /** Called for every answer, for metrics. */
  readonly observe?: (answer: { operationId: string; status: number; durationMs: number }) => void;
  readonly limits?: { readonly address?: Rate; readonly actor?: Rate };
  /** Absent where only programs are served. */
  readonly portal?: PortalParts & { readonly documents: readonly DocumentRoute[] };
}

export interface HttpsFace extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** Reads the certificate files again now. Refuses: certificate_unusable, and the old one stays. */
  reloadCertificate(): Promise<void>;
  /** Takes nothing new, lets what runs end, and cuts the rest after `graceMs`. */
  close(options?: { graceMs?: number }): Promise<void>;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    declared?: Route;
    /** How many ordinary requests a page counts as. */
    weight?: number;
    /** A person reads what it answers, refusals too. */
    isDocument?: boolean;
  }
}

// What is no page loads nothing, so a browser is told to load nothing at all; pages say otherwise themselves.
const securityHeaders = {
  'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
} as const;

/** Opens the face on its address. Refuses: address_needs_tls, certificate_unusable. */
export async function openHttpsFace(parts: HttpsFaceParts): Promise<HttpsFace> {
  const { clock, ids, log } = parts;
  const onFault = (fault: unknown): void => log.fault('the certificate files could not be read again', fault);
  const listener = await openListener(parts.listen, { clock, onFault });
  const routes = [...ownRoutes(parts.refusals), ...parts.routes];
  const trustedProxies = parts.listen.trustedProxies ?? [];
  const bucketOf = (rate: Rate) =>
    createTokenBuckets({ clock, capacity: rate.burst, refillPerSecond: rate.perSecond, keysMax: 50_000 });
  const rates = {
    address: bucketOf(parts.limits?.address ?? { burst: 2000, perSecond: 200 }),
    actor: bucketOf(parts.limits?.actor ?? { burst: 1000, perSecond: 100 }),
  };
  const caught = new WeakMap<FastifyRequest, Caught>();
  const caughtOf = (request: FastifyRequest): Caught => caught.get(request)!;
  const streams = createEventStreams({ clock });
  let isClosing = false;

  const app: FastifyInstance = fastify({
    serverFactory: (handler) => listener.create(handler),
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    genReqId: () => ids.next(),
    logger: false,
    schemaController: { compilersFactory: { buildSerializer: buildSerializer as never } },
    return503OnClosing: false,
    exposeHeadRoutes: true,
    bodyLimit: 16 * 1024,
    routerOptions: { maxParamLength: 512, caseSensitive: true },
    frameworkErrors: (error, request, reply) => void sendThrown(error, request, reply),
    clientErrorHandler(_error, socket) {
      const { problem } = answerThrown(refusals.request_malformed(), ids.next());
      const text = JSON.stringify(problem);
      if (socket.writable) {
        socket.end(
          `HTTP/1.1 400 ${STATUS_CODES[400]}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
        );
      } else socket.destroy();
    },
  }) as unknown as FastifyInstance;

  function sendThrown(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { refusal, errors } = translate(thrown, request);
    const answer = answerThrown(refusal, request.id, errors);
    if (answer.sort !== 'refusal') {
      log.fault('a request failed', thrown, { instance: request.id, route: routeOf(request) });
    }
    // A body that nobody reads any more must not keep the connection busy.
    if (request.raw.httpVersionMajor === 1 && !request.raw.complete) reply.header('connection', 'close');
    const { status } =
      thrown instanceof Refusal && thrown.code === 'range_not_satisfiable' ? { status: 416 } : answer.problem;
    for (const name of ['content-disposition', 'content-length', 'etag', 'accept-ranges', 'vary'])
      reply.removeHeader(name);
    if (parts.portal !== undefined && request.routeOptions?.config.isDocument) {
      return sendRefusal(request, reply, { ...answer, status }, parts.portal);
    }
    return reply
      .code(status)
      .headers({ ...securityHeaders, ...answer.headers })
      .type('application/problem+json')
      .serializer((value: unknown) => JSON.stringify(value))
      .send({ ...answer.problem, status });
  }

  await app.register(cookiePlugin);
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(compileValidator as never);
  app.setErrorHandler((error, request, reply) => sendThrown(error, request, reply));
  let findPage: ReturnType<typeof mountPortal> | undefined;
  app.setNotFoundHandler(
    (request, reply) => findPage?.(request, reply) ?? sendThrown(refusals.no_such_address(), request, reply),
  );

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders);
    const { declared, weight = 1 } = request.routeOptions.config;
    const abort = new AbortController();
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) abort.abort();
    });
    const known: Caught = {
      actor: undefined,
      address: '',
      isSecure: false,
      startedAtMs: clock.monotonicMs(),
      signal: abort.signal,
    };
    caught.set(request, known);
    const rules = { findActor: parts.findActor, isTls: listener.isTls, isBehindProxy: trustedProxies.length > 0 };
    Object.assign(
      known,
      await identify(request, rules, (address) => spend(rates.address.take(address, declared?.weight ?? weight))),
    );
    if (known.isSecure) reply.header('strict-transport-security', 'max-age=31536000');
    if (known.actor) spend(rates.actor.take(formatActor(known.actor)));
    if (declared !== undefined && declared.who !== 'anyone' && !known.actor) throw refusals.not_signed_in();
  });

  // A strong tag for every value read, so that a caller can ask "only if it changed".
  app.addHook('onSend', async (request, reply, payload) => {
    if (isClosing && request.raw.httpVersionMajor === 1) reply.header('connection', 'close');
    if (request.method !== 'GET' || reply.statusCode !== 200 || typeof payload !== 'string') return payload;
    const tag = `"${createHash('sha256').update(payload).digest('base64url').slice(0, 27)}"`;
    reply.header('etag', tag);
    if (request.headers['if-none-match'] !== tag) return payload;
    reply.code(304).removeHeader('content-type').removeHeader('content-length');
    return null;
  });

  app.addHook('onResponse', async (request, reply) => {
    const known = caught.get(request);
    const durationMs = known ? clock.monotonicMs() - known.startedAtMs : 0;
    const operationId = request.routeOptions.config.declared?.operationId ?? 'other';
    parts.observe?.({ operationId, status: reply.statusCode, durationMs });
    // NOTE: the pattern of the route, never the address as asked: queries and one-time links are not for the log.
    const who = known?.actor ? formatActor(known.actor) : 'nobody';
    const fields = { instance: request.id, method: request.method, route: routeOf(request), status: reply.statusCode };
    log.info('answered', { ...fields, durationMs: Math.round(durationMs), who, address: known?.address });
  });

  mountRoutes(app, routes, {
    cursors: createCursors({ key: parts.cursorKey }),
    caughtOf,
    onFault: (fault) => log.fault('a receipt could not be written', fault),
    streams,
  });
  mountPlainPages(app, parts, {
    document: openApiDocument(routes, parts.refusals),
    caughtOf,
    hasPortal: parts.portal !== undefined,
  });
  if (parts.portal !== undefined) {
    mountDocuments(app, parts.portal.documents, { ...parts.portal, caughtOf });
    findPage = mountPortal(app, parts.portal, caughtOf);
  }
  await app.listen({ host: parts.listen.host, port: parts.listen.port });
  const { address, port } = app.server.address() as AddressInfo;

  let closing: Promise<void> | undefined;
  async function close(options: { graceMs?: number } = {}): Promise<void> {
    isClosing = true;
    streams.close();
    listener.drain(options.graceMs ?? 10_000);
    await (closing ??= app.close().finally(() => listener.close()));
  }
  return {
    host: address,
    port,
    isTls: listener.isTls,
    reloadCertificate: () => listener.reload(),
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

const routeOf = (request: FastifyRequest): string => request.routeOptions?.url ?? 'none';

function spend(waitMs: number): void {
  if (waitMs > 0) throw refusals.too_many_requests({ retryAfterSeconds: Math.ceil(waitMs / 1000) });
}

/** Turns what Fastify throws about a request into our own refusals; its codes never reach a caller. */
function translate(thrown: unknown, request: FastifyRequest): { refusal: unknown; errors?: FieldError[] } {
  const error = thrown as Partial<FastifyError> & { validation?: ErrorObject[]; validationContext?: string };
  if (error.validation !== undefined) {
    const errors = readFieldErrors(error.validation, error.validationContext ?? 'body');
    return { refusal: refusals.request_invalid(), errors };
  }
  const limitBytes = request.routeOptions?.bodyLimit ?? 0;
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { refusal: refusals.body_too_large({ limitBytes }) };
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return { refusal: refusals.media_type_not_taken({ takes: 'application/json' }) };
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return { refusal: refusals.json_malformed() };
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return { refusal: refusals.request_malformed() };
    default:
      return { refusal: thrown };
  }
}
