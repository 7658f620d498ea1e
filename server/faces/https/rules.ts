// What the HTTPS face itself declines, and its pure decisions: cross-site changes, byte ranges, file names, media types.
import { defineRefusals } from '../../kernel/refusal.ts';

export const refusals = defineRefusals({
  not_signed_in: {
    kind: 'unauthenticated',
    text: 'Sign in first, or send a token as "Authorization: Bearer …". The one sent, if any, is not valid or has ended.',
  },
  no_such_address: {
    kind: 'not_found',
    text: 'Nothing is here for this method. The operations are listed in /v1/openapi.json.',
  },
  request_invalid: {
    kind: 'invalid',
    text: 'The request does not match what this operation takes. `errors` names each field; correct them and send it again.',
  },
  request_malformed: {
    kind: 'invalid',
    text: 'This is not a well-formed HTTP request or address; nothing of it was used.',
  },
  json_malformed: {
    kind: 'invalid',
    text: 'The body is not well-formed JSON in UTF-8. Send one JSON value and its exact Content-Length.',
  },
  body_too_large: {
    kind: 'too_large',
    text: 'The body is larger than the {limitBytes} bytes that this operation takes.',
  },
  media_type_not_taken: { kind: 'unsupported', text: 'This operation takes {takes}. Say so in Content-Type.' },
  range_not_satisfiable: { kind: 'invalid', text: 'The range lies outside the {sizeBytes} bytes of this file.' },
  cursor_invalid: {
    kind: 'invalid',
    text: 'This cursor was not given out for this list, this filter and this sign-in. Read the list from its start.',
  },
  idempotency_key_missing: {
    kind: 'invalid',
    text: 'This operation takes effect once. Send a fresh random Idempotency-Key, and the same one when you repeat the request.',
  },
  idempotency_key_malformed: { kind: 'invalid', text: 'An Idempotency-Key is 8 to 128 visible ASCII characters.' },
  cross_site: {
    kind: 'forbidden',
    text: 'A change with a cookie is taken only from our own pages. Scripts send a token as "Authorization: Bearer …" instead.',
  },
  not_through_proxy: {
    kind: 'forbidden',
    text: 'Passwords and tokens do not travel here in clear. Use the https address of this installation.',
  },
  too_many_requests: { kind: 'too_many', text: 'Too many requests. Wait {retryAfterSeconds} s, then go on.' },
  streams_at_their_limit: {
    kind: 'unavailable',
    text: 'Too many pages listen for changes just now. Try again in {retryAfterSeconds} s; reading works as always.',
  },
  metrics_not_for_you: { kind: 'forbidden', text: 'Metrics are for this machine itself and for signed-in operators.' },
  portal_not_built: {
    kind: 'unavailable',
    text: 'The pages of the portal are not built in {folder}. Run npm run build, or set BROADGATE_PORTAL to off to serve programs only.',
  },
  logo_unusable: {
    kind: 'invalid',
    text: 'The logo {file} cannot be used. Give an SVG or PNG file of at most {limitBytes} bytes in BROADGATE_LOGO_FILE.',
  },
  no_such_refusal: { kind: 'not_found', text: 'No operation answers with the code {code}.' },
  address_needs_tls: {
    kind: 'invalid',
    text: '{host} can be reached from other machines, so clear HTTP is refused. Set BROADGATE_TLS_CERTIFICATE_FILE and BROADGATE_TLS_KEY_FILE, or name your reverse proxy in BROADGATE_TRUSTED_PROXIES, or listen on 127.0.0.1.',
  },
  certificate_unusable: {
    kind: 'invalid',
    text: 'The certificate {certificateFile} and the key {keyFile} cannot be used: {reason}.',
  },
});

const changing = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** What a browser says about where a request comes from. Shape: header values, or undefined when absent. */
export interface Provenance {
  readonly method: string;
  readonly secFetchSite: string | undefined;
  readonly origin: string | undefined;
  /** `https://host[:port]`, as the caller addressed us. */
  readonly ownOrigin: string;
}

/**
 * True when a change that rests on a cookie comes from our own pages. A browser always says where it comes from, so
 * silence is not taken as consent: scripts use tokens.
 */
export function isOwnSite({ method, secFetchSite, origin, ownOrigin }: Provenance): boolean {
  if (!changing.has(method)) return true;
  if (secFetchSite !== undefined) return secFetchSite === 'same-origin';
  return origin !== undefined && origin.toLowerCase() === ownOrigin.toLowerCase();
}

/** Units: bytes; `end` is exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Which bytes a Range header asks for. Several ranges and other units are ignored and the whole file is sent.
 * Source: RFC 9110 §14.1.2, §14.2 (a header that is not understood is ignored).
 */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | 'all' | 'unsatisfiable' {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '');
  if (!match) return 'all';
  const [first, last] = [match[1]!, match[2]!];
  if (first === '' && last === '') return 'all';
  if (first === '') {
    // RFC 9110 §14.1.2: a suffix longer than the file means the whole file; a suffix of 0 cannot be satisfied.
    const suffixBytes = Number(last);
    return suffixBytes === 0 || sizeBytes === 0
      ? 'unsatisfiable'
      : { start: Math.max(0, sizeBytes - suffixBytes), end: sizeBytes };
  }
  const start = Number(first);
  const end = last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (last !== '' && Number(last) < start) return 'all';
  return start >= sizeBytes ? 'unsatisfiable' : { start, end };
}

/** True when one of the tags in If-None-Match is this strong tag. Source: RFC 9110 §13.1.2 (weak comparison). */
export const matchesTag = (header: string | undefined, etag: string): boolean =>
  header !== undefined &&
  (header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === `"${etag}"`));

/**
 * A Content-Disposition that saves under the name, whatever it holds, and never opens in the page.
 * Source: RFC 6266 §4.3, RFC 8187 §3.2.
 */
export function formatDisposition(fileName: string): string {
  // Path separators, quotes and controls (also the bidirectional ones, which can disguise an ending) never leave.
  const safe = fileName.replace(/[\p{Cc}\p{Bidi_Control}"\\/]/gu, '_').toWellFormed();
  const plain = safe.replace(/[^\u0020-\u007e]/g, '_').replaceAll('%', '_');
  const extended = encodeURIComponent(safe).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return plain === safe
    ? `attachment; filename="${plain}"`
    : `attachment; filename="${plain}"; filename*=UTF-8''${extended}`;
}

/** `text/csv; charset=utf-8` → `text/csv`. */
export const mediaTypeOf = (contentType: string | undefined): string =>
  (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();

/** True for addresses that never leave the machine. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' ||
  host === '::1' ||
  /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host) ||
  host.startsWith('::ffff:127.');
