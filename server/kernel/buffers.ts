// Memory outside V8's heap, given back at once: a transfer passes gigabytes through it, and left to the collector each 64 MB
// of them cost a search of the whole heap.

/**
 * Gives the memory of a buffer back now, where the buffer has it to itself; a view of something larger is left as it is.
 * NOTE: every view of it is empty from then on; the caller knows that nobody reads it any more.
 * Units: `framingBytes` of the memory may lie around the view, e.g. of the packet that it came in. Small buffers share
 * memory of more than twice their size, so a few hundred are no doubt.
 */
export function releaseMemory(bytes: Uint8Array, framingBytes = 0): void {
  const { buffer } = bytes;
  // ECMA-262 §25.1.6.7: what is transferred to nothing is detached.
  if (buffer instanceof ArrayBuffer && buffer.byteLength - bytes.byteLength <= framingBytes) buffer.transfer(0);
}

/** Bytes of a stream in the pieces that they came in: each piece is given back when all up to its end are done with. */
export function createPassingBuffers(framingBytes = 0) {
  const pieces: { readonly bytes: Uint8Array; readonly endBytes: number }[] = [];
  let pushedBytes = 0;
  return {
    push(bytes: Uint8Array): void {
      pushedBytes += bytes.length;
      pieces.push({ bytes, endBytes: pushedBytes });
    },
    /** Nobody reads what came before that place in the stream any more. */
    passed(bytes: number): void {
      while (pieces.length > 0 && pieces[0]!.endBytes <= bytes) releaseMemory(pieces.shift()!.bytes, framingBytes);
    },
  };
}
