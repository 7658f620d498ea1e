// Row: one file of a gibibyte, encrypted as a stream.
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import v8 from 'node:v8';
import { encryptStream, generateSigningKey } from '@broadgate/openpgp-writer';
import { run } from '../test/clients.ts';
import { needPackages } from './debian.ts';
import { makeRecipients, writeCertificate } from './issuing-recipients.ts';
import { cpuSecondsOf, memoryBytesOf } from './process-cost.ts';
import type { Row, Sample } from './row.ts';

async function* repeat(piece: Uint8Array, times: number): AsyncGenerator<Uint8Array> {
  for (let left = times; left > 0; left -= 1) yield piece;
}

export const largeRow: Row = {
  name: 'issuing-large',
  meaning: 'Encrypt one file of 1 GiB to a Curve25519 certificate; ours signs it too',
  notes: [
    'AES-256 in SEIPD version 1, no compression, output thrown away. gpg and sq read the file from memory (/dev/shm) and do not sign.',
    'Memory is what the process grew by; of gpg and sq their whole process.',
  ],
  measures: [
    { name: 'time', unit: 's', better: 'lower' },
    { name: 'processor time', unit: 's', better: 'lower', bars: [{ kind: 'ratio', against: 'gpg', min: 1 }] },
    { name: 'memory', unit: 'MiB', better: 'neither', bars: [{ kind: 'at-most', value: 150 }] },
  ],
  rounds: 2,
  async open(bench) {
    needPackages({ gnupg: '/usr/bin/gpg', sq: '/usr/bin/sq' });
    // As server/worker.ts runs, where it says why.
    v8.setFlagsFromString('--external-memory-accounted-in-global-limit');
    const folder = mkdtempSync('/dev/shm/broadgate-bench-');
    const mib = bench.isQuick ? 128 : 1024;
    const piece = randomBytes(2 ** 20);
    const fileOf = (sizeMib: number): string => {
      const file = path.join(folder, `file-${sizeMib}`);
      const handle = openSync(file, 'w');
      for (let at = 0; at < sizeMib; at += 1) writeSync(handle, piece);
      closeSync(handle);
      return file;
    };
    const files = new Map([4, mib].map((sizeMib) => [sizeMib, fileOf(sizeMib)]));
    const certificate = await writeCertificate(folder, 'curve25519');
    const recipients = makeRecipients('curve25519', 1);
    const atMs = Date.now();
    const signer = generateSigningKey({ userId: 'Bench <delivery@broker.example>', createdAtMs: atMs });
    const facts = { recipients, signer, signedAtMs: atMs, modifiedAtMs: atMs, fileName: 'large.pdf' };
    const sizeOf = (round: number): number => (round === 0 ? 4 : mib);
    const measure = async (work: () => Promise<boolean>): Promise<Sample> => {
      const pids = [process.pid];
      const before = { memoryBytes: memoryBytesOf(pids), cpuSeconds: cpuSecondsOf(pids), atMs: performance.now() };
      let memoryBytesMax = before.memoryBytes;
      const timer = setInterval(() => void (memoryBytesMax = Math.max(memoryBytesMax, memoryBytesOf(pids))), 100);
      const isGood = await work();
      clearInterval(timer);
      const values = {
        time: (performance.now() - before.atMs) / 1000,
        'processor time': cpuSecondsOf(pids) - before.cpuSeconds,
        memory: (memoryBytesMax - before.memoryBytes) / 2 ** 20,
      };
      return { values, attempts: 1, failures: isGood ? 0 : 1 };
    };
    const external = (name: string, program: string, words: readonly string[]) => ({
      name,
      version: 'Debian 12',
      run: (round: number) =>
        measure(async () => (await run(program, [...words, files.get(sizeOf(round))!])).status === 0),
    });
    const gpgWords = ['--homedir', folder, '--batch', '--yes', '--quiet', '--no-options', '--trust-model', 'always'];
    return {
      sides: [
        {
          name: 'Broadgate',
          version: 'this',
          run: (round) =>
            measure(async () => {
              const sizeBytes = sizeOf(round) * piece.length;
              let written = 0;
              for await (const part of encryptStream({ ...facts, source: repeat(piece, sizeOf(round)), sizeBytes }))
                written += part.length;
              return written > sizeBytes;
            }),
        },
        external('gpg', 'gpg', [...gpgWords, '-z', '0', '-o', '/dev/null', '-f', certificate, '--encrypt']),
        external('sq', 'sq', [
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
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
};
