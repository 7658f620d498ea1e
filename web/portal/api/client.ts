// The one way to the server: typed calls of the public /v1 operations, answers as values, refusals as a thrown Problem.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { Operations } from './operations.ts';
import { Problem, readProblem, unreachable } from './problem.ts';

type Method = keyof Operations;
type PathOf<M extends Method> = keyof Operations[M] & string;
type Lists = {
  [Path in PathOf<'GET'>]: Operations['GET'][Path] extends { item: unknown } ? Path : never;
}[PathOf<'GET'>];

type Nothing = object;
type ParamsOf<Operation> = Operation extends { params: infer Params } ? { readonly params: Params } : Nothing;
type QueryOf<Operation> = Operation extends { query: infer Query }
  ? Nothing extends Query
    ? { readonly query?: Query }
    : { readonly query: Query }
  : Nothing;
type AnswerOf<Operation> = Operation extends { answer: infer Answer } ? Answer : undefined;
type BodyOf<Operation> = Operation extends { body: infer Body } ? Body : undefined;
type ItemOf<Operation> = Operation extends { item: infer Item } ? Item : never;

type Asked<Operation> = ParamsOf<Operation> &
  QueryOf<Operation> & {
    readonly signal?: AbortSignal;
    /** The Idempotency-Key: keep it while the same thing is sent again. Without one, each call has its own. */
    readonly requestId?: string;
  };
/** Options are asked for only where something in them must be given. */
type Options<Operation> = Nothing extends Asked<Operation> ? [asked?: Asked<Operation>] : [asked: Asked<Operation>];

interface AnyAsked {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly signal?: AbortSignal;
  readonly requestId?: string;
}

const pageSize = 100;

/** The address of an operation with its parameters filled in; also what a link to a download points at. */
function addressOf(path: string, { params = {}, query = {} }: AnyAsked = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(params[name] ?? ''));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.append(name, String(value));
  }
  return search.size === 0 ? filled : `${filled}?${search.toString()}`;
}

/** Asks the person to sign in again; resolves when that is done, rejects when it is given up. */
let signInAgain: (() => Promise<void>) | undefined;
export function onSignInEnded(ask: () => Promise<void>): void {
  signInAgain = ask;
}

async function send(method: string, address: string, headers: Record<string, string>, rest: RequestInit) {
  const ask = async (): Promise<Response> => {
    try {
      return await fetch(address, { method, headers, credentials: 'same-origin', ...rest });
    } catch (fault) {
      if (fault instanceof DOMException && fault.name === 'AbortError') throw fault;
      throw unreachable();
    }
  };
  const response = await ask();
  if (response.ok) return response;
  const problem = await readProblem(response);
  if (problem.code !== 'not_signed_in' || signInAgain === undefined) throw problem;
  // What was asked waits until the person is back, so nothing typed is lost.
  await signInAgain();
  const again = await ask();
  if (!again.ok) throw await readProblem(again);
  return again;
}

async function call(method: Method, path: string, body: unknown, asked: AnyAsked = {}): Promise<unknown> {
  const isRaw = body instanceof Blob;
  const response = await send(
    method,
    addressOf(path, asked),
    {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': isRaw ? body.type : 'application/json' }),
      ...(method === 'GET' ? {} : { 'idempotency-key': asked.requestId ?? crypto.randomUUID() }),
    },
    {
      ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
      ...(asked.signal === undefined ? {} : { signal: asked.signal }),
    },
  );
  if (response.status === 204) return undefined;
  try {
    return await response.json();
  } catch {
    throw unreachable();
  }
}

type Sent<M extends Method> = <Path extends PathOf<M>>(
  path: Path,
  body: BodyOf<Operations[M][Path]>,
  ...asked: Options<Operations[M][Path]>
) => Promise<AnswerOf<Operations[M][Path]>>;

const sent =
  <M extends Method>(method: M): Sent<M> =>
  (path, body, ...[asked]) =>
    call(method, path, body, asked as AnyAsked | undefined) as never;

const keyOf = (path: string, asked: AnyAsked = {}) => [path, asked.params ?? null, asked.query ?? null] as const;

/** Every way to ask. A path is the operation's own, with its parameters in braces, as in docs/reference/openapi.json. */
export const api = {
  get: <Path extends PathOf<'GET'>>(path: Path, ...[asked]: Options<Operations['GET'][Path]>) =>
    call('GET', path, undefined, asked as AnyAsked | undefined) as Promise<AnswerOf<Operations['GET'][Path]>>,

  /** With a Blob as its body it is an upload, under the Blob's own media type. */
  post: sent('POST'),
  put: sent('PUT'),
  delete: <Path extends PathOf<'DELETE'>>(path: Path, ...[asked]: Options<Operations['DELETE'][Path]>) =>
    call('DELETE', path, undefined, asked as AnyAsked | undefined) as Promise<AnswerOf<Operations['DELETE'][Path]>>,

  /** For `useQuery`: one value. The key begins with the path, so what happened to it is read again by that. */
  one: <Path extends PathOf<'GET'>>(path: Path, ...[asked]: Options<Operations['GET'][Path]>) =>
    queryOptions({
      queryKey: keyOf(path, asked as AnyAsked | undefined),
      queryFn: ({ signal }) =>
        call('GET', path, undefined, { ...(asked as AnyAsked | undefined), signal }) as Promise<
          AnswerOf<Operations['GET'][Path]>
        >,
    }),

  /** For `useInfiniteQuery`: a list page by page; `data` is the items so far. */
  list: <Path extends Lists>(path: Path, ...[asked]: Options<Operations['GET'][Path]>) => {
    interface Page {
      readonly items: readonly ItemOf<Operations['GET'][Path]>[];
      readonly next: string | null;
    }
    const given = asked as AnyAsked | undefined;
    return infiniteQueryOptions({
      queryKey: [...keyOf(path, given), 'pages'] as const,
      queryFn: ({ pageParam, signal }) =>
        call('GET', path, undefined, {
          ...given,
          signal,
          query: { limit: pageSize, ...given?.query, ...(pageParam === null ? {} : { cursor: pageParam }) },
        }) as Promise<Page>,
      initialPageParam: null as string | null,
      getNextPageParam: (last: Page) => last.next,
      select: (data: { pages: Page[] }) => data.pages.flatMap((page) => page.items),
    });
  },

  /** Where a download lies: what a link points at. */
  address: <Path extends PathOf<'GET'>>(path: Path, ...[asked]: Options<Operations['GET'][Path]>) =>
    addressOf(path, asked as AnyAsked | undefined),

  /** The bytes of a download, for a preview. */
  async bytes<Path extends PathOf<'GET'>>(path: Path, ...[asked]: Options<Operations['GET'][Path]>): Promise<Blob> {
    const given = asked as AnyAsked | undefined;
    const signal = given?.signal;
    const response = await send('GET', addressOf(path, given), {}, signal === undefined ? {} : { signal });
    try {
      return await response.blob();
    } catch {
      throw unreachable();
    }
  },
};

/** The problem in whatever was thrown; undefined for faults of our own. */
export const problemOf = (thrown: unknown): Problem | undefined => (thrown instanceof Problem ? thrown : undefined);
