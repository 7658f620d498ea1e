// Buffers that joined WRITEs are copied into and that files are read into, used again and again: fresh memory for each costs
// more than a copy.

/** Units: bytes of one write of a mount, at most; also what a copy moves at a time. */
export const batchBytesMax = 1024 * 1024;

export type BatchBuffers = ReturnType<typeof createBatchBuffers>;

/** `keptMax`: how many are kept for the whole listener; beyond it they are made and forgotten. */
export function createBatchBuffers(keptMax = 16) {
  const kept: Buffer[] = [];
  /** Shape: `batchBytesMax` bytes, with whatever is in them. */
  const take = (): Buffer => kept.pop() ?? Buffer.allocUnsafeSlow(batchBytesMax);
  const give = (buffer: Buffer): void => {
    if (kept.length < keptMax) kept.push(buffer);
  };
  return {
    take,
    /** Nobody reads what was in it any more. */
    give,
    /** Runs `use` on the views as one buffer. NOTE: the buffer is filled anew once `use` has resolved. */
    async join(views: readonly Buffer[], sizeBytes: number, use: (bytes: Buffer) => Promise<void>): Promise<void> {
      if (views.length === 1) return use(views[0]!);
      const buffer = take();
      try {
        let at = 0;
        for (const view of views) {
          buffer.set(view, at);
          at += view.length;
        }
        await use(buffer.subarray(0, sizeBytes));
      } finally {
        give(buffer);
      }
    },
  };
}
