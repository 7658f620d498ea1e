// The header that a load balancer puts before a connection to say whose it is: PROXY protocol versions 1 and 2.
// Read only from peers that the operator trusts. Source: haproxy proxy-protocol.txt §2.1 and §2.2.

export type ProxyHeader =
  | { readonly kind: 'more' }
  | { readonly kind: 'fault'; readonly detail: string }
  /** `address` is absent when the balancer speaks for itself (health checks) or cannot say. */
  | { readonly kind: 'header'; readonly address: string | undefined; readonly headerBytes: number };

const lineBytesMax = 107;
const binaryHeadBytes = 16;
/** The specification allows 64 KiB of extras; no balancer needs more than a little for addresses and TLS facts. */
const binaryBytesMax = 2048;
const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

const more: ProxyHeader = { kind: 'more' };
const faulty = (detail: string): ProxyHeader => ({ kind: 'fault', detail });

/** Reads the header at the start of what has come so far. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  const start = bytes.subarray(0, signature.length);
  if (start.equals(signature.subarray(0, start.length))) {
    return bytes.length < binaryHeadBytes ? more : parseBinary(bytes);
  }
  const prefix = 'PROXY ';
  if (!prefix.startsWith(start.toString('latin1', 0, prefix.length).slice(0, prefix.length))) {
    return faulty('the connection does not begin with a PROXY header');
  }
  return parseLine(bytes);
}

/** §2.1: `PROXY TCP4 source destination port port CRLF`, at most 107 bytes. */
function parseLine(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, lineBytesMax).indexOf('\r\n');
  if (end < 0) return bytes.length < lineBytesMax ? more : faulty('the PROXY line is too long');
  const line = bytes.toString('latin1', 0, end);
  const headerBytes = end + 2;
  if (/^PROXY UNKNOWN( |$)/.test(line)) return { kind: 'header', address: undefined, headerBytes };
  const fields = /^PROXY TCP[46] ([0-9a-fA-F.:]+) [0-9a-fA-F.:]+ \d{1,5} \d{1,5}$/.exec(line);
  return fields ? { kind: 'header', address: fields[1]!, headerBytes } : faulty('the PROXY line is malformed');
}

/** §2.2: signature, version and command, family, length, then addresses and extras. */
function parseBinary(bytes: Buffer): ProxyHeader {
  const [versionAndCommand, family] = [bytes[12]!, bytes[13]!];
  const headerBytes = binaryHeadBytes + bytes.readUInt16BE(14);
  if (versionAndCommand >> 4 !== 2) return faulty('the PROXY header has an unknown version');
  if (headerBytes > binaryBytesMax) return faulty('the PROXY header is too long');
  if (bytes.length < headerBytes) return more;
  const command = versionAndCommand & 15;
  if (command > 1) return faulty('the PROXY header has an unknown command');
  const at = binaryHeadBytes;
  if (command === 0) return { kind: 'header', address: undefined, headerBytes };
  if (family === 0x11 && headerBytes >= at + 12) {
    return { kind: 'header', address: bytes.subarray(at, at + 4).join('.'), headerBytes };
  }
  if (family === 0x21 && headerBytes >= at + 36) {
    const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(at + 2 * index).toString(16));
    return { kind: 'header', address: groups.join(':'), headerBytes };
  }
  return faulty('the PROXY header names no TCP address');
}
