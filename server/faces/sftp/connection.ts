// One admitted peer: its socket, its SSH connection, and the SFTP sessions on its channels.
//
// States: signing in -> signed in -> closing, or held; then ended, once, when sessions, mount and socket are closed.
// Invariants: output leaves once a turn; a socket that takes nothing costs bounded memory, since SSH stops writing to it.
import type { Socket } from 'node:net';
import {
  type AuthAttempt,
  createServerConnection,
  type EndReason,
  type HostKey,
  type Limits,
  type ServerConnection,
  type Verdict,
} from '@broadgate/ssh';
import { createPassingBuffers, releaseMemory } from '../../kernel/buffers.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Random } from '../../kernel/random.ts';
import { sourceOf } from './addresses.ts';
import { allottedBytes, createAllotment } from './allotment.ts';
import type { BatchBuffers } from './batch-buffers.ts';
import { formatEnd, formatFailure } from './endings.ts';
import type { ConnectionFacts, ConnectionFailure, ConnectionSummary, SftpGate } from './mount.ts';
import { openSession, type Session } from './session.ts';

/** The socket holds enough from here on. */
const socketBytesHigh = 1024 * 1024;
/** A peer that does not take our last bytes is cut after this. */
const farewellMs = 5000;

/** What every connection of one listener is made with. */
export interface ConnectionOptions<Ticket> {
  readonly gate: SftpGate<Ticket>;
  readonly clock: Clock;
  readonly random: Random;
  /** What follows `SSH-2.0-`. */
  readonly software: string;
  readonly banner?: string;
  readonly hostKeys: readonly HostKey[];
  readonly nextHostKeys?: readonly HostKey[];
  readonly sshLimits?: Partial<Limits>;
  readonly buffers: BatchBuffers;
  /** Of the listener: where costly steps wait for their turn. */
  readonly inTurn: (work: () => void) => void;
  /** Keeps a fault of ours with its stack and gives its incident id. */
  readonly recordFault: (fault: unknown) => string;
}

export interface ConnectionEvents {
  /** The gate said 'hold': the socket is the listener's from now on. */
  held(): void;
  signedIn(): void;
  /** Everything of it is closed and told. */
  ended(): void;
}

export interface Connection<Ticket> {
  /** Of the sign-in, also while it is being answered. */
  readonly ticket: Ticket | undefined;
  readonly isHeld: boolean;
  /** Who answers for it: the ticket's owner, before the sign-in the source. */
  readonly owner: string;
  /** Memory that the peer makes us keep. Units: bytes. */
  readonly heldBytes: number;
  tick(): void;
  /** Lets transfers end, then says goodbye. */
  finish(): void;
  /** Cuts it now; `text` is for people. */
  end(text: string): void;
  /** The held socket is gone. */
  released(): void;
}

export interface Peer {
  readonly socket: Socket;
  readonly connectionId: string;
  readonly address: string;
  /** What came before the listener was done with it, e.g. behind a PROXY header. */
  readonly received: Buffer;
}

export function openConnection<Ticket>(
  peer: Peer,
  options: ConnectionOptions<Ticket>,
  events: ConnectionEvents,
): Connection<Ticket> {
  const { socket, connectionId, address } = peer;
  const { gate, clock, recordFault } = options;
  const startedAtMs = clock.nowMs();
  const sessions = new Set<Session>();
  const allotment = createAllotment(options.inTurn);
  const counted = { fileBytesRead: 0, fileBytesWritten: 0 };
  const socketClosed = Promise.withResolvers<void>();
  let ticket: Ticket | undefined;
  let isSignedIn = false;
  let isHeld = false;
  let isStopping = false;
  let isCorked = false;
  let farewellAtMs: number | undefined;
  /** Handed to the socket and not written yet, in order; SSH never touches them again. */
  const unwritten: Buffer[] = [];

  const ssh: ServerConnection = createServerConnection(
    {
      hostKeys: options.hostKeys,
      ...(options.nextHostKeys && { nextHostKeys: options.nextHostKeys }),
      software: options.software,
      ...(options.banner !== undefined && { banner: options.banner }),
      random: (sizeBytes) => options.random.bytes(sizeBytes),
      nowMs: () => clock.monotonicMs(),
      inTurn: options.inTurn,
      ...(options.sshLimits && { limits: options.sshLimits }),
    },
    {
      send,
      authenticate,
      signedIn() {
        isSignedIn = true;
        events.signedIn();
        gate.signedIn(ticket!, facts());
      },
      subsystem(channel, name) {
        // T11: one subsystem and nothing else.
        if (name !== 'sftp' || isStopping) return false;
        const session = openSession(channel, {
          openMount: () => gate.open(ticket!, facts()),
          user: ssh.summary.user ?? '',
          buffers: options.buffers,
          allotment,
          clock,
          random: options.random,
          recordFault,
          countRead: (sizeBytes) => void (counted.fileBytesRead += sizeBytes),
          countWritten: (sizeBytes) => void (counted.fileBytesWritten += sizeBytes),
        });
        sessions.add(session);
        void session.ended.then(() => sessionEnded(session));
        return true;
      },
      ended: (reason) => void ended(reason),
    },
  );

  function facts(): ConnectionFacts {
    const { peerSoftware, negotiated, user } = ssh.summary;
    return {
      connectionId,
      address,
      user,
      startedAtMs,
      clientSoftware: peerSoftware === undefined ? undefined : `SSH-2.0-${peerSoftware}`,
      algorithms: negotiated && {
        kex: negotiated.keyExchange,
        hostKey: negotiated.hostKeyAlgorithm,
        cipherIn: negotiated.cipherIn,
        cipherOut: negotiated.cipherOut,
        macIn: negotiated.macIn,
        macOut: negotiated.macOut,
      },
    };
  }

  function send(bytes: Buffer): boolean {
    if (!isCorked) {
      // One system call for all that one turn writes.
      isCorked = true;
      socket.cork();
      process.nextTick(() => {
        isCorked = false;
        socket.uncork();
      });
    }
    unwritten.push(bytes);
    socket.write(bytes, written);
    return socket.writableLength < socketBytesHigh;
  }

  /** Called once for each write, in their order, when the system has its bytes or the socket is gone. */
  const written = (): void => releaseMemory(unwritten.shift()!);

  const incoming = createPassingBuffers();
  let incomingBytes = 0;

  function receive(bytes: Buffer): void {
    // Before the sign-in SSH may keep views of what came.
    if (!isSignedIn) return ssh.receive(bytes);
    incoming.push(bytes);
    incomingBytes += bytes.length;
    ssh.receive(bytes);
    incoming.passed(incomingBytes - ssh.unreadBytes);
  }

  /** T14: users that exist and users that do not take the same way through here. */
  async function authenticate(attempt: AuthAttempt): Promise<Verdict> {
    const { user, method, key, signed, fault } = attempt;
    try {
      const answer = await gate.authenticate({
        connectionId,
        address,
        user,
        method,
        ...(key && { key }),
        signed,
        ...(fault !== undefined && { fault }),
      });
      if (answer.verdict === 'accept' && signed && fault === undefined) ticket = answer.ticket;
      if (answer.verdict === 'hold') becomeHeld();
      return answer.verdict;
    } catch (thrown) {
      // A gate that fails opens for nobody.
      recordFault(thrown);
      return 'reject';
    }
  }

  function becomeHeld(): void {
    isHeld = true;
    events.held();
  }

  function sessionEnded(session: Session): void {
    sessions.delete(session);
    if (isStopping && sessions.size === 0) ssh.end('The server is being restarted.');
  }

  /** What a gate throws here must not keep the connection from being let go. */
  function tell(report: () => void): void {
    try {
      report();
    } catch (thrown) {
      recordFault(thrown);
    }
  }

  async function ended(reason: EndReason): Promise<void> {
    if (reason.kind === 'internal_fault') recordFault(reason.fault);
    if (reason.kind === 'connection_lost') {
      // A held socket is let go by the listener, without a RST.
      if (!isHeld) socket.destroy();
    } else {
      farewellAtMs = clock.monotonicMs() + farewellMs;
      socket.end();
    }
    for (const session of sessions) session.end();
    await Promise.all(Array.from(sessions, (session) => session.ended));
    const { bytesIn, bytesOut, keyExchanges } = ssh.summary;
    if (!isSignedIn && !isHeld) {
      const { clientSoftware, user } = facts();
      const failure: ConnectionFailure = { connectionId, address, user, clientSoftware, ...formatFailure(reason) };
      tell(() => gate.failed(failure));
    }
    const summary: ConnectionSummary<Ticket> = {
      ...facts(),
      ticket: isSignedIn ? ticket : undefined,
      endedAtMs: clock.nowMs(),
      bytesIn,
      bytesOut,
      ...counted,
      keyExchanges,
      endReason: isHeld ? 'held_and_left' : formatEnd(reason, { isSignedIn, isStopping }),
    };
    tell(() => gate.ended(summary));
    await socketClosed.promise;
    events.ended();
  }

  socket.on('data', receive);
  socket.on('drain', () => ssh.drained());
  // T18: half a close is a close; whatever was to be sent has no reader that would answer.
  socket.once('end', () => ssh.lost());
  socket.once('close', () => {
    socketClosed.resolve();
    ssh.lost();
  });
  ssh.start();
  if (peer.received.length > 0) ssh.receive(peer.received);
  socket.resume();

  return {
    get ticket() {
      return ticket;
    },
    get isHeld() {
      return isHeld;
    },
    get owner() {
      return ticket === undefined ? sourceOf(address) : gate.ownerOf(ticket);
    },
    get heldBytes() {
      let sum = ssh.bufferedBytes + socket.writableLength + allottedBytes(allotment);
      for (const session of sessions) sum += session.heldBytes;
      return sum;
    },
    tick() {
      if (farewellAtMs !== undefined && clock.monotonicMs() >= farewellAtMs) socket.destroy();
      if (!isHeld) ssh.tick();
    },
    finish() {
      isStopping = true;
      for (const session of sessions) session.finish();
      if (sessions.size === 0) ssh.end('The server is being restarted.');
    },
    end: (text) => ssh.end(text),
    released: () => ssh.lost(),
  };
}
