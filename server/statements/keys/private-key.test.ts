// Private keys as real programs write them, wrapped as mail programs and people wrap them: each is found, no public one is.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { openGnupgHome } from '../../../packages/openpgp-writer/test/real-readers.ts';
import { createSeededRandom, randomBelow } from '../../kernel/random.ts';
import { findPrivateKey } from './private-key.ts';

const home = openGnupgHome();
const folder = mkdtempSync(join(tmpdir(), 'private-key-'));
after(() => {
  home[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

function keygen(name: string, ...args: string[]): Buffer {
  execFileSync('ssh-keygen', ['-q', '-f', join(folder, name), ...args]);
  return readFileSync(join(folder, name));
}
function puttygen(name: string, ...args: string[]): Buffer {
  const passphrase = join(folder, 'passphrase');
  writeFileSync(passphrase, '');
  const output = ['-o', join(folder, name), '--new-passphrase', passphrase];
  execFileSync('puttygen', [...args, ...output], { stdio: ['ignore', 'pipe', 'inherit'] });
  return readFileSync(join(folder, name));
}
const fingerprint = home.generate([
  'Key-Type: RSA',
  'Key-Length: 2048',
  'Subkey-Type: RSA',
  'Subkey-Length: 2048',
  'Name-Email: jo@client.example',
  'Expire-Date: 0',
]);

const rsa = ['-t', 'rsa', '-b', '2048', '-N', ''];
const pem = keygen('pem', ...rsa, '-m', 'PEM');
const der = (type: 'pkcs8' | 'pkcs1'): Buffer => createPrivateKey(pem).export({ format: 'der', type });
const secrets: readonly (readonly [string, string, Buffer])[] = [
  ['OpenSSH RSA', 'openssh', keygen('openssh', ...rsa)],
  ['OpenSSH Ed25519', 'openssh', keygen('ed25519', '-t', 'ed25519', '-N', '')],
  ['OpenSSH with passphrase', 'openssh', keygen('locked', '-t', 'ed25519', '-N', 'secret')],
  ['PEM PKCS#1', 'pem', pem],
  ['PEM SEC1', 'pem', keygen('sec1', '-t', 'ecdsa', '-N', '', '-m', 'PEM')],
  ['PEM PKCS#8', 'pem', keygen('pkcs8', ...rsa, '-m', 'PKCS8')],
  [
    'PEM PKCS#8 with passphrase',
    'pem',
    keygen('pkcs8-locked', '-t', 'rsa', '-b', '2048', '-N', 'secret', '-m', 'PKCS8'),
  ],
  ['DER PKCS#8', 'pem', der('pkcs8')],
  ['DER PKCS#1', 'pem', der('pkcs1')],
  ['.ppk version 3', 'ppk', puttygen('3.ppk', '-t', 'rsa', '-b', '2048')],
  ['.ppk version 2', 'ppk', puttygen('2.ppk', '-t', 'ed25519', '--ppk-param', 'version=2')],
  ['SSH2', 'ssh2', puttygen('ssh2', '-t', 'rsa', '-b', '2048', '-O', 'private-sshcom')],
  ['OpenPGP armoured', 'openpgp', home.gpg(['--armor', '--export-secret-keys', fingerprint])],
  ['OpenPGP binary', 'openpgp', home.gpg(['--export-secret-keys', fingerprint])],
  ['OpenPGP subkeys only', 'openpgp', home.gpg(['--export-secret-subkeys', fingerprint])],
  [
    'OpenPGP public, then secret',
    'openpgp',
    Buffer.concat([home.gpg(['--export', fingerprint]), home.gpg(['--export-secret-keys', fingerprint])]),
  ],
];

const publics: readonly (readonly [string, Buffer])[] = [
  ['OpenSSH line', readFileSync(join(folder, 'openssh.pub'))],
  ['Ed25519 line', readFileSync(join(folder, 'ed25519.pub'))],
  ['RFC 4716', execFileSync('ssh-keygen', ['-e', '-m', 'RFC4716', '-f', join(folder, 'openssh.pub')])],
  ['PKCS#1', execFileSync('ssh-keygen', ['-e', '-m', 'PEM', '-f', join(folder, 'openssh.pub')])],
  ['SPKI', execFileSync('ssh-keygen', ['-e', '-m', 'PKCS8', '-f', join(folder, 'openssh.pub')])],
  ['OpenPGP armoured', home.gpg(['--armor', '--export', fingerprint])],
  ['OpenPGP binary', home.gpg(['--export', fingerprint])],
];

/** A zip archive with one file, as far as a reader of local headers looks. Source: PKWARE APPNOTE §4.3.7. */
function zip(bytes: Buffer, method: 0 | 8): Buffer {
  const packed = method === 8 ? deflateRawSync(bytes) : bytes;
  const header = Buffer.alloc(30);
  header.write('PK\u0003\u0004', 'latin1');
  header.writeUInt16LE(method, 8);
  header.writeUInt32LE(crc32(bytes), 14);
  header.writeUInt32LE(packed.length, 18);
  header.writeUInt32LE(bytes.length, 22);
  header.writeUInt16LE(7, 26);
  return Buffer.concat([header, Buffer.from('key.txt'), packed]);
}
const utf16 = (bytes: Buffer, mark: string): Buffer => Buffer.from(mark + bytes.toString('latin1'), 'utf16le');
const wrap = (bytes: Buffer): Buffer => Buffer.from(bytes.toString('base64').replace(/.{76}/g, '$&\r\n'));
const quotedPrintable = (bytes: Buffer): string =>
  bytes.toString('latin1').replace(/[=-]/g, (c) => `=${c.charCodeAt(0).toString(16).toUpperCase()}`);

const wrappings: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  'as it is': (bytes) => bytes,
  'in base64': (bytes) => Buffer.from(bytes.toString('base64')),
  'in base64 in the lines of a mail': (bytes) =>
    Buffer.concat([Buffer.from('Hello,\r\nmy key:\r\n\r\n'), wrap(bytes), Buffer.from('\r\n--\r\nJo')]),
  'in base64, quoted': (bytes) => Buffer.from(wrap(bytes).toString().replace(/^/gm, '> ')),
  'in gzip': (bytes) => gzipSync(bytes),
  'in gzip that is cut off': (bytes) => gzipSync(bytes).subarray(0, -8),
  'in zip, deflated': (bytes) => zip(bytes, 8),
  'in zip, stored': (bytes) => zip(bytes, 0),
  'in zip after another file': (bytes) => Buffer.concat([zip(Buffer.from('readme'), 8), zip(bytes, 8)]),
  'in base64 of gzip of zip': (bytes) => wrap(gzipSync(zip(bytes, 8))),
};
const textWrappings: typeof wrappings = {
  'with CRLF': (bytes) => Buffer.from(bytes.toString('latin1').replace(/\n/g, '\r\n'), 'latin1'),
  'with a byte-order mark': (bytes) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]),
  'in UTF-16 LE': (bytes) => utf16(bytes, '\uFEFF'),
  'in UTF-16 BE': (bytes) => utf16(bytes, '\uFEFF').swap16(),
  'in UTF-16 without a mark': (bytes) => utf16(bytes, ''),
  'in base64 of UTF-16': (bytes) => wrap(utf16(bytes, '\uFEFF')),
  quoted: (bytes) => Buffer.from(bytes.toString('latin1').replace(/^/gm, '> '), 'latin1'),
  'in quoted-printable': (bytes) => Buffer.from(quotedPrintable(bytes), 'latin1'),
};

const isText = (bytes: Buffer): boolean => bytes.every((byte) => byte < 128);

for (const [name, kind, bytes] of secrets) {
  test(`a private key in the form ${name} is found however it is wrapped`, () => {
    for (const [wrapping, apply] of Object.entries({ ...wrappings, ...(isText(bytes) ? textWrappings : {}) }))
      assert.equal(findPrivateKey(apply(bytes)), kind, wrapping);
  });
}

for (const [name, bytes] of publics) {
  test(`a public key in the form ${name} is not taken for a private one however it is wrapped`, () => {
    for (const [wrapping, apply] of Object.entries({ ...wrappings, ...(isText(bytes) ? textWrappings : {}) }))
      assert.equal(findPrivateKey(apply(bytes)), undefined, wrapping);
  });
}

test('a private key is found when only its inside was pasted, without the lines around it', () => {
  const [, , openssh] = secrets[0]!;
  const inside = openssh.toString('latin1').split('\n').slice(1, -2).join('\n');
  assert.equal(findPrivateKey(Buffer.from(inside)), 'openssh');
  const [, , armoured] = secrets.find(([name]) => name === 'OpenPGP armoured')!;
  const renamed = armoured.toString('latin1').replaceAll('PRIVATE', 'PUBLIC');
  assert.equal(findPrivateKey(Buffer.from(renamed)), 'openpgp');
});

test('GnuPG stores private keys in a form that is found too', () => {
  const store = execFileSync('tar', ['-C', home.folder, '-cz', 'private-keys-v1.d']);
  assert.equal(findPrivateKey(store), 'openpgp');
});

test('what follows a compressed private key, or stands before it, does not hide it', () => {
  const secret = gzipSync('-----BEGIN OPENSSH PRIVATE KEY-----'.padEnd(48, 'x'), { level: 0 });
  const named = Buffer.from(secret);
  // RFC 1952 §2.3: a name follows the head where the fourth bit says so.
  named[3] = 8;
  const withName = Buffer.concat([named.subarray(0, 10), Buffer.from('id_rsa\0'), named.subarray(10)]);
  for (const bytes of [secret, withName, Buffer.concat([gzipSync('nothing'), secret])]) {
    assert.equal(findPrivateKey(Buffer.concat([bytes, Buffer.from('Bye')])), 'openssh');
  }
  // Without padding the base64 reader takes the next word for a part of it.
  const mail = `Hello,\n\n${gzipSync('-----BEGIN OPENSSH PRIVATE KEY-----').toString('base64').replace(/=+$/, '')}\nRegards\n`;
  assert.equal(findPrivateKey(Buffer.from(mail)), 'openssh');
});

test('a decompression bomb is given up within a second', () => {
  const gzipBomb = gzipSync(Buffer.alloc(100 << 20));
  const zipBomb = Buffer.concat(Array<Buffer>(2000).fill(zip(Buffer.alloc(1 << 20), 8)));
  const startMs = performance.now();
  assert.equal(findPrivateKey(gzipBomb), undefined);
  assert.equal(findPrivateKey(zipBomb), undefined);
  assert.ok(performance.now() - startMs < 1000);
});

test('a small file is not unpacked to more than a megabyte, since the search holds up everybody else', () => {
  const secret = Buffer.from('-----BEGIN OPENSSH PRIVATE KEY-----');
  const behind = (sizeBytes: number) => gzipSync(Buffer.concat([Buffer.alloc(sizeBytes), secret]));
  assert.equal(findPrivateKey(behind(1000 * 1024)), 'openssh');
  assert.equal(findPrivateKey(behind(1024 * 1024)), undefined);
});

test('the search ends without an error on any bytes', (context) => {
  const seed = randomBytes(4).toString('hex');
  context.diagnostic(`seed ${seed}`);
  const random = createSeededRandom(seed);
  const samples = [...secrets.map(([, , bytes]) => bytes), ...publics.map(([, bytes]) => bytes)];
  for (let round = 0; round < 2000; round++) {
    const source = samples[randomBelow(random, samples.length)]!;
    const names = Object.keys(wrappings);
    const bytes = Buffer.from(wrappings[names[randomBelow(random, names.length)]!]!(source));
    for (let flips = randomBelow(random, 20); flips > 0; flips--)
      bytes[randomBelow(random, bytes.length)] = random.bytes(1)[0]!;
    const cut = bytes.subarray(randomBelow(random, 40), randomBelow(random, bytes.length) + 1);
    const found = findPrivateKey(cut);
    assert.ok(found === undefined || ['openssh', 'pem', 'ppk', 'ssh2', 'openpgp'].includes(found));
  }
});

test('statements and pictures are not taken for private keys', () => {
  const texts = [
    '%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n1 0 obj',
    '<?xml version="1.0"?><a/>',
    'Date,Amount\n2026-01-05,1.00\n',
    '',
  ];
  for (const text of texts) assert.equal(findPrivateKey(Buffer.from(text, 'latin1')), undefined);
  assert.equal(findPrivateKey(Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')), undefined);
  assert.equal(findPrivateKey(Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex')), undefined);
});
