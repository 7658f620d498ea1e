// The delivered form of a statement: encrypted to the client's certificate and signed inside, or plain with a detached
// signature. Made beside the repository and judged before anything of it is published.
import {
  createMessageReader,
  describeMessage,
  type MessageOutline,
  type RecipientKey,
} from '@broadgate/openpgp-writer';
import { groupBySize, openPart, putTogether, wholeOf } from '../../kernel/blob-parts.ts';
import type { BlobPart, BlobReader, BlobStore } from '../../kernel/blobs.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { EncryptionPool } from './encryption-pool.ts';

export interface Certificate {
  readonly certificateId: string;
  readonly fingerprint: string;
  readonly subkeyId: string;
  readonly recipient: RecipientKey;
}

/** What is sealed: to these certificates, or in clear and signed when there are none. */
export interface ToSeal {
  readonly plain: BlobPart;
  readonly fileName: string;
  readonly certificates: readonly Certificate[];
}

export interface SealedForm {
  readonly file: BlobPart;
  /** Ending that is added to the name: '.pgp', or nothing. */
  readonly suffix: '' | '.pgp';
  /** The detached signature of a plain file. */
  readonly signature: BlobPart | undefined;
  /** Empty for a plain file; the newest first, while two overlap. */
  readonly certificates: readonly Certificate[];
}

/** A file up to this size is encrypted in one piece; a larger one flows through in constant memory. Units: bytes. */
const wholeBytesMax = 1024 * 1024;

export function createSealing(parts: {
  blobs: BlobStore;
  clock: Clock;
  pool: Pick<EncryptionPool, 'encrypt' | 'encryptStream' | 'sign' | 'signStream'>;
}) {
  const { blobs, clock, pool } = parts;

  async function* readStream(plain: BlobPart): AsyncGenerator<Buffer> {
    await using reader = await openPart(blobs, plain);
    yield* reader.stream();
  }

  const jobOf = ({ fileName, certificates }: ToSeal) => {
    const nowMs = clock.nowMs();
    const recipients = certificates.map((certificate) => certificate.recipient);
    return { recipients, fileName, modifiedAtMs: nowMs, signedAtMs: nowMs };
  };

  /** What is added to the plain file, in memory: the message, or the signature. */
  async function makeSmall(item: ToSeal, open: Pick<BlobStore, 'open'>): Promise<Buffer> {
    const data = await (await openPart(open, item.plain)).read(0, item.plain.sizeBytes);
    if (item.certificates.length === 0) return await pool.sign({ data, signedAtMs: clock.nowMs() });
    const job = jobOf(item);
    const message = await pool.encrypt({ ...job, data });
    checkMessage(describeMessage(message), message.length, job.recipients);
    return message;
  }

  /** The same for a file of any size, stored as it is made. */
  async function makeLarge(item: ToSeal): Promise<BlobPart> {
    if (item.certificates.length === 0) {
      const signature = await pool.signStream({ source: readStream(item.plain), signedAtMs: clock.nowMs() });
      return wholeOf(await blobs.put(signature));
    }
    const job = jobOf(item);
    const messageReader = createMessageReader();
    let sizeBytes = 0;
    const source = pool.encryptStream({ ...job, source: readStream(item.plain), sizeBytes: item.plain.sizeBytes });
    async function* read(): AsyncGenerator<Uint8Array> {
      for await (const piece of source) {
        messageReader.push(piece);
        sizeBytes += piece.length;
        yield piece;
      }
    }
    const sealed = await blobs.put(read());
    try {
      checkMessage(messageReader.end(), sizeBytes, job.recipients);
      if (sealed.sizeBytes !== sizeBytes) throw new Error('the stored message is not as long as what was written');
    } catch (fault) {
      await blobs.remove(sealed.blobId);
      throw fault;
    }
    return wholeOf(sealed);
  }

  /** Seals what is small enough to be held in memory together, and stores it with one write. */
  async function sealGroup(items: readonly ToSeal[]): Promise<PromiseSettledResult<SealedForm>[]> {
    const [first] = items;
    if (first!.plain.sizeBytes > wholeBytesMax) {
      const made = await Promise.allSettled([makeLarge(first!)]);
      return made.map((one) => (one.status === 'rejected' ? one : fulfilled(formOf(first!, one.value))));
    }
    await using readers = openOnce(blobs);
    const made = await Promise.allSettled(items.map((item) => makeSmall(item, readers)));
    const messages = made.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    const [stored] = await Promise.allSettled([putTogether(blobs, messages)]);
    if (stored!.status === 'rejected') return made.map((one) => (one.status === 'rejected' ? one : stored!));
    const next = stored!.value.values();
    return made.map((one, index) =>
      one.status === 'rejected' ? one : fulfilled(formOf(items[index]!, next.next().value!)),
    );
  }

  return {
    /**
     * Makes the delivered forms of many statements. Whoever asked removes what it does not use.
     * Shape: one result each, in order; what cannot be sealed leaves the others alone.
     */
    async sealAll(items: readonly ToSeal[]): Promise<PromiseSettledResult<SealedForm>[]> {
      const results: PromiseSettledResult<SealedForm>[] = [];
      // A large file fills a group by itself, so that the groups bound what is held in memory.
      for (const group of groupBySize(items, sizeInGroup)) results.push(...(await sealGroup(group)));
      return results;
    },
  };
}

/** Opens each blob once, however many files share it, and closes them all together. */
function openOnce(blobs: BlobStore): Pick<BlobStore, 'open'> & AsyncDisposable {
  const opened = new Map<string, Promise<BlobReader>>();
  return {
    open(blobId) {
      const reader = opened.get(blobId) ?? blobs.open(blobId);
      opened.set(blobId, reader);
      return reader;
    },
    async [Symbol.asyncDispose]() {
      const readers = await Promise.allSettled(opened.values());
      for (const one of readers) if (one.status === 'fulfilled') await one.value.close();
    },
  };
}

export type Sealing = ReturnType<typeof createSealing>;

const sizeInGroup = ({ plain }: ToSeal): number => (plain.sizeBytes > wholeBytesMax ? Infinity : plain.sizeBytes);

const fulfilled = <Value>(value: Value) => ({ status: 'fulfilled', value }) as const;

const formOf = ({ plain, certificates }: ToSeal, made: BlobPart): SealedForm =>
  certificates.length === 0
    ? { file: plain, suffix: '', signature: made, certificates }
    : { file: made, suffix: '.pgp', signature: undefined, certificates };

/** Reads what was written as a stranger would, before anyone may fetch it: whole, and for these recipients and no others. */
function checkMessage(found: MessageOutline, sizeBytes: number, recipients: readonly RecipientKey[]): void {
  const asked = recipients.map((recipient) => recipient.keyId).sort();
  const isAsked = [...found.recipientKeyIds].sort().join() === asked.join();
  if (!isAsked || found.sizeBytes !== sizeBytes) throw new Error('the encrypted message is not what was asked for');
}
