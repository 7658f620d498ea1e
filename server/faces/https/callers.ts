// Who is calling: address through declared proxies, token or cookie, and whether a change with a cookie comes from our own pages.
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor, Origin } from '../../kernel/actor.ts';
import { isLoopback, isOwnSite, refusals } from './rules.ts';

export type FindActor = (token: string, origin: Origin) => Promise<Actor | undefined>;

export interface CallerRules {
  readonly findActor: FindActor;
  readonly isTls: boolean;
  readonly isBehindProxy: boolean;
}

const cookieName = 'broadgate';

/**
 * An address in canonical text, without the IPv4-in-IPv6 form, a zone, or the port that some proxies add.
 * Shape: undefined for what is no address.
 */
export function canonicalAddress(address: string): string | undefined {
  const bare = address
    .trim()
    .replace(/^\[(.*)\](?::\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
    .replace(/%.*$/, '');
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(bare)?.[1];
  if (isIPv4(mapped ?? bare)) return mapped ?? bare;
  return isIPv6(bare) ? new SocketAddress({ address: bare, family: 'ipv6' }).address : undefined;
}

/** Finds out who asks. Refuses: not_through_proxy, cross_site; a token that is not valid is nobody, not a refusal. */
export async function identify(
  request: FastifyRequest,
  rules: CallerRules,
  /** Called with the address before anything is looked up; may refuse. */
  admit: (address: string) => void,
): Promise<{ actor: Actor | undefined; address: string; isSecure: boolean }> {
  const peer = canonicalAddress(request.socket.remoteAddress ?? '') ?? 'unknown';
  const address = canonicalAddress(request.ip) ?? peer;
  admit(address);
  // The chain is longer than the peer alone exactly when a trusted proxy spoke for somebody else.
  const isForwarded = rules.isBehindProxy && (request.ips?.length ?? 0) > 1;
  if (!rules.isTls && !isLoopback(peer) && !isForwarded) throw refusals.not_through_proxy();
  const isSecure = rules.isTls || (isForwarded && request.headers['x-forwarded-proto'] !== 'http');

  const bearer = readBearer(request.headers.authorization);
  const cookie = request.cookies[cookieNameFor(isSecure)];
  const isScript = request.headers.authorization !== undefined;
  if (!isScript) {
    const host =
      (isForwarded ? request.headers['x-forwarded-host'] : undefined) ??
      request.headers.host ??
      request.headers[':authority'];
    checkSite(request, `${isSecure ? 'https' : 'http'}://${String(host)}`, cookie !== undefined);
  }
  const token = isScript ? bearer : cookie;
  const actor = token === undefined ? undefined : await rules.findActor(token, { face: 'https', address });
  return { actor, address, isSecure };
}

// RFC 6750 §2.1: the scheme is case-insensitive and followed by one token.
const readBearer = (header: string | undefined): string | undefined =>
  /^bearer +([A-Za-z0-9_-]{20,128})$/i.exec(header ?? '')?.[1];

function checkSite(request: FastifyRequest, ownOrigin: string, hasCookie: boolean): void {
  const secFetchSite = request.headers['sec-fetch-site'] as string | undefined;
  const { origin } = request.headers;
  // Without a cookie only what a browser says counts: it keeps other sites from signing a reader in as somebody else.
  if (!hasCookie && secFetchSite === undefined && origin === undefined) return;
  if (!isOwnSite({ method: request.method, secFetchSite, origin, ownOrigin })) throw refusals.cross_site();
}

// The prefix makes browsers insist on Secure, Path=/ and no Domain; it needs https, which the demo on loopback has not.
const cookieNameFor = (isSecure: boolean): string => (isSecure ? `__Host-${cookieName}` : cookieName);

/** Hands the sign-in to the browser, or takes it back. */
export function setCookie(
  reply: FastifyReply,
  cookie: { token: string; expiresAtMs: number } | 'clear',
  isSecure: boolean,
): void {
  const flags = { path: '/', httpOnly: true, sameSite: 'strict', secure: isSecure } as const;
  if (cookie === 'clear') reply.clearCookie(cookieNameFor(isSecure), flags);
  else reply.setCookie(cookieNameFor(isSecure), cookie.token, { ...flags, expires: new Date(cookie.expiresAtMs) });
}
