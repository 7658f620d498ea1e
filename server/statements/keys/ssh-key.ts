// Reads an SSH public key from every form that a client's program writes, and checks that it can be trusted.
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { cutText, decodeKeyText } from './key-text.ts';
import { checkRsa, type Remark, refusals } from './rules.ts';

export type SshAlgorithm =
  | 'ssh-rsa'
  | 'ssh-ed25519'
  | 'ecdsa-sha2-nistp256'
  | 'ecdsa-sha2-nistp384'
  | 'ecdsa-sha2-nistp521';

export interface SshPublicKey {
  readonly algorithm: SshAlgorithm;
  readonly bits: number;
  /** The key as it crosses the wire. Source: RFC 4253 §6.6. */
  readonly blob: Buffer;
  /** One OpenSSH line, with the comment where there is one. */
  readonly line: string;
  /** As `ssh-keygen -l` prints it: `SHA256:…`. */
  readonly fingerprint: string;
  readonly comment: string;
  readonly remarks: readonly Remark[];
}

const curves = {
  'ecdsa-sha2-nistp256': { wire: 'nistp256', jwk: 'P-256', bits: 256, node: 'prime256v1' },
  'ecdsa-sha2-nistp384': { wire: 'nistp384', jwk: 'P-384', bits: 384, node: 'secp384r1' },
  'ecdsa-sha2-nistp521': { wire: 'nistp521', jwk: 'P-521', bits: 521, node: 'secp521r1' },
} as const;
type EcdsaAlgorithm = keyof typeof curves;

const algorithms: ReadonlySet<string> = new Set(['ssh-rsa', 'ssh-ed25519', ...Object.keys(curves)]);
const typeWord = /^(?:ssh-|ecdsa-|sk-|rsa-|webauthn-)[a-z0-9@.-]+$/;
const commentLengthMax = 200;

/**
 * Reads one public key: OpenSSH line, RFC 4716, PEM (PKCS#1 and SPKI); CRLF, byte-order mark, UTF-16, blank lines and
 * a missing comment are tolerated.
 * Refuses: key_empty, key_unreadable, key_several, key_options, key_type_unsupported, key_hardware, key_certificate,
 * key_weak, key_too_long, key_inconsistent, key_known_bad.
 * Source: D-11, D-12; RFC 4253 §6.6, RFC 4716, RFC 5656 §3.1, RFC 8709 §4.
 */
export function parseSshKey(bytes: Uint8Array): SshPublicKey {
  const text = decodeKeyText(bytes)?.trim();
  if (text === undefined) throw refusals.key_unreadable();
  if (text === '') throw refusals.key_empty();
  if (text.includes('---- BEGIN SSH2 PUBLIC KEY ----')) return parseRfc4716(text);
  if (text.includes('-----BEGIN ')) return parsePem(text);
  return parseLine(text);
}

function parseLine(text: string): SshPublicKey {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.trimStart().startsWith('#'));
  if (lines.length > 1) throw lines.every(holdsType) ? refusals.key_several() : refusals.key_unreadable();
  const [type, body, ...comment] = (lines[0] ?? '').trim().split(/[ \t]+/);
  // SSH-1 keys are numbers: bits, exponent, modulus.
  if (/^\d{3,5}$/.test(type ?? '') && /^\d+$/.test(body ?? ''))
    throw refusals.key_type_unsupported({ algorithm: 'SSH-1 RSA' });
  if (!typeWord.test(type ?? '')) throw holdsType(lines[0] ?? '') ? refusals.key_options() : refusals.key_unreadable();
  checkType(type!);
  const blob = decodeBase64(body ?? '');
  return readBlob(blob, comment.join(' '), type);
}

const holdsType = (line: string): boolean => line.split(/[ \t]+/).some((word) => typeWord.test(word));

/** Source: RFC 4716 §3: headers (continued by a backslash), then base64, between two marks. */
function parseRfc4716(text: string): SshPublicKey {
  const blocks = text.split('---- BEGIN SSH2 PUBLIC KEY ----');
  if (blocks.length > 2) throw refusals.key_several();
  const [inside, after] = blocks[1]!.split('---- END SSH2 PUBLIC KEY ----');
  if (after === undefined) throw refusals.key_unreadable();
  let comment = '';
  const body = inside!
    .replace(/\\\n/g, '')
    .replace(/^([^\s:]{1,64}):[ \t]*(.*)\n/gm, (_, name: string, value: string) => {
      // §3.3.2: the comment may stand in double quotes.
      if (name.toLowerCase() === 'comment') comment = value.trim().replace(/^"(.*)"$/, '$1');
      return '';
    });
  return readBlob(decodeBase64(body.replace(/\s/g, '')), comment, undefined);
}

function parsePem(text: string): SshPublicKey {
  const labels = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map((match) => match[1]!);
  if (labels.length > 1) throw refusals.key_several();
  if (labels[0]?.includes('CERTIFICATE')) throw refusals.key_certificate();
  if (labels[0] === 'DSA PUBLIC KEY') throw refusals.key_type_unsupported({ algorithm: 'DSA' });
  // Only public labels reach OpenSSL, which would take a private key and show its public half.
  if (labels[0] !== 'PUBLIC KEY' && labels[0] !== 'RSA PUBLIC KEY') throw refusals.key_unreadable();
  const block = text.slice(text.indexOf('-----BEGIN '));
  return readBlob(blobOf(importKey(() => createPublicKey(block))), '', undefined);
}

function blobOf(key: KeyObject): Buffer {
  const type = key.asymmetricKeyType ?? 'unknown';
  if (type === 'rsa') {
    const { n, e } = key.export({ format: 'jwk' });
    return Buffer.concat([formatText('ssh-rsa'), formatInteger(e!), formatInteger(n!)]);
  }
  if (type === 'ed25519')
    return Buffer.concat([
      formatText('ssh-ed25519'),
      formatString(Buffer.from(key.export({ format: 'jwk' }).x!, 'base64url')),
    ]);
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const found = (Object.keys(curves) as EcdsaAlgorithm[]).find((name) => curves[name].node === curve);
  if (type === 'ec' && found) {
    const { x, y } = key.export({ format: 'jwk' });
    const point = Buffer.concat([Buffer.from([4]), Buffer.from(x!, 'base64url'), Buffer.from(y!, 'base64url')]);
    return Buffer.concat([formatText(found), formatText(curves[found].wire), formatString(point)]);
  }
  throw type === 'ec'
    ? refusals.key_curve_unsupported({ curve: curve ?? 'unnamed' })
    : refusals.key_type_unsupported({ algorithm: type.toUpperCase() });
}

function checkType(type: string): asserts type is SshAlgorithm {
  if (/-cert-v\d\d@openssh\.com$/.test(type)) throw refusals.key_certificate();
  if (/^(?:sk|webauthn)-/.test(type)) throw refusals.key_hardware({ algorithm: type });
  if (type === 'ssh-dss') throw refusals.key_type_unsupported({ algorithm: 'DSA' });
  if (!algorithms.has(type)) throw refusals.key_type_unsupported({ algorithm: type.slice(0, 64) });
}

/** Checks the inside of a key: its name, its numbers, nothing after them. */
function readBlob(blob: Buffer, comment: string, outerType: string | undefined): SshPublicKey {
  const fields = readFields(blob);
  const type = fields.shift()?.toString('latin1') ?? '';
  if (!typeWord.test(type)) throw refusals.key_unreadable();
  checkType(type);
  if (outerType !== undefined && outerType !== type)
    throw refusals.key_inconsistent({ fault: `named ${outerType} outside and ${type} inside` });
  const { bits, remarks } = readKey(type, fields);
  // Control characters in a comment could rewrite the screen or the log of whoever reads it.
  const plainComment = cutText(comment.replace(/\p{C}/gu, '').trim(), commentLengthMax);
  return {
    algorithm: type,
    bits,
    blob,
    line: `${type} ${blob.toString('base64')}${plainComment === '' ? '' : ` ${plainComment}`}`,
    fingerprint: `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`,
    comment: plainComment,
    remarks,
  };
}

function readKey(type: SshAlgorithm, fields: readonly Buffer[]): { bits: number; remarks: Remark[] } {
  if (type === 'ssh-rsa') {
    // RFC 4253 §6.6: e, then n.
    const [e, n] = takeFields(fields, 2);
    const modulus = readInteger(n!);
    const remarks = checkRsa(modulus, readInteger(e!));
    importJwk({ kty: 'RSA', n: formatUnsigned(n!), e: formatUnsigned(e!) });
    return { bits: modulus.toString(2).length, remarks };
  }
  if (type === 'ssh-ed25519') {
    const [point] = takeFields(fields, 1);
    if (point!.length !== 32) throw refusals.key_inconsistent({ fault: 'the point has a wrong length' });
    if (isSmallOrder(point!)) throw refusals.key_known_bad({ weakness: 'the point is of small order' });
    importJwk({ kty: 'OKP', crv: 'Ed25519', x: point!.toString('base64url') });
    return { bits: 256, remarks: [] };
  }
  const { wire, jwk, bits } = curves[type];
  const [name, point] = takeFields(fields, 2);
  const size = Math.ceil(bits / 8);
  if (name!.toString('latin1') !== wire) throw refusals.key_inconsistent({ fault: 'the curve is another one inside' });
  // RFC 5656 §3.1: SEC 1 points; compressed ones may be sent only where agreed.
  if (point!.length !== 1 + 2 * size || point![0] !== 4)
    throw refusals.key_inconsistent({ fault: 'the point has a wrong form' });
  const x = point!.toString('base64url', 1, 1 + size);
  importJwk({ kty: 'EC', crv: jwk, x, y: point!.toString('base64url', 1 + size) });
  return { bits, remarks: [] };
}

function takeFields(fields: readonly Buffer[], count: number): readonly Buffer[] {
  if (fields.length !== count) throw refusals.key_inconsistent({ fault: 'it has too many or too few parts' });
  return fields;
}

/** RFC 4251 §5: every part is a string with its length; a cut-off part makes the whole unreadable. */
function readFields(blob: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  for (let at = 0; at < blob.length; ) {
    if (at + 4 > blob.length || fields.length > 8) throw refusals.key_unreadable();
    const end = at + 4 + blob.readUInt32BE(at);
    if (end > blob.length) throw refusals.key_unreadable();
    fields.push(blob.subarray(at + 4, end));
    at = end;
  }
  return fields;
}

/** RFC 4251 §5: a positive integer in its shortest form. */
function readInteger(field: Buffer): bigint {
  const padded = field[0] === 0 && !((field[1] ?? 0) & 0x80);
  if (field.length === 0 || field[0]! & 0x80 || padded)
    throw refusals.key_inconsistent({ fault: 'a number is not written in its only form' });
  return BigInt(`0x${field.toString('hex')}`);
}

const formatUnsigned = (field: Buffer): string => field.subarray(field[0] === 0 ? 1 : 0).toString('base64url');

function decodeBase64(text: string): Buffer {
  const blob = Buffer.from(text, 'base64');
  if (blob.length < 16 || blob.toString('base64').replace(/=+$/, '') !== text.replace(/=+$/, ''))
    throw refusals.key_unreadable();
  return blob;
}

const importJwk = (key: Record<string, string>): KeyObject => importKey(() => createPublicKey({ key, format: 'jwk' }));

function importKey(create: () => KeyObject): KeyObject {
  try {
    return create();
  } catch {
    // OpenSSL's words ("point is not on curve", "asn1 encoding routines") help no client.
    throw refusals.key_inconsistent({ fault: 'its numbers do not make a key' });
  }
}

/** The y coordinates of Ed25519's points of order 1, 2, 4 and 8, and their forms beyond the field's prime. */
const smallOrderPoints = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

/** With such a point a signature over anything can be made without the private key. */
function isSmallOrder(point: Buffer): boolean {
  const unsigned = Buffer.from(point);
  unsigned[31]! &= 0x7f;
  return smallOrderPoints.has(unsigned.toString('hex'));
}

const formatText = (text: string): Buffer => formatString(Buffer.from(text, 'latin1'));

function formatString(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** RFC 4251 §5: mpint of a positive number given as base64url. */
function formatInteger(unsigned: string): Buffer {
  const bytes = Buffer.from(unsigned, 'base64url');
  return formatString(bytes[0]! & 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes);
}
