// The server side of SSH without sockets or clock: bytes in, bytes and events out. This file is the whole public face.
//
// States: identification -> key exchange -> sign-in -> channels, then ended; or held, which is silent for ever.
// Invariants: `receive` never throws and never waits; nothing is sent after 'hold' or after `ended`;
// no channel data travels while keys are exchanged; what a peer can make us keep is bounded by `Limits`.
import { openConnection } from './connection.ts';
import type { HostKey } from './host-keys.ts';
import type { Limits } from './limits.ts';

export { fingerprint, formatHostKey, formatPublicKeyLine, generateHostKey, parseHostKey } from './host-keys.ts';
export { defaultLimits } from './limits.ts';
export { packetFramingBytes } from './channels.ts';
export type { HostKey, Limits };

export interface ServerOptions {
  /** Used for key exchange; at most one Ed25519 and one RSA key, the first of each kind counts. */
  readonly hostKeys: readonly HostKey[];
  /** Announced and proved to signed-in clients (hostkeys-00@openssh.com) but not used yet: the next rotation. */
  readonly nextHostKeys?: readonly HostKey[];
  /** What follows `SSH-2.0-`: printable US-ASCII without blank or minus (RFC 4253 §4.2). */
  readonly software: string;
  /** Shown by clients before the sign-in (RFC 4252 §5.4); lines end in \n. */
  readonly banner?: string;
  /** Unpredictable bytes; drawn in batches, not per packet. NOTE: key pairs come from node:crypto's own source. */
  random(sizeBytes: number): Buffer;
  /** Monotonic. Units: ms. */
  nowMs(): number;
  /** Runs `work` soon, after the code that runs now: output of one turn is then joined. Default: queueMicrotask. */
  defer?(work: () => void): void;
  /**
   * Runs `work` when its turn comes among the costly steps of all connections (a key exchange, a signature made or checked:
   * up to some milliseconds each); the connection reads nothing until then. Default: at once.
   */
  inTurn?(work: () => void): void;
  readonly limits?: Partial<Limits>;
}

/** What the connection calls. A throw in any of these ends the connection as `internal_fault`. */
export interface ServerHandler {
  /**
   * Ciphertext for the socket, in order; the connection never touches the bytes again.
   * Answer false when the socket holds enough (as `socket.write` does): channel data then waits for `drained()`.
   */
  send(bytes: Buffer): boolean;
  /** After every key exchange. */
  negotiated?(negotiated: Negotiated): void;
  /**
   * Decides one sign-in try; called for every try of every method, one at a time, before anything is answered.
   * Only `publickey` can be accepted: 'accept' on the query step says "this key would do", on the signed step it
   * signs the user in (the signature has been verified by then). 'hold': no further byte is ever sent.
   * Where `fault` is set the try cannot succeed and 'accept' counts as 'reject'; it is still asked, for 'hold'.
   */
  authenticate(attempt: AuthAttempt): Promise<Verdict>;
  /** The answer to the client is already under way. */
  signedIn?(user: string): void;
  /**
   * A client asks for a subsystem on a fresh channel. To serve it, set the channel's callbacks and answer true,
   * in the same turn; false is answered as CHANNEL_FAILURE.
   */
  subsystem(channel: Channel, name: string): boolean;
  /** Once, as the last call. Whatever was to be sent has been handed to `send`; flush it, then close the socket. */
  ended(reason: EndReason): void;
}

export type Verdict = 'accept' | 'reject' | 'hold';

export interface AuthAttempt {
  /** At most 255 bytes of valid UTF-8; anything else arrives as '' with fault 'user_malformed'. */
  readonly user: string;
  /** Always 'ssh-connection'; another service is answered by a disconnect before it gets here. */
  readonly service: string;
  /** As the client names it: 'none', 'publickey', 'password', 'keyboard-interactive', … at most 64 characters. */
  readonly method: string;
  /** Present for `publickey`. */
  readonly key?: OfferedKey;
  /** True: the client proved that it holds the private key, for this connection. */
  readonly signed: boolean;
  /** Why this try can only fail, whatever the verdict. */
  readonly fault?: AuthFault;
}

export type AuthFault =
  | 'method_not_offered'
  | 'user_malformed'
  /** For example `ssh-rsa`, that is RSA with SHA-1. */
  | 'algorithm_not_offered'
  | 'key_malformed'
  | 'key_too_small'
  | 'signature_wrong';

export interface OfferedKey {
  /** Signature algorithm: 'rsa-sha2-512' where the blob says 'ssh-rsa'. */
  readonly algorithm: string;
  /** Public key in wire form (RFC 4253 §6.6); at most 16 KiB. */
  readonly blob: Buffer;
  /** `SHA256:…` as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
}

/** What a key exchange agreed on. In: from the client. Out: to the client. */
export interface Negotiated {
  readonly keyExchange: string;
  readonly hostKeyAlgorithm: string;
  readonly cipherIn: string;
  readonly cipherOut: string;
  /** 'implicit' where the cipher authenticates by itself. */
  readonly macIn: string;
  readonly macOut: string;
  /** Strict key exchange (Terrapin, CVE-2023-48795) is in force. */
  readonly isStrict: boolean;
}

export type AlgorithmSlot =
  | 'key_exchange'
  | 'host_key'
  | 'cipher_in'
  | 'cipher_out'
  | 'mac_in'
  | 'mac_out'
  | 'compression';

export type EndReason =
  /** SSH_MSG_DISCONNECT from the peer; code 11 is the ordinary goodbye. Text is the peer's: at most 255 characters. */
  | { readonly kind: 'peer_disconnected'; readonly code: number; readonly text: string }
  /** `lost()` was called: the socket ended or failed. */
  | { readonly kind: 'connection_lost' }
  /** `end()` was called. */
  | { readonly kind: 'stopped' }
  /** The first line is no SSH 2.0 identification. Line is what came: at most 64 printable characters. */
  | { readonly kind: 'not_ssh'; readonly line: string }
  | { readonly kind: 'no_common_algorithm'; readonly slot: AlgorithmSlot; readonly offered: readonly string[] }
  | { readonly kind: 'grace_expired' }
  | { readonly kind: 'too_many_tries'; readonly tries: number }
  /** The peer broke the protocol. Detail names the rule, in English, without the peer's text. */
  | { readonly kind: 'protocol_fault'; readonly detail: string }
  /** More requests or replies than the limits allow. */
  | { readonly kind: 'flood'; readonly detail: string }
  | { readonly kind: 'peer_silent' }
  | { readonly kind: 'idle' }
  /** A handler threw: the caller is wrong, not the peer. */
  | { readonly kind: 'internal_fault'; readonly fault: unknown };

/** Facts for transcripts and receipts; a live view, read it at any time. */
export interface ConnectionSummary {
  /** What follows `SSH-2.0-` in the client's first line; printable, at most 255 characters. */
  readonly peerSoftware: string | undefined;
  /** Of the last finished key exchange. */
  readonly negotiated: Negotiated | undefined;
  readonly keyExchanges: number;
  /** The signed-in user; undefined before. */
  readonly user: string | undefined;
  readonly signatureAlgorithm: string | undefined;
  readonly keyFingerprint: string | undefined;
  readonly tries: number;
  readonly isHeld: boolean;
  /** On the wire, packet framing included. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** What was asked for and declined: 'shell', 'exec', 'pty-req', 'direct-tcpip', subsystem names; at most 16. */
  readonly declined: readonly string[];
  readonly endReason: EndReason | undefined;
}

export interface ServerConnection {
  /** Sends the identification line and our algorithms; call once, when the socket is ready. */
  start(): void;
  /** Bytes from the socket, in any cuts. The connection may keep views of them: never reuse the buffer. */
  receive(bytes: Buffer): void;
  /** Checks every time limit (login grace, new keys, keepalive, idle): call about once a second. */
  tick(): void;
  /** The socket has room again after `send` answered false. */
  drained(): void;
  /** The peer closed or reset the socket, fully or half: nothing more is sent. */
  lost(): void;
  /** Says goodbye (SSH_MSG_DISCONNECT with `text`, for people) and ends; silent where held. */
  end(text?: string): void;
  readonly summary: ConnectionSummary;
  /** True once signed in and not ended. */
  readonly isSignedIn: boolean;
  /** Received and not taken as packets yet. Once signed in, nobody looks at the bytes before them any more. */
  readonly unreadBytes: number;
  /** Memory held for this peer: unread input, unsent channel data and replies. */
  readonly bufferedBytes: number;
}

/**
 * One open channel of a signed-in client. Set the callbacks inside `subsystem`.
 * Order of goodbye: `write…`, `exit(status)`, `close()` puts data, exit-status, EOF and CLOSE on the wire in that order,
 * as fast as the peer's window allows.
 */
export interface Channel {
  /** Ours; unique among the open channels of the connection. */
  readonly id: number;
  /**
   * Data in order. Bytes may be kept; they count against the window until `consume` gives them back. Their memory is the
   * packet's, which nobody else looks at again: at most `packetFramingBytes` of it lie around them.
   */
  onData: (bytes: Buffer) => void;
  /** The peer will send no more data; it still reads. */
  onEof: () => void;
  /** The queue fell below the high mark after `write` had answered false. */
  onDrain: () => void;
  /** Once: both sides closed, or the connection ended. Nothing can be written after. */
  onClosed: () => void;
  /** Gives received bytes back to the window; the sum may never exceed what `onData` got. */
  consume(sizeBytes: number): void;
  /**
   * Queues bytes; several parts count as one run and are cut into packets together. Do not change them afterwards.
   * Answers false when the caller should wait for `onDrain`. After `eof`, `close` or the peer's CLOSE they are dropped.
   */
  write(...parts: Buffer[]): boolean;
  /** Queues the exit status (RFC 4254 §6.10); once, before `close`. */
  exit(status: number): void;
  /** Queues EOF: no more data from us. */
  eof(): void;
  /** Queues EOF where it is missing, then CLOSE. */
  close(): void;
  /** Bytes queued and not yet handed to `send`. */
  readonly queuedBytes: number;
  /** Bytes queued so far. Once as many have left the queue as were queued then, the buffers of then may be used again. */
  readonly writtenBytes: number;
}

/** Creates the server side of one connection; nothing happens before `start()`. Source: RFC 4251–4254. */
export function createServerConnection(options: ServerOptions, handler: ServerHandler): ServerConnection {
  return openConnection(options, handler);
}
