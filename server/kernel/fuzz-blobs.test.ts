// Fuzz of what stands on the medium: sealed and staged blobs with any change, which give the bytes that were put or a fault.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fuzz, fuzzSeed } from '../../test/fuzz/campaign.ts';
import type { Dice } from '../../test/fuzz/dice.ts';
import { frameSizeBytes, headerSizeBytes, strideBytes } from './blob-frames.ts';
import { BlobFault, type DataKeys } from './blobs.ts';
import { openFileBlobs } from './file-blobs.ts';
import { createIds } from './ids.ts';
import { systemClock } from './clock.ts';
import { createSeededRandom } from './random.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'fuzz-blobs-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const random = createSeededRandom(fuzzSeed);
const dataKey = { dataKeyId: '01234567-89ab-7def-8123-456789abcdef', key: Buffer.alloc(32, 5) };
const keys: DataKeys = {
  current: () => Promise.resolve(dataKey),
  find: (id) => Promise.resolve(id === dataKey.dataKeyId ? dataKey : undefined),
};
const blobs = await openFileBlobs({ folder, keys, ids: createIds({ clock: systemClock, random }), random });

/** All versions stand in one blob's place, so that parts of one may be put into another. */
const blobId = '0192f0c1-2345-7678-9abc-def012345678';
const sealedPath = path.join(folder, 'sealed', '0192f0', 'c1', blobId);
const texts = [0, 1, 500, frameSizeBytes, frameSizeBytes + 1, 2 * frameSizeBytes + 7].map((size) => random.bytes(size));
const sealed: Buffer[] = [];
for (const text of [...texts, texts.at(-1)!]) {
  await blobs.put(text, { blobId });
  sealed.push(readFileSync(sealedPath));
  await blobs.remove(blobId);
}

/** Frames put in another order, taken from another version, or left out. */
function mutateFrames(dice: Dice, input: Buffer, pool: readonly Buffer[]): Buffer {
  const other = dice.pick(pool);
  const slot = (): number => headerSizeBytes + dice.below(3) * strideBytes;
  const bytes = Buffer.from(input);
  const [to, from] = [slot(), slot()];
  if (dice.isOneIn(3)) return Buffer.concat([bytes.subarray(0, to), other.subarray(Math.min(other.length, from))]);
  if (dice.isOneIn(3)) return Buffer.concat([other.subarray(0, headerSizeBytes), bytes.subarray(headerSizeBytes)]);
  other.subarray(from, from + strideBytes).copy(bytes, Math.min(to, bytes.length));
  return bytes;
}

async function endOf(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (fault) {
    if (!(fault instanceof BlobFault)) throw fault;
    return fault.message.slice(fault.message.indexOf(' is '));
  }
}

test('T20: a sealed blob that was changed in any way gives just what was put, or a fault', async (t) => {
  mkdirSync(path.dirname(sealedPath), { recursive: true });
  await fuzz(t, {
    name: 'sealed blobs',
    seeds: sealed,
    words: ['BGB1', 'BGS1', Buffer.alloc(12)],
    cases: 700,
    bytesMax: 300 * 1024,
    mutate: mutateFrames,
    async run(input, dice) {
      writeFileSync(sealedPath, input);
      return endOf(async () => {
        await using reader = await blobs.open(blobId);
        const offset = dice.below(reader.sizeBytes + 2);
        const part = await reader.read(offset, dice.below(3 * frameSizeBytes));
        const whole = await reader.read(0, reader.sizeBytes);
        assert.ok(part.equals(whole.subarray(offset, offset + part.length)));
        assert.ok(
          texts.some((text) => text.equals(whole)),
          'bytes were given out that nobody put',
        );
        return 'what was put';
      });
    },
  });
});

const staged: Buffer[] = [];
for (const text of texts) {
  const blob = await blobs.stage();
  await blob.writeAt(0, text);
  await blob.close();
  const file = readFileSync(path.join(folder, 'staged', blob.blobId));
  // The same place for all: only the header of each opens its frames.
  staged.push(Buffer.concat([Buffer.from(blob.blobId.replaceAll('-', ''), 'hex'), file]));
  await blobs.remove(blob.blobId);
}
const idOf = (bytes: Buffer): string =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

test('T20: a staged blob that was changed in any way goes on with the beginning of what was written, or is a fault', (t) =>
  fuzz(t, {
    name: 'staged blobs',
    seeds: staged,
    cases: 400,
    bytesMax: 300 * 1024,
    mutate: (dice, input, pool) =>
      Buffer.concat([
        input.subarray(0, 16),
        mutateFrames(
          dice,
          input.subarray(16),
          pool.map((other) => other.subarray(16)),
        ),
      ]),
    async run(input) {
      const id = idOf(Buffer.concat([input, Buffer.alloc(16)], Math.max(16, input.length)).subarray(0, 16));
      const file = path.join(folder, 'staged', id);
      writeFileSync(file, input.subarray(16));
      try {
        return await endOf(async () => {
          await using blob = (await blobs.reopen(id))!;
          const whole = await blob.readAt(0, blob.sizeBytes);
          assert.equal(whole.length, blob.sizeBytes);
          assert.ok(
            texts.some((text) => text.subarray(0, whole.length).equals(whole)),
            'bytes that nobody wrote',
          );
          return whole.length === 0 ? 'nothing' : 'a beginning';
        });
      } finally {
        await blobs.remove(id);
      }
    },
  }));
