// The host keys, beside what ssh-keygen makes of them.
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { openTempFolder, run, withClients } from '../../test/clients.ts';
import { HostKeyFault, signWith } from './host-keys.ts';
import { fingerprint, formatHostKey, formatPublicKeyLine, generateHostKey, parseHostKey } from './ssh.ts';
import { createReader } from './wire.ts';

/** A folder of keys made by `ssh-keygen`, gone at the end of the block. */
function openFolder() {
  const temp = openTempFolder();
  return {
    async keygen(...args: string[]): Promise<string> {
      const ran = await run('ssh-keygen', args, { cwd: temp.folder });
      assert.equal(ran.status, 0, ran.stderr);
      return ran.stdout.toString();
    },
    read: (name: string): string => readFileSync(join(temp.folder, name), 'utf8'),
    write: (name: string, text: string): void => writeFileSync(join(temp.folder, name), text, { mode: 0o600 }),
    [Symbol.dispose]: () => temp[Symbol.dispose](),
  };
}

test('Keys of ssh-keygen are read, with the public line and the fingerprint that it prints', withClients, async () => {
  using folder = openFolder();
  for (const [name, ...kind] of [['ed', '-t', 'ed25519'] as const, ['rsa', '-t', 'rsa', '-b', '2048'] as const]) {
    await folder.keygen('-q', ...kind, '-N', '', '-C', 'host of the broker', '-f', name);
    const key = parseHostKey(folder.read(name));
    assert.equal(formatPublicKeyLine(key), folder.read(`${name}.pub`).trim());
    const printed = await folder.keygen('-l', '-f', `${name}.pub`);
    assert.equal(printed.split(' ')[1], key.fingerprint);
    assert.equal(fingerprint(key.blob), key.fingerprint);
  }
});

test('A key that we generate is read by ssh-keygen and by us, and is the same key', withClients, async () => {
  using folder = openFolder();
  for (const kind of ['ed25519', 'rsa'] as const) {
    const key = await generateHostKey(kind, 'made here');
    folder.write(kind, formatHostKey(key));
    const printed = await folder.keygen('-y', '-f', kind);
    assert.equal(printed.trim(), formatPublicKeyLine(key));
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

test('A host key file that cannot serve is refused, and the refusal holds nothing of it', withClients, async () => {
  using folder = openFolder();
  await folder.keygen('-q', '-t', 'ecdsa', '-N', '', '-f', 'ecdsa');
  await folder.keygen('-q', '-t', 'rsa', '-b', '1024', '-N', '', '-f', 'weak');
  await folder.keygen('-q', '-t', 'ed25519', '-N', 'secret', '-f', 'locked');
  await folder.keygen('-q', '-t', 'rsa', '-b', '2048', '-N', '', '-m', 'PEM', '-f', 'pem');
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
