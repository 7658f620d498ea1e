// Collects young garbage by the bytes that passed, before V8 collects everything because of them.
//
// Buffers lie outside V8's heap but count towards its limit, and V8 answers with a collection of the whole heap, for every
// ten megabytes of a transfer. Nearly all of these buffers are dead at once: a collection of the young alone frees them
// for a twentieth of the time.
import v8 from 'node:v8';
import vm from 'node:vm';

const stepBytes = 16 * 1024 * 1024;

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;

let passedBytes = 0;

/** Counts bytes that were received or sent in buffers of their own; now and then it collects what became of them. */
export function notePassed(sizeBytes: number): void {
  passedBytes += sizeBytes;
  if (passedBytes < stepBytes) return;
  passedBytes = 0;
  collect({ type: 'minor' });
}
