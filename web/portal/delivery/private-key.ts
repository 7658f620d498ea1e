// Finds private keys in what somebody is about to hand in, so that none ever leaves the page.
// NOTE: the server looks again, and deeper: server/statements/keys/private-key.ts.

const marks = [
  'BEGIN PGP PRIVATE',
  'BEGIN OPENSSH PRIVATE',
  'openssh-key-v1\0',
  'SSH2 ENCRYPTED PRIVATE',
  'PuTTY-User-Key-File-',
  'PRIVATE KEY-----',
  ':private-key(',
  '(private-key',
  'protected-private-key',
];

/** Units: bytes, but for the depth and the number of layers that are looked into. */
const limits = { input: 4 << 20, layer: 1 << 20, depth: 3, layers: 64 } as const;

/** Whether the bytes hold a private key, also inside UTF-16, base64, gzip and zip. Total: it never throws. */
export async function holdsPrivateKey(bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  return await search(bytes.subarray(0, limits.input), 0, { layers: limits.layers });
}

async function search(bytes: Uint8Array<ArrayBuffer>, depth: number, left: { layers: number }): Promise<boolean> {
  const text = decode('latin1', bytes);
  const texts = [text, ...['utf-16le', 'utf-16be'].map((name) => decode(name, bytes))];
  if (texts.some((one) => marks.some((mark) => one.includes(mark)))) return true;
  if (holdsSecretPacket(bytes) || isPrivateDer(bytes) || texts.some(isPrivateJwk)) return true;
  if (depth >= limits.depth) return false;
  for await (const layer of unpack(bytes, texts)) {
    if (left.layers-- <= 0) return false;
    if (await search(layer, depth + 1, left)) return true;
  }
  return false;
}

const decode = (encoding: string, bytes: Uint8Array): string => new TextDecoder(encoding).decode(bytes);

/** Source: RFC 7517 §4, RFC 7518 §6: `d` is the private member of every kind of key. */
const isPrivateJwk = (text: string): boolean => /"kty"\s*:/.test(text) && /"d"\s*:\s*"/.test(text);

async function* unpack(
  bytes: Uint8Array<ArrayBuffer>,
  texts: readonly string[],
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) yield await inflate('gzip', bytes);
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) yield* unzip(bytes);
  for (const text of texts) {
    // The marks of a quoted mail part lines of base64, and the rules around armour would read as base64url.
    const plain = text.replace(/^[ \t]*(?:>[ \t]?)+/gm, '').replace(/-{3,}.*?-{3,}/g, '|');
    for (const [run] of plain.matchAll(/(?:[\w+/-]{16,}={0,2}\s*)+(?:[\w+/-]+={0,2})?/g)) {
      const decoded = fromBase64(run);
      if (decoded !== undefined && decoded.length >= 24) yield decoded;
    }
  }
}

function fromBase64(run: string): Uint8Array<ArrayBuffer> | undefined {
  const plain = run.replace(/[\s=]/g, '').replaceAll('-', '+').replaceAll('_', '/');
  try {
    const text = atob(plain.slice(0, plain.length - (plain.length % 4 === 1 ? 1 : 0)));
    return Uint8Array.from(text, (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** What comes out before it is damaged, cut off or too much. */
async function inflate(format: CompressionFormat, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: BlobPart[] = [];
  let size = 0;
  try {
    const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format)).getReader();
    for (let read = await reader.read(); !read.done && size < limits.layer; read = await reader.read()) {
      chunks.push(read.value);
      size += read.value.length;
    }
    await reader.cancel();
  } catch {
    // The rest of the bytes is something else, as behind a file in an archive.
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** By the local headers, which a cut-off archive still has. Source: PKWARE APPNOTE §4.3.7. */
async function* unzip(bytes: Uint8Array<ArrayBuffer>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 30 <= bytes.length; at++) {
    if (view.getUint32(at) !== 0x504b0304) continue;
    const start = at + 30 + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
    const method = view.getUint16(at + 8, true);
    if (method === 0) yield bytes.subarray(start, start + limits.layer);
    if (method === 8) yield await inflate('deflate-raw', bytes.subarray(start));
  }
}

const secretTags = new Set([5, 7]);
const algorithms = new Set([1, 2, 3, 16, 17, 18, 19, 20, 22, 25, 26, 27, 28]);

/** Walks binary packets, because a secret one may follow a public one. Source: RFC 9580 §4.2, §5.5.2. */
function holdsSecretPacket(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, packets = 0; at < bytes.length && packets < 10_000; packets++) {
    const first = bytes[at]!;
    if ((first & 0x80) === 0) return false;
    const isCurrent = (first & 0x40) !== 0;
    const tag = isCurrent ? first & 0x3f : (first >> 2) & 0x0f;
    const length = isCurrent ? readLength(view, at + 1) : readLegacyLength(view, at + 1, first & 3);
    if (length === undefined) return secretTags.has(tag);
    const [width, size] = length;
    const start = at + 1 + width;
    const version = bytes[start] ?? 0;
    const algorithm = bytes[start + (version < 4 ? 7 : 5)] ?? 0;
    if (secretTags.has(tag) && version >= 2 && version <= 6 && algorithms.has(algorithm)) return true;
    if (tag === 0) return false;
    at = start + size;
  }
  return false;
}

type Length = readonly [widthBytes: number, sizeBytes: number] | undefined;

function readLength(view: DataView, at: number): Length {
  if (at >= view.byteLength) return undefined;
  const first = view.getUint8(at);
  if (first < 192) return [1, first];
  if (first < 224)
    return at + 2 > view.byteLength ? undefined : [2, ((first - 192) << 8) + view.getUint8(at + 1) + 192];
  return first < 255 || at + 5 > view.byteLength ? undefined : [5, view.getUint32(at + 1)];
}

function readLegacyLength(view: DataView, at: number, type: number): Length {
  const width = 2 ** type;
  if (type === 3 || at + width > view.byteLength) return undefined;
  if (type === 0) return [width, view.getUint8(at)];
  return [width, type === 1 ? view.getUint16(at) : view.getUint32(at)];
}

/** PKCS#8 in clear and encrypted, PKCS#1, SEC1 and PKCS#12, by how they begin. */
function isPrivateDer(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0x30 || bytes.length < 16) return false;
  const start = 2 + ((bytes[1]! & 0x80) === 0 ? 0 : bytes[1]! & 0x7f);
  const head = Array.from(bytes.subarray(start, start + 24), (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (/^0201(0030|0002|0104|0130|0330)/.test(head)) return true;
  // PBES2 in an encrypted PKCS#8. Source: RFC 8018 §A.4.
  return head.startsWith('30') && head.includes('2a864886f70d0105');
}
