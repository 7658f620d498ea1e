// Reading a stored file: verified ranges from its blob, and a receipt of what went out.
import type { Actor } from '../../kernel/actor.ts';
import { openPart } from '../../kernel/blob-parts.ts';
import type { BlobPart, BlobReader, BlobStore } from '../../kernel/blobs.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { ByteRange, ReceiptForm, Receipts } from '../proof/receipts.ts';

/** What is read, as the receipt will name it. */
export interface Readable {
  readonly path: string;
  readonly origin: 'broker' | 'client';
  readonly sizeBytes: number;
  readonly sha256: string | undefined;
  readonly modifiedAtMs: number;
  readonly statementId: string | undefined;
}

/** What the receipt says beside the actor. */
export interface Via {
  readonly keyFingerprint?: string | undefined;
  readonly form?: ReceiptForm;
}

/** Nothing is open before `begin` or the first read; what was begun must be closed. */
export interface FileReader {
  readonly file: Readable;
  /** Holds the bytes, so that they stay the same whatever is published or removed meanwhile. */
  begin(): Promise<void>;
  /** Fewer bytes than asked only at the end; in `into` where that is given. Units: bytes. */
  read(offsetBytes: number, lengthBytes: number, into?: Buffer): Promise<Buffer>;
  /** Units: bytes; `end` is exclusive. */
  stream(range: { start: number; end: number }): AsyncIterable<Buffer>;
  /** Told what went out; resolves when the receipt is durable. Closing again does nothing. */
  close(fetched: { readonly ranges: readonly ByteRange[]; readonly end: 'closed' | 'cut' }): Promise<void>;
}

export function createReading(parts: { clock: Clock; blobs: BlobStore; receipts: Receipts }) {
  const { clock, blobs, receipts } = parts;

  return {
    async open(actor: Actor, clientId: string, file: Readable, part: BlobPart, via: Via = {}): Promise<FileReader> {
      const openedAtMs = clock.nowMs();
      let opening: Promise<BlobReader> | undefined;
      let isClosed = false;
      const begin = (): Promise<BlobReader> => (opening ??= openPart(blobs, part));
      return {
        file,
        async begin() {
          await begin();
        },
        read: async (offsetBytes, lengthBytes, into) => (await begin()).read(offsetBytes, lengthBytes, into),
        async *stream(range) {
          yield* (await begin()).stream(range);
        },
        async close(fetched) {
          if (isClosed) return;
          isClosed = true;
          await (await opening)?.close();
          await receipts.record({
            clientId,
            statementId: file.statementId,
            form: via.form ?? formOf(file),
            path: file.path,
            sha256: file.sha256,
            sizeBytes: file.sizeBytes,
            actor,
            keyFingerprint: via.keyFingerprint,
            openedAtMs,
            closedAtMs: clock.nowMs(),
            ranges: fetched.ranges,
            isCut: fetched.end === 'cut',
          });
        },
      };
    },
  };
}

function formOf(file: Readable): ReceiptForm {
  if (file.origin === 'client') return 'upload';
  return file.statementId === undefined ? 'manifest' : 'delivered';
}
