// The packet protections: how a clear packet is sealed for the wire and opened again, one pair of keys a direction.
import * as crypto from 'node:crypto';
import type { CipherName, MacName } from './algorithms.ts';
import { createChachaOpener, createChachaSealer } from './cipher-chacha.ts';
import { protocolFault } from './faults.ts';

/** Takes one packet off the wire: first its length, then the whole of it. Sequence: RFC 4253 §6.4. */
export interface PacketOpener {
  /** Bytes needed to know the length. */
  readonly headBytes: number;
  /** Bytes behind the packet. */
  readonly tagBytes: number;
  /** What packet_length, plus 4 where it is encrypted with the rest, must be a multiple of. */
  readonly blockBytes: number;
  readonly isLengthApart: boolean;
  /** The clear text is in memory of its own, not in the packet's. */
  readonly isCopying: boolean;
  /** Called once a packet, with exactly `headBytes`. Answers packet_length, unchecked. */
  readLength(head: Buffer, sequence: number): number;
  /** The whole packet with length field and tag in; out comes the clear text from padding_length on. */
  open(packet: Buffer, sequence: number): Buffer;
}

/** Puts one packet on the wire. */
export interface PacketSealer {
  readonly tagBytes: number;
  readonly blockBytes: number;
  readonly isLengthApart: boolean;
  /** Clear packet with length field in (left as it is), wire bytes out, in order. */
  seal(packet: Buffer, sequence: number): readonly Buffer[];
}

/** How many bytes of key material a cipher wants from the exchange (RFC 4253 §7.2). */
interface KeyShape {
  readonly keyBytes: number;
  readonly ivBytes: number;
}

const keyShapes: Record<CipherName, KeyShape> = {
  'aes128-gcm@openssh.com': { keyBytes: 16, ivBytes: 12 },
  'aes256-gcm@openssh.com': { keyBytes: 32, ivBytes: 12 },
  'chacha20-poly1305@openssh.com': { keyBytes: 64, ivBytes: 0 },
  'aes128-ctr': { keyBytes: 16, ivBytes: 16 },
  'aes192-ctr': { keyBytes: 24, ivBytes: 16 },
  'aes256-ctr': { keyBytes: 32, ivBytes: 16 },
};

interface MacShape {
  readonly hash: 'sha256' | 'sha512';
  readonly tagBytes: number;
  readonly isEncryptThenMac: boolean;
}

const macShapes: Record<MacName, MacShape> = {
  'hmac-sha2-256-etm@openssh.com': { hash: 'sha256', tagBytes: 32, isEncryptThenMac: true },
  'hmac-sha2-512-etm@openssh.com': { hash: 'sha512', tagBytes: 64, isEncryptThenMac: true },
  'hmac-sha2-256': { hash: 'sha256', tagBytes: 32, isEncryptThenMac: false },
  'hmac-sha2-512': { hash: 'sha512', tagBytes: 64, isEncryptThenMac: false },
};

/** Draws key material: letter A to F and a length (RFC 4253 §7.2). */
export type DeriveKey = (letter: 'A' | 'B' | 'C' | 'D' | 'E' | 'F', sizeBytes: number) => Buffer;

/** Before the first NEWKEYS: clear text, packets in multiples of 8. */
export const clearOpener: PacketOpener = {
  headBytes: 4,
  tagBytes: 0,
  blockBytes: 8,
  isLengthApart: false,
  isCopying: false,
  readLength: (head) => head.readUInt32BE(0),
  open: (packet) => packet.subarray(4),
};

export const clearSealer: PacketSealer = {
  tagBytes: 0,
  blockBytes: 8,
  isLengthApart: false,
  seal: (packet) => [Buffer.from(packet)],
};

/** For packets from the client: initial vector A, key C, integrity key E. */
export function createOpener(cipher: CipherName, mac: MacName | 'implicit', derive: DeriveKey): PacketOpener {
  const shape = keyShapes[cipher];
  const iv = derive('A', shape.ivBytes);
  const key = derive('C', shape.keyBytes);
  if (cipher === 'chacha20-poly1305@openssh.com') return createChachaOpener(key);
  if (mac === 'implicit') return createGcmOpener(nodeNames[cipher], key, iv);
  const macKey = crypto.createSecretKey(derive('E', macShapes[mac].tagBytes));
  const decipher = crypto.createDecipheriv(nodeNames[cipher], key, iv);
  return macShapes[mac].isEncryptThenMac
    ? createEtmOpener(decipher, macShapes[mac], macKey)
    : createMacOpener(decipher, macShapes[mac], macKey);
}

/** For packets to the client: initial vector B, key D, integrity key F. */
export function createSealer(cipher: CipherName, mac: MacName | 'implicit', derive: DeriveKey): PacketSealer {
  const shape = keyShapes[cipher];
  const iv = derive('B', shape.ivBytes);
  const key = derive('D', shape.keyBytes);
  if (cipher === 'chacha20-poly1305@openssh.com') return createChachaSealer(key);
  if (mac === 'implicit') return createGcmSealer(nodeNames[cipher], key, iv);
  return createCtrSealer(
    crypto.createCipheriv(nodeNames[cipher], key, iv),
    macShapes[mac],
    crypto.createSecretKey(derive('F', macShapes[mac].tagBytes)),
  );
}

const nodeNames = {
  'aes128-gcm@openssh.com': 'aes-128-gcm',
  'aes256-gcm@openssh.com': 'aes-256-gcm',
  'aes128-ctr': 'aes-128-ctr',
  'aes192-ctr': 'aes-192-ctr',
  'aes256-ctr': 'aes-256-ctr',
} as const;

type GcmName = 'aes-128-gcm' | 'aes-256-gcm';

/** RFC 5647 §7.1: the last 8 bytes of the vector count packets; OpenSSH never resets them within one key. */
function createCounter(iv: Buffer): () => Buffer {
  const fixed = Buffer.from(iv);
  let count = fixed.readBigUInt64BE(4);
  return () => {
    fixed.writeBigUInt64BE(count, 4);
    count = BigInt.asUintN(64, count + 1n);
    return fixed;
  };
}

function createGcmOpener(name: string, key: Buffer, iv: Buffer): PacketOpener {
  const nextIv = createCounter(iv);
  return {
    headBytes: 4,
    tagBytes: 16,
    blockBytes: 16,
    isLengthApart: true,
    isCopying: true,
    readLength: (head) => head.readUInt32BE(0),
    open(packet) {
      // node:crypto cannot give a GCM object its next nonce, so there is one object a packet.
      const decipher = crypto.createDecipheriv(name as GcmName, key, nextIv());
      const tagAt = packet.length - 16;
      decipher.setAAD(packet.subarray(0, 4));
      decipher.setAuthTag(packet.subarray(tagAt));
      const clear = decipher.update(packet.subarray(4, tagAt));
      try {
        decipher.final();
      } catch {
        throw protocolFault('a packet fails its authentication');
      }
      return clear;
    },
  };
}

function createGcmSealer(name: string, key: Buffer, iv: Buffer): PacketSealer {
  const nextIv = createCounter(iv);
  return {
    tagBytes: 16,
    blockBytes: 16,
    isLengthApart: true,
    seal(packet) {
      const cipher = crypto.createCipheriv(name as GcmName, key, nextIv());
      const head = Buffer.from(packet.subarray(0, 4));
      cipher.setAAD(head);
      const sealed = cipher.update(packet.subarray(4));
      cipher.final();
      return [head, sealed, cipher.getAuthTag()];
    },
  };
}

const sequenceBytes = Buffer.alloc(4);

/** MAC over sequence number and parts (RFC 4253 §6.4). A key object is taken in once, bytes again for each packet. */
function authenticate(shape: MacShape, key: crypto.KeyObject, sequence: number, ...parts: Buffer[]): Buffer {
  sequenceBytes.writeUInt32BE(sequence);
  const mac = crypto.createHmac(shape.hash, key).update(sequenceBytes);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

function checkTag(given: Buffer, computed: Buffer): void {
  if (!crypto.timingSafeEqual(given, computed)) throw protocolFault('a packet fails its authentication');
}

/** OpenSSH PROTOCOL §1.3: the length is in clear and the MAC, over the encrypted packet, is checked first. */
function createEtmOpener(decipher: crypto.Decipheriv, shape: MacShape, macKey: crypto.KeyObject): PacketOpener {
  return {
    headBytes: 4,
    tagBytes: shape.tagBytes,
    blockBytes: 16,
    isLengthApart: true,
    isCopying: true,
    readLength: (head) => head.readUInt32BE(0),
    open(packet, sequence) {
      const tagAt = packet.length - shape.tagBytes;
      checkTag(packet.subarray(tagAt), authenticate(shape, macKey, sequence, packet.subarray(0, tagAt)));
      return decipher.update(packet.subarray(4, tagAt));
    },
  };
}

/** RFC 4253 §6.4: the length is encrypted and the MAC is over the clear packet. */
function createMacOpener(decipher: crypto.Decipheriv, shape: MacShape, macKey: crypto.KeyObject): PacketOpener {
  let firstBlock: Buffer = Buffer.alloc(0);
  return {
    headBytes: 16,
    tagBytes: shape.tagBytes,
    blockBytes: 16,
    isLengthApart: false,
    isCopying: true,
    readLength(head) {
      firstBlock = decipher.update(head);
      return firstBlock.readUInt32BE(0);
    },
    open(packet, sequence) {
      const tagAt = packet.length - shape.tagBytes;
      const clear = Buffer.concat([firstBlock, decipher.update(packet.subarray(16, tagAt))]);
      checkTag(packet.subarray(tagAt), authenticate(shape, macKey, sequence, clear));
      return clear.subarray(4);
    },
  };
}

function createCtrSealer(cipher: crypto.Cipheriv, shape: MacShape, macKey: crypto.KeyObject): PacketSealer {
  return {
    tagBytes: shape.tagBytes,
    blockBytes: 16,
    isLengthApart: shape.isEncryptThenMac,
    seal(packet, sequence) {
      if (!shape.isEncryptThenMac) {
        return [cipher.update(packet), authenticate(shape, macKey, sequence, packet)];
      }
      const head = Buffer.from(packet.subarray(0, 4));
      const sealed = cipher.update(packet.subarray(4));
      return [head, sealed, authenticate(shape, macKey, sequence, head, sealed)];
    },
  };
}
