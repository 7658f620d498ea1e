// Private keys are found in every form that a person may hand in, and public ones are let through.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { generateKey } from 'openpgp';
import { holdsPrivateKey } from './private-key.ts';

const bytesOf = (from: string | Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(from as string));
const utf16 = (text: string): Buffer => Buffer.from(`\uFEFF${text}`, 'utf16le');

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
const openPgp = await generateKey({ userIDs: [{ name: 'Test' }], format: 'object' });
const openssh = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ==\n';
const encrypted = { format: 'der', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' } as const;

test('a private key is found in text, in bytes, and inside UTF-16, base64, gzip and a quoted mail', async () => {
  const forms: Readonly<Record<string, string | Uint8Array>> = {
    pem,
    openssh,
    'PuTTY file': 'PuTTY-User-Key-File-3: ssh-ed25519\n',
    'OpenPGP text': openPgp.privateKey.armor(),
    'OpenPGP bytes': openPgp.privateKey.write(),
    'a secret packet behind a public one': Buffer.concat([openPgp.publicKey.write(), openPgp.privateKey.write()]),
    'PKCS#8 bytes': privateKey.export({ format: 'der', type: 'pkcs8' }),
    'encrypted PKCS#8 bytes': rsa.privateKey.export(encrypted),
    'PKCS#1 bytes': rsa.privateKey.export({ format: 'der', type: 'pkcs1' }),
    JWK: JSON.stringify(privateKey.export({ format: 'jwk' })),
    'UTF-16': utf16(pem),
    'base64 of the text': Buffer.from(pem).toString('base64'),
    'base64 without its rules': pem.split('\n').slice(1, -2).join('\n'),
    gzip: gzipSync(pem),
    'gzip of bytes': gzipSync(openPgp.privateKey.write()),
    'a quoted mail': openPgp.privateKey.armor().replaceAll(/^/gm, '> '),
  };
  for (const [name, form] of Object.entries(forms)) assert.equal(await holdsPrivateKey(bytesOf(form)), true, name);
});

test('public keys and everything else are let through', async () => {
  const forms: readonly (string | Uint8Array)[] = [
    '',
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEm0nTsYd0k8mB6VYv0VxvT7R2n9pQyqL2k6m4Yb7n5c maria@office',
    publicKey.export({ format: 'pem', type: 'spki' }),
    rsa.publicKey.export({ format: 'der', type: 'spki' }),
    rsa.publicKey.export({ format: 'pem', type: 'pkcs1' }),
    openPgp.publicKey.armor(),
    openPgp.publicKey.write(),
    gzipSync('nothing'),
    new Uint8Array(64).fill(0x95),
    JSON.stringify(publicKey.export({ format: 'jwk' })),
  ];
  for (const form of forms) assert.equal(await holdsPrivateKey(bytesOf(form)), false, String(form).slice(0, 60));
});
