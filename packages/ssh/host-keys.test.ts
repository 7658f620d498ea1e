// The host keys, beside what ssh-keygen makes of them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { HostKeyFault, signWith } from './host-keys.ts';
import { fingerprint, formatHostKey, formatPublicKeyLine, generateHostKey, parseHostKey } from './ssh.ts';
import { createReader } from './wire.ts';

/** A folder of keys made by `ssh-keygen`, gone at the end of the block. */
function openFolder() {
  const path = mkdtempSync(join(tmpdir(), 'ssh-keys-'));
  return {
    path,
    keygen: (...args: string[]): string => execFileSync('ssh-keygen', args, { cwd: path, encoding: 'utf8' }),
    read: (name: string): string => readFileSync(join(path, name), 'utf8'),
    write: (name: string, text: string): void => writeFileSync(join(path, name), text, { mode: 0o600 }),
    [Symbol.dispose]: () => rmSync(path, { recursive: true }),
  };
}

test('Keys of ssh-keygen are read, with the public line and the fingerprint that it prints', () => {
  using folder = openFolder();
  for (const [name, ...kind] of [['ed', '-t', 'ed25519'] as const, ['rsa', '-t', 'rsa', '-b', '2048'] as const]) {
    folder.keygen('-q', ...kind, '-N', '', '-C', 'host of the broker', '-f', name);
    const key = parseHostKey(folder.read(name));
    assert.equal(formatPublicKeyLine(key), folder.read(`${name}.pub`).trim());
    assert.equal(folder.keygen('-l', '-f', `${name}.pub`).split(' ')[1], key.fingerprint);
    assert.equal(fingerprint(key.blob), key.fingerprint);
  }
});

test('A key that we generate is read by ssh-keygen and by us, and is the same key', async () => {
  using folder = openFolder();
  for (const kind of ['ed25519', 'rsa'] as const) {
    const key = await generateHostKey(kind, 'made here');
    folder.write(kind, formatHostKey(key));
    assert.equal(folder.keygen('-y', '-f', kind).trim(), formatPublicKeyLine(key));
    assert.deepEqual(parseHostKey(formatHostKey(key)).blob, key.blob);
  }
});

test('Host keys sign with each of their algorithms, and node:crypto agrees', async () => {
  const data = Buffer.from('exchange hash');
  for (const kind of ['ed25519', 'rsa'] as const) {
    const key = await generateHostKey(kind);
    for (const algorithm of key.algorithms) {
      const reader = createReader(signWith(key, algorithm, data));
      assert.equal(reader.ascii(64), algorithm);
      const hash = { 'ssh-ed25519': null, 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' }[algorithm];
      assert.equal(verify(hash, data, createPublicKey(key.privateKey), reader.string()), true);
      reader.end();
    }
  }
});

test('A host key file that cannot serve is refused, and the refusal holds nothing of it', async () => {
  using folder = openFolder();
  folder.keygen('-q', '-t', 'ecdsa', '-N', '', '-f', 'ecdsa');
  folder.keygen('-q', '-t', 'rsa', '-b', '1024', '-N', '', '-f', 'weak');
  folder.keygen('-q', '-t', 'ed25519', '-N', 'secret', '-f', 'locked');
  folder.keygen('-q', '-t', 'rsa', '-b', '2048', '-N', '', '-m', 'PEM', '-f', 'pem');
  const good = formatHostKey(await generateHostKey('ed25519'));
  const lines = good.split('\n');
  const damaged = [...lines.slice(0, 2), ...lines.slice(3)].join('\n');
  for (const text of [...['ecdsa', 'weak', 'locked', 'pem'].map(folder.read), '', damaged, good.slice(0, 120)]) {
    assert.throws(() => parseHostKey(text), HostKeyFault);
  }
});

const wrap = (bytes: Buffer): string =>
  `-----BEGIN OPENSSH PRIVATE KEY-----\n${bytes.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;

test('A key file cut or changed at any place is refused or is the same key', async () => {
  const key = await generateHostKey('ed25519');
  const text = formatHostKey(key);
  const body = Buffer.from(text.replace(/-----[^-]+-----/g, ''), 'base64');
  for (let at = 0; at < body.length; at += 1) {
    const changed = Buffer.from(body);
    changed[at] = changed[at]! ^ 0x41;
    for (const candidate of [wrap(changed), wrap(body.subarray(0, at))]) {
      try {
        assert.deepEqual(parseHostKey(candidate).blob, key.blob);
      } catch (fault) {
        assert.ok(fault instanceof HostKeyFault, `byte ${at}: ${String(fault)}`);
      }
    }
  }
});
