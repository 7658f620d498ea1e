// Carries content to a worker and its output back over a message port, each side asking for the next piece,
// so that a stream of any size keeps only a few pieces in memory.
import type { MessagePort } from 'node:worker_threads';

type ToWorker = { readonly content: Uint8Array | undefined } | { readonly pull: true };
type FromWorker = { readonly more: true } | { readonly part: Uint8Array | undefined };

/** Units: bytes that cross at once. */
const pieceBytes = 1 << 19;

/** In the worker: the content, asked for piece by piece. Throws when the other side gives up. */
export async function* contentOf(port: MessagePort): AsyncGenerator<Uint8Array> {
  for (;;) {
    const content = await ask(port);
    if (content === undefined) return;
    yield content;
  }
}

function ask(port: MessagePort): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      port.off('message', onMessage);
      port.off('close', onClose);
    };
    const onMessage = (message: ToWorker): void => {
      if (!('content' in message)) return;
      finish();
      resolve(message.content);
    };
    const onClose = (): void => {
      finish();
      reject(new Error('The stream was given up'));
    };
    port.on('message', onMessage);
    port.on('close', onClose);
    port.postMessage({ more: true } satisfies FromWorker);
  });
}

/** In the worker: gives one part for every pull, and resolves when the last was given. */
export function give(stream: AsyncIterable<Uint8Array>, port: MessagePort): Promise<void> {
  const parts = repack(stream);
  return new Promise((resolve, reject) => {
    const giveNext = async (): Promise<void> => {
      const next = await parts.next();
      port.postMessage({ part: next.value ?? undefined } satisfies FromWorker, transferable(next.value));
      if (next.done) resolve();
    };
    port.on('message', (message: ToWorker) => {
      if ('pull' in message) giveNext().catch(reject);
    });
    port.on('close', () => reject(new Error('The stream was given up')));
  });
}

/** In the server: answers the worker's questions from `source`. The promise only ever rejects, with the source's fault. */
export function feed(source: AsyncIterable<Uint8Array>, port: MessagePort): Promise<never> {
  const pieces = repack(source);
  return new Promise((_, reject) => {
    const feedNext = async (): Promise<void> => {
      const next = await pieces.next();
      port.postMessage({ content: next.value ?? undefined } satisfies ToWorker, transferable(next.value));
    };
    port.on('message', (message: FromWorker) => {
      if ('more' in message) feedNext().catch(reject);
    });
    port.on('close', () => void pieces.return(undefined).catch(reject));
  });
}

/** In the server: the worker's next part; undefined after the last. */
export function pull(port: MessagePort): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const onMessage = (message: FromWorker): void => {
      if (!('part' in message)) return;
      port.off('message', onMessage);
      resolve(message.part);
    };
    port.on('message', onMessage);
    port.postMessage({ pull: true } satisfies ToWorker);
  });
}

/** Pieces of one size, each in memory of its own, so that they can be handed over instead of copied. */
async function* repack(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, undefined> {
  let piece = new Uint8Array(pieceBytes);
  let filled = 0;
  for await (const given of source) {
    for (let at = 0; at < given.length; ) {
      const part = given.subarray(at, at + pieceBytes - filled);
      piece.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < pieceBytes) continue;
      yield piece;
      piece = new Uint8Array(pieceBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.slice(0, filled);
  return undefined;
}

const transferable = (piece: Uint8Array | undefined): ArrayBuffer[] => (piece ? [piece.buffer as ArrayBuffer] : []);
