// The worker thread of the encryption pool: encrypts, signs and inspects; it holds the signing key only where it signs.
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import {
  type Compression,
  encryptMessage,
  encryptStream,
  importSigningKey,
  type RecipientKey,
  signDetached,
  signDetachedStream,
  type SigningKey,
} from '@broadgate/openpgp-writer';
import { Refusal, type RefusalParams } from '../../kernel/refusal.ts';
import { readCertificate } from '../keys/openpgp-certificate.ts';
import { contentOf, give } from './encryption-stream.ts';

export interface MessageFacts {
  readonly recipients: readonly RecipientKey[];
  readonly fileName: string;
  readonly modifiedAtMs: number;
  readonly signedAtMs: number;
  readonly compression?: Compression | undefined;
}

/** Shape: everything in it can be cloned or transferred between threads. */
export type WorkerJob =
  | ({ readonly kind: 'encrypt'; readonly data: Uint8Array } & MessageFacts)
  | ({
      readonly kind: 'encryptStream';
      readonly port: MessagePort;
      readonly sizeBytes?: number | undefined;
    } & MessageFacts)
  | { readonly kind: 'sign'; readonly data: Uint8Array; readonly signedAtMs: number }
  | { readonly kind: 'signStream'; readonly port: MessagePort; readonly signedAtMs: number }
  | { readonly kind: 'inspect'; readonly bytes: Uint8Array; readonly nowMs: number };

/** A refusal crosses as code and params, because an error loses its class on the way. */
export type WorkerAnswer =
  | { readonly jobId: number; readonly started: true }
  | { readonly jobId: number; readonly result: unknown }
  | { readonly jobId: number; readonly fault: unknown }
  | { readonly jobId: number; readonly refused: { readonly code: string; readonly params: RefusalParams } };

// NOTE: absent in the worker that reads strangers' certificates.
const { signingKey } = workerData as { signingKey: Uint8Array | undefined };
const signer: SigningKey | undefined = signingKey && importSigningKey(signingKey);

const answer = (message: WorkerAnswer, transfer: ArrayBuffer[] = []): void =>
  parentPort?.postMessage(message, transfer);

parentPort?.on('message', ({ jobId, job }: { jobId: number; job: WorkerJob }) => {
  // Told at once, so that the pool counts the processor time of this job alone.
  answer({ jobId, started: true });
  void run(job).then(
    (result) => answer({ jobId, result }, result instanceof Uint8Array ? [result.buffer as ArrayBuffer] : []),
    (fault: unknown) =>
      answer(
        fault instanceof Refusal ? { jobId, refused: { code: fault.code, params: fault.params } } : { jobId, fault },
      ),
  );
});

async function run(job: WorkerJob): Promise<unknown> {
  switch (job.kind) {
    case 'encrypt':
      return owned(encryptMessage({ ...job, signer }));
    case 'encryptStream':
      return await give(encryptStream({ ...job, signer, source: contentOf(job.port) }), job.port);
    case 'sign':
      return owned(signDetached({ ...job, signer: getSigner() }));
    case 'signStream':
      return owned(await signDetachedStream({ ...job, signer: getSigner(), source: contentOf(job.port) }));
    default:
      return await readCertificate(job.bytes, job.nowMs);
  }
}

function getSigner(): SigningKey {
  if (!signer) throw new Error('The pool was opened without a signing key');
  return signer;
}

/** Bytes whose memory is shared with nobody, so that it can be handed over instead of copied. */
const owned = (bytes: Buffer): Uint8Array =>
  bytes.buffer.byteLength - bytes.length < 64 ? bytes : new Uint8Array(bytes);
