// What the SFTP face asks of whoever stands behind it: a gate that decides who comes in, and a mount that is the tree.
// The face implements neither and knows no domain; a domain implements both and never sees a packet or a socket.
//
// Either may throw: a Refusal is answered with its own status and text, an Outage as unavailable, anything else as
// "internal" with an incident id (answer.ts). Paths are canonical when they arrive here (paths.ts): '/' or '/a/b',
// NFC, without '.', '..', empty names, control or direction characters. A mount never sees any other spelling.

/** Decides who comes in. `Ticket` is the gate's own note of an accepted sign-in; the face only keeps and returns it. */
export interface SftpGate<Ticket = unknown> {
  /**
   * Asked once a connection, before a byte is sent. 'silence': the peer never gets one, and is held until it leaves.
   * The gate records the refusal. When it throws, the face is silent too: a fault never opens the door.
   */
  admit(address: string): Promise<'banner' | 'silence'>;
  /** True for an address with a sign-in in the last hour: it is exempt from random early drop. Answers at once. */
  isKnown(address: string): boolean;
  /**
   * Judges one authentication request. It is asked for the query step (`signed` false) and again for the signed step,
   * then only after the signature was verified, and also for methods that are never accepted, so that it can record
   * them. It does the same work for a user that does not exist as for one that does: the face waits for both alike.
   */
  authenticate(attempt: SignInAttempt): Promise<SignInVerdict<Ticket>>;
  /** Whom a ticket stands for, in one word: what all connections of one owner hold is counted together. */
  ownerOf(ticket: Ticket): string;
  /** Tells that the peer is signed in; called once a connection, before any `open`. */
  signedIn(ticket: Ticket, connection: ConnectionFacts): void;
  /**
   * Opens the tree for one channel of a signed-in connection. Refuses when the ticket no longer holds: a key may have
   * been replaced between `authenticate` and this call.
   */
  open(ticket: Ticket, connection: ConnectionFacts): Promise<SftpMount>;
  /** Tells why a connection came to nothing before it was signed in, beside what `authenticate` already saw. */
  failed(failure: ConnectionFailure): void;
  /** Tells the transcript of every connection that was given the banner, once, after everything of it is closed. */
  ended(summary: ConnectionSummary<Ticket>): void;
}

export interface SignInAttempt {
  readonly connectionId: string;
  /** The peer's address, canonical: an IPv4-mapped IPv6 address is given as IPv4. */
  readonly address: string;
  readonly user: string;
  /** As named on the wire: 'publickey', 'password', 'none', … Only 'publickey' can be accepted. */
  readonly method: string;
  /** Present for 'publickey' whose key could be read. Shape: blob is the RFC 4253 §6.6 form, fingerprint `SHA256:…`. */
  readonly key?: { readonly algorithm: string; readonly blob: Buffer; readonly fingerprint: string };
  readonly signed: boolean;
  /** Why this try can only fail, whatever the verdict; it is still asked, so that it is recorded and may be held. */
  readonly fault?:
    | 'method_not_offered'
    | 'user_malformed'
    | 'algorithm_not_offered'
    | 'key_malformed'
    | 'key_too_small'
    | 'signature_wrong';
}

/** 'hold': no further byte is sent and the connection is kept until the peer leaves, at most ten minutes. */
export type SignInVerdict<Ticket> =
  | { readonly verdict: 'accept'; readonly ticket: Ticket }
  | { readonly verdict: 'reject' }
  | { readonly verdict: 'hold' };

/** What is known of a connection while it lives. */
export interface ConnectionFacts {
  readonly connectionId: string;
  readonly address: string;
  readonly user: string | undefined;
  /** Units: ms since the epoch. */
  readonly startedAtMs: number;
  /** The peer's identification line, e.g. `SSH-2.0-OpenSSH_9.2p1`; control characters are replaced. */
  readonly clientSoftware: string | undefined;
  /** The negotiated names, absent before the first key exchange ended. */
  readonly algorithms: NegotiatedNames | undefined;
}

export interface NegotiatedNames {
  readonly kex: string;
  readonly hostKey: string;
  /** 'In' is from the client to us. A cipher that authenticates by itself has the MAC name 'implicit'. */
  readonly cipherIn: string;
  readonly cipherOut: string;
  readonly macIn: string;
  readonly macOut: string;
}

/** Why a connection ended before sign-in, as far as the gate cannot know it from `authenticate`. */
export interface ConnectionFailure {
  readonly connectionId: string;
  readonly address: string;
  readonly user: string | undefined;
  readonly clientSoftware: string | undefined;
  readonly reason:
    | 'no_common_algorithm'
    | 'sign_in_time_over'
    | 'too_many_tries'
    | 'protocol_error'
    | 'dropped_early'
    | 'too_many_connections'
    | 'peer_left';
  /** English, for operators: the list of names that found no match, the fault of the protocol, … */
  readonly detail: string;
}

/** The transcript of one connection. Units: bytes are of the TCP stream, `…AtMs` ms since the epoch. */
export interface ConnectionSummary<Ticket = unknown> extends ConnectionFacts {
  /** Absent when nobody signed in. */
  readonly ticket: Ticket | undefined;
  readonly endedAtMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Payload of files alone. */
  readonly fileBytesRead: number;
  readonly fileBytesWritten: number;
  /** Finished ones; the first is the sign-in's, each further one renewed the keys. */
  readonly keyExchanges: number;
  readonly endReason: ConnectionEnd;
}

export type ConnectionEnd =
  | 'peer_left'
  | 'peer_disconnected'
  | 'sign_in_failed'
  | 'protocol_error'
  | 'idle'
  | 'ended_by_us'
  | 'stopping'
  | 'held_and_left'
  | 'internal';

/**
 * The tree of one client, opened for one channel. Every operation decides permission by itself, refuses with a text
 * that says what to do, and does the whole of what it was asked or nothing.
 *
 * Several operations may run at once; those on one handle never do.
 */
export interface SftpMount {
  /**
   * Refuses: not_found. The caller's own upload that was cut off and is kept for resume is found by its exact path
   * (that is how clients learn where to go on), although no list shows it.
   */
  stat(path: string): Promise<Attributes>;
  /**
   * Lists a folder in pages of at most a few hundred entries, in constant memory however many there are. Without '.'
   * and '..'. Refuses at the first page: not_found, or invalid for a file. A list that is closed early is `return`ed.
   */
  list(path: string): AsyncIterable<readonly Entry[]>;
  /** Refuses: not_found, invalid for a folder. */
  openRead(path: string): Promise<ReadHandle>;
  /** Opens a staged upload. Refuses: forbidden for what the caller may not alter, not_found, conflict, too_large. */
  openWrite(path: string, how: WriteMode): Promise<WriteHandle>;
  /** Deletes a file (or a kept upload). Refuses: not_found, forbidden, invalid for a folder. */
  remove(path: string): Promise<void>;
  /** Moves a file or folder in one step. Refuses: not_found, forbidden, and conflict where the target is taken. */
  rename(from: string, to: string, how: { readonly replace: boolean }): Promise<void>;
  /** Refuses: not_found for the parent, conflict where the name is taken, forbidden, too_many. */
  mkdir(path: string): Promise<void>;
  /** Refuses: not_found, conflict for a folder that is not empty, forbidden, invalid for a file. */
  rmdir(path: string): Promise<void>;
  /**
   * Changes what is given. An empty change asks only whether the caller may change it: the face has dropped
   * permission bits, which a virtual tree derives by itself.
   */
  setAttributes(path: string, change: AttributeChange): Promise<void>;
  /** The caller's quota, as `df` shows it. */
  space(): Promise<Space>;
  /** Called once, after every handle of the channel is closed or aborted; when it resolves, all that was done is durable. */
  close(): Promise<void>;
}

export interface Attributes {
  readonly kind: 'file' | 'folder';
  /** Units: bytes; 0 for folders. Safe integer. */
  readonly sizeBytes: number;
  /** Units: ms since the epoch; SFTP shows whole seconds. */
  readonly modifiedAtMs: number;
  /** Whether the caller may alter it, or put things into the folder; shown as permission bits and owner. */
  readonly isWritable: boolean;
}

export interface Entry {
  /** One NFC name, never a path. */
  readonly name: string;
  readonly attributes: Attributes;
}

export interface AttributeChange {
  /** Truncates, or extends with zero bytes. */
  readonly sizeBytes?: number;
  readonly modifiedAtMs?: number;
}

export interface WriteMode {
  /** Makes the file when it is not there; without it a missing file is not_found. */
  readonly create: boolean;
  /** With `create`: refuses with conflict when the file, or a kept upload of that name, is there. */
  readonly exclusive: boolean;
  /**
   * Starts from nothing and drops a kept upload of that name. Without it the handle starts with the bytes of the kept
   * upload, else with those of the file, so that the client goes on where it was cut off.
   */
  readonly truncate: boolean;
  /** Every write goes to the end; the face gives the offset accordingly, the mount may refuse the mode. */
  readonly append: boolean;
}

export interface Space {
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly totalFiles: number;
  readonly freeFiles: number;
}

/** An open file. What it reads never changes while it is open, whatever is published or removed meanwhile. */
export interface ReadHandle {
  readonly attributes: Attributes;
  /** SHA-256 of the whole file, kept since it was published. Shape: 64 hexadecimal digits. */
  readonly sha256: string | undefined;
  /**
   * Fewer bytes than asked only at the end of the file, none beyond it. The face reads ahead: what was read is not
   * what was sent. Where `into` is given and large enough the bytes are put there, and the answer is a view of it.
   */
  read(offsetBytes: number, lengthBytes: number, into?: Buffer): Promise<Buffer>;
  /** Told what of the file went out to the peer, for receipts, which are durable when the mount is closed. */
  close(fetched: Fetched): Promise<void>;
}

export interface Fetched {
  /** Bytes of the file that were sent, in order, joined where they touch; at most 64 ranges, then the nearest join. */
  readonly ranges: readonly { readonly startBytes: number; readonly endBytes: number }[];
  /** 'closed' by the client after its last answer; 'cut' when the connection went first, so the last bytes may be lost. */
  readonly end: 'closed' | 'cut';
}

/** A staged upload: nothing of it is visible before `close`. Exactly one of `close`, `abort` and `discard` is called. */
export interface WriteHandle {
  /** Size and time as of now, staged bytes included. */
  attributes(): Promise<Attributes>;
  /**
   * Writes anywhere; a gap before the offset reads as zeros. The bytes belong to the caller again when it resolves.
   * Refuses: too_large beyond the quota; then nothing of this call is kept and the handle stays usable.
   */
  write(offsetBytes: number, bytes: Buffer): Promise<void>;
  /** Reads back what is staged; for handles opened for both. */
  read(offsetBytes: number, lengthBytes: number): Promise<Buffer>;
  truncate(sizeBytes: number): Promise<void>;
  /** Time to publish with; without it the moment of publishing. */
  setModifiedAt(atMs: number): void;
  /** Makes the staged bytes durable, still unpublished (fsync@openssh.com). */
  sync(): Promise<void>;
  /** Publishes: the file appears whole, in one step. When it refuses, the upload is dropped. */
  close(): Promise<void>;
  /** The connection was lost: nothing is published, the staged bytes are kept for resume. */
  abort(): Promise<void>;
  /** A part of it was refused, so that it cannot become whole: nothing is published and nothing kept. */
  discard(): Promise<void>;
}
