// What a browser is told about our pages: what they may load and from where, and that nobody may put them in a frame.

/** The name of the person's choice on this device. The pages write them too, so they are no secret. */
export type Remembered = 'language' | 'theme';

const ownOnly = [
  "default-src 'none'",
  "script-src 'self'",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
];

/** For documents that the server makes: only files of our own. */
export const documentHeaders = {
  'content-security-policy': [...ownOnly, "style-src 'self'", "img-src 'self'", "trusted-types 'none'"].join('; '),
  // Under no-referrer a browser hides even from us that a form came from our own page.
  'referrer-policy': 'same-origin',
} as const;

/**
 * For the application. The nonce is for the few rules that React Aria writes into the page while something is open;
 * `blob:` is what the page itself was sent through the API and shows.
 */
export const applicationHeaders = (nonce: string): Readonly<Record<string, string>> => ({
  'content-security-policy': [
    ...ownOnly,
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' blob:",
    // A statement in the browser's own reader of PDF.
    'frame-src blob:',
    "worker-src 'self'",
    "manifest-src 'self'",
    // Its one policy lets nothing through but the empty text: web/portal/design/foundation.ts.
    'trusted-types default',
  ].join('; '),
});

/** For files of the build. A worker lives under the policy of its script, not of the page. */
export const assetHeaders = {
  'content-security-policy': "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'",
  'cache-control': 'public, max-age=31536000, immutable',
  vary: 'accept-encoding',
} as const;

/** Whether a coding may be used. Source: RFC 9110 §12.5.3; a weight of 0 rules it out. */
export function acceptsCoding(header: string | undefined, coding: string): boolean {
  const part = (header ?? '')
    .toLowerCase()
    .split(',', 20)
    .map((text) => text.trim().split(/\s*;\s*/))
    .find(([name]) => name === coding);
  return part !== undefined && !part.some((option) => /^q=0(\.0{0,3})?$/.test(option));
}

/**
 * The path to go on to after signing in: one of our own, or the first page.
 * NOTE: a browser reads `//host` and `/\host` as another site, and drops tabs and line ends before it reads.
 */
export function ownPath(next: string | null | undefined): string {
  if (next === null || next === undefined || next.length > 2000) return '/';
  if (!/^\/(?![/\\])[^\\\p{Cc}]*$/u.test(next)) return '/';
  const read = URL.parse(next, 'http://own.invalid');
  if (read === null || read.origin !== 'http://own.invalid') return '/';
  // After dots are resolved, a path may again begin with two slashes.
  const own = `${read.pathname}${read.search}${read.hash}`;
  if (own.startsWith('//') || /^\/(v1|assets|sign-in|invitation)(\/|\?|#|$)/.test(own)) return '/';
  return own;
}
