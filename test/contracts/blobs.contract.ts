// What every blob store must do, whatever medium is behind it: one suite, run by each implementation's own test.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { BlobFault, type BlobReader, type BlobStore, type StagedBlob } from '../../server/kernel/blobs.ts';
import { createSeededRandom, randomBelow, type Random } from '../../server/kernel/random.ts';

export interface BlobContract {
  readonly name: string;
  /** Opens an empty store; `reopen` gives another handle on the same medium, as another process would have. */
  open(): Promise<{ blobs: BlobStore; reopen(): Promise<BlobStore>; [Symbol.asyncDispose](): Promise<void> }>;
}

const frame = 65_536;
const sizes = [0, 1, 50_000, frame - 1, frame, frame + 1, 2 * frame, 5 * frame + 123, 40 * frame + 7];

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function collect(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(pieces));
}

const isGone = (fault: unknown): boolean => fault instanceof BlobFault && fault.sort === 'missing';

export function testBlobs(contract: BlobContract): void {
  const seed = process.env['BROADGATE_TEST_SEED'] ?? String(Date.now());
  const check = (
    name: string,
    work: (blobs: BlobStore, random: Random, reopen: () => Promise<BlobStore>) => Promise<void>,
  ): void => {
    test(`${contract.name}: ${name}`, async (t) => {
      t.diagnostic(`seed ${seed}`);
      await using store = await contract.open();
      await work(store.blobs, createSeededRandom(`${seed} ${name}`), () => store.reopen());
    });
  };

  check('what is put comes back whole, whatever its size', async (blobs, random) => {
    for (const size of sizes) {
      const bytes = random.bytes(size);
      const sealed = await blobs.put(bytes);
      assert.deepEqual({ ...sealed, blobId: '' }, { blobId: '', sizeBytes: size, sha256: sha256(bytes) });
      await using reader = await blobs.open(sealed.blobId);
      assert.equal(reader.sizeBytes, size);
      assert.equal(reader.sha256, sealed.sha256);
      assert.ok((await collect(reader.stream())).equals(bytes), `${size} bytes by stream`);
      assert.ok((await reader.read(0, size + 10)).equals(bytes), `${size} bytes by one read`);
    }
  });

  check('a stream of pieces is put as they come, whatever their sizes', async (blobs, random) => {
    for (const total of [0, 70_000, 3_000_000]) {
      const bytes = random.bytes(total);
      async function* pieces() {
        for (let at = 0; at < total; ) {
          const length = 1 + randomBelow(random, 100_000);
          yield bytes.subarray(at, at + length);
          at += length;
        }
      }
      const sealed = await blobs.put(pieces());
      assert.equal(sealed.sha256, sha256(bytes));
      await using reader = await blobs.open(sealed.blobId);
      assert.ok((await collect(reader.stream())).equals(bytes));
    }
  });

  check('a source that fails half way leaves nothing behind', async (blobs, random) => {
    async function* pieces() {
      for (let count = 0; count < 30; count += 1) yield random.bytes(100_000);
      throw new Error('the source broke');
    }
    await assert.rejects(blobs.put(pieces()), /the source broke/);
    assert.deepEqual(await Array.fromAsync(blobs.list()), []);
  });

  check('any range reads as a slice of the whole would', async (blobs, random) => {
    const bytes = random.bytes(9 * frame + 1000);
    const { blobId } = await blobs.put(bytes);
    await using reader = await blobs.open(blobId);
    for (let round = 0; round < 200; round += 1) await compareRange(reader, bytes, random);
    assert.equal((await reader.read(bytes.length, 10)).length, 0);
    assert.equal((await reader.read(bytes.length + 5, 10)).length, 0);
  });

  check('overlapping reads of one reader each get their own bytes', async (blobs, random) => {
    const bytes = random.bytes(12 * frame);
    const { blobId } = await blobs.put(bytes);
    await using reader = await blobs.open(blobId);
    await Promise.all(Array.from({ length: 64 }, () => compareRange(reader, bytes, random)));
  });

  check('a checkpoint beside writing promises no more than comes back', async (blobs, random, reopen) => {
    let staged = await blobs.stage();
    let model: Buffer = Buffer.alloc(0);
    for (let round = 0; round < 12; round += 1) {
      const promised = staged.checkpoint();
      for (let step = 0; step < 6; step += 1) {
        const at = randomBelow(random, 3) === 0 ? randomBelow(random, model.length + 1) : model.length;
        model = await writeBoth(staged, model, at, random.bytes(randomBelow(random, 5 * frame)));
      }
      const settledBytes = await promised;
      assert.ok(settledBytes <= model.length, `${settledBytes} of ${model.length} bytes`);
      if (round % 4 !== 3) continue;
      await staged.close();
      staged = (await (await reopen()).reopen(staged.blobId))!;
      assert.ok(staged.sizeBytes >= settledBytes);
      assert.ok((await staged.readAt(0, model.length)).equals(model));
    }
    await staged.close();
  });

  check(
    'a staged blob behaves as a plain byte array through any writes, cuts and reopenings',
    async (blobs, random, reopen) => {
      for (let round = 0; round < 6; round += 1) {
        let staged = await blobs.stage();
        let model: Buffer = Buffer.alloc(0);
        for (let step = 0; step < 60; step += 1) {
          const dice = randomBelow(random, 20);
          if (dice === 0) await staged.sync();
          else if (dice === 1) {
            const size = randomBelow(random, model.length + 2 * frame);
            await staged.truncate(size);
            model = resize(model, size);
          } else if (dice === 2) {
            await staged.close();
            staged = (await (await reopen()).reopen(staged.blobId))!;
            assert.ok(staged);
          } else if (dice < 6) {
            const [at, length] = [randomBelow(random, model.length + 1), randomBelow(random, 2 * frame)];
            assert.ok((await staged.readAt(at, length)).equals(model.subarray(at, at + length)));
          } else {
            const at = dice < 15 ? model.length : randomBelow(random, model.length + frame);
            model = await writeBoth(staged, model, at, random.bytes(randomBelow(random, 100_000)));
          }
          assert.equal(staged.sizeBytes, model.length);
        }
        const sealed = await staged.seal();
        assert.equal(sealed.sha256, sha256(model));
        await using reader = await blobs.open(sealed.blobId);
        assert.ok((await collect(reader.stream())).equals(model));
      }
    },
  );

  check('writes that overlap take effect in the order in which they were made', async (blobs, random) => {
    await using staged = await blobs.stage();
    const bytes = random.bytes(20 * 32_768);
    await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        staged.writeAt(at * 32_768, bytes.subarray(at * 32_768, (at + 1) * 32_768)),
      ),
    );
    assert.equal((await staged.seal()).sha256, sha256(bytes));
  });

  check('a blob is either staged or sealed, and only a sealed one opens', async (blobs, random) => {
    await using staged = await blobs.stage();
    await staged.writeAt(0, random.bytes(100));
    await assert.rejects(blobs.open(staged.blobId), isGone);
    assert.deepEqual(
      (await Array.fromAsync(blobs.list())).map(({ blobId, staged: is }) => [blobId, is]),
      [[staged.blobId, true]],
    );
    await staged.seal();
    assert.equal(await blobs.reopen(staged.blobId), undefined);
    assert.deepEqual(
      (await Array.fromAsync(blobs.list())).map(({ blobId, staged: is }) => [blobId, is]),
      [[staged.blobId, false]],
    );
    await assert.rejects(staged.writeAt(0, random.bytes(1)));
  });

  check('two handles never write one staged blob at the same time', async (blobs, _, reopen) => {
    await using staged = await blobs.stage();
    const other = await reopen();
    await assert.rejects(other.reopen(staged.blobId), { code: 'blob_busy' });
    await staged.close();
    const second = (await other.reopen(staged.blobId))!;
    await second.discard();
    assert.equal(await blobs.reopen(staged.blobId), undefined);
  });

  check('removing is done once and asked for as often as one likes', async (blobs, random) => {
    const { blobId } = await blobs.put(random.bytes(10));
    await blobs.remove(blobId);
    await blobs.remove(blobId);
    await assert.rejects(blobs.open(blobId), isGone);
    assert.deepEqual(await Array.fromAsync(blobs.list()), []);
  });

  check('a name that is no blob id reaches nothing', async (blobs) => {
    for (const name of ['', '..', '../../etc/passwd', 'a/b', '\0', '0'.repeat(36)]) {
      await assert.rejects(blobs.open(name), isGone, JSON.stringify(name));
    }
  });

  check('many blobs put at once are all there, each with its own bytes', async (blobs, random) => {
    const texts = Array.from({ length: 100 }, () => random.bytes(randomBelow(random, 60_000)));
    const sealed = await Promise.all(texts.map((text) => blobs.put(text)));
    assert.equal(new Set(sealed.map(({ blobId }) => blobId)).size, texts.length);
    for (const [at, { blobId }] of sealed.entries()) {
      await using reader = await blobs.open(blobId);
      assert.ok((await reader.read(0, 100_000)).equals(texts[at]!));
    }
    assert.ok((await blobs.freeBytes()) > 0);
  });
}

async function compareRange(reader: BlobReader, bytes: Buffer, random: Random): Promise<void> {
  const start = randomBelow(random, bytes.length);
  const end = start + randomBelow(random, randomBelow(random, 2) ? 1000 : 4 * frame);
  const expected = bytes.subarray(start, end);
  assert.ok((await reader.read(start, end - start)).equals(expected), `read ${start} to ${end}`);
  const into = await reader.read(start, end - start, Buffer.alloc(end - start));
  assert.ok(into.equals(expected), `read ${start} to ${end} into a buffer`);
  assert.ok((await collect(reader.stream({ start, end }))).equals(expected), `stream ${start} to ${end}`);
}

async function writeBoth(staged: StagedBlob, model: Buffer, at: number, bytes: Buffer): Promise<Buffer> {
  await staged.writeAt(at, bytes);
  const grown = resize(
    model,
    Math.max(model.length, bytes.length === 0 ? Math.max(at, model.length) : at + bytes.length),
  );
  bytes.copy(grown, at);
  return grown;
}

function resize(bytes: Buffer, size: number): Buffer {
  const resized = Buffer.alloc(size);
  bytes.copy(resized);
  return resized;
}
