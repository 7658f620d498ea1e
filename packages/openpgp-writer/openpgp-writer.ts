// Writes OpenPGP messages and signatures for many recipients quickly, on node:crypto alone.
// Reads no private key of a recipient and judges no certificate: the caller hands in checked facts (RecipientKey).
export { armorCertificate, OpenPgpFormatError, unarmorCertificate } from './armor.ts';
export {
  type Compression,
  compressionFor,
  encryptMessage,
  encryptStream,
  type MessageOptions,
} from './message.ts';
export { createMessageReader, describeMessage, type MessageOutline, type MessageReader } from './outline.ts';
export { type Packet, readPackets } from './packet-reader.ts';
export {
  type Cipher,
  type Container,
  type EcdhCurve,
  type KdfCipher,
  type KdfHash,
  type RecipientKey,
  type RecipientKeyMaterial,
} from './recipient-key.ts';
export { recipientKeyOf } from './recipient-key-reader.ts';
export { sealSessionKey } from './session-key.ts';
export { signDetached, signDetachedStream } from './signature.ts';
export {
  exportCertificate,
  exportSigningKey,
  generateSigningKey,
  importSigningKey,
  type SigningKey,
} from './signing-key.ts';
export { type Verification, verifyDetached } from './verification.ts';
