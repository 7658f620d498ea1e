// Small files that share a blob: stored together with one write and one sync, read each by itself.
//
// A blob is removed when no row names it any more, so one that is shared stays until the last of its files is let go.
import { hash } from 'node:crypto';
import { BlobFault, type BlobPart, type BlobReader, type BlobStore, type SealedBlob } from './blobs.ts';

/** Files are put together up to this size, which a store writes in one go. Units: bytes. */
export const sharedBytesMax = 4 * 1024 * 1024;

/** Where the file of a row lies, and nothing else of the row: what is spread into another row must not bring more along. */
export const partOf = (row: {
  readonly blobId: string | null;
  readonly blobOffset: number;
  readonly sizeBytes: number;
  readonly sha256: string | null;
}): BlobPart => ({
  blobId: row.blobId!,
  blobOffset: row.blobOffset,
  sizeBytes: row.sizeBytes,
  sha256: row.sha256!,
});

/** A file that has a blob to itself. */
export const wholeOf = (blob: SealedBlob): BlobPart => partOf({ ...blob, blobOffset: 0 });

/**
 * Cuts a list into runs of neighbours that fit into `sizeBytesMax` together; one that is larger stands alone.
 * Shape: every item once, in order.
 */
export function groupBySize<Item>(
  items: readonly Item[],
  sizeOf: (item: Item) => number,
  sizeBytesMax = sharedBytesMax,
): Item[][] {
  const groups: Item[][] = [];
  let leftBytes = 0;
  for (const item of items) {
    const sizeBytes = sizeOf(item);
    const last = groups.at(-1);
    if (last === undefined || sizeBytes > leftBytes) {
      groups.push([item]);
      leftBytes = sizeBytesMax - sizeBytes;
    } else {
      last.push(item);
      leftBytes -= sizeBytes;
    }
  }
  return groups;
}

/** Stores files in one blob, durably. Shape: one part each, in order; nothing is stored of no files. */
export async function putTogether(blobs: Pick<BlobStore, 'put'>, files: readonly Uint8Array[]): Promise<BlobPart[]> {
  if (files.length === 0) return [];
  if (files.length === 1) return [wholeOf(await blobs.put(files[0]!))];
  const { blobId } = await blobs.put(Buffer.concat(files));
  let blobOffset = 0;
  return files.map((file) => {
    const part = { blobId, blobOffset, sizeBytes: file.length, sha256: hash('sha256', file) };
    blobOffset += file.length;
    return part;
  });
}

/** The blobs that the parts lie in, each once. */
export const blobsOf = (parts: readonly BlobPart[]): string[] => [...new Set(parts.map((part) => part.blobId))];

/** Opens a file by its part: offsets are the file's own, and nothing outside it can be read. Throws as `open` does. */
export async function openPart(blobs: Pick<BlobStore, 'open'>, part: BlobPart): Promise<BlobReader> {
  const reader = await blobs.open(part.blobId);
  const { blobId, blobOffset, sizeBytes, sha256 } = part;
  if (blobOffset === 0 && sizeBytes === reader.sizeBytes) return reader;
  if (blobOffset + sizeBytes > reader.sizeBytes) {
    await reader.close();
    throw new BlobFault(blobId, 'damaged', 'it is shorter than what it is to hold');
  }
  const inside = (offsetBytes: number): number => blobOffset + Math.min(Math.max(offsetBytes, 0), sizeBytes);
  return {
    ...reader,
    sizeBytes,
    sha256,
    read: (offsetBytes, lengthBytes, into) =>
      reader.read(inside(offsetBytes), inside(offsetBytes + lengthBytes) - inside(offsetBytes), into),
    stream: ({ start = 0, end = sizeBytes } = {}) => reader.stream({ start: inside(start), end: inside(end) }),
  };
}
