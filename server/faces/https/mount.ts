// Mounts declared operations on Fastify: one handler shape for each route shape, the same order of checks for all.
import { closed } from '@broadgate/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { type Actor, formatActor } from '../../kernel/actor.ts';
import type { CursorScope, Cursors } from './cursors.ts';
import { setCookie } from './callers.ts';
import type { EventStream, EventStreams } from './event-stream.ts';
import { answerSchemas } from './openapi.ts';
import type { Download, Route } from './route.ts';
import { refusals } from './rules.ts';
import { sendDownload, takeUpload } from './transfer.ts';

/** What the face knows about a request by the time an operation is called. */
export interface Caught {
  actor: Actor | undefined;
  address: string;
  isSecure: boolean;
  readonly startedAtMs: number;
  readonly signal: AbortSignal;
}

export interface MountParts {
  readonly cursors: Cursors;
  /** What was learned about this request; kept by the face, not on Fastify's request. */
  readonly caughtOf: (request: FastifyRequest) => Caught;
  /** Told of faults after the answer has left. */
  readonly onFault: (fault: unknown) => void;
  readonly streams: EventStreams;
}

const pageSizeMax = 200;
const pageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: pageSizeMax, default: 50 })),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 1000 })),
};
const nothing = closed({});

/** Mounts every route of the list. */
export function mountRoutes(app: FastifyInstance, routes: readonly Route[], parts: MountParts): void {
  for (const route of routes) {
    if (route.shape === 'upload') {
      // A scope of its own, so that no parser reads the body before the handler does.
      app.register((scope, _options, done) => {
        scope.removeAllContentTypeParsers();
        scope.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload));
        mountOne(scope, route, parts);
        done();
      });
    } else mountOne(app, route, parts);
  }
}

function mountOne(app: FastifyInstance, route: Route, parts: MountParts): void {
  app.route({
    method: route.shape === 'download' ? ['GET', 'HEAD'] : route.method,
    url: route.path,
    bodyLimit: Math.max(1, route.shape === 'upload' ? 1024 : route.bodyLimitBytes),
    schema: {
      params: route.params ?? nothing,
      querystring: querySchema(route),
      ...(route.body === undefined ? {} : { body: route.body }),
      response: answerSchemas(route),
    },
    config: { declared: route },
    handler: (request, reply) => handle(route, request, reply, parts),
  });
}

function querySchema(route: Route): TSchema {
  if (route.shape !== 'list') return route.query ?? nothing;
  const filter = (route.query as unknown as { properties?: Record<string, TSchema> } | undefined)?.properties ?? {};
  return closed({ ...filter, ...pageQuery });
}

type AnyHandler = (asked: unknown) => Promise<unknown>;

async function handle(route: Route, request: FastifyRequest, reply: FastifyReply, parts: MountParts): Promise<unknown> {
  const caught = parts.caughtOf(request);
  const isRaw = route.shape === 'upload';
  if (!isRaw && route.body === undefined && request.body !== undefined) throw refusals.request_invalid();
  const { limit, cursor, ...filter } = request.query as { limit?: number; cursor?: string };
  const asked = {
    actor: caught.actor,
    address: caught.address,
    params: request.params,
    query: route.shape === 'list' ? filter : request.query,
    body: isRaw ? undefined : request.body,
    requestId: readIdempotencyKey(route, request),
    signal: caught.signal,
  };
  const call = route.handle as AnyHandler;
  switch (route.shape) {
    case 'list': {
      const scope: CursorScope = {
        operationId: route.operationId,
        actor: caught.actor ? formatActor(caught.actor) : 'anyone',
        filter: { ...filter, ...(request.params as Record<string, unknown>) },
      };
      const after = cursor === undefined ? undefined : parts.cursors.open(cursor, scope);
      const answer = (await call({ ...asked, page: { limit: limit ?? 50, after } })) as {
        items: unknown[];
        next: string | undefined;
      };
      return { items: answer.items, next: answer.next === undefined ? null : parts.cursors.seal(answer.next, scope) };
    }
    case 'download':
      return sendDownload(request, reply, (await call(asked)) as Download, parts.onFault);
    case 'stream': {
      const lastEventId = request.headers['last-event-id'];
      const stream = (await call({ ...asked, lastEventId })) as EventStream;
      return parts.streams.send(request, reply, stream);
    }
    case 'upload': {
      const limits = {
        mediaTypes: route.mediaTypes ?? [],
        limitBytes: route.bodyLimitBytes,
        signal: caught.signal,
      };
      return sendReply(reply, await call({ ...asked, upload: takeUpload(request, limits) }), caught);
    }
    case 'json':
      break;
  }
  return sendReply(reply, await call(asked), caught);
}

interface AnyReply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookie?: { token: string; expiresAtMs: number } | 'clear';
}

function sendReply(reply: FastifyReply, answer: unknown, caught: Caught): FastifyReply {
  const { status, body, headers = {}, cookie } = answer as AnyReply;
  reply.code(status).headers(headers);
  if (cookie !== undefined) setCookie(reply, cookie, caught.isSecure);
  return status === 204 ? reply.send() : reply.send(body);
}

function readIdempotencyKey(route: Route, request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (route.idempotency === undefined || key === undefined) {
    if (route.idempotency === 'required') throw refusals.idempotency_key_missing();
    return undefined;
  }
  if (typeof key !== 'string' || !/^[\u0021-\u007e]{8,128}$/.test(key)) throw refusals.idempotency_key_malformed();
  return key;
}
