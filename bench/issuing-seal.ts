// Rows: statements of 50 KB encrypted and signed in one thread, beside the bare primitives, gpg and sq.
import {
  constants,
  createCipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hash,
  type KeyObject,
  publicEncrypt,
  randomBytes,
  sign,
} from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import v8 from 'node:v8';
import { encryptMessage, generateSigningKey, type RecipientKey } from '@broadgate/openpgp-writer';
import { openTempFolder, run } from '../test/clients.ts';
import { needPackages } from './debian.ts';
import { type KeyKind, kindNames, makeRecipients, writeCertificate } from './issuing-recipients.ts';
import { cpuSecondsOf } from './process-cost.ts';
import type { Row, Sample, Side } from './row.ts';

export const statementBytes = 50 * 1024;

const signer = generateSigningKey({ userId: 'Bench <delivery@broker.example>', createdAtMs: Date.now() });

/** Does the work `count` times; the processor time is this process's with its ended children. */
async function measure(count: number, work: (index: number) => Promise<boolean> | boolean): Promise<Sample> {
  const before = cpuSecondsOf([process.pid]);
  let failures = 0;
  for (let index = 0; index < count; index += 1) if (!(await work(index))) failures += 1;
  const cpuMs = ((cpuSecondsOf([process.pid]) - before) * 1000) / count;
  return { values: { 'processor time': cpuMs, speed: 1000 / cpuMs }, attempts: count, failures };
}

/** The key as node:crypto takes it. */
const keyOf = ({ key }: RecipientKey): KeyObject =>
  key.kind === 'rsa'
    ? createPublicKey({ key: { kty: 'RSA', n: key.n, e: key.e }, format: 'jwk' })
    : createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: (key as { point: string }).point }, format: 'jwk' });

/** The primitives that one message cannot do without, called bare: no packet, no copy, keys imported before. */
function callPrimitives(kind: KeyKind, key: KeyObject, data: Buffer): void {
  const sessionKey = randomBytes(32);
  if (kind === 'rsa')
    publicEncrypt(
      { key, padding: constants.RSA_PKCS1_PADDING },
      Buffer.concat([sessionKey, sessionKey.subarray(0, 3)]),
    );
  else {
    const { privateKey } = generateKeyPairSync('x25519');
    const secret = diffieHellman({ privateKey, publicKey: key });
    const wrapping = createHash('sha256').update(secret).digest();
    const wrap = createCipheriv('id-aes256-wrap', wrapping, Buffer.alloc(8, 0xa6));
    wrap.update(Buffer.concat([sessionKey, Buffer.alloc(8)]));
    wrap.final();
  }
  sign(null, hash('sha256', data, 'buffer'), signer.privateKey);
  hash('sha1', data);
  const cipher = createCipheriv('aes-256-cfb', sessionKey, Buffer.alloc(16));
  cipher.update(data);
  cipher.final();
}

function createRow(kind: KeyKind): Row {
  return {
    name: `issuing-seal-${kind}`,
    meaning: `Encrypt and sign statements of 50 KB in one thread, each to another of 1,000 ${kindNames[kind]} certificates`,
    notes: [
      'AES-256 in SEIPD version 1, Ed25519 signature inside, no compression. The speed is that of one core: statements by processor time.',
      '"primitives" calls what no writer can do without, with keys imported before: key transport, SHA-256 and Ed25519, SHA-1, AES-CFB. Ours may be quicker, since it makes CFB from CBC.',
      'gpg and sq run one process a file, to one certificate given as a file, and do not sign: a sample, scaled.',
    ],
    measures: [
      { name: 'speed', unit: '1/s', better: 'higher', bars: [{ kind: 'at-least', value: 2500 }] },
      {
        name: 'processor time',
        unit: 'ms',
        better: 'lower',
        bars: [
          { kind: 'ratio', against: 'primitives', min: 1 / 1.5 },
          { kind: 'ratio', against: 'gpg', min: 10 },
        ],
      },
    ],
    rounds: 3,
    async open(bench) {
      needPackages({ gnupg: '/usr/bin/gpg', sq: '/usr/bin/sq' });
      // As server/worker.ts runs, where it says why.
      v8.setFlagsFromString('--external-memory-accounted-in-global-limit');
      const temp = openTempFolder();
      const recipients = makeRecipients(kind, 1000);
      const keys = recipients.map(keyOf);
      const data = Array.from({ length: 64 }, () => randomBytes(statementBytes));
      const file = path.join(temp.folder, 'statement.pdf');
      writeFileSync(file, data[0]!);
      const certificate = await writeCertificate(temp.folder, kind);
      const count = bench.isQuick ? 1000 : 4000;
      const sampled = bench.isQuick ? 20 : 60;
      const atMs = Date.now();
      const dataOf = (index: number): Buffer => data[index % data.length]!;
      const facts = { signer, signedAtMs: atMs, modifiedAtMs: atMs, fileName: 'statement.pdf' };
      const gpgWords = [
        '--homedir',
        temp.folder,
        '--batch',
        '--yes',
        '--quiet',
        '--no-options',
        '--compress-algo',
        'none',
        '--trust-model',
        'always',
      ];
      const external = (name: string, version: string, program: string, words: readonly string[]): Side => ({
        name,
        version,
        async run(round) {
          // One small shell starts them all: starting programs from this large process costs more than some of them.
          const count = round === 0 ? 2 : sampled;
          const script = 'n=$1; shift; while [ $n -gt 0 ]; do "$@" || exit 1; n=$((n-1)); done';
          const { values, failures } = await measure(1, async () => {
            const ran = await run('sh', ['-c', script, 'sh', String(count), program, ...words, file]);
            return ran.status === 0;
          });
          const cpuMs = values['processor time']! / count;
          return {
            values: { 'processor time': cpuMs, speed: 1000 / cpuMs },
            attempts: count,
            failures: failures * count,
          };
        },
      });
      return {
        sides: [
          {
            name: 'Broadgate',
            version: 'this',
            run: (round) =>
              measure(round === 0 ? 200 : count, (index) => {
                const to = [recipients[index % recipients.length]!];
                return encryptMessage({ ...facts, recipients: to, data: dataOf(index) }).length > statementBytes;
              }),
          },
          {
            name: 'primitives',
            version: process.versions.openssl,
            run: (round) =>
              measure(round === 0 ? 200 : count, (index) => {
                callPrimitives(kind, keys[index % keys.length]!, dataOf(index));
                return true;
              }),
          },
          external('gpg', 'Debian 12', 'gpg', [...gpgWords, '-o', '/dev/null', '-f', certificate, '--encrypt']),
          external('sq', 'Debian 12', 'sq', [
            '--force',
            'encrypt',
            '--binary',
            '-o',
            '/dev/null',
            '--compression',
            'none',
            '--recipient-cert',
            certificate,
          ]),
        ],
        async [Symbol.asyncDispose]() {
          temp[Symbol.dispose]();
        },
      };
    },
  };
}

export const sealRows: readonly Row[] = [createRow('rsa'), createRow('curve25519')];
