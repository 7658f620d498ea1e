// Looks at the packets of an OpenPGP certificate before any library does: how many parts, which algorithms, which curves.
import { type Packet, readPackets } from '@broadgate/openpgp-writer';
import type { Refusal } from '../../kernel/refusal.ts';
import { checkRsa, keyLimits, type Remark, refusals } from './rules.ts';

const tags = { signature: 2, secretKey: 5, publicKey: 6, secretSubkey: 7, userId: 13, subkey: 14, userAttribute: 17 };
/** Packets that may stand in a certificate: trust (12), marker (10) and padding (21) carry nothing. */
const allowedTags = new Set([...Object.values(tags), 10, 12, 21]);

/**
 * The packets of exactly one certificate.
 * Refuses: key_private, key_several, key_too_many_parts, key_unreadable.
 * Source: RFC 9580 §10.1 (transferable public keys).
 */
export function readCertificatePackets(binary: Uint8Array): Packet[] {
  const packets = split(binary);
  const count = (...wanted: number[]): number => packets.filter((packet) => wanted.includes(packet.tag)).length;
  if (count(tags.secretKey, tags.secretSubkey) > 0) throw refusals.key_private({ form: 'OpenPGP' });
  if (count(tags.publicKey) > 1) throw refusals.key_several();
  if (packets[0]?.tag !== tags.publicKey || !packets.every((packet) => allowedTags.has(packet.tag)))
    throw refusals.key_unreadable();
  const { userIdsMax, subkeysMax } = keyLimits;
  if (count(tags.userId, tags.userAttribute) > userIdsMax || count(tags.subkey) > subkeysMax)
    throw refusals.key_too_many_parts({ userIdsMax, subkeysMax });
  return packets;
}

function split(binary: Uint8Array): Packet[] {
  try {
    return readPackets(binary);
  } catch {
    // The reader's words are for programmers; every fault in the bytes has the same remedy.
    throw refusals.key_unreadable();
  }
}

export interface DescribedKey {
  /** As a client knows it: `RSA 3072`, `Curve25519`, `NIST P-256`. */
  readonly name: string;
  readonly canEncrypt: boolean;
  /** Why a key of this algorithm is not accepted. */
  readonly problem: Refusal | undefined;
  readonly remarks: readonly Remark[];
}

/** Curves by their object identifier. Source: RFC 9580 §9.2. */
const curves: Readonly<Record<string, string>> = {
  '2a8648ce3d030107': 'NIST P-256',
  '2b81040022': 'NIST P-384',
  '2b81040023': 'NIST P-521',
  '2b06010401da470f01': 'Ed25519',
  '2b060104019755010501': 'Curve25519',
};
const unsupportedCurves: Readonly<Record<string, string>> = {
  '2b8104000a': 'secp256k1',
  '2b2403030208010107': 'brainpoolP256r1',
  '2b240303020801010b': 'brainpoolP384r1',
  '2b240303020801010d': 'brainpoolP512r1',
};

/** Describes the body of a public key or subkey packet. Source: RFC 9580 §5.5.2, §9.1. */
export function describeKey(body: Buffer): DescribedKey {
  const version = body[0];
  const material = body.subarray(version === 6 ? 10 : 6);
  if (version !== 4 && version !== 6) {
    const name = `OpenPGP version ${version ?? 'unknown'}`;
    return { ...accepted(name, true), problem: refusals.key_type_unsupported({ algorithm: name }) };
  }
  const algorithm = body[5] ?? 0;
  switch (algorithm) {
    case 1:
    case 2:
    case 3:
      return describeRsa(material, algorithm !== 3);
    case 16:
    case 20:
    case 17: {
      const name = `${algorithm === 17 ? 'DSA' : 'ElGamal'} ${readBits(material)}`;
      return { ...accepted(name, algorithm !== 17), problem: refusals.key_weak({ algorithm: name }) };
    }
    case 18:
    case 19:
    case 22:
      return describeCurve(material, algorithm === 18);
    case 25:
      return accepted('X25519', true);
    case 26:
      return accepted('X448', true);
    case 27:
      return accepted('Ed25519', false);
    case 28:
      return accepted('Ed448', false);
    default: {
      const name = `OpenPGP algorithm ${algorithm}`;
      return { ...accepted(name, true), problem: refusals.key_type_unsupported({ algorithm: name }) };
    }
  }
}

const accepted = (name: string, canEncrypt: boolean): DescribedKey => ({
  name,
  canEncrypt,
  problem: undefined,
  remarks: [],
});

const readBits = (material: Buffer): number => (material.length < 2 ? 0 : material.readUInt16BE());

function describeRsa(material: Buffer, canEncrypt: boolean): DescribedKey {
  const name = `RSA ${readBits(material)}`;
  const numbers: bigint[] = [];
  for (let at = 0; at + 2 <= material.length; ) {
    const end = at + 2 + Math.ceil(material.readUInt16BE(at) / 8);
    numbers.push(BigInt(`0x0${material.toString('hex', at + 2, end)}`));
    at = end;
  }
  try {
    return { name, canEncrypt, problem: undefined, remarks: checkRsa(numbers[0] ?? 0n, numbers[1] ?? 0n) };
  } catch (problem) {
    return { name, canEncrypt, problem: problem as Refusal, remarks: [] };
  }
}

function describeCurve(material: Buffer, canEncrypt: boolean): DescribedKey {
  const id = material.toString('hex', 1, 1 + (material[0] ?? 0));
  const curve = curves[id];
  if (curve !== undefined) return { name: curve, canEncrypt, problem: undefined, remarks: [] };
  const name = unsupportedCurves[id] ?? `with the identifier ${id.slice(0, 40)}`;
  return { name, canEncrypt, problem: refusals.key_curve_unsupported({ curve: name }), remarks: [] };
}
