// How an adapter declares one operation of the HTTPS API; everything else (who asks, checks, limits, problems, the
// published document) follows from the declaration.
import { type Static, type TSchema, type TUndefined, Type } from 'typebox';
import type { Actor } from '../../kernel/actor.ts';
import type { EventStream } from './event-stream.ts';

/** Who may call, for the published document. NOTE: permission is decided in the operation; the face only asks that somebody is signed in. */
export type Caller = 'anyone' | 'client' | 'operator' | 'signed_in';
type ActorFor<Who extends Caller> = Who extends 'anyone' ? Actor | undefined : Actor;

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** `required`: refused without an `Idempotency-Key`; `accepted`: passed on when sent. Either way it is the operation's `requestId`. */
export type Idempotency = 'required' | 'accepted';

/** The answer schema of a 204. */
export const noBody = Type.Unsafe<undefined>({ type: 'null' });
export type Answers = Readonly<Record<number, TSchema>>;

/** What every handler is given. */
export interface Asked<Who extends Caller, Params, Query, Body> {
  readonly actor: ActorFor<Who>;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** The caller's `Idempotency-Key`. */
  readonly requestId: string | undefined;
  /** The caller's address in canonical text, seen through declared proxies only. */
  readonly address: string;
  /** Aborted when the caller leaves before the answer is complete. */
  readonly signal: AbortSignal;
}

interface Extras {
  readonly headers?: Readonly<Record<string, string>>;
  /** Hands the browser a sign-in, or takes it back. */
  readonly cookie?: { readonly token: string; readonly expiresAtMs: number } | 'clear';
}

export type Reply<Schemas extends Answers> = {
  [Status in keyof Schemas & number]: {
    readonly status: Status;
    readonly body?: Static<Schemas[Status]>;
  } & (undefined extends Static<Schemas[Status]> ? unknown : { readonly body: Static<Schemas[Status]> });
}[keyof Schemas & number] &
  Extras;

/** A file to send. The face answers HEAD, ranges, ETag and If-None-Match from it, and calls `open` only when bytes are due. */
export interface Download {
  readonly fileName: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  /** Strong tag without quotes, e.g. the SHA-256. */
  readonly etag: string;
  readonly modifiedAtMs?: number;
  /** True for what is made as it is sent: it always goes out from its first byte. */
  readonly isMadeAnew?: boolean;
  /** Units: bytes; `end` is exclusive. */
  open(range: { start: number; end: number }): AsyncIterable<Uint8Array>;
  /** Called once when bytes were due: what really left, for the receipt. */
  sent?(what: { start: number; sizeBytes: number; isComplete: boolean }): void | Promise<void>;
}

/** A raw body as it arrives. More than the route's limit is refused while it is read. */
export interface Upload {
  readonly contentType: string;
  /** From Content-Length; undefined when the caller streams. */
  readonly sizeBytes: number | undefined;
  readonly chunks: AsyncIterable<Buffer>;
}

export interface PageAsked {
  /** Units: items, 1 to 200. */
  readonly limit: number;
  /** Where the page before ended, in the operation's own words; signed, and bound to operation, actor and filter. */
  readonly after: string | undefined;
}

interface Declared<Who extends Caller, Params extends TSchema, Query extends TSchema> {
  /** Path with `:name` parameters, e.g. `/v1/clients/:clientId`. */
  readonly path: string;
  readonly operationId: string;
  /** One line of the published document. */
  readonly summary: string;
  readonly description?: string;
  /** Heading that the operation stands under. */
  readonly tag: string;
  readonly who: Who;
  readonly params?: Params;
  readonly query?: Query;
  /** Codes that this operation may refuse with, beside those that every operation may. */
  readonly refusals: readonly string[];
  /** How many ordinary requests this one counts as. Default 1. */
  readonly weight?: number;
}

/** A declared operation with its types erased: what the face mounts and the document prints. */
export interface Route {
  readonly shape: 'json' | 'list' | 'upload' | 'download' | 'stream';
  readonly method: Method;
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  readonly who: Caller;
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  readonly answers: Answers;
  readonly refusals: readonly string[];
  readonly weight?: number;
  readonly bodyLimitBytes: number;
  readonly idempotency?: Idempotency;
  /** Media types of an upload or a download. */
  readonly mediaTypes?: readonly string[];
  readonly handle: (asked: never) => Promise<unknown>;
}

/** An operation with JSON in and JSON out. */
export function route<
  Who extends Caller,
  const Schemas extends Answers,
  Params extends TSchema = TUndefined,
  Query extends TSchema = TUndefined,
  Body extends TSchema = TUndefined,
>(
  declared: Declared<Who, Params, Query> & {
    readonly method: Method;
    readonly body?: Body;
    readonly answers: Schemas;
    /** Units: bytes. Default 16 KiB. */
    readonly bodyLimitBytes?: number;
    readonly idempotency?: Idempotency;
    handle(asked: Asked<Who, Static<Params>, Static<Query>, Static<Body>>): Promise<Reply<NoInfer<Schemas>>>;
  },
): Route {
  return { bodyLimitBytes: 16 * 1024, ...declared, shape: 'json' };
}

/** A list in pages: the face adds `limit` and `cursor` to the query, and signs where the page ended. */
export function listRoute<
  Who extends Caller,
  Item extends TSchema,
  Params extends TSchema = TUndefined,
  Query extends TSchema = TUndefined,
>(
  declared: Declared<Who, Params, Query> & {
    readonly item: Item;
    handle(
      asked: Asked<Who, Static<Params>, Static<Query>, undefined> & { readonly page: PageAsked },
    ): Promise<{ readonly items: Static<Item>[]; readonly next: string | undefined }>;
  },
): Route {
  const { item, ...rest } = declared;
  return { ...rest, shape: 'list', method: 'GET', answers: { 200: item }, bodyLimitBytes: 1024 };
}

/** A raw body in, JSON out; the handler must read `upload.chunks` to the end or throw. */
export function uploadRoute<
  Who extends Caller,
  const Schemas extends Answers,
  Params extends TSchema = TUndefined,
  Query extends TSchema = TUndefined,
>(
  declared: Declared<Who, Params, Query> & {
    readonly method: 'POST' | 'PUT';
    readonly answers: Schemas;
    readonly bodyLimitBytes: number;
    /** Media types taken; others are refused as unsupported. */
    readonly mediaTypes: readonly string[];
    readonly idempotency?: Idempotency;
    handle(
      asked: Asked<Who, Static<Params>, Static<Query>, undefined> & { readonly upload: Upload },
    ): Promise<Reply<NoInfer<Schemas>>>;
  },
): Route {
  return { ...declared, shape: 'upload' };
}

/** A file out: GET and HEAD, with ranges. */
export function downloadRoute<
  Who extends Caller,
  Params extends TSchema = TUndefined,
  Query extends TSchema = TUndefined,
>(
  declared: Declared<Who, Params, Query> & {
    readonly mediaTypes: readonly string[];
    handle(asked: Asked<Who, Static<Params>, Static<Query>, undefined>): Promise<Download>;
  },
): Route {
  return { ...declared, shape: 'download', method: 'GET', answers: {}, bodyLimitBytes: 1024 };
}

/** Server-sent events out, for as long as the caller stays. */
export function streamRoute<
  Who extends Caller,
  Params extends TSchema = TUndefined,
  Query extends TSchema = TUndefined,
>(
  declared: Declared<Who, Params, Query> & {
    /** What the data of each event is. */
    readonly event: TSchema;
    handle(
      asked: Asked<Who, Static<Params>, Static<Query>, undefined> & { readonly lastEventId: string | undefined },
    ): Promise<EventStream>;
  },
): Route {
  const { event, ...rest } = declared;
  return { ...rest, shape: 'stream', method: 'GET', answers: { 200: event }, bodyLimitBytes: 1024 };
}
