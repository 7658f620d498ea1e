// The keys of test/corpus, made by ssh-keygen, puttygen, gpg, sq and openpgp, public and private, good and bad.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { generateKey } from 'openpgp';
import { exportSigningKey, generateSigningKey } from '../packages/openpgp-writer/openpgp-writer.ts';

const inFolder = (work: (folder: string) => void): void => {
  const folder = mkdtempSync(path.join(tmpdir(), 'corpus-'));
  try {
    work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
const run = (program: string, args: readonly string[], input?: string): Buffer =>
  execFileSync(program, args, { input: input ?? '', stdio: ['pipe', 'pipe', 'pipe'] });

const sshKinds: readonly (readonly [string, readonly string[]])[] = [
  ['rsa', ['-t', 'rsa', '-b', '2048']],
  ['rsa-1024', ['-t', 'rsa', '-b', '1024']],
  ['ed25519', ['-t', 'ed25519']],
  ['p256', ['-t', 'ecdsa', '-b', '256']],
  ['p384', ['-t', 'ecdsa', '-b', '384']],
  ['p521', ['-t', 'ecdsa', '-b', '521']],
  ['dsa', ['-t', 'dsa']],
];

/** Names: `<kind>.<form>`; what holds a private key has `private` in its name. */
export function makeSshKeys(into: string): void {
  mkdirSync(into, { recursive: true });
  const keep = (name: string, bytes: Buffer | string): void => writeFileSync(path.join(into, name), bytes);
  inFolder((folder) => {
    const at = (name: string): string => path.join(folder, name);
    writeFileSync(at('empty'), '');
    writeFileSync(at('word'), 'words');
    for (const [kind, args] of sshKinds) {
      run('ssh-keygen', ['-q', ...args, '-N', '', '-C', `${kind}@home`, '-f', at(kind)]);
      copyFileSync(at(`${kind}.pub`), path.join(into, `${kind}.pub`));
      copyFileSync(at(kind), path.join(into, `${kind}.private.openssh`));
      for (const form of ['RFC4716', 'PKCS8', 'PEM']) {
        const made = spawnSync('ssh-keygen', ['-e', '-m', form, '-f', at(`${kind}.pub`)]);
        // ssh-keygen names the user and the machine that it runs on.
        const plain = made.stdout.toString().replace(/converted by \S+/, 'converted by jo@home');
        if (made.status === 0) keep(`${kind}.pub.${form.toLowerCase()}`, plain);
      }
      run('puttygen', [at(kind), '-O', 'private', '-o', at(`${kind}.ppk`)]);
      copyFileSync(at(`${kind}.ppk`), path.join(into, `${kind}.private.ppk`));
    }
    for (const [form, args] of [
      ['pem', ['-m', 'PEM']],
      ['pkcs8', ['-m', 'PKCS8']],
      ['encrypted', []],
    ] as const) {
      const file = at(`rsa-${form}`);
      run('ssh-keygen', [
        '-q',
        '-t',
        'rsa',
        '-b',
        '2048',
        '-C',
        'rsa@home',
        ...args,
        '-N',
        form === 'encrypted' ? 'words' : '',
        '-f',
        file,
      ]);
      copyFileSync(file, path.join(into, `rsa.private.${form}`));
    }
    run('puttygen', [at('rsa'), '-O', 'private-sshcom', '-o', at('sshcom')]);
    keep('rsa.private.sshcom', readFileSync(at('sshcom')));
    run('puttygen', [at('rsa'), '-O', 'private', '--ppk-param', 'version=2', '-o', at('ppk2')]);
    keep('rsa.private.ppk2', readFileSync(at('ppk2')));
    run('puttygen', ['-t', 'ed25519', '-C', 'Jo at work', '-o', at('putty.ppk'), '--new-passphrase', at('empty')]);
    keep('putty.pub', run('puttygen', ['-L', at('putty.ppk')]));
    keep('putty.pub.ssh2', run('puttygen', ['-p', at('putty.ppk')]));
    keep('putty.private.ppk', readFileSync(at('putty.ppk')));
    run('ssh-keygen', ['-q', '-s', at('ed25519'), '-I', 'jo', '-n', 'jo', at('rsa.pub')]);
    keep('rsa.certificate', readFileSync(at('rsa-cert.pub')));
    const line = readFileSync(at('ed25519.pub'), 'utf8');
    keep('ed25519.options', `from="192.0.2.0/24",no-pty ${line}`);
    keep('ed25519.utf16le', Buffer.from(`\uFEFF${line.replace('\n', '\r\n')}`, 'utf16le'));
    keep('ed25519.utf16be', Buffer.from(`\uFEFF${line}`, 'utf16le').swap16());
    keep('ed25519.bom-crlf', `\uFEFF\r\n${line.replace('\n', '\r\n')}`);
    keep('two-keys', line + readFileSync(at('rsa.pub'), 'utf8'));
  });
}

const person = ['Name-Real: Jo Client', 'Name-Email: jo@client.example'];
const rsa = ['Key-Type: RSA', 'Key-Length: 2048', 'Key-Usage: sign'];
const curve = ['Key-Type: EDDSA', 'Key-Curve: ed25519', 'Key-Usage: sign'];
const gpgKinds: Readonly<Record<string, readonly string[]>> = {
  'gpg-rsa': [...rsa, 'Subkey-Type: RSA', 'Subkey-Length: 2048', 'Subkey-Usage: encrypt', 'Expire-Date: 0'],
  'gpg-rsa-1024': ['Key-Type: RSA', 'Key-Length: 1024', 'Subkey-Type: RSA', 'Subkey-Length: 1024', 'Expire-Date: 0'],
  'gpg-curve25519': [...curve, 'Subkey-Type: ECDH', 'Subkey-Curve: cv25519', 'Expire-Date: 10y'],
  'gpg-p256': [
    'Key-Type: ECDSA',
    'Key-Curve: nistp256',
    'Subkey-Type: ECDH',
    'Subkey-Curve: nistp256',
    'Expire-Date: 0',
  ],
  'gpg-p521': [
    'Key-Type: ECDSA',
    'Key-Curve: nistp521',
    'Subkey-Type: ECDH',
    'Subkey-Curve: nistp521',
    'Expire-Date: 0',
  ],
  'gpg-brainpool': [
    'Key-Type: ECDSA',
    'Key-Curve: brainpoolP256r1',
    'Subkey-Type: ECDH',
    'Subkey-Curve: brainpoolP256r1',
    'Expire-Date: 0',
  ],
  'gpg-dsa': ['Key-Type: DSA', 'Key-Length: 2048', 'Subkey-Type: ELG-E', 'Subkey-Length: 2048', 'Expire-Date: 0'],
  'gpg-sign-only': [...curve, 'Expire-Date: 0'],
};

/** Names: `<program>-<kind>.pgp` binary and `.asc` armoured; secret keys have `private` in their name. */
export async function makeOpenPgpKeys(into: string): Promise<void> {
  mkdirSync(into, { recursive: true });
  const keep = (name: string, bytes: Buffer | Uint8Array | string): void => writeFileSync(path.join(into, name), bytes);
  inFolder((folder) => {
    const base = [
      '--homedir',
      folder,
      '--batch',
      '--no-tty',
      '--yes',
      '--pinentry-mode',
      'loopback',
      '--passphrase',
      '',
    ];
    const gpg = (args: readonly string[], input?: string): Buffer => run('gpg', [...base, ...args], input);
    const made: string[] = [];
    for (const [name, lines] of Object.entries(gpgKinds)) {
      const status = gpg(
        ['--status-fd', '1', '--generate-key'],
        `%no-protection\n${[...lines, ...person].join('\n')}\n%commit\n`,
      );
      const id = /KEY_CREATED \w (\w+)/.exec(status.toString())![1]!;
      made.push(id);
      keep(`${name}.pgp`, gpg(['--export', id]));
    }
    const [first, , second] = made as [string, string, string];
    keep('gpg-curve25519.asc', gpg(['--armor', '--export', second]));
    keep('gpg-two-keys.pgp', gpg(['--export', first, second]));
    keep(
      'gpg-two-blocks.asc',
      Buffer.concat([gpg(['--armor', '--export', first]), gpg(['--armor', '--export', second])]),
    );
    keep('gpg-curve25519.private.pgp', gpg(['--export-secret-keys', second]));
    keep('gpg-curve25519.private.asc', gpg(['--armor', '--export-secret-keys', second]));
    gpg(['--quick-add-uid', second, 'Jo Other <jo@other.example>']);
    gpg(['--quick-add-key', second, 'cv25519', 'encr', '2y']);
    gpg(['--default-key', first, '--quick-sign-key', second]);
    keep('gpg-many-parts.pgp', gpg(['--export', second]));
    keep('gpg-clearsigned.asc', gpg(['--default-key', second, '--clearsign'], 'not a key\n'));
    keep('gpg-detached.sig', gpg(['--default-key', second, '--detach-sign'], 'data'));
    keep('gpg-message.pgp', gpg(['--trust-model', 'always', '--recipient', second, '--encrypt'], 'in secret\n'));
    const revocation = readFileSync(path.join(folder, 'openpgp-revocs.d', `${second}.rev`), 'utf8');
    gpg(['--import'], revocation.replace(':-----BEGIN', '-----BEGIN'));
    keep('gpg-revoked.pgp', gpg(['--export', second]));
    const expired = gpg(
      ['--faked-system-time', '20200101T000000', '--status-fd', '1', '--generate-key'],
      `%no-protection\n${[...curve, 'Subkey-Type: ECDH', 'Subkey-Curve: cv25519', 'Expire-Date: 1y', ...person].join('\n')}\n%commit\n`,
    );
    keep('gpg-expired.pgp', gpg(['--export', /KEY_CREATED \w (\w+)/.exec(expired.toString())![1]!]));
    spawnSync('gpgconf', ['--homedir', folder, '--kill', 'all']);
    for (const suite of ['cv25519', 'rsa3k']) {
      const file = path.join(folder, `sq-${suite}`);
      run('sq', ['key', 'generate', '--userid', 'Jo <jo@client.example>', '--cipher-suite', suite, '--export', file]);
      keep(`sq-${suite}.private.asc`, readFileSync(file));
      keep(`sq-${suite}.asc`, run('sq', ['key', 'extract-cert', file]));
    }
  });
  const userIDs = [{ name: 'Jo', email: 'jo@client.example' }];
  for (const [name, options] of [
    ['openpgp-v6', { type: 'curve25519', config: { v6Keys: true } }],
    ['openpgp-x448', { type: 'curve448' }],
    ['openpgp-aead', { type: 'curve25519', config: { aeadProtect: true } }],
  ] as const) {
    const { publicKey, privateKey } = await generateKey({ ...options, userIDs, format: 'binary' });
    keep(`${name}.pgp`, publicKey);
    keep(`${name}.private.pgp`, privateKey);
  }
  const signer = generateSigningKey({
    userId: 'Broker <delivery@broker.example>',
    createdAtMs: Date.UTC(2026, 0, 5, 12),
  });
  keep('broadgate-signer.private.pgp', exportSigningKey(signer));
}
