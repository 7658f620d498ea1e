// Speaks to the server's HTTPS API: one call, a list page by page, an upload, a download; refusals come as Refused.
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Problem } from '@broadgate/contract';
import { Refused, Unavailable } from './faults.ts';

export interface Caller {
  readonly url: string;
  get<Answer>(path: string, query?: Query): Promise<Answer>;
  /** A change. It carries a key of its own, so that a repeat after a lost connection takes effect once. */
  send<Answer>(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    key?: string,
  ): Promise<Answer>;
  /** Every item of a list, page by page. */
  list<Item>(path: string, query?: Query): AsyncGenerator<Item>;
  upload<Answer>(path: string, upload: Upload, query?: Query): Promise<Answer>;
  download(path: string): Promise<Response>;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Upload {
  readonly method?: 'POST' | 'PUT';
  readonly contentType: string;
  readonly sizeBytes?: number;
  /** Opens the bytes; they cannot be read twice, so an upload is not repeated. */
  readonly open: () => AsyncIterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

const triesMax = 4;
const timeoutMs = 60_000;

export function createCaller(parts: { url: string; token?: string | undefined }): Caller {
  const base = parts.url.replace(/\/+$/, '');
  const headersWith = (more: Record<string, string> = {}): Record<string, string> => ({
    accept: 'application/json',
    ...(parts.token === undefined ? {} : { authorization: `Bearer ${parts.token}` }),
    ...more,
  });

  /** Tries again when the server was not reached or asks to come back, as long as a repeat cannot do harm. */
  async function ask(path: string, options: RequestInit, triesLeft: number): Promise<Response> {
    try {
      const response = await fetch(`${base}${path}`, { ...options, redirect: 'error' });
      if (response.ok) return response;
      const fault = await readProblem(response);
      const waitSeconds = Number(response.headers.get('retry-after') ?? Number.NaN);
      const mayRepeat = response.status === 503 || (response.status === 429 && waitSeconds <= 10);
      if (!mayRepeat || triesLeft <= 1) throw fault;
      await delay(1000 * (Number.isFinite(waitSeconds) ? Math.min(waitSeconds, 10) : 1));
    } catch (fault) {
      if (!(fault instanceof TypeError)) throw fault;
      if (triesLeft <= 1) throw new Unavailable(`${base} does not answer (${reasonOf(fault)})`, { cause: fault });
      await delay(250 * 2 ** (triesMax - triesLeft));
    }
    return ask(path, options, triesLeft - 1);
  }

  return {
    url: base,
    async get<Answer>(path: string, query?: Query) {
      const response = await ask(
        withQuery(path, query),
        { headers: headersWith(), signal: AbortSignal.timeout(timeoutMs) },
        triesMax,
      );
      return (await response.json()) as Answer;
    },
    async send<Answer>(method: string, path: string, body?: unknown, key: string = randomUUID()) {
      const headers = headersWith({
        'idempotency-key': key,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      });
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await ask(path, { method, headers, ...sent, signal: AbortSignal.timeout(timeoutMs) }, triesMax);
      return (response.status === 204 ? undefined : await response.json()) as Answer;
    },
    async *list<Item>(path: string, query: Query = {}) {
      let cursor: string | undefined;
      do {
        const page: { items: Item[]; next: string | null } = await this.get(path, { ...query, cursor });
        yield* page.items;
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
    },
    async upload<Answer>(path: string, upload: Upload, query?: Query) {
      const headers = headersWith({
        'idempotency-key': randomUUID(),
        'content-type': upload.contentType,
        ...(upload.sizeBytes === undefined ? {} : { 'content-length': String(upload.sizeBytes) }),
        ...upload.headers,
      });
      const body = Readable.toWeb(Readable.from(upload.open(), { objectMode: false }));
      const options = { method: upload.method ?? 'POST', headers, body, duplex: 'half' };
      const response = await ask(withQuery(path, query), options as unknown as RequestInit, 1);
      return (response.status === 204 ? undefined : await response.json()) as Answer;
    },
    download: (path) => ask(path, { headers: headersWith({ accept: '*/*' }) }, triesMax),
  };
}

function withQuery(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  return text === '' ? path : `${path}?${text}`;
}

async function readProblem(response: Response): Promise<Error> {
  const text = await response.text();
  const problem = parseProblem(text);
  if (!problem) return new Unavailable(`the server answered ${response.status} and no reason`);
  if (problem.status >= 500) return new Unavailable(`${problem.detail} [${problem.code}, ${problem.instance}]`);
  const details = (problem.errors ?? []).map(({ pointer, detail }) => `${pointer}: ${detail}`);
  return new Refused(problem.code, problem.detail, { details, status: problem.status });
}

function parseProblem(text: string): Problem | undefined {
  try {
    const value = JSON.parse(text) as Partial<Problem>;
    return typeof value.code === 'string' && typeof value.detail === 'string' ? (value as Problem) : undefined;
  } catch {
    return undefined;
  }
}

function reasonOf(fault: TypeError): string {
  const cause = fault.cause as NodeJS.ErrnoException | undefined;
  return cause?.code ?? cause?.message ?? fault.message;
}
