// A file that a client uploads: adjacent WRITEs that wait for their turn become one write of the mount.
import { type BatchBuffers, batchBytesMax } from './batch-buffers.ts';
import { Refusal } from '../../kernel/refusal.ts';
import type { Exchange } from './exchange.ts';
import type { WriteHandle } from './mount.ts';
import type { Work, WorkQueue } from './work-queue.ts';

export type Writing = ReturnType<typeof createWriting>;

interface WritePiece {
  readonly exchange: Exchange;
  readonly offset: number;
  readonly payload: readonly Buffer[];
  readonly payloadBytes: number;
}

interface WriteBatch extends Work {
  readonly pieces: WritePiece[];
  sizeBytes: number;
  /** Where the next piece must begin to be adjacent. */
  end: number;
}

export function createWriting(
  handle: WriteHandle,
  mode: { readonly append: boolean; readonly read: boolean },
  buffers: BatchBuffers,
  countWritten: (sizeBytes: number) => void,
) {
  const batches = new WeakSet<Work>();
  let failure: { readonly thrown: unknown } | undefined;

  async function write(piece: Omit<WritePiece, 'exchange'>): Promise<void> {
    if (piece.payloadBytes === 0) return;
    // Draft §6.3: with APPEND every write goes to the end, whatever its offset says.
    const offset = mode.append ? (await handle.attributes()).sizeBytes : piece.offset;
    await buffers.join(piece.payload, piece.payloadBytes, (bytes) => handle.write(offset, bytes));
    countWritten(piece.payloadBytes);
  }

  async function writeOne(piece: WritePiece): Promise<void> {
    try {
      await write(piece);
      piece.exchange.ok();
    } catch (thrown) {
      failed(thrown);
      piece.exchange.fail(thrown);
    }
  }

  /** From here on the staged bytes are not what the client meant the file to be. */
  function failed(thrown: unknown): void {
    failure ??= { thrown };
  }

  async function writeBatch(batch: WriteBatch): Promise<void> {
    const { pieces } = batch;
    if (pieces.length === 1) return writeOne(pieces[0]!);
    const payload = pieces.flatMap((piece) => piece.payload);
    try {
      await write({ offset: pieces[0]!.offset, payload, payloadBytes: batch.sizeBytes });
    } catch {
      // Nothing of the batch is kept then. Each piece gets the answer that it would have had alone.
      for (const piece of pieces) await writeOne(piece);
      return;
    }
    for (const piece of pieces) piece.exchange.ok();
  }

  /** Kept for resume, unless a part was refused: what can never be whole would only take room that no list shows. */
  const giveUp = (): Promise<void> =>
    failure !== undefined && failure.thrown instanceof Refusal ? handle.discard() : handle.abort();

  return {
    handle,
    canRead: mode.read,
    failed,
    /**
     * The client's CLOSE. Programs close after a WRITE that failed as after any other, and a file with a hole or without its
     * end must not appear: the first failure is answered once more.
     */
    async close(): Promise<void> {
      if (failure === undefined) return handle.close();
      await giveUp();
      throw failure.thrown;
    },
    /** The channel ended first. */
    cut: giveUp,
    /** Queues one WRITE, joined to the one before it where both wait and touch. */
    push(queue: WorkQueue, piece: WritePiece): void {
      const last = queue.last;
      if (last !== undefined && batches.has(last)) {
        const batch = last as WriteBatch;
        const isAdjacent = mode.append || batch.end === piece.offset;
        if (isAdjacent && batch.sizeBytes + piece.payloadBytes <= batchBytesMax) {
          batch.pieces.push(piece);
          batch.sizeBytes += piece.payloadBytes;
          batch.end += piece.payloadBytes;
          return;
        }
      }
      const batch: WriteBatch = {
        pieces: [piece],
        sizeBytes: piece.payloadBytes,
        end: piece.offset + piece.payloadBytes,
        run: () => writeBatch(batch),
      };
      batches.add(batch);
      queue.push(batch);
    },
  };
}
