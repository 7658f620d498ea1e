// What is offered and how it is agreed on.
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Choice, choose, type Offer, parseOffer } from './algorithms.ts';
import { ConnectionFault } from './faults.ts';
import type { AlgorithmSlot } from './ssh.ts';
import { looseOffer, openPair, strictOffer } from './test/adversary.ts';
import { createReader } from './wire.ts';

const hostKeys = ['ssh-ed25519', 'rsa-sha2-512', 'rsa-sha2-256'];

const openSsh: Offer = {
  keyExchanges: ['sntrup761x25519-sha512', 'curve25519-sha256', 'ext-info-c', 'kex-strict-c-v00@openssh.com'],
  hostKeys: ['ssh-ed25519', 'rsa-sha2-512'],
  ciphersIn: ['chacha20-poly1305@openssh.com', 'aes128-ctr'],
  ciphersOut: ['aes128-ctr', 'chacha20-poly1305@openssh.com'],
  macsIn: ['umac-64-etm@openssh.com', 'hmac-sha2-256'],
  macsOut: ['umac-64-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com'],
  compressionsIn: ['none', 'zlib@openssh.com'],
  compressionsOut: ['zlib@openssh.com', 'none'],
  isGuessing: false,
};

test("The client's order decides in every slot, and an authenticated cipher needs no MAC", () => {
  assert.deepEqual(choose(openSsh, hostKeys, true), {
    keyExchange: 'curve25519-sha256',
    hostKeyAlgorithm: 'ssh-ed25519',
    cipherIn: 'chacha20-poly1305@openssh.com',
    cipherOut: 'aes128-ctr',
    macIn: 'implicit',
    macOut: 'hmac-sha2-512-etm@openssh.com',
    isStrict: true,
    wantsExtInfo: true,
    dropsGuess: false,
  } satisfies Choice);
});

test('The marks of strict key exchange and extension info count in the first exchange only', () => {
  const again = choose(openSsh, hostKeys, false);
  assert.deepEqual([again.isStrict, again.wantsExtInfo], [false, false]);
});

const guesses: readonly (readonly [string, string, boolean])[] = [
  ['mlkem768x25519-sha256', 'ssh-ed25519', false],
  ['mlkem768x25519-sha256', 'rsa-sha2-512', true],
  ['curve25519-sha256', 'ssh-ed25519', true],
];

test('A guessed packet is dropped exactly when exchange or host key were guessed wrong', () => {
  for (const [keyExchange, hostKey, dropsGuess] of guesses) {
    const offer = { ...openSsh, keyExchanges: [keyExchange], hostKeys: [hostKey], isGuessing: true };
    assert.equal(choose(offer, hostKeys, true).dropsGuess, dropsGuess, `${keyExchange} with ${hostKey}`);
  }
});

const mismatches: readonly (readonly [AlgorithmSlot, Partial<Offer>])[] = [
  ['key_exchange', { keyExchanges: ['diffie-hellman-group1-sha1', 'ext-info-c'] }],
  ['host_key', { hostKeys: ['ssh-rsa', 'ssh-dss'] }],
  ['cipher_in', { ciphersIn: ['aes128-cbc'] }],
  ['cipher_out', { ciphersOut: ['3des-cbc'] }],
  ['mac_out', { macsOut: ['hmac-sha1'] }],
  ['compression', { compressionsIn: ['zlib'] }],
];

test('T15: without a common algorithm the end names the slot and what was offered', () => {
  for (const [slot, change] of mismatches) {
    const offered = Object.values(change)[0];
    assert.throws(
      () => choose({ ...openSsh, ...change }, hostKeys, true),
      (fault: ConnectionFault) => {
        assert.deepEqual(fault.reason, { kind: 'no_common_algorithm', slot, offered });
        return true;
      },
    );
  }
});

test('T5 and T16: the offer on the wire lists exactly what is implemented, in our order', () => {
  const pair = openPair();
  pair.identify();
  const offer = parseOffer(pair.serverOffer);
  assert.deepEqual(offer.keyExchanges, [
    'mlkem768x25519-sha256',
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group14-sha256',
    'kex-strict-s-v00@openssh.com',
  ]);
  assert.deepEqual(offer.hostKeys, hostKeys);
  const ciphers = ['aes128-gcm', 'aes256-gcm', 'chacha20-poly1305'].map((name) => `${name}@openssh.com`);
  assert.deepEqual(offer.ciphersIn, [...ciphers, 'aes128-ctr', 'aes192-ctr', 'aes256-ctr']);
  assert.deepEqual(offer.ciphersOut, offer.ciphersIn);
  const macs = ['hmac-sha2-256', 'hmac-sha2-512'];
  assert.deepEqual(offer.macsIn, [...macs.map((name) => `${name}-etm@openssh.com`), ...macs]);
  assert.deepEqual(offer.macsOut, offer.macsIn);
  assert.deepEqual([offer.compressionsIn, offer.compressionsOut], [['none'], ['none']]);
  assert.equal(offer.isGuessing, false);
});

test('T4: server-sig-algs is sent whole and exact to a client that takes extension info', () => {
  for (const keyExchanges of [strictOffer, looseOffer]) {
    const pair = openPair();
    pair.handshake({ keyExchanges });
    const reader = createReader(pair.find(7)!, 1);
    assert.equal(reader.uint32(), 2);
    assert.equal(reader.string().toString(), 'server-sig-algs');
    assert.equal(
      reader.string().toString(),
      'ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256',
    );
    assert.equal(reader.string().toString(), 'ping@openssh.com');
    assert.equal(reader.string().toString(), '0');
    reader.end();
  }
});

test('T4: a client that does not ask for extension info gets none', () => {
  const pair = openPair();
  pair.handshake({ keyExchanges: ['curve25519-sha256'] });
  assert.equal(pair.find(7), undefined);
});
