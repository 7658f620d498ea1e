// Runs the real GnuPG and Sequoia for tests: makes keys in a home of its own, and opens what the writer made.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPackets } from '../packet-reader.ts';
import { tags } from '../packets.ts';
import type { Cipher, Container, RecipientKey } from '../recipient-key.ts';
import { recipientKeyOf } from '../recipient-key-reader.ts';

export interface Opened {
  readonly data: Buffer;
  /** Fingerprint of the key whose signature was found good. */
  readonly goodSignatureBy: string | undefined;
  /** Number of the cipher as RFC 9580 §9.3 lists it. */
  readonly cipherId: number;
}

export interface GnupgHome extends Disposable {
  readonly folder: string;
  /** Runs gpg and returns what it wrote; throws with its own words when it fails. */
  gpg(args: readonly string[], input?: Uint8Array | string): Buffer;
  /** Makes a key from lines of GnuPG's batch language and returns its fingerprint. */
  generate(lines: readonly string[]): string;
  open(message: Uint8Array): Opened;
  verify(signature: Uint8Array, data: Uint8Array): string | undefined;
  write(name: string, bytes: Uint8Array | string): string;
}

/** A fresh GNUPGHOME with mode 0700; its agent is stopped when the home is disposed of. */
export function openGnupgHome(): GnupgHome {
  const folder = mkdtempSync(join(tmpdir(), 'gnupg-'));
  const base = ['--homedir', folder, '--batch', '--no-tty', '--yes', '--pinentry-mode', 'loopback', '--passphrase', ''];
  const run = (args: readonly string[], input: Uint8Array | string = '') =>
    spawnSync('gpg', [...base, ...args], { input, maxBuffer: 2 ** 30, stdio: ['pipe', 'pipe', 'pipe'] });
  const write = (name: string, bytes: Uint8Array | string): string => {
    const path = join(folder, name);
    writeFileSync(path, bytes, { mode: 0o600 });
    return path;
  };
  const gpg: GnupgHome['gpg'] = (args, input) => {
    const result = run(args, input);
    if (result.status !== 0) throw new Error(`gpg ${args.join(' ')}: ${result.stderr.toString()}`);
    return result.stdout;
  };
  return {
    folder,
    gpg,
    write,
    generate(lines) {
      const status = gpg(['--status-fd', '1', '--generate-key'], `%no-protection\n${lines.join('\n')}\n%commit\n`);
      return /KEY_CREATED \w (\w+)/.exec(status.toString())![1]!;
    },
    open(message) {
      const result = run(['--status-fd', '2', '--decrypt'], message);
      const status = result.stderr.toString();
      if (result.status !== 0) throw new Error(`gpg --decrypt: ${status}`);
      const cipherId = Number(/DECRYPTION_INFO \d+ (\d+)/.exec(status)?.[1]);
      return { data: result.stdout, goodSignatureBy: goodSignature(status), cipherId };
    },
    verify(signature, data) {
      const result = run(['--status-fd', '1', '--verify', write('data.sig', signature), write('data', data)]);
      return goodSignature(result.stdout.toString());
    },
    [Symbol.dispose]() {
      spawnSync('gpgconf', ['--homedir', folder, '--kill', 'gpg-agent']);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const goodSignature = (status: string): string | undefined =>
  status.includes('[GNUPG:] GOODSIG ') ? /\[GNUPG:\] VALIDSIG (\w+)/.exec(status)?.[1] : undefined;

/** Opens a message with Sequoia, which fails unless the signature by `certificate` is good. */
export function openWithSequoia(
  home: GnupgHome,
  message: Uint8Array,
  secretKey: string,
  certificate: Uint8Array,
): Buffer {
  const signer = home.write('signer.pgp', certificate);
  return execFileSync('sq', ['decrypt', '--recipient-key', secretKey, '--signer-cert', signer], {
    input: message,
    maxBuffer: 2 ** 30,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** The encryption subkey of a certificate with one encryption subkey, taken without judgement. */
export function encryptionKeyOf(
  certificate: Uint8Array,
  options: { cipher: Cipher; container: Container } = { cipher: 'aes256', container: 'seipd1' },
): RecipientKey {
  const packets = readPackets(certificate);
  const subkey = packets.findLast((packet) => packet.tag === tags.publicSubkey);
  return recipientKeyOf(subkey!.body, options);
}
