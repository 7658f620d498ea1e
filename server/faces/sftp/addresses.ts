// Addresses of peers in one spelling, and the group that a limit counts them by.
import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/**
 * The canonical text: IPv4 as it is, IPv6 in RFC 5952 form without a zone, and an IPv4-mapped IPv6 address as IPv4, so
 * that one peer has one address whichever socket it came by. Undefined for what is no address.
 */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  const bare = text.replace(/%.*$/, '');
  if (!isIPv6(bare)) return undefined;
  const { address } = new SocketAddress({ address: bare, family: 'ipv6' });
  // RFC 4291 §2.5.5.2.
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  return mapped?.[1] ?? address;
}

/** Whom a limit counts as one source: an IPv4 address, or the /64 that an IPv6 peer can pick from at will. */
export function sourceOf(address: string): string {
  if (isIPv4(address)) return address;
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0');
  return `${[...left, ...gap, ...right].slice(0, 4).join(':')}::/64`;
}
