// Files that share a blob: each reads as itself alone, and one that is not whole is never answered as a shorter one.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { groupBySize, openPart, putTogether, wholeOf } from './blob-parts.ts';
import { systemClock } from './clock.ts';
import { openFileBlobs } from './file-blobs.ts';
import { createIds } from './ids.ts';
import { systemRandom } from './random.ts';

async function openStore() {
  const folder = await mkdtemp(join(tmpdir(), 'broadgate-parts-'));
  const ids = createIds({ clock: systemClock, random: systemRandom });
  const dataKey = { dataKeyId: ids.next(), key: randomBytes(32) };
  const keys = { current: () => Promise.resolve(dataKey), find: () => Promise.resolve(dataKey) };
  const blobs = await openFileBlobs({ folder, keys, ids });
  return { blobs, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

test('files that share a blob are each read whole, in ranges and as a stream, and nothing of their neighbours', async () => {
  await using store = await openStore();
  const { blobs } = store;
  const files = [0, 1, 65_535, 65_536, 65_537, 200_000, 7].map((sizeBytes) => randomBytes(sizeBytes));
  const parts = await putTogether(blobs, files);
  assert.equal(new Set(parts.map((part) => part.blobId)).size, 1);
  for (const [index, file] of files.entries()) {
    const part = parts[index]!;
    assert.equal(part.sha256, createHash('sha256').update(file).digest('hex'));
    await using reader = await openPart(blobs, part);
    assert.deepEqual([reader.sizeBytes, reader.sha256], [file.length, part.sha256]);
    assert.deepEqual(await reader.read(0, file.length + 100), file);
    for (const [offset, length] of [
      [0, 1],
      [1, 65_536],
      [file.length - 1, 5],
      [file.length, 5],
      [file.length + 9, 5],
    ]) {
      if (offset! < 0) continue;
      assert.deepEqual(await reader.read(offset!, length!), file.subarray(offset!, offset! + length!));
    }
    const pieces: Buffer[] = [];
    for await (const piece of reader.stream({ start: 3, end: file.length + 50 })) pieces.push(piece);
    assert.deepEqual(Buffer.concat(pieces), file.subarray(3));
  }
});

test('a file alone has a blob to itself, and no file has none', async () => {
  await using store = await openStore();
  const file = randomBytes(1000);
  const [part] = await putTogether(store.blobs, [file]);
  assert.equal(part!.blobOffset, 0);
  await using reader = await store.blobs.open(part!.blobId);
  assert.deepEqual(wholeOf(reader).sizeBytes, file.length);
  assert.deepEqual(await putTogether(store.blobs, []), []);
});

test('a part that its blob does not hold whole is damaged, not short', async () => {
  await using store = await openStore();
  const blob = wholeOf(await store.blobs.put(randomBytes(1000)));
  await assert.rejects(openPart(store.blobs, { ...blob, blobOffset: 500, sizeBytes: 501 }), { sort: 'damaged' });
});

test('neighbours are grouped up to a size, in order, and what is larger stands alone', () => {
  const sizes = [3, 3, 4, 1, 20, 1, 9, 10, 0, Infinity, 2];
  assert.deepEqual(
    groupBySize(sizes, (size) => size, 10),
    [[3, 3, 4], [1], [20], [1, 9], [10, 0], [Infinity], [2]],
  );
});
