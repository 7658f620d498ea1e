// Reading ahead, ranges for receipts, and the two orders of work.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createBatchBuffers } from './batch-buffers.ts';
import type { Fetched, ReadHandle } from './mount.ts';
import { createRanges, rangesMax } from './ranges.ts';
import { createReading } from './reading.ts';
import { createPathOrder, createWorkQueue } from './work-queue.ts';

const nothingWaits = { queuedBytes: 0, writtenBytes: 0 };

function createFile(sizeBytes: number) {
  const bytes = Buffer.from(Array.from({ length: sizeBytes }, (_, index) => (index * 7 + (index >> 8)) & 255));
  const calls: [number, number][] = [];
  let closed: Fetched | undefined;
  let isReading = false;
  const handle: ReadHandle = {
    attributes: { kind: 'file', sizeBytes, modifiedAtMs: 0, isWritable: false },
    sha256: undefined,
    async read(offset, length) {
      assert.equal(isReading, false, 'a handle is asked one thing at a time');
      isReading = true;
      calls.push([offset, length]);
      await Promise.resolve();
      isReading = false;
      return bytes.subarray(offset, offset + length);
    },
    async close(fetched) {
      closed = fetched;
    },
  };
  return { bytes, handle, calls, closed: () => closed };
}

test('a client that reads on is served from blocks of growing size, and nothing is read twice', async () => {
  const size = 6 * 1024 * 1024;
  const file = createFile(size);
  const budget = { leftBytes: 8 * 1024 * 1024 };
  const reading = createReading(file.handle, { budget, buffers: createBatchBuffers(), output: nothingWaits });
  const parts: Buffer[] = [];
  for (let at = 0; at < size; at += 32_768) {
    parts.push(...(await reading.read(at, 32_768)));
    reading.sent(at, at + 32_768);
    await Promise.resolve();
  }
  assert.ok(Buffer.concat(parts).equals(file.bytes));
  assert.ok(file.calls.length < 20, `${file.calls.length} reads`);
  assert.equal(
    file.calls.reduce((sum, [, length]) => sum + length, 0),
    size,
  );
  await reading.close('closed');
  assert.deepEqual(file.closed(), { ranges: [{ startBytes: 0, endBytes: size }], end: 'closed' });
  assert.equal(budget.leftBytes, 8 * 1024 * 1024);
});

test('a buffer is filled anew only when every answer from it has left', async () => {
  const size = 16 * 1024 * 1024;
  const file = createFile(size);
  const into = new Set<Buffer>();
  const handle: ReadHandle = {
    ...file.handle,
    async read(offset, length, buffer) {
      const bytes = await file.handle.read(offset, length);
      if (buffer === undefined) return bytes;
      into.add(buffer);
      return buffer.subarray(0, bytes.copy(buffer));
    },
  };
  const waiting: { readonly at: number; readonly views: readonly Buffer[] }[] = [];
  const output = { queuedBytes: 0, writtenBytes: 0 };
  const budget = { leftBytes: 8 * 1024 * 1024 };
  const reading = createReading(handle, { budget, buffers: createBatchBuffers(), output });
  const leave = (): void => {
    const { at, views } = waiting.shift()!;
    const bytes = Buffer.concat(views);
    assert.ok(bytes.equals(file.bytes.subarray(at, at + bytes.length)), `the answer at ${at}`);
    output.queuedBytes -= bytes.length;
  };
  // Three megabytes wait to leave all the time.
  for (let at = 0; at < size; at += 32_768) {
    const views = await reading.read(at, 32_768);
    waiting.push({ at, views });
    output.queuedBytes += 32_768;
    output.writtenBytes += 32_768;
    await Promise.resolve();
    if (output.queuedBytes > 3 * 1024 * 1024) leave();
  }
  await reading.close('closed');
  while (waiting.length > 0) leave();
  assert.ok(into.size <= 8, `${into.size} buffers for ${size} bytes`);
});

test('any order of reads gives the bytes of the file, with any budget', async () => {
  const file = createFile(300_000);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(310_000), fc.nat(120_000), fc.boolean()), { maxLength: 12 }),
      fc.constantFrom(0, 100_000, 8_000_000),
      async (reads, leftBytes) => {
        const budget = { leftBytes };
        const reading = createReading(file.handle, { budget, buffers: createBatchBuffers(), output: nothingWaits });
        let next = 0;
        for (const [offset, length, goesOn] of reads) {
          const at = goesOn ? next : offset;
          const parts = await reading.read(at, length);
          assert.ok(Buffer.concat(parts).equals(file.bytes.subarray(at, at + length)));
          next = Math.min(300_000, at + length);
        }
        await reading.close('cut');
        assert.equal(budget.leftBytes, leftBytes);
      },
    ),
    { numRuns: 300 },
  );
});

test('ranges join where they touch, and beyond 64 the smallest gap closes', () => {
  const ranges = createRanges();
  for (const [start, end] of [
    [0, 10],
    [10, 20],
    [30, 40],
    [15, 35],
    [50, 50],
    [60, 70],
  ] as const) {
    ranges.add(start, end);
  }
  assert.deepEqual(ranges.list, [
    { startBytes: 0, endBytes: 40 },
    { startBytes: 60, endBytes: 70 },
  ]);
  const many = createRanges();
  for (let index = 0; index < 200; index++) many.add(index * 100 + (index === 120 ? 1 : 0), index * 100 + 50);
  assert.equal(many.list.length, rangesMax);
  assert.deepEqual([many.list[0]?.startBytes, many.list.at(-1)?.endBytes], [0, 19_950]);
});

test('ranges hold every byte that was added, whatever the order', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(200), fc.nat(30)), { maxLength: 40 }), (pairs) => {
      const ranges = createRanges();
      const bytes = new Set<number>();
      for (const [start, length] of pairs) {
        ranges.add(start, start + length);
        for (let at = start; at < start + length; at++) bytes.add(at);
      }
      const held = ranges.list.flatMap(({ startBytes, endBytes }) =>
        Array.from({ length: endBytes - startBytes }, (_, index) => startBytes + index),
      );
      assert.deepEqual(
        held,
        [...bytes].sort((a, b) => a - b),
      );
    }),
  );
});

test('work in a queue is done in order, also when it is done at once and pushes more', async () => {
  const done: number[] = [];
  const queue = createWorkQueue();
  const gate = Promise.withResolvers<void>();
  queue.push({ run: () => gate.promise.then(() => void done.push(1)) });
  queue.push({
    run() {
      queue.push({
        run() {
          done.push(3);
          return undefined;
        },
      });
      done.push(2);
      return undefined;
    },
  });
  gate.resolve();
  await new Promise(setImmediate);
  assert.deepEqual(done, [1, 2, 3]);
});

test('shared work runs side by side and exclusive work alone, in the order given', async () => {
  const log: string[] = [];
  const order = createPathOrder();
  const gates = new Map<string, () => void>();
  const work = (name: string) => async (): Promise<void> => {
    log.push(`+${name}`);
    await new Promise<void>((resolve) => gates.set(name, resolve));
    log.push(`-${name}`);
  };
  order.shared(work('a'));
  order.shared(work('b'));
  order.exclusive(work('c'));
  order.shared(work('d'));
  const finish = async (name: string): Promise<void> => {
    gates.get(name)!();
    await new Promise(setImmediate);
  };
  for (const name of ['b', 'a', 'c', 'd']) await finish(name);
  assert.deepEqual(log, ['+a', '+b', '-b', '-a', '+c', '-c', '+d', '-d']);
});
