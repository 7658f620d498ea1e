// Reads what clients write as IP addresses and ranges into one canonical form, and decides which may be listed.
import { refusals } from './rules.ts';

/** A range of addresses; a single one has the full prefix. */
export interface Network {
  readonly family: 4 | 6;
  /** The first address of the range, as a number; 32 or 128 bits. */
  readonly first: bigint;
  readonly prefix: number;
}

const bitsOf = { 4: 32, 6: 128 } as const;
const mappedPrefix = 0xffffn << 32n;

/** Parses an address without a prefix. IPv4-mapped IPv6 (RFC 4291 §2.5.5.2) is the IPv4 address. */
export function parseAddress(text: string): { family: 4 | 6; value: bigint } | undefined {
  if (/^[0-9.]{7,15}$/.test(text)) {
    const value = parseFour(text);
    return value === undefined ? undefined : { family: 4, value };
  }
  const value = text.length <= 45 ? parseSix(text) : undefined;
  if (value === undefined) return undefined;
  return value >> 32n === mappedPrefix >> 32n ? { family: 4, value: value & 0xffffffffn } : { family: 6, value };
}

function parseFour(text: string): bigint | undefined {
  const parts = text.split('.');
  // RFC 6943 §3.1.1: a leading zero reads as octal elsewhere, so it is refused instead of guessed.
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255))
    return undefined;
  return parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

function parseSix(text: string): bigint | undefined {
  const halves = text.toLowerCase().split('::');
  if (halves.length > 2) return undefined;
  const groups: (string[] | undefined)[] = halves.map(readGroups);
  const [head, tail] = groups;
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const given = head.length + (tail?.length ?? 0);
  if (halves.length === 1 ? given !== 8 : given > 7) return undefined;
  const all = [...head, ...Array.from({ length: 8 - given }, () => '0'), ...(tail ?? [])];
  return all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

/** The groups of one side of `::`, with a dotted IPv4 end turned into two of them; undefined when malformed. */
function readGroups(half: string, index: number, halves: readonly string[]): string[] | undefined {
  if (half === '') return halves.length === 2 ? [] : undefined;
  const parts = half.split(':');
  const last = parts.at(-1)!;
  if (last.includes('.')) {
    const four = index === halves.length - 1 ? parseFour(last) : undefined;
    if (four === undefined) return undefined;
    parts.splice(-1, 1, (four >> 16n).toString(16), (four & 0xffffn).toString(16));
  }
  return parts.every((part) => /^[0-9a-f]{1,4}$/.test(part)) ? parts : undefined;
}

/** Parses an address or a CIDR range; bits below the prefix are cleared. Refuses: address_malformed. */
export function parseNetwork(written: string): Network {
  const text = written.trim();
  const malformed = () => refusals.address_malformed({ address: printable(text) });
  const match = /^([0-9a-fA-F:.]{2,45})(?:\/(0|[1-9]\d{0,2}))?$/.exec(text);
  const address = match === null ? undefined : parseAddress(match[1]!);
  if (match === null || address === undefined) throw malformed();
  let prefix = match[2] === undefined ? bitsOf[address.family] : Number(match[2]);
  // A mapped range counts its prefix from the 128-bit form.
  if (match[2] !== undefined && address.family === 4 && match[1]!.includes(':')) prefix -= 96;
  if (prefix < 0 || prefix > bitsOf[address.family]) throw malformed();
  return { family: address.family, first: maskTo(address.family, address.value, prefix), prefix };
}

/** The first address of the range of that prefix which holds the address: bits below the prefix are cleared. */
export function maskTo(family: 4 | 6, value: bigint, prefix: number): bigint {
  const rest = BigInt(bitsOf[family] - prefix);
  return (value >> rest) << rest;
}

/** Canonical text: RFC 5952 for IPv6; without a prefix when it is a single address. */
export function formatNetwork(network: Network): string {
  const address = network.family === 4 ? formatFour(network.first) : formatSix(network.first);
  return network.prefix === bitsOf[network.family] ? address : `${address}/${network.prefix}`;
}

const formatFour = (value: bigint): string =>
  [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');

function formatSix(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(112 - index * 16)) & 0xffffn));
  // RFC 5952 §4.2: the longest run of zero groups, the first of equals, at least two long.
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  if (best.start < 0) return hex(groups);
  return `${hex(groups.slice(0, best.start))}::${hex(groups.slice(best.start + best.length))}`;
}

const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');

/** One spelling for each address, for records and comparisons; undefined when it is none. */
export function canonicalAddress(text: string): string | undefined {
  const address = parseAddress(text);
  return address === undefined
    ? undefined
    : formatNetwork({ family: address.family, first: address.value, prefix: bitsOf[address.family] });
}

/** What the operator allows on the list; both sides are settings. */
export interface AddressLimits {
  /** Widest ranges accepted, as prefix lengths. */
  readonly widest: { readonly ipv4: number; readonly ipv6: number };
  /** Whether private and loopback addresses may be listed: inside one's own network, and in the demo. */
  readonly privateAddresses: boolean;
}

const ranges = (texts: readonly string[]): Network[] => texts.map(parseNetwork);
// IANA special-purpose address registries (RFC 6890): those that never arrive from outside.
const privateRanges = ranges(
  '10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 ::1 fc00::/7 fe80::/10'.split(' '),
);
const unusableRanges = ranges(['0.0.0.0/8', '224.0.0.0/3', '::', 'ff00::/8']);

const overlaps = (a: Network, b: Network): boolean => {
  const prefix = Math.min(a.prefix, b.prefix);
  return a.family === b.family && maskTo(a.family, a.first, prefix) === maskTo(b.family, b.first, prefix);
};

/** The canonical text of an entry that a client may have. Refuses: address_malformed, address_too_wide, address_private, address_unusable. */
export function checkEntry(written: string, limits: AddressLimits): string {
  const network = parseNetwork(written);
  const address = formatNetwork(network);
  const widest = network.family === 4 ? limits.widest.ipv4 : limits.widest.ipv6;
  if (network.prefix < widest) throw refusals.address_too_wide({ address, widest });
  if (unusableRanges.some((range) => overlaps(range, network))) throw refusals.address_unusable({ address });
  if (!limits.privateAddresses && privateRanges.some((range) => overlaps(range, network))) {
    throw refusals.address_private({ address });
  }
  return address;
}

const printable = (text: string): string => text.replace(/[^\x21-\x7e]/g, '?').slice(0, 60);
