// A file that a client reads: answers from what was read ahead, and keeps count of what went out.
import { type BatchBuffers, batchBytesMax } from './batch-buffers.ts';
import type { ReadHandle } from './mount.ts';
import { createRanges } from './ranges.ts';

/** Bytes that all files of one connection may hold read ahead. */
export interface ReadBudget {
  leftBytes: number;
}

export const readAheadBytesMax = 8 * 1024 * 1024;
const blockBytesMin = 64 * 1024;
const blockBytesMax = batchBytesMax;

export type Reading = ReturnType<typeof createReading>;

/** Where answers wait until they leave; see `Channel` of @broadgate/ssh. */
export interface Output {
  readonly queuedBytes: number;
  readonly writtenBytes: number;
}

interface Block {
  readonly start: number;
  readonly bytes: Buffer;
  /** Larger than a small file's: given back when nothing that waits to leave is a view of it. */
  readonly buffer: Buffer | undefined;
}

/**
 * Reads whole blocks in a row, larger ones the longer a client reads on without a jump, and the next one while the last
 * is being sent. NOTE: callers take turns (work-queue.ts); the mount's handle is never asked two things at once.
 */
export function createReading(
  handle: ReadHandle,
  parts: { readonly budget: ReadBudget; readonly buffers: BatchBuffers; readonly output: Output },
) {
  const { budget, buffers, output } = parts;
  const { sizeBytes } = handle.attributes;
  const sent = createRanges();
  // Blocks in a row without gaps; the client is expected to go on at `expected`.
  let blocks: Block[] = [];
  let expected = 0;
  let blockBytes = blockBytesMin;
  let isSequential = false;
  let ahead: Promise<void> | undefined;

  const heldEnd = (): number => {
    const last = blocks.at(-1);
    return last ? last.start + last.bytes.length : expected;
  };

  /** Buffers of dropped blocks with the place in the output behind the last answer from them. */
  const leaving: { readonly buffer: Buffer; readonly atBytes: number }[] = [];

  function drop(count: number): void {
    for (const { bytes, buffer } of blocks.splice(0, count)) {
      budget.leftBytes += bytes.length;
      if (buffer) leaving.push({ buffer, atBytes: output.writtenBytes });
    }
    giveBack();
  }

  function giveBack(): void {
    const leftBytes = output.writtenBytes - output.queuedBytes;
    while (leaving.length > 0 && leaving[0]!.atBytes <= leftBytes) buffers.give(leaving.shift()!.buffer);
  }

  /** The range as views of the blocks; undefined where they do not hold all of it. */
  function cut(start: number, end: number): Buffer[] | undefined {
    const first = blocks[0];
    if (!first || start < first.start || end > heldEnd()) return undefined;
    while (blocks[0]!.start + blocks[0]!.bytes.length <= start && blocks.length > 1) drop(1);
    const parts: Buffer[] = [];
    for (const block of blocks) {
      if (block.start >= end) break;
      const from = Math.max(0, start - block.start);
      if (from < block.bytes.length) parts.push(block.bytes.subarray(from, end - block.start));
    }
    return parts;
  }

  async function fetch(start: number, length: number): Promise<void> {
    const wanted = Math.min(length, sizeBytes - start);
    const buffer = wanted > blockBytesMin && wanted <= batchBytesMax ? buffers.take() : undefined;
    const bytes = await handle.read(start, wanted, buffer);
    if (bytes.length !== wanted) throw new Error(`a read of ${wanted} bytes inside a file gave ${bytes.length}`);
    blocks.push({ start, bytes, buffer });
    budget.leftBytes -= bytes.length;
  }

  function readAhead(): void {
    const start = heldEnd();
    if (ahead || !isSequential || start >= sizeBytes || start - expected >= blockBytes) return;
    if (budget.leftBytes < blockBytes) return;
    // A fault here is not yet anyone's: the READ that needs the bytes reads them again and gets it.
    ahead = fetch(start, blockBytes)
      .catch(() => undefined)
      .finally(() => (ahead = undefined));
    blockBytes = Math.min(blockBytesMax, blockBytes * 2);
  }

  async function fill(start: number, end: number): Promise<Buffer[]> {
    if (ahead) await ahead;
    const held = cut(start, end);
    if (held) return held;
    if (start < (blocks[0]?.start ?? Infinity) || start > heldEnd()) drop(blocks.length);
    const from = blocks.length > 0 ? heldEnd() : start;
    const roomy = budget.leftBytes >= blockBytes ? Math.max(end - from, blockBytes) : end - from;
    await fetch(from, roomy);
    return cut(start, end)!;
  }

  return {
    attributes: handle.attributes,
    sha256: handle.sha256,
    /** For hashes and copies: past the blocks, not counted as sent. */
    async readAside(start: number, length: number): Promise<Buffer> {
      if (ahead) await ahead;
      return handle.read(start, length);
    },
    /** The bytes as views, shorter only at the end of the file; an empty list beyond it. */
    read(start: number, length: number): Buffer[] | Promise<Buffer[]> {
      const end = Math.min(start + length, sizeBytes);
      if (end <= start) return [];
      isSequential = start === expected && start > 0;
      blockBytes = isSequential ? Math.min(blockBytesMax, Math.max(blockBytes, 4 * length)) : blockBytesMin;
      expected = end;
      const held = cut(start, end);
      const parts = held ?? fill(start, end);
      if (held) readAhead();
      else void (parts as Promise<Buffer[]>).then(readAhead, () => undefined);
      return parts;
    },
    /** Records that this range was handed to the channel. */
    sent: (start: number, end: number): void => sent.add(start, end),
    async close(end: 'closed' | 'cut'): Promise<void> {
      if (ahead) await ahead;
      drop(blocks.length);
      await handle.close({ ranges: sent.list, end });
    },
  };
}
