// The one place that knows which status a refusal has over HTTP, and how a refusal, an outage and a fault are written down.
import type { Problem } from '@broadgate/contract';
import { Outage, Refusal, type RefusalKind } from '../../kernel/refusal.ts';

const statusOf: Readonly<Record<RefusalKind, { status: number; title: string }>> = {
  unauthenticated: { status: 401, title: 'Not signed in' },
  forbidden: { status: 403, title: 'Not allowed' },
  not_found: { status: 404, title: 'Not found' },
  invalid: { status: 400, title: 'Not valid' },
  conflict: { status: 409, title: 'In conflict with what is' },
  too_large: { status: 413, title: 'Too large' },
  too_many: { status: 429, title: 'Too many' },
  unsupported: { status: 415, title: 'Not supported' },
  unavailable: { status: 503, title: 'Not available now' },
};

/** The status of a kind, for the published document. */
export const statusOfKind = (kind: RefusalKind): number => statusOf[kind].status;
export const titleOfKind = (kind: RefusalKind): string => statusOf[kind].title;

/** Path of the page that explains a code; the `type` of its problem. */
export const refusalPath = (code: string): string => `/v1/refusals/${code}`;

export interface Answered {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;
  /** How it is logged: an expected no, somebody else's failure, or ours. */
  readonly sort: 'refusal' | 'outage' | 'fault';
}

/** A field that was refused. Shape: `pointer` is `#/body/a/0`. */
export type FieldError = NonNullable<Problem['errors']>[number];

/**
 * Writes down whatever an operation threw. A fault says only "internal" and the id under which the log holds the rest.
 * Source: RFC 9457 §3.
 */
export function answerThrown(thrown: unknown, instanceId: string, errors?: readonly FieldError[]): Answered {
  const instance = `urn:uuid:${instanceId}`;
  if (thrown instanceof Refusal) {
    const { status, title } = statusOf[thrown.kind];
    const params = Object.fromEntries(
      Object.entries(thrown.params).map(([name, value]) => [
        name,
        Array.isArray(value) ? [...(value as string[])] : value,
      ]),
    ) as Problem['params'];
    const { code } = thrown;
    return {
      problem: {
        type: refusalPath(code),
        title,
        status,
        detail: thrown.message,
        code,
        params,
        ...(errors === undefined ? {} : { errors: [...errors] }),
        instance,
      },
      headers: {
        // RFC 9110 §11.6.1: a 401 names at least one way to sign in.
        ...(status === 401 ? { 'www-authenticate': 'Bearer realm="broadgate"' } : {}),
        ...retryAfter(params['retryAfterSeconds']),
      },
      sort: 'refusal',
    };
  }
  if (thrown instanceof Outage) {
    const retryAfterSeconds = Math.max(1, Math.ceil((thrown.retryAfterMs ?? 5000) / 1000));
    const { status, title } = statusOf.unavailable;
    const detail = `Something this needs is not available. Try again in ${retryAfterSeconds} s.`;
    return {
      problem: {
        type: refusalPath('outage'),
        title,
        status,
        detail,
        code: 'outage',
        params: { retryAfterSeconds },
        instance,
      },
      headers: retryAfter(retryAfterSeconds),
      sort: 'outage',
    };
  }
  return {
    problem: {
      type: refusalPath('internal'),
      title: 'A fault of ours',
      status: 500,
      detail: 'Something went wrong on our side. Quote `instance` when you ask for help.',
      code: 'internal',
      params: {},
      instance,
    },
    headers: {},
    sort: 'fault',
  };
}

const retryAfter = (seconds: unknown): Record<string, string> =>
  typeof seconds === 'number' ? { 'retry-after': String(Math.max(1, Math.ceil(seconds))) } : {};
