// SSH public keys as ssh-keygen and PuTTYgen write them, in every encoding they arrive in, and those that are refused.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { checkPrimeSync, generateKeyPairSync, generatePrimeSync, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createSeededRandom, randomBelow } from '../../kernel/random.ts';
import { Refusal } from '../../kernel/refusal.ts';
import { checkDeliveryKey } from './intake.ts';
import { parseSshKey } from './ssh-key.ts';

const folder = mkdtempSync(join(tmpdir(), 'ssh-key-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);

const keygen = (...args: string[]): Buffer => execFileSync('ssh-keygen', args, { stdio: ['ignore', 'pipe', 'pipe'] });
function makeKey(name: string, ...args: string[]): Buffer {
  keygen('-q', '-N', '', '-C', `${name}@home`, '-f', path(name), ...args);
  return readFileSync(path(`${name}.pub`));
}
const convert = (name: string, format: string): Buffer => keygen('-e', '-m', format, '-f', path(`${name}.pub`));
/** The fingerprint that the client sees. */
const fingerprintOf = (name: string): string =>
  keygen('-l', '-f', path(`${name}.pub`))
    .toString()
    .split(' ')[1]!;

const kinds: readonly (readonly [string, string, number, string[]])[] = [
  ['rsa-2048', 'ssh-rsa', 2048, ['-t', 'rsa', '-b', '2048']],
  ['rsa-3072', 'ssh-rsa', 3072, ['-t', 'rsa']],
  ['rsa-4096', 'ssh-rsa', 4096, ['-t', 'rsa', '-b', '4096']],
  ['ed25519', 'ssh-ed25519', 256, ['-t', 'ed25519']],
  ['p256', 'ecdsa-sha2-nistp256', 256, ['-t', 'ecdsa', '-b', '256']],
  ['p384', 'ecdsa-sha2-nistp384', 384, ['-t', 'ecdsa', '-b', '384']],
  ['p521', 'ecdsa-sha2-nistp521', 521, ['-t', 'ecdsa', '-b', '521']],
];

const encodings: Readonly<Record<string, (text: string) => Buffer>> = {
  'as it is': (text) => Buffer.from(text),
  'with CRLF': (text) => Buffer.from(text.replace(/\n/g, '\r\n')),
  'with a byte-order mark': (text) => Buffer.from(`\uFEFF${text}`),
  'in UTF-16 LE': (text) => Buffer.from(`\uFEFF${text}`, 'utf16le'),
  'in UTF-16 BE': (text) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16(),
  'in UTF-16 with CRLF and without a mark': (text) => Buffer.from(text.replace(/\n/g, '\r\n'), 'utf16le'),
  'between blank lines': (text) => Buffer.from(`\n \n${text}\n\n`),
  'without its last line end': (text) => Buffer.from(text.trimEnd()),
};

for (const [name, algorithm, bits, args] of kinds) {
  test(`a ${name} key is read in every public form and encoding, with the fingerprint that ssh-keygen shows`, () => {
    const line = makeKey(name, ...args).toString();
    const expected = fingerprintOf(name);
    const forms = [line, line.split(' ').slice(0, 2).join(' ') + '\n', convert(name, 'RFC4716').toString()];
    // ssh-keygen 9.2 writes Ed25519 keys only in the first two forms.
    if (name !== 'ed25519') forms.push(convert(name, 'PKCS8').toString());
    if (algorithm === 'ssh-rsa') forms.push(convert(name, 'PEM').toString());
    for (const form of forms) {
      for (const [encoding, apply] of Object.entries(encodings)) {
        const key = parseSshKey(apply(form));
        assert.equal(key.fingerprint, expected, encoding);
        assert.deepEqual([key.algorithm, key.bits, key.remarks], [algorithm, bits, []]);
        assert.deepEqual(key.line.split(' ').slice(0, 2), line.split(' ').slice(0, 2));
      }
    }
    assert.equal(parseSshKey(Buffer.from(line)).comment, `${name}@home`);
    assert.equal(parseSshKey(Buffer.from(line)).line, line.trimEnd());
  });
}

test('an Ed25519 key in the SPKI form is read', () => {
  const { publicKey } = generateKeyPairSync('ed25519');
  const key = parseSshKey(Buffer.from(publicKey.export({ format: 'pem', type: 'spki' })));
  writeFileSync(path('spki.pub'), `${key.line}\n`);
  assert.equal(key.fingerprint, fingerprintOf('spki'));
});

test('EN-10: the public key of puttygen is accepted in both of its forms, with CRLF, and its private key is not', async () => {
  writeFileSync(path('passphrase'), '');
  const ppk = path('privatekey.ppk');
  const options = ['-t', 'rsa', '-b', '2048', '-C', 'Jo at work', '-o', ppk, '--new-passphrase', path('passphrase')];
  execFileSync('puttygen', options, { stdio: 'pipe' });
  const shown = execFileSync('puttygen', ['-l', ppk]).toString();
  const outputs = ['-L', '-p'].map((form) => execFileSync('puttygen', [form, ppk]).toString());
  for (const output of outputs) {
    for (const apply of Object.values(encodings)) {
      const accepted = await checkDeliveryKey(apply(output), { nowMs: 0 });
      assert.ok(accepted.sort === 'ssh');
      assert.equal(accepted.key.comment, 'Jo at work');
      assert.ok(shown.includes(accepted.key.fingerprint));
    }
  }
  await assert.rejects(checkDeliveryKey(readFileSync(ppk), { nowMs: 0 }), refusal('key_private'));
});

const refusal = (code: string, weakness?: RegExp) => (fault: unknown) =>
  fault instanceof Refusal &&
  fault.code === code &&
  (weakness === undefined || weakness.test(String(fault.params['weakness'])));
const assertRefused = (input: string | Uint8Array, code: string, weakness?: RegExp): void =>
  assert.throws(() => parseSshKey(Buffer.from(input)), refusal(code, weakness), `expected ${code}`);

function string(bytes: Uint8Array | string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.from(bytes).length);
  return Buffer.concat([length, Buffer.from(bytes)]);
}
function integer(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
  return string(bytes[0]! & 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes);
}
const lineOf = (type: string, ...fields: Buffer[]): string =>
  `${type} ${Buffer.concat([string(type), ...fields]).toString('base64')} jo`;
const rsaLine = (modulus: bigint, exponent = 65537n): string => lineOf('ssh-rsa', integer(exponent), integer(modulus));
const product = (bits: number): bigint =>
  generatePrimeSync(bits / 2, { bigint: true }) * generatePrimeSync(bits / 2, { bigint: true });
const topBits = (value: bigint, bits: number): bigint => value | (3n << BigInt(bits - 2));

test('weak, long and foreign key types are refused, each with its own reason', () => {
  assertRefused(makeKey('rsa-1024', '-t', 'rsa', '-b', '1024'), 'key_weak');
  assertRefused(convert('rsa-1024', 'PEM'), 'key_weak');
  assertRefused(rsaLine(product(2046)), 'key_weak');
  assertRefused(rsaLine(topBits(product(4104), 4104)), 'key_too_long');
  assertRefused(makeKey('dsa', '-t', 'dsa'), 'key_type_unsupported');
  assertRefused(convert('dsa', 'RFC4716'), 'key_type_unsupported');
  assertRefused(convert('dsa', 'PKCS8'), 'key_type_unsupported');
  assertRefused('1024 65537 1234567890123456789 jo@old', 'key_type_unsupported');
  assertRefused(lineOf('ssh-ed448', string(randomBytes(57))), 'key_type_unsupported');
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  assertRefused(publicKey.export({ format: 'pem', type: 'spki' }), 'key_curve_unsupported');
  const point = string(randomBytes(32));
  assertRefused(lineOf('sk-ssh-ed25519@openssh.com', point, string('ssh:')), 'key_hardware');
  makeKey('authority', '-t', 'ed25519');
  makeKey('signed', '-t', 'ed25519');
  keygen('-q', '-s', path('authority'), '-I', 'jo', '-n', 'jo', path('signed.pub'));
  assertRefused(readFileSync(path('signed-cert.pub')), 'key_certificate');
  assertRefused('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', 'key_certificate');
});

test('options, several keys and texts that hold no key are refused', () => {
  const line = makeKey('plain', '-t', 'ed25519').toString();
  assertRefused(`from="192.0.2.1" ${line}`, 'key_options');
  assertRefused(`command="/bin/sh -c ls",no-pty ${line}`, 'key_options');
  assertRefused(`restrict ${line}`, 'key_options');
  assertRefused(line + line, 'key_several');
  assertRefused(convert('plain', 'RFC4716').toString().repeat(2), 'key_several');
  assertRefused(convert('p256', 'PKCS8').toString().repeat(2), 'key_several');
  assertRefused('', 'key_empty');
  assertRefused(' \r\n\r\n', 'key_empty');
  assertRefused('SHA256:abc', 'key_unreadable');
  assertRefused('ssh-ed25519', 'key_unreadable');
  assertRefused(line.slice(0, 50), 'key_unreadable');
  assertRefused(line.replace('AAAA', 'AA!A'), 'key_unreadable');
  assertRefused(convert('plain', 'RFC4716').toString().slice(0, 120), 'key_unreadable');
  assertRefused('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', 'key_inconsistent');
  assertRefused(randomBytes(300), 'key_unreadable');
});

test('a key whose parts contradict each other is refused', () => {
  const line = makeKey('inner', '-t', 'ed25519').toString();
  assertRefused(line.replace('ssh-ed25519', 'ssh-rsa'), 'key_inconsistent');
  const fields = [integer(65537n), integer(product(2048))];
  assertRefused(lineOf('ssh-rsa', ...fields, string('more')), 'key_inconsistent');
  assertRefused(lineOf('ssh-rsa', fields[0]!), 'key_inconsistent');
  assertRefused(
    lineOf('ssh-rsa', fields[0]!, string(Buffer.concat([Buffer.alloc(2), randomBytes(256)]))),
    'key_inconsistent',
  );
  assertRefused(rsaLine(product(2048) + 1n), 'key_inconsistent');
  assertRefused(rsaLine(product(2048), 65536n), 'key_inconsistent');
  assertRefused(rsaLine(product(2048), 1n), 'key_inconsistent');
  assertRefused(lineOf('ssh-ed25519', string(randomBytes(31))), 'key_inconsistent');
  const off = Buffer.concat([Buffer.from([4]), randomBytes(64)]);
  assertRefused(lineOf('ecdsa-sha2-nistp256', string('nistp256'), string(off)), 'key_inconsistent');
  assertRefused(lineOf('ecdsa-sha2-nistp256', string('nistp384'), string(off)), 'key_inconsistent');
  const compressed = Buffer.concat([Buffer.from([2]), randomBytes(32)]);
  assertRefused(lineOf('ecdsa-sha2-nistp256', string('nistp256'), string(compressed)), 'key_inconsistent');
});

test('an exponent other than 65537 is remarked on, and one that would slow every sign-in is refused', () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 });
  const key = parseSshKey(Buffer.from(publicKey.export({ format: 'pem', type: 'spki' })));
  assert.deepEqual(key.remarks, ['exponent_unusual']);
  assertRefused(rsaLine(product(2048), (1n << 40n) + 1n), 'key_known_bad', /exponent/);
});

test('keys of known faulty programs are refused', () => {
  assertRefused(rsaLine(rocaModulus()), 'key_known_bad', /ROCA/);
  const first = generatePrimeSync(1024, { bigint: true });
  let second = first + 2n;
  while (!checkPrimeSync(second)) second += 2n;
  assertRefused(rsaLine(first * second), 'key_known_bad', /close/);
  assertRefused(rsaLine(997n * ((1n << 2040n) + 1n)), 'key_known_bad', /small/);
  for (const y of ['00', '01', 'ec', 'ed', 'ee'])
    assertRefused(lineOf('ssh-ed25519', string(smallPoint(y))), 'key_known_bad', /order/);
});

const smallPoint = (first: string): Buffer =>
  Buffer.from(first + (first < '02' ? '00'.repeat(31) : `${'ff'.repeat(30)}7f`), 'hex');

/** A number with the mark of the faulty library: a power of 65537 modulo the product of the small primes. */
function rocaModulus(): bigint {
  const primes: bigint[] = [];
  for (let n = 2n; n <= 167n; n++) if (primes.every((prime) => n % prime !== 0n)) primes.push(n);
  const primorial = primes.reduce((all, prime) => all * prime, 1n);
  let power = 1n;
  for (let count = 0; count < 1234; count++) power = (power * 65537n) % primorial;
  for (;;) {
    const start = (1n << 2047n) + BigInt(`0x${randomBytes(255).toString('hex')}`);
    const modulus = start - (start % primorial) + power;
    // A small factor would be found first.
    if (Array.from({ length: 1000 }, (_, n) => BigInt(n)).every((n) => n < 2n || modulus % n !== 0n)) return modulus;
  }
}

test('a comment cannot carry control characters to whoever reads it', () => {
  const [type, body] = makeKey('comment', '-t', 'ed25519').toString().split(' ');
  const key = parseSshKey(Buffer.from(`${type} ${body} jo\u001b[2J\u202e${'x'.repeat(1000)}`));
  assert.ok(!/\p{C}/u.test(key.comment));
  assert.ok(key.comment.length <= 200);
});

test('the parser answers any bytes with a key or a refusal', (context) => {
  const seed = randomBytes(4).toString('hex');
  context.diagnostic(`seed ${seed}`);
  const random = createSeededRandom(seed);
  const samples = ['rsa-2048', 'ed25519', 'p256'].flatMap((name) => [
    readFileSync(path(`${name}.pub`)),
    convert(name, 'RFC4716'),
  ]);
  for (let round = 0; round < 3000; round++) {
    const bytes = Buffer.from(samples[randomBelow(random, samples.length)]!);
    for (let flips = 1 + randomBelow(random, 4); flips > 0; flips--)
      bytes[randomBelow(random, bytes.length)] = random.bytes(1)[0]!;
    try {
      parseSshKey(bytes.subarray(0, 1 + randomBelow(random, bytes.length)));
    } catch (fault) {
      assert.ok(fault instanceof Refusal, String(fault));
    }
  }
});

test('a long comment is cut between characters and ends in no blank', () => {
  const { publicKey } = generateKeyPairSync('ed25519');
  const point = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url');
  const commentOf = (comment: string): string =>
    parseSshKey(Buffer.from(`${lineOf('ssh-ed25519', string(point)).replace(/ jo$/, '')} ${comment}`)).comment;
  const paired = commentOf(`${'a'.repeat(199)}\u{1f511}\u{1f511}`);
  assert.ok(paired.isWellFormed() && paired.endsWith('\u{1f511}'));
  assert.equal(commentOf(`${'a'.repeat(199)} b`), 'a'.repeat(199));
});
