// chacha20-poly1305@openssh.com (OpenSSH PROTOCOL.chacha20poly1305): one key for the length, one for the packet.
import * as crypto from 'node:crypto';
import type { PacketOpener, PacketSealer } from './ciphers.ts';
import { protocolFault } from './faults.ts';

/** One-shot authenticator of node:crypto that its type declarations do not name yet. */
interface OneTimeMac {
  update(bytes: Buffer): OneTimeMac;
  final(): Buffer;
}
const createMac = (crypto as unknown as { createMac: (name: 'poly1305', key: Buffer) => OneTimeMac }).createMac;

const zeros = Buffer.alloc(64);

/**
 * Both directions number packets by the sequence number, so a key must not outlive 2^32 packets; it ends at `rekeyBytes`.
 * The first 32 bytes of material are for the packet, the others for its length.
 */
function createKeys(material: Buffer) {
  const packetKey = Buffer.from(material.subarray(0, 32));
  const lengthKey = Buffer.from(material.subarray(32, 64));
  // Bytes 0 to 7 are the block counter, little-endian; 8 to 15 the nonce, which is the sequence number, big-endian.
  const nonce = Buffer.alloc(16);
  const open = (key: Buffer, sequence: number): crypto.Cipheriv => {
    nonce.writeUInt32BE(sequence, 12);
    return crypto.createCipheriv('chacha20', key, nonce);
  };
  return {
    /** Encrypts and decrypts alike: the cipher is a key stream. */
    maskLength: (head: Buffer, sequence: number): Buffer => open(lengthKey, sequence).update(head),
    /** A stream at block 1, and the authenticator made from block 0. */
    startPacket(sequence: number) {
      const stream = open(packetKey, sequence);
      const authenticator = createMac('poly1305', stream.update(zeros).subarray(0, 32));
      return { stream, authenticator };
    },
  };
}

export function createChachaOpener(material: Buffer): PacketOpener {
  const keys = createKeys(material);
  return {
    headBytes: 4,
    tagBytes: 16,
    blockBytes: 8,
    isLengthApart: true,
    isCopying: true,
    readLength: (head, sequence) => keys.maskLength(head, sequence).readUInt32BE(0),
    open(packet, sequence) {
      const tagAt = packet.length - 16;
      const { stream, authenticator } = keys.startPacket(sequence);
      const tag = authenticator.update(packet.subarray(0, tagAt)).final();
      if (!crypto.timingSafeEqual(tag, packet.subarray(tagAt)))
        throw protocolFault('a packet fails its authentication');
      return stream.update(packet.subarray(4, tagAt));
    },
  };
}

export function createChachaSealer(material: Buffer): PacketSealer {
  const keys = createKeys(material);
  return {
    tagBytes: 16,
    blockBytes: 8,
    isLengthApart: true,
    seal(packet, sequence) {
      const head = keys.maskLength(packet.subarray(0, 4), sequence);
      const { stream, authenticator } = keys.startPacket(sequence);
      const sealed = stream.update(packet.subarray(4));
      return [head, sealed, authenticator.update(head).update(sealed).final()];
    },
  };
}
