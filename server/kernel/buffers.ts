// Memory outside V8's heap, given back at once: a transfer passes gigabytes through it, and left to the collector each 64 MB
// of them cost a search of the whole heap.

/**
 * Gives the memory of a buffer back now, where the buffer has it to itself; a view of something larger is left as it is.
 * NOTE: every view of it is empty from then on; the caller knows that nobody reads it any more.
 */
export function releaseMemory(bytes: Uint8Array): void {
  const { buffer } = bytes;
  // ECMA-262 §25.1.6.7: what is transferred to nothing is detached.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength) buffer.transfer(0);
}
