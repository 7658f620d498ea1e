// Hashes of a file or of ranges of it for check-file, from the stored hash where there is one.
// Source: draft-ietf-secsh-filexfer-extensions-00 §3.
import { createHash } from 'node:crypto';
import { type CheckFileAlgorithm, checkFileAlgorithms, type CheckFileRange } from '@broadgate/sftp';
import { refusals } from './answer.ts';

/** What can be hashed: a file that is read, or an upload that may be read back. */
export interface Hashable {
  readonly sizeBytes: number;
  readonly sha256: string | undefined;
  read(offsetBytes: number, lengthBytes: number): Promise<Buffer>;
}

/** How hashing goes on beside other work, and when it stops. */
export interface Hashing {
  readonly isOver: () => boolean;
  /** Where each piece waits until it may be hashed. */
  readonly inTurn: (work: () => void) => void;
}

const blockBytesMin = 256;
/** All hashes fit one reply: 2,048 × 64 bytes. */
const blocksMax = 2048;
const pieceBytes = 1024 * 1024;

/** Refuses: sftp_hash_not_offered, sftp_hash_blocks_refused. */
export async function hashRange(
  file: Hashable,
  range: CheckFileRange,
  how: Hashing,
): Promise<{ readonly algorithm: CheckFileAlgorithm; readonly hashes: Buffer[] }> {
  // §3: the first of the client's list that we have.
  const algorithm = range.algorithms.find((name) => isOffered(name)) as CheckFileAlgorithm | undefined;
  if (!algorithm) throw refusals.sftp_hash_not_offered({ offered: checkFileAlgorithms.join(', ') });
  const start = Math.min(range.start, file.sizeBytes);
  const end = range.length === 0 ? file.sizeBytes : Math.min(file.sizeBytes, start + range.length);
  const isWhole = start === 0 && end === file.sizeBytes && range.blockBytes === 0;
  if (isWhole && algorithm === 'sha256' && file.sha256 !== undefined) {
    return { algorithm, hashes: [Buffer.from(file.sha256, 'hex')] };
  }
  const blockBytes = range.blockBytes === 0 ? Math.max(1, end - start) : range.blockBytes;
  const blocks = Math.max(1, Math.ceil((end - start) / blockBytes));
  // §3: a block is 256 bytes or more.
  if ((range.blockBytes > 0 && range.blockBytes < blockBytesMin) || blocks > blocksMax) {
    throw refusals.sftp_hash_blocks_refused({ blockBytesMin, blocksMax });
  }
  const hashes: Buffer[] = [];
  for (let block = 0; block < blocks; block++) {
    const from = start + block * blockBytes;
    hashes.push(await hashBlock(file, algorithm, { start: from, end: Math.min(end, from + blockBytes) }, how));
  }
  return { algorithm, hashes };
}

const isOffered = (name: string): boolean => (checkFileAlgorithms as readonly string[]).includes(name);

async function hashBlock(
  file: Hashable,
  algorithm: string,
  block: { readonly start: number; readonly end: number },
  { isOver, inTurn }: Hashing,
): Promise<Buffer> {
  const hash = createHash(algorithm);
  for (let at = block.start; at < block.end; at += pieceBytes) {
    if (isOver()) throw refusals.sftp_stopping();
    const bytes = await file.read(at, Math.min(pieceBytes, block.end - at));
    const done = Promise.withResolvers<void>();
    inTurn(() => {
      hash.update(bytes);
      done.resolve();
    });
    await done.promise;
  }
  return hash.digest();
}
