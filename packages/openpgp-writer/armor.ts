// The text form of OpenPGP bytes: base64 lines between two marks, with a checksum.

/** CRC-24 as RFC 4880 asks for it; newer readers ignore it. Source: RFC 4880 §6.1. */
function crc24(bytes: Uint8Array): number {
  let crc = 0xb704ce;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit++) {
      crc <<= 1;
      if (crc & 0x1000000) crc ^= 0x1864cfb;
    }
  }
  return crc & 0xffffff;
}

/** A certificate as text that people send by mail. Source: RFC 9580 §6.2. */
export function armorCertificate(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [beginMark, '', ...lines, `=${formatChecksum(certificate)}`, endMark, ''].join('\n');
}

function formatChecksum(bytes: Uint8Array): string {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc24(bytes));
  return checksum.toString('base64', 1);
}

const beginMark = '-----BEGIN PGP PUBLIC KEY BLOCK-----';
const endMark = '-----END PGP PUBLIC KEY BLOCK-----';

/**
 * The bytes of the first armoured public key block in a text, with what mail programs do to it tolerated.
 * NOTE: RFC 9580 §6.1.1 lets a reader ignore the checksum; it is compared here, because it tells damage from malice.
 * Refuses: no whole block, other characters in it, a checksum that differs (OpenPgpFormatError).
 */
export function unarmorCertificate(text: string): Buffer {
  const start = text.indexOf(beginMark);
  const end = text.indexOf(endMark, start);
  if (start < 0 || end < 0) throw new OpenPgpFormatError('The text holds no whole public key block');
  const lines = text
    .slice(start + beginMark.length, end)
    .split(/\r?\n/)
    .map((line) => line.trim());
  // RFC 9580 §6.2.2: headers are a word, a colon and a value; base64 has no colon.
  const body = lines.filter((line) => line !== '' && !/^[A-Za-z][A-Za-z0-9-]*:/.test(line));
  const checksum = /^=[A-Za-z0-9+/]{4}$/.test(body.at(-1) ?? '') ? body.pop()!.slice(1) : undefined;
  const base64 = body.join('');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64))
    throw new OpenPgpFormatError('The block holds other characters than base64');
  const bytes = Buffer.from(base64, 'base64');
  // Node drops what is left of an unfinished group of four without a word.
  if (bytes.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, ''))
    throw new OpenPgpFormatError('The base64 of the block is cut off');
  if (checksum !== undefined && checksum !== formatChecksum(bytes))
    throw new OpenPgpFormatError('The checksum of the block differs');
  return bytes;
}

/** The bytes are not the OpenPGP structure that was asked for. */
export class OpenPgpFormatError extends Error {
  override readonly name = 'OpenPgpFormatError';
}
