// Which algorithms the server offers, and how the two offers become one choice (RFC 4253 §7.1).
import { ConnectionFault, protocolFault } from './faults.ts';
import { message } from './message-numbers.ts';
import type { AlgorithmSlot, Negotiated } from './ssh.ts';
import { createReader, formatBoolean, formatByte, formatNameList, formatUint32 } from './wire.ts';

/** In our order of preference; the client's order decides (RFC 9142 §3 for what is left out). */
export const keyExchangeNames = [
  'mlkem768x25519-sha256',
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp256',
  'ecdh-sha2-nistp384',
  'ecdh-sha2-nistp521',
  'diffie-hellman-group16-sha512',
  'diffie-hellman-group14-sha256',
] as const;
export type KeyExchangeName = (typeof keyExchangeNames)[number];

export const cipherNames = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'chacha20-poly1305@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
] as const;
export type CipherName = (typeof cipherNames)[number];

export const macNames = [
  'hmac-sha2-256-etm@openssh.com',
  'hmac-sha2-512-etm@openssh.com',
  'hmac-sha2-256',
  'hmac-sha2-512',
] as const;
export type MacName = (typeof macNames)[number];

/** What a client may sign in with, and the whole of `server-sig-algs` (RFC 8308 §3.1). */
export const signatureNames = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
] as const;
export type SignatureName = (typeof signatureNames)[number];

// OpenSSH PROTOCOL §1.10: the marks are no algorithms and count in the first exchange only.
const strictServerMark = 'kex-strict-s-v00@openssh.com';
const strictClientMark = 'kex-strict-c-v00@openssh.com';
const extInfoClientMark = 'ext-info-c';

/** An SSH_MSG_KEXINIT taken apart. */
export interface Offer {
  readonly keyExchanges: readonly string[];
  readonly hostKeys: readonly string[];
  readonly ciphersIn: readonly string[];
  readonly ciphersOut: readonly string[];
  readonly macsIn: readonly string[];
  readonly macsOut: readonly string[];
  readonly compressionsIn: readonly string[];
  readonly compressionsOut: readonly string[];
  /** A guessed key exchange packet follows. */
  readonly isGuessing: boolean;
}

/** Our KEXINIT, message number included. Units: cookie of 16 bytes. */
export function formatOffer(parts: {
  readonly cookie: Buffer;
  readonly hostKeys: readonly string[];
  readonly isFirst: boolean;
}): Buffer {
  return Buffer.concat([
    formatByte(message.keyExchangeInit),
    parts.cookie,
    formatNameList(parts.isFirst ? [...keyExchangeNames, strictServerMark] : keyExchangeNames),
    formatNameList(parts.hostKeys),
    formatNameList(cipherNames),
    formatNameList(cipherNames),
    formatNameList(macNames),
    formatNameList(macNames),
    formatNameList(['none']),
    formatNameList(['none']),
    formatNameList([]),
    formatNameList([]),
    formatBoolean(false),
    formatUint32(0),
  ]);
}

/** Reads the client's KEXINIT, message number included. */
export function parseOffer(payload: Buffer): Offer {
  const reader = createReader(payload, 1);
  reader.raw(16);
  const offer = {
    keyExchanges: reader.nameList(),
    hostKeys: reader.nameList(),
    ciphersIn: reader.nameList(),
    ciphersOut: reader.nameList(),
    macsIn: reader.nameList(),
    macsOut: reader.nameList(),
    compressionsIn: reader.nameList(),
    compressionsOut: reader.nameList(),
  };
  // The language lists are empty everywhere and never used; they are read for their form only.
  reader.nameList();
  reader.nameList();
  const isGuessing = reader.boolean();
  reader.uint32();
  reader.end();
  return { ...offer, isGuessing };
}

export interface Choice extends Negotiated {
  readonly keyExchange: KeyExchangeName;
  readonly cipherIn: CipherName;
  readonly cipherOut: CipherName;
  readonly macIn: MacName | 'implicit';
  readonly macOut: MacName | 'implicit';
  /** The client takes SSH_MSG_EXT_INFO (RFC 8308 §2.1). */
  readonly wantsExtInfo: boolean;
  /** RFC 4253 §7: the client guessed, and wrong: its next packet is dropped. */
  readonly dropsGuess: boolean;
}

/** Agrees with the client's offer. Refuses: nothing in common (`no_common_algorithm`, with what was offered). */
export function choose(offer: Offer, hostKeys: readonly string[], isFirst: boolean): Choice {
  const keyExchange = pick('key_exchange', offer.keyExchanges, keyExchangeNames);
  const hostKeyAlgorithm = pick('host_key', offer.hostKeys, hostKeys);
  const cipherIn = pick('cipher_in', offer.ciphersIn, cipherNames);
  const cipherOut = pick('cipher_out', offer.ciphersOut, cipherNames);
  const macIn = isAuthenticated(cipherIn) ? 'implicit' : pick('mac_in', offer.macsIn, macNames);
  const macOut = isAuthenticated(cipherOut) ? 'implicit' : pick('mac_out', offer.macsOut, macNames);
  pick('compression', offer.compressionsIn, ['none']);
  pick('compression', offer.compressionsOut, ['none']);
  const isGuessRight = offer.keyExchanges[0] === keyExchangeNames[0] && offer.hostKeys[0] === hostKeys[0];
  return {
    keyExchange,
    hostKeyAlgorithm,
    cipherIn,
    cipherOut,
    macIn,
    macOut,
    isStrict: isFirst && offer.keyExchanges.includes(strictClientMark),
    wantsExtInfo: isFirst && offer.keyExchanges.includes(extInfoClientMark),
    dropsGuess: offer.isGuessing && !isGuessRight,
  };
}

/** RFC 5647 and OpenSSH PROTOCOL §1.6: with these ciphers no MAC is negotiated. */
const isAuthenticated = (cipher: CipherName): boolean => !cipher.endsWith('-ctr');

function pick<Name extends string>(slot: AlgorithmSlot, offered: readonly string[], ours: readonly Name[]): Name {
  const found = offered.find((name): name is Name => (ours as readonly string[]).includes(name));
  if (found === undefined) {
    if (offered.length === 0) throw protocolFault(`the client offers nothing for ${slot}`);
    throw new ConnectionFault({ kind: 'no_common_algorithm', slot, offered });
  }
  return found;
}
