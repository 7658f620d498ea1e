// Blobs as files: the contract, and what an attacker or a crash may do to the files themselves.
import assert from 'node:assert/strict';
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFile,
  copyFile,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import { testBlobs } from '../../test/contracts/blobs.contract.ts';
import { framesEnd, headerSizeBytes, strideBytes } from './blob-frames.ts';
import { fanOut } from './blob-medium.ts';
import { BlobFault, type BlobStore, type DataKeys } from './blobs.ts';
import { systemClock } from './clock.ts';
import { openFileBlobs } from './file-blobs.ts';
import { createIds } from './ids.ts';
import { randomBelow, systemRandom } from './random.ts';

const ids = createIds({ clock: systemClock, random: systemRandom });
const dataKey = { dataKeyId: '00000000-0000-7000-8000-000000000001', key: Buffer.alloc(32, 7) };
const keys: DataKeys = { current: () => Promise.resolve(dataKey), find: () => Promise.resolve(dataKey) };

async function openStore() {
  const folder = await mkdtemp(join(tmpdir(), 'broadgate-blobs-'));
  const reopen = (): Promise<BlobStore> => openFileBlobs({ folder, keys, ids });
  return {
    folder,
    blobs: await reopen(),
    reopen,
    pathOf: (blobId: string) => fanOut(join(folder, 'sealed'), blobId),
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true });
    },
  };
}

testBlobs({ name: 'files', open: openStore });

const slot = (file: Buffer, index: number): Buffer =>
  file.subarray(headerSizeBytes + index * strideBytes, headerSizeBytes + (index + 1) * strideBytes);

const isDamaged = (fault: unknown): boolean => fault instanceof BlobFault && fault.sort === 'damaged';

async function readWhole(blobs: BlobStore, blobId: string): Promise<Buffer> {
  await using reader = await blobs.open(blobId);
  return Buffer.concat(await Array.fromAsync(reader.stream()));
}

async function patch(path: string, position: number, change: (bytes: Buffer) => Buffer, length = 1): Promise<void> {
  await using handle = await open(path, 'r+');
  const bytes = Buffer.alloc(length);
  await handle.read(bytes, 0, length, position);
  await handle.write(change(bytes), 0, length, position);
}

const flip = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte) => byte ^ 1));

test('A bit flipped anywhere in a sealed file is found, and no altered byte is given out', async () => {
  await using store = await openStore();
  const text = systemRandom.bytes(150_000);
  const { blobId } = await store.blobs.put(text);
  const path = store.pathOf(blobId);
  const { size } = await stat(path);
  const positions = [
    0,
    4,
    19,
    20,
    36,
    51,
    headerSizeBytes,
    headerSizeBytes + 12,
    headerSizeBytes + 16,
    size - 1,
    size - 5,
  ];
  for (let count = 0; count < 60; count += 1) positions.push(randomBelow(systemRandom, size));
  for (const position of positions) {
    await patch(path, position, flip);
    await assert.rejects(readWhole(store.blobs, blobId), isDamaged, `byte ${position} of ${size}`);
    await patch(path, position, flip);
  }
  assert.ok((await readWhole(store.blobs, blobId)).equals(text));
});

test('A file that was cut off or added to is found, at every boundary', async () => {
  await using store = await openStore();
  const { blobId } = await store.blobs.put(systemRandom.bytes(200_000));
  const path = store.pathOf(blobId);
  const whole = await readFile(path);
  const cuts = [
    0,
    10,
    headerSizeBytes,
    headerSizeBytes + strideBytes,
    headerSizeBytes + 2 * strideBytes,
    framesEnd(200_000),
  ];
  for (const cut of [...cuts, whole.length - 1]) {
    await truncate(path, cut);
    await assert.rejects(readWhole(store.blobs, blobId), isDamaged, `cut at ${cut}`);
    await writeFile(path, whole);
  }
  await appendFile(path, Buffer.alloc(8));
  await assert.rejects(readWhole(store.blobs, blobId), isDamaged);
});

test('Frames that change places, and a frame of another blob, are found', async () => {
  await using store = await openStore();
  const [first, second] = [
    await store.blobs.put(systemRandom.bytes(200_000)),
    await store.blobs.put(systemRandom.bytes(200_000)),
  ];
  const whole = await readFile(store.pathOf(first.blobId));
  const other = await readFile(store.pathOf(second.blobId));
  const swapped = Buffer.from(whole);
  slot(whole, 0).copy(swapped, headerSizeBytes + strideBytes);
  slot(whole, 1).copy(swapped, headerSizeBytes);
  await writeFile(store.pathOf(first.blobId), swapped);
  await assert.rejects(readWhole(store.blobs, first.blobId), isDamaged);
  const mixed = Buffer.from(whole);
  slot(other, 1).copy(mixed, headerSizeBytes + strideBytes);
  await writeFile(store.pathOf(first.blobId), mixed);
  await assert.rejects(readWhole(store.blobs, first.blobId), isDamaged);
});

test('A blob in the place of another is found, also when its header is rewritten', async () => {
  await using store = await openStore();
  const [first, second] = [
    await store.blobs.put(systemRandom.bytes(1000)),
    await store.blobs.put(systemRandom.bytes(1000)),
  ];
  const header = (await readFile(store.pathOf(second.blobId))).subarray(0, headerSizeBytes);
  await copyFile(store.pathOf(first.blobId), store.pathOf(second.blobId));
  await assert.rejects(readWhole(store.blobs, second.blobId), isDamaged);
  await patch(store.pathOf(second.blobId), 4, () => header.subarray(4, 20), 16);
  await assert.rejects(readWhole(store.blobs, second.blobId), isDamaged);
});

test('An older version of a rewritten frame, put back, is found', async () => {
  await using store = await openStore();
  await using staged = await store.blobs.stage();
  await staged.writeAt(0, systemRandom.bytes(200_000));
  await staged.sync();
  const before = await readFile(join(store.folder, 'staged', staged.blobId));
  await staged.writeAt(70_000, systemRandom.bytes(10));
  const { blobId } = await staged.seal();
  await using reader = await store.blobs.open(blobId);
  assert.equal((await reader.read(0, 200_000)).length, 200_000);
  const start = headerSizeBytes + strideBytes;
  await patch(store.pathOf(blobId), start, () => before.subarray(start, start + strideBytes), strideBytes);
  await assert.rejects(readWhole(store.blobs, blobId), isDamaged);
});

test('A staged file passed off as a sealed one is found', async () => {
  await using store = await openStore();
  const sealed = await store.blobs.put(systemRandom.bytes(10));
  await using staged = await store.blobs.stage();
  await staged.writeAt(0, systemRandom.bytes(70_000));
  await staged.close();
  await copyFile(join(store.folder, 'staged', staged.blobId), store.pathOf(sealed.blobId));
  await assert.rejects(readWhole(store.blobs, sealed.blobId), isDamaged);
});

test('No nonce is used twice under one key, through rewrites, reopenings and crashes that lost the last writes', async () => {
  await using store = await openStore();
  const seen = new Map<string, string>();
  let staged = await store.blobs.stage();
  const path = join(store.folder, 'staged', staged.blobId);
  const note = async (): Promise<void> => {
    const file = await readFile(path);
    for (let at = headerSizeBytes; at + 32 <= file.length; at += strideBytes) {
      const nonce = file.toString('hex', at, at + 12);
      const slot = file.toString('base64', at, at + strideBytes);
      assert.ok((seen.get(nonce) ?? slot) === slot, `nonce ${nonce} protects two texts`);
      seen.set(nonce, slot);
    }
  };
  for (let round = 0; round < 30; round += 1) {
    const old = await readFile(path);
    await staged.writeAt(Math.floor((staged.sizeBytes * round) / 40), systemRandom.bytes(90_000));
    await staged.sync();
    await note();
    await staged.close();
    // A crash that loses what was written last: the file is as it was, and the next opening writes anew.
    if (round % 3 === 0) await writeFile(path, old);
    staged = (await store.blobs.reopen(staged.blobId))!;
  }
  await staged.discard();
  assert.ok(seen.size > 30);
});

test('What was synced survives a write in its place that a crash tore in two', async () => {
  await using store = await openStore();
  await using staged = await store.blobs.stage();
  const text = systemRandom.bytes(100_000);
  await staged.writeAt(0, text);
  await staged.sync();
  const path = join(store.folder, 'staged', staged.blobId);
  await staged.writeAt(100_000, Buffer.alloc(5));
  await staged.close();
  // The second frame is written anew on closing. Tear that write: its first half is new, its second half is not there.
  await patch(path, headerSizeBytes + strideBytes + 2000, flip, 100);
  await using again = (await store.blobs.reopen(staged.blobId))!;
  assert.ok(again.sizeBytes >= 100_000, `${again.sizeBytes} bytes are left`);
  assert.ok((await again.readAt(0, 100_000)).equals(text));
});

test('A staged blob keeps every whole frame before the first torn one', async () => {
  await using store = await openStore();
  await using staged = await store.blobs.stage();
  const text = systemRandom.bytes(300_000);
  await staged.writeAt(0, text);
  await staged.close();
  await patch(join(store.folder, 'staged', staged.blobId), headerSizeBytes + 2 * strideBytes + 100, flip);
  await using again = (await store.blobs.reopen(staged.blobId))!;
  assert.equal(again.sizeBytes, 2 * 65_536);
  await again.writeAt(again.sizeBytes, text.subarray(again.sizeBytes));
  const { blobId } = await again.seal();
  assert.ok((await readWhole(store.blobs, blobId)).equals(text));
});

test('A writer that is killed leaves a staged blob that resumes where its whole frames end', async () => {
  await using store = await openStore();
  const child = fork(new URL('file-blobs.writer.ts', import.meta.url), [store.folder], { stdio: 'ignore' });
  const [blobId] = (await once(child, 'message')) as [string];
  await once(child, 'message');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await using staged = (await store.blobs.reopen(blobId))!;
  assert.ok(staged.sizeBytes >= 10 * 65_536, `${staged.sizeBytes} bytes are left`);
  const left = await staged.readAt(0, staged.sizeBytes);
  assert.ok(left.every((byte, at) => byte === Math.floor(at / 30_000) % 251));
  await staged.seal();
});

test('The files hold nothing of the text, and only their owner may read them', async () => {
  await using store = await openStore();
  const text = Buffer.from('account U1234567 '.repeat(1000));
  const { blobId } = await store.blobs.put(text);
  const file = await readFile(store.pathOf(blobId));
  assert.ok(!file.includes('U1234567'));
  assert.equal((await stat(store.pathOf(blobId))).mode & 0o777, 0o600);
  assert.equal((await stat(join(store.folder, 'sealed'))).mode & 0o777, 0o700);
  assert.deepEqual(await readdir(join(store.folder, 'staged')), []);
});

test('A full disk is an outage; what was written before stays whole, and writing goes on when there is room', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'broadgate-full-'));
  // A file system of 4 MiB, mounted where only this process sees it.
  const script = 'mount -t tmpfs -o size=4m tmpfs "$1" && exec "$2" "$3" "$1"';
  const program = new URL('file-blobs.full.ts', import.meta.url).pathname;
  const words = ['--user', '--map-root-user', '--mount', 'sh', '-c', script, 'sh', folder, process.execPath, program];
  const child = spawn('unshare', words, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await rm(folder, { recursive: true });
  if (/unshare|mount:/.test(err)) t.skip('no file system can be mounted here');
  else assert.equal(out, 'outage for put, outage for staged, resumed whole\n', err);
});
