// The delivered form of a statement: encrypted to the client's certificate and signed inside, or plain with a detached
// signature. Made beside the repository and judged before anything of it is published.
import {
  createMessageReader,
  describeMessage,
  type MessageOutline,
  type RecipientKey,
} from '@broadgate/openpgp-writer';
import type { BlobStore, SealedBlob } from '../../kernel/blobs.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { EncryptionPool } from './encryption-pool.ts';

export interface Certificate {
  readonly certificateId: string;
  readonly fingerprint: string;
  readonly subkeyId: string;
  readonly recipient: RecipientKey;
}

export interface SealedForm {
  readonly file: SealedBlob;
  /** Ending that is added to the name: '.pgp', or nothing. */
  readonly suffix: '' | '.pgp';
  /** The detached signature of a plain file. */
  readonly signature: SealedBlob | undefined;
  /** Empty for a plain file; the newest first, while two overlap. */
  readonly certificates: readonly Certificate[];
}

/** A file up to this size is encrypted in one piece; a larger one flows through in constant memory. Units: bytes. */
const wholeBytesMax = 4 * 1024 * 1024;

export function createSealing(parts: {
  blobs: BlobStore;
  clock: Clock;
  pool: Pick<EncryptionPool, 'encrypt' | 'encryptStream' | 'sign' | 'signStream'>;
}) {
  const { blobs, clock, pool } = parts;

  async function readAll(blobId: string): Promise<Buffer> {
    const reader = await blobs.open(blobId);
    try {
      return await reader.read(0, reader.sizeBytes);
    } finally {
      await reader.close();
    }
  }

  async function* readStream(blobId: string): AsyncGenerator<Buffer> {
    const reader = await blobs.open(blobId);
    try {
      yield* reader.stream();
    } finally {
      await reader.close();
    }
  }

  async function encrypt(
    plain: SealedBlob,
    fileName: string,
    certificates: readonly Certificate[],
  ): Promise<SealedBlob> {
    const nowMs = clock.nowMs();
    const recipients = certificates.map((certificate) => certificate.recipient);
    const job = { recipients, fileName, modifiedAtMs: nowMs, signedAtMs: nowMs };
    if (plain.sizeBytes <= wholeBytesMax) {
      const message = await pool.encrypt({ ...job, data: await readAll(plain.blobId) });
      checkMessage(describeMessage(message), message.length, recipients);
      return blobs.put(message);
    }
    const reader = createMessageReader();
    let sizeBytes = 0;
    const source = pool.encryptStream({ ...job, source: readStream(plain.blobId), sizeBytes: plain.sizeBytes });
    async function* read(): AsyncGenerator<Uint8Array> {
      for await (const piece of source) {
        reader.push(piece);
        sizeBytes += piece.length;
        yield piece;
      }
    }
    const sealed = await blobs.put(read());
    try {
      checkMessage(reader.end(), sizeBytes, recipients);
      if (sealed.sizeBytes !== sizeBytes) throw new Error('the stored message is not as long as what was written');
    } catch (fault) {
      await blobs.remove(sealed.blobId);
      throw fault;
    }
    return sealed;
  }

  async function sign(plain: SealedBlob): Promise<SealedBlob> {
    const signedAtMs = clock.nowMs();
    const signature =
      plain.sizeBytes <= wholeBytesMax
        ? await pool.sign({ data: await readAll(plain.blobId), signedAtMs })
        : await pool.signStream({ source: readStream(plain.blobId), signedAtMs });
    return blobs.put(signature);
  }

  return {
    /** Encrypts to the certificates, or with none keeps the plaintext and signs it. Whoever asked removes what it does not use. */
    async seal(plain: SealedBlob, fileName: string, certificates: readonly Certificate[]): Promise<SealedForm> {
      if (certificates.length === 0) {
        return { file: plain, suffix: '', signature: await sign(plain), certificates };
      }
      return { file: await encrypt(plain, fileName, certificates), suffix: '.pgp', signature: undefined, certificates };
    },
  };
}

export type Sealing = ReturnType<typeof createSealing>;

/** Reads what was written as a stranger would, before anyone may fetch it: whole, and for these recipients and no others. */
function checkMessage(found: MessageOutline, sizeBytes: number, recipients: readonly RecipientKey[]): void {
  const asked = recipients.map((recipient) => recipient.keyId).sort();
  const isAsked = [...found.recipientKeyIds].sort().join() === asked.join();
  if (!isAsked || found.sizeBytes !== sizeBytes) throw new Error('the encrypted message is not what was asked for');
}
