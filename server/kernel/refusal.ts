// How an operation says no (Refusal) and how it says that someone it depends on is failing (Outage).

export const refusalKinds = [
  'unauthenticated',
  'forbidden',
  'not_found',
  'invalid',
  'conflict',
  'too_large',
  'too_many',
  'unsupported',
  'unavailable',
] as const;
export type RefusalKind = (typeof refusalKinds)[number];
export type RefusalParams = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** An expected "no". The code and the params are public contract; the text is English help and may change. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly kind: RefusalKind;
  readonly code: string;
  readonly params: RefusalParams;

  constructor(kind: RefusalKind, code: string, text: string, params: RefusalParams = {}) {
    super(text);
    this.kind = kind;
    this.code = code;
    this.params = params;
  }
}

/** Someone we depend on is failing; the outbox retries, a face answers "unavailable". */
export class Outage extends Error {
  override readonly name = 'Outage';
  readonly what: string;
  readonly retryAfterMs: number | undefined;
  /** True where a commit was not answered: it may still come about, so nothing that it would name may be undone. */
  readonly isDoubtful: boolean;

  constructor(what: string, options: { retryAfterMs?: number; cause?: unknown; isDoubtful?: boolean } = {}) {
    super(`${what} is not available`, { cause: options.cause });
    this.what = what;
    this.retryAfterMs = options.retryAfterMs;
    this.isDoubtful = options.isDoubtful ?? false;
  }
}

export const isDoubtful = (fault: unknown): boolean => fault instanceof Outage && fault.isDoubtful;

type Placeholders<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;

interface RefusalRow {
  readonly kind: RefusalKind;
  /** What happened and what to do, with {placeholders} for params; holds no secret and no other client's fact. */
  readonly text: string;
}

export type RefusalTable = Readonly<Record<string, RefusalRow>>;

type MakeRefusal<Text extends string> = [Placeholders<Text>] extends [never]
  ? (params?: RefusalParams) => Refusal
  : (params: RefusalParams & Readonly<Record<Placeholders<Text>, string | number>>) => Refusal;

export type Refusals<Table extends RefusalTable> = {
  readonly [Code in keyof Table]: MakeRefusal<Table[Code]['text']>;
} & { readonly [refusalTable]: Table };

/** Key under which a set of refusals keeps its table, for the printed reference. */
export const refusalTable = Symbol('refusals');

/**
 * Declares the refusals of a domain, once, in its `rules.ts`: `throw refusals.key_weak({ bits: 1024 })`.
 * The key is the public code (snake case), unique in the whole server.
 */
export function defineRefusals<const Table extends RefusalTable>(table: Table): Refusals<Table> {
  const made: Record<string | symbol, unknown> = { [refusalTable]: table };
  for (const [code, row] of Object.entries(table)) {
    made[code] = (params: RefusalParams = {}) => new Refusal(row.kind, code, fill(row.text, params), params);
  }
  return made as Refusals<Table>;
}

const fill = (text: string, params: RefusalParams): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name];
    return value === undefined ? whole : Array.isArray(value) ? value.join(', ') : String(value);
  });
