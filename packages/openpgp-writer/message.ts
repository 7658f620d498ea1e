// Encrypts and signs one file as an OpenPGP message, in memory or as a stream.
import { randomBytes } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { createDeflateRaw, deflateRawSync } from 'node:zlib';
import { formatHeader, formatPacket, formatTime, framePartial, tags } from './packets.ts';
import { ciphers, commonCipher, commonContainer, type RecipientKey } from './recipient-key.ts';
import { createSealer, sealedSize, type Sealer, sealWhole1 } from './sealing.ts';
import { sealSessionKey } from './session-key.ts';
import {
  createSignatureHash,
  formatOnePassSignature,
  formatSignature,
  type Signer,
  signatureTypes,
} from './signature.ts';

export type Compression = 'none' | 'zip';

export interface MessageOptions {
  readonly recipients: readonly RecipientKey[];
  /** Signs inside the encryption; without it the message is not signed. */
  readonly signer?: Signer | undefined;
  readonly signedAtMs: number;
  /** The name that the reader's program may offer; at most 255 bytes of UTF-8. */
  readonly fileName: string;
  readonly modifiedAtMs: number;
  /** Default: what `compressionFor` says of the name. */
  readonly compression?: Compression | undefined;
}

const deflateLevel = 1;
const textNames = /\.(csv|xml|txt|json|html?|fix)$/i;

/** Text shrinks for little time; PDF, ZIP and the like are compressed already. */
export const compressionFor = (fileName: string): Compression => (textNames.test(fileName) ? 'zip' : 'none');

/**
 * One file, whole in memory, as one binary message; every length is definite.
 * Refuses: no recipient, a name beyond 255 bytes (RangeError).
 * Source: RFC 9580 §10.3: sealed( [compressed] ( one-pass signature, literal, signature ) ).
 */
export function encryptMessage(options: MessageOptions & { readonly data: Uint8Array }): Buffer {
  const { data, signer } = options;
  const name = formatLiteralStart(options);
  const pieces: Uint8Array[] = [formatHeader(tags.literal, name.length + data.length), name, data];
  if (signer) {
    const hash = createSignatureHash().update(data);
    pieces.unshift(formatOnePassSignature(signer));
    pieces.push(formatSignature(signer, hash, { type: signatureTypes.binary, signedAtMs: options.signedAtMs }));
  }
  const inner = compressionOf(options) === 'zip' ? [compressPacket(pieces)] : pieces;
  const { sessionKeys, sessionKey, container, cipher } = prepare(options.recipients);
  if (container === 'seipd1') return sealWhole1(sessionKeys, inner, sessionKey);
  const sealer = createSealer(container, cipher, sessionKey);
  const sizeBytes = inner.reduce((sum, piece) => sum + piece.length, 0);
  return Buffer.concat([
    ...sessionKeys,
    formatHeader(tags.sealed, sealedSize(container, sizeBytes)),
    sealer.start(),
    ...inner.flatMap((piece) => sealer.update(piece)),
    ...sealer.final(),
  ]);
}

/**
 * The same for content of any size, in constant memory.
 * Shape: with `sizeBytes` the literal's length is definite, and all lengths are when it is neither signed nor compressed.
 * Refuses: a source that is not `sizeBytes` long (RangeError, after which the output must be thrown away).
 */
export async function* encryptStream(
  options: MessageOptions & { readonly source: AsyncIterable<Uint8Array>; readonly sizeBytes?: number | undefined },
): AsyncGenerator<Buffer> {
  const { sessionKeys, sessionKey, container, cipher } = prepare(options.recipients);
  yield Buffer.concat(sessionKeys);
  const zipped = compressionOf(options) === 'zip';
  const content = signedContent(options);
  const inner = zipped ? framePartial(tags.compressed, deflate(content)) : content;
  const sealed = seal(createSealer(container, cipher, sessionKey), inner);
  const innerBytes = zipped ? undefined : innerSize(options);
  const bodyBytes = innerBytes === undefined ? undefined : sealedSize(container, innerBytes);
  if (bodyBytes === undefined || bodyBytes > definiteSizeMax) {
    yield* framePartial(tags.sealed, sealed);
  } else {
    yield formatHeader(tags.sealed, bodyBytes);
    yield* sealed;
  }
}

/** Units: bytes. A definite length has 32 bits; room is left for what surrounds the content. */
const definiteSizeMax = 0xffff0000;

const compressionOf = (options: MessageOptions): Compression => options.compression ?? compressionFor(options.fileName);

/** Draws the session key of one message and seals it to everyone. */
function prepare(recipients: readonly RecipientKey[]) {
  if (recipients.length === 0) throw new RangeError('A message needs at least one recipient');
  const cipher = commonCipher(recipients);
  const container = commonContainer(recipients);
  const sessionKey = randomBytes(ciphers[cipher].keySizeBytes);
  // RFC 9580 §10.3.2.1: version 3 goes with SEIPD version 1, version 6 with version 2, never mixed.
  const version = container === 'seipd1' ? 3 : 6;
  const sessionKeys = recipients.map((recipient) => sealSessionKey(recipient, cipher, sessionKey, version));
  return { container, cipher, sessionKey, sessionKeys };
}

/** Binary format, name, modification time. Source: RFC 9580 §5.9. */
function formatLiteralStart(options: MessageOptions): Buffer {
  const name = Buffer.from(options.fileName, 'utf8');
  if (name.length > 255) throw new RangeError('The file name in a message has at most 255 bytes of UTF-8');
  return Buffer.concat([Buffer.from('b'), Buffer.from([name.length]), name, formatTime(options.modifiedAtMs)]);
}

/** Source: RFC 9580 §5.6: algorithm 1 is raw deflate. */
function compressPacket(pieces: readonly Uint8Array[]): Buffer {
  const compressed = deflateRawSync(Buffer.concat(pieces), { level: deflateLevel });
  return formatPacket(tags.compressed, Buffer.concat([Buffer.from([1]), compressed]));
}

async function* deflate(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield Buffer.from([1]);
  const compressor = createDeflateRaw({ level: deflateLevel, chunkSize: 65536 });
  const source = Readable.from(content, { objectMode: false, highWaterMark: 65536 });
  // The error of the source reaches the reader through the compressor, which pipeline destroys with it.
  pipeline(source, compressor, () => {});
  yield* compressor;
}

async function* seal(sealer: Sealer, content: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  yield sealer.start();
  for await (const piece of content) yield* sealer.update(piece);
  yield* sealer.final();
}

type StreamOptions = Parameters<typeof encryptStream>[0];

/** One-pass signature, literal packet, signature: the content in between is hashed as it passes. */
async function* signedContent(options: StreamOptions): AsyncGenerator<Uint8Array> {
  const { signer } = options;
  const hash = createSignatureHash();
  if (signer) yield formatOnePassSignature(signer);
  if (literalIsDefinite(options)) {
    const name = formatLiteralStart(options);
    yield formatHeader(tags.literal, name.length + options.sizeBytes!);
    yield name;
    yield* counted(options.source, options.sizeBytes!, hash);
  } else {
    yield* framePartial(tags.literal, literalBody(options, hash));
  }
  if (signer) yield formatSignature(signer, hash, { type: signatureTypes.binary, signedAtMs: options.signedAtMs });
}

type Hash = ReturnType<typeof createSignatureHash>;

async function* literalBody(options: StreamOptions, hash: Hash): AsyncGenerator<Uint8Array> {
  yield formatLiteralStart(options);
  yield* counted(options.source, options.sizeBytes, hash);
}

/** Units: bytes that pass through hash, cipher and framing together, while they are in the processor's cache. */
const sliceBytes = 65536;

async function* counted(
  source: AsyncIterable<Uint8Array>,
  sizeBytes: number | undefined,
  hash: Hash,
): AsyncGenerator<Uint8Array> {
  let seenBytes = 0;
  for await (const piece of source) {
    seenBytes += piece.length;
    for (let at = 0; at < piece.length; at += sliceBytes) {
      const slice = piece.subarray(at, at + sliceBytes);
      hash.update(slice);
      yield slice;
    }
  }
  if (sizeBytes !== undefined && seenBytes !== sizeBytes)
    throw new RangeError(`The content has ${seenBytes} bytes, and ${sizeBytes} were announced`);
}

const literalIsDefinite = (options: StreamOptions): boolean =>
  options.sizeBytes !== undefined && options.sizeBytes <= definiteSizeMax - 1024;

/** Units: bytes of all packets around and with content of a known size; undefined when that cannot be told. */
function innerSize(options: StreamOptions): number | undefined {
  if (!literalIsDefinite(options)) return undefined;
  const body = formatLiteralStart(options).length + options.sizeBytes!;
  const literal = formatHeader(tags.literal, body).length + body;
  if (!options.signer) return literal;
  // NOTE: the size of the signature varies, because its integers drop leading zeros; only partial lengths fit then.
  return undefined;
}
