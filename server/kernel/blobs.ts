// What a store of large, encrypted, immutable byte strings offers. Files and object stores stand behind it alike.

/**
 * Keeps blobs by id. A blob is staged while it is written and may be resumed after a crash; sealing makes it durable and
 * immutable. Every byte that a read returns was verified. Throws an Outage when the medium is full or failing and a
 * BlobFault when a blob is missing or was tampered with.
 */
export interface BlobStore {
  /** Starts a staged blob. */
  stage(): Promise<StagedBlob>;
  /** Reopens a staged blob that was neither sealed nor discarded, with what survived of it; undefined when there is none. */
  reopen(blobId: string): Promise<StagedBlob | undefined>;
  /** Opens a sealed blob for random access. */
  open(blobId: string): Promise<BlobReader>;
  /** Stages, writes and seals in one call. A blob that comes from another store keeps its id. */
  put(bytes: Uint8Array | AsyncIterable<Uint8Array>, options?: { blobId?: string }): Promise<SealedBlob>;
  /** Removes a blob, staged or sealed; one that is gone already is no fault. */
  remove(blobId: string): Promise<void>;
  /** Every blob there is, in no order. */
  list(): AsyncIterable<BlobListing>;
  /** Room left on the medium. Infinity where it has no bound. */
  freeBytes(): Promise<number>;
  close(): Promise<void>;
}

export interface BlobListing {
  readonly blobId: string;
  readonly staged: boolean;
  readonly modifiedAtMs: number;
  readonly sizeOnDiskBytes: number;
}

/**
 * A blob in the making. Calls may overlap; each takes effect whole, in the order in which they were made.
 * NOTE: one that is neither sealed, discarded nor closed keeps a file open: use `await using`, which closes it.
 */
export interface StagedBlob extends AsyncDisposable {
  readonly blobId: string;
  readonly sizeBytes: number;
  /** Writes at any offset, over what stands there too; a gap beyond the end is filled with zeros, so bound the offset. */
  writeAt(offsetBytes: number, bytes: Uint8Array): Promise<void>;
  /** Shape: fewer bytes than asked for at the end, none beyond it. */
  readAt(offsetBytes: number, lengthBytes: number): Promise<Buffer>;
  /** Cuts off the end, or fills up with zeros. */
  truncate(sizeBytes: number): Promise<void>;
  /** Resolves when everything written so far survives a loss of power. */
  sync(): Promise<void>;
  /**
   * The same for as much as is settled, beside further calls instead of between them; one at a time.
   * Shape: how many bytes from the start survive a loss of power from now on. Units: bytes.
   */
  checkpoint(): Promise<number>;
  /** Makes it immutable and durable; the handle is closed. */
  seal(): Promise<SealedBlob>;
  /** Removes it; the handle is closed. */
  discard(): Promise<void>;
  /** Writes out what is buffered and lets go; the blob can be reopened. */
  close(): Promise<void>;
}

export interface SealedBlob {
  readonly blobId: string;
  readonly sizeBytes: number;
  /** Of the whole plaintext, lower-case hex. */
  readonly sha256: string;
}

/** Where a file's bytes are, as its row names them: a whole blob, or the part of one that small files share. */
export interface BlobPart extends SealedBlob {
  /** Where the file begins in the blob; `sizeBytes` and `sha256` are the file's own. Units: bytes. */
  readonly blobOffset: number;
}

export interface BlobReader extends SealedBlob, AsyncDisposable {
  /** Shape: fewer bytes than asked for at the end, none beyond it; in `into`, which must be large enough, where that is given. */
  read(offsetBytes: number, lengthBytes: number, into?: Buffer): Promise<Buffer>;
  /** The bytes from `start` up to but not including `end`, in pieces of at most 64 KiB. */
  stream(range?: { start?: number; end?: number }): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

/** A blob is not what its record says: gone, cut, altered, or another one in its place. Never answered as an empty file. */
export class BlobFault extends Error {
  override readonly name = 'BlobFault';
  readonly blobId: string;
  readonly sort: 'missing' | 'damaged';

  constructor(blobId: string, sort: 'missing' | 'damaged', reason: string, cause?: unknown) {
    super(`blob ${blobId} is ${sort}: ${reason}`, { cause });
    this.blobId = blobId;
    this.sort = sort;
  }
}

/** Where the keys come from that blobs are encrypted under: the vault, or a test's own. */
export interface DataKeys {
  /** The key for new blobs. */
  current(): Promise<DataKey>;
  /** The key of that id; undefined when there is none. */
  find(dataKeyId: string): Promise<DataKey | undefined>;
}

export interface DataKey {
  /** UUID. */
  readonly dataKeyId: string;
  /** 32 bytes. */
  readonly key: Buffer;
}
