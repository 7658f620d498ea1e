// The text form of OpenPGP bytes: base64 lines between two marks, with a checksum.

/** CRC-24 as RFC 4880 asks for it; newer readers ignore it. Source: RFC 4880 §6.1. */
export function crc24(bytes: Uint8Array): number {
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
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc24(certificate));
  return [
    '-----BEGIN PGP PUBLIC KEY BLOCK-----',
    '',
    ...lines,
    `=${checksum.subarray(1).toString('base64')}`,
    '-----END PGP PUBLIC KEY BLOCK-----',
    '',
  ].join('\n');
}

/** The bytes of a certificate given as one armoured block. Refuses: text that is not exactly that (OpenPgpFormatError). */
export function unarmorCertificate(text: string): Buffer {
  const found =
    /^-----BEGIN PGP PUBLIC KEY BLOCK-----[ \t]*\r?\n((?:[^\r\n]+:[^\r\n]*\r?\n)*)[ \t]*\r?\n([A-Za-z0-9+/=\s]+?)(?:\r?\n=[A-Za-z0-9+/]{4})?[ \t]*\r?\n-----END PGP PUBLIC KEY BLOCK-----/m.exec(
      text,
    );
  if (!found) throw new OpenPgpFormatError('The text holds no armoured public key block');
  return Buffer.from(found[2]!.replace(/\s/g, ''), 'base64');
}

/** The bytes are not the OpenPGP structure that was asked for. */
export class OpenPgpFormatError extends Error {
  override readonly name = 'OpenPgpFormatError';
}
