// Finds private keys in raw bytes before any parser sees them, so that none is ever stored or logged.
import { createPrivateKey } from 'node:crypto';
import { constants, inflateRawSync } from 'node:zlib';
import { decodeKeyText, stripQuoting } from './key-text.ts';

export type PrivateKeyKind = 'openssh' | 'pem' | 'ppk' | 'ssh2' | 'openpgp';

/** Words that stand in every text form; the order decides the kind where several match. */
const marks: readonly (readonly [string, PrivateKeyKind])[] = [
  ['BEGIN PGP PRIVATE', 'openpgp'],
  ['BEGIN OPENSSH PRIVATE', 'openssh'],
  // The magic word of the OpenSSH container, which shows once its base64 is undone.
  ['openssh-key-v1\0', 'openssh'],
  ['SSH2 ENCRYPTED PRIVATE', 'ssh2'],
  ['PuTTY-User-Key-File-', 'ppk'],
  ['PRIVATE KEY-----', 'pem'],
  // GnuPG's own files below private-keys-v1.d.
  [':private-key(', 'openpgp'],
  ['(private-key', 'openpgp'],
  ['protected-private-key', 'openpgp'],
];

const markBytes = marks.flatMap(([word, kind]) => {
  const little = Buffer.from(word, 'utf16le');
  return [Buffer.from(word, 'latin1'), little, Buffer.from(little).swap16()].map((bytes) => ({ bytes, kind }));
});

// The search runs on the event loop, so what a few kilobytes may unpack to is bounded by what takes it some hundredths of a second.
const limits = { inputBytes: 16 << 20, decodedBytes: 1 << 20, depth: 4, parts: 64 } as const;

/** What one search may still spend, shared by all layers. */
interface Budget {
  bytes: number;
  parts: number;
}

/**
 * Tells whether the bytes hold a private key in any form that a client's program writes, also inside UTF-16, base64,
 * quoted-printable, gzip and zip. Total: it never throws, and what it cannot unpack within its limits it leaves.
 * Source: D-13; RFC 9580 §5.5.1 (secret key packets).
 */
export function findPrivateKey(bytes: Uint8Array): PrivateKeyKind | undefined {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, limits.inputBytes));
  return search(input, 0, { bytes: limits.decodedBytes, parts: limits.parts });
}

function search(input: Buffer, depth: number, budget: Budget): PrivateKeyKind | undefined {
  const marked = markBytes.find((mark) => input.includes(mark.bytes));
  if (marked) return marked.kind;
  if (holdsSecretPacket(input)) return 'openpgp';
  if (isPrivateDer(input)) return 'pem';
  if (depth >= limits.depth) return undefined;
  for (const layer of unpack(input, budget)) {
    if (budget.parts-- <= 0 || layer.length > budget.bytes) return undefined;
    budget.bytes -= layer.length;
    const found = search(layer, depth + 1, budget);
    if (found) return found;
  }
  return undefined;
}

function* unpack(input: Buffer, budget: Budget): Generator<Buffer> {
  if (isGzip(input, 0)) {
    yield* gunzip(input, budget);
  } else if (input.subarray(0, 2).toString('latin1') === 'PK') {
    yield* unzip(input, budget);
  } else if (input.length <= limits.decodedBytes) {
    const text = decodeKeyText(input);
    if (text !== undefined) yield* decodeText(stripQuoting(text));
  }
}

const inflateOptions = (budget: Budget) => ({
  maxOutputLength: Math.max(1, budget.bytes),
  // A file that was cut off still shows what it holds.
  finishFlush: constants.Z_SYNC_FLUSH,
});

function* tryInflate(inflate: () => Buffer): Generator<Buffer> {
  try {
    yield inflate();
  } catch (error) {
    // Damaged or oversized: what cannot be unpacked here is refused by the parsers later.
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}

const isGzip = (input: Buffer, at: number): boolean => input[at] === 0x1f && input[at + 1] === 0x8b;

/**
 * Each member by itself: what follows the last, as a word of the mail does behind base64, must not hide those before it.
 * Source: RFC 1952 §2.2 and §2.3.
 */
function* gunzip(input: Buffer, budget: Budget): Generator<Buffer> {
  for (let at = 0, members = 0; isGzip(input, at) && members < limits.parts; members++) {
    const flags = input[at + 3] ?? 0;
    let start = at + 10;
    if (flags & 4) start += 2 + (start + 2 <= input.length ? input.readUInt16LE(start) : 0);
    // A name and a comment each end with a zero byte.
    for (let texts = (flags & 8 ? 1 : 0) + (flags & 16 ? 1 : 0); texts > 0 && start < input.length; texts--)
      start = input.indexOf(0, start) + 1 || input.length;
    if (flags & 2) start += 2;
    const packed = input.subarray(start);
    let takenBytes = packed.length;
    yield* tryInflate(() => {
      // The declarations leave out what `info` adds.
      const inflated: unknown = inflateRawSync(packed, { ...inflateOptions(budget), info: true });
      const { buffer, engine } = inflated as { buffer: Buffer; engine: { bytesWritten: number } };
      takenBytes = engine.bytesWritten;
      return buffer;
    });
    // Behind the data stand its checksum and its size.
    at = start + takenBytes + 8;
  }
}

const localHeader = Buffer.from('PK\u0003\u0004', 'latin1');

/** Walks the local headers, which a cut-off archive still has. Source: PKWARE APPNOTE §4.3.7. */
function* unzip(input: Buffer, budget: Budget): Generator<Buffer> {
  for (let at = input.indexOf(localHeader); at >= 0 && at + 30 <= input.length; ) {
    if (budget.parts <= 0) return;
    const method = input.readUInt16LE(at + 8);
    const start = at + 30 + input.readUInt16LE(at + 26) + input.readUInt16LE(at + 28);
    const next = input.indexOf(localHeader, at + 4);
    // The size may stand behind the data (§4.3.9), so the entry reaches to the next header; deflate ends by itself.
    const packed = input.subarray(start, next < 0 ? input.length : Math.max(start, next));
    if (method === 0) yield packed;
    if (method === 8) yield* tryInflate(() => inflateRawSync(input.subarray(start), inflateOptions(budget)));
    budget.parts--;
    at = next;
  }
}

function* decodeText(text: string): Generator<Buffer> {
  if (/=\n|=2D/i.test(text)) yield decodeQuotedPrintable(text);
  for (const run of base64Runs(text)) {
    const decoded = Buffer.from(run, 'base64');
    if (decoded.length >= 24) yield decoded;
  }
}

/** Words of base64 with nothing but white space between them; all but the last are long, as wrapped lines are. */
function* base64Runs(text: string): Generator<string> {
  let run: string[] = [];
  let end = 0;
  // The rules around armour would read as base64url.
  const plain = text.replace(/-{3,}/g, '|');
  for (const word of plain.matchAll(/[A-Za-z0-9+/_-]+={0,2}/g)) {
    if (run.length > 0 && plain.slice(end, word.index).trim() !== '') {
      yield run.join('');
      run = [];
    }
    const long = word[0].length >= 16;
    if (long || run.length > 0) run.push(word[0]);
    if (!long && run.length > 0) {
      yield run.join('');
      run = [];
    }
    end = word.index + word[0].length;
  }
  if (run.length > 0) yield run.join('');
}

/** Source: RFC 2045 §6.7. */
const decodeQuotedPrintable = (text: string): Buffer =>
  Buffer.from(
    text
      .replace(/=[ \t]*\n/g, '')
      .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );

const secretTags = new Set([5, 7]);
const keyAlgorithms = new Set([1, 2, 3, 16, 17, 18, 19, 20, 22, 25, 26, 27, 28]);

/** Walks binary packets, because a secret one may follow a public one. Source: RFC 9580 §4.2, §5.5.2. */
function holdsSecretPacket(input: Buffer): boolean {
  for (let at = 0, packets = 0; at < input.length && packets < 10_000; packets++) {
    const first = input[at]!;
    if (!(first & 0x80)) return false;
    const current = (first & 0x40) !== 0;
    const tag = current ? first & 0x3f : (first >> 2) & 0x0f;
    const length = current ? readLength(input, at + 1) : readLegacyLength(input, at + 1, first & 3);
    const start = at + 1 + length.lengthBytes;
    if (secretTags.has(tag) && looksLikeKey(input.subarray(start))) return true;
    if (tag === 0 || !length.definite) return false;
    at = start + length.size;
  }
  return false;
}

/** Source: RFC 9580 §5.5.2: version, time, (in version 3 days of validity,) algorithm. */
function looksLikeKey(body: Buffer): boolean {
  const version = body[0] ?? 0;
  return version >= 2 && version <= 6 && keyAlgorithms.has(body[version < 4 ? 7 : 5] ?? 0);
}

interface Length {
  readonly lengthBytes: number;
  readonly size: number;
  readonly definite: boolean;
}

function readLength(input: Buffer, at: number): Length {
  const first = input[at] ?? 0;
  if (first < 192) return { lengthBytes: 1, size: first, definite: true };
  if (first < 224) return { lengthBytes: 2, size: ((first - 192) << 8) + (input[at + 1] ?? 0) + 192, definite: true };
  if (first < 255) return { lengthBytes: 1, size: 0, definite: false };
  return { lengthBytes: 5, size: at + 5 <= input.length ? input.readUInt32BE(at + 1) : 0, definite: true };
}

function readLegacyLength(input: Buffer, at: number, type: number): Length {
  const lengthBytes = type === 3 ? 0 : 2 ** type;
  const known = type !== 3 && at + lengthBytes <= input.length;
  return { lengthBytes, size: known ? input.readUIntBE(at, lengthBytes) : 0, definite: type !== 3 };
}

/** PKCS#8, PKCS#1, SEC1 and PKCS#12 without the text around them. */
function isPrivateDer(input: Buffer): boolean {
  if (input[0] !== 0x30 || input.length > 65536) return false;
  // RFC 7292 §4: a PKCS#12 file begins with version 3 and a sequence.
  if (isPkcs12(input)) return true;
  return (['pkcs8', 'pkcs1', 'sec1'] as const).some((type) => {
    try {
      createPrivateKey({ key: input, format: 'der', type });
      return true;
    } catch (error) {
      return error instanceof Error && 'code' in error && error.code === 'ERR_MISSING_PASSPHRASE';
    }
  });
}

function isPkcs12(input: Buffer): boolean {
  const lengthBytes = (input[1] ?? 0) < 0x80 ? 1 : 1 + ((input[1] ?? 0) & 0x7f);
  return input.subarray(1 + lengthBytes, 5 + lengthBytes).equals(Buffer.from([0x02, 0x01, 0x03, 0x30]));
}
