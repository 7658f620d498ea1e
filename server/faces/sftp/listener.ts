// The SFTP port: admits peers, keeps them, ends them on request, and closes without cutting what can still finish.
//
// Invariants: a peer that the gate does not admit gets no byte; every socket is in one place (arriving, held, or a
// connection), each with a cap; what all of them hold has one too; one timer serves them all.
import net from 'node:net';
import type { Ids } from '../../kernel/ids.ts';
import type { Timer } from '../../kernel/clock.ts';
import { canonicalAddress } from './addresses.ts';
import { type AdmissionLimits, createAdmission, defaultAdmissionLimits, type Place } from './admission.ts';
import { createBatchBuffers } from './batch-buffers.ts';
import { createCostlyTurns } from './costly-turns.ts';
import { type Connection, type ConnectionOptions, openConnection, type Peer } from './connection.ts';
import { createHolding, defaultHoldingLimits, type HoldingLimits } from './holding.ts';
import { defaultLedgerLimits, type LedgerLimits, pickHeaviest } from './ledger.ts';
import { parseProxyHeader } from './proxy-header.ts';

export interface SftpListenerParts<Ticket> extends Omit<ConnectionOptions<Ticket>, 'buffers' | 'inTurn'> {
  readonly ids: Ids;
  /** Peers whose PROXY header is required and believed. Shape: addresses or CIDR. */
  readonly trustedProxies?: readonly string[];
  readonly admissionLimits?: Partial<AdmissionLimits>;
  readonly holdingLimits?: Partial<HoldingLimits>;
  readonly ledgerLimits?: Partial<LedgerLimits>;
  /** Peers that are being judged, before the banner. */
  readonly arrivingMax?: number;
}

export interface SftpListener<Ticket> {
  /** Opens the port; 0 means any. Answers the port that was opened. */
  listen(where: { readonly port: number; readonly host?: string }): Promise<number>;
  /** Ends every connection whose ticket it is true for; answers how many. */
  endConnections(isToEnd: (ticket: Ticket) => boolean): number;
  /** For metrics. */
  readonly counts: { readonly connections: number; readonly signingIn: number; readonly held: number };
  /** Takes no new peer, lets transfers end until the deadline, then cuts the rest. Units: ms of waiting. */
  close(deadlineMs?: number): Promise<void>;
}

const tickMs = 1000;
const proxyHeaderMs = 5000;
const defaultDeadlineMs = 30_000;

export function createSftpListener<Ticket>(parts: SftpListenerParts<Ticket>): SftpListener<Ticket> {
  const { clock, gate, recordFault } = parts;
  const admission = createAdmission({ ...defaultAdmissionLimits, ...parts.admissionLimits }, parts.random, (address) =>
    gate.isKnown(address),
  );
  const holding = createHolding({ ...defaultHoldingLimits, ...parts.holdingLimits }, () => clock.monotonicMs());
  const ledgerLimits: LedgerLimits = { ...defaultLedgerLimits, ...parts.ledgerLimits };
  const trusted = createBlockList(parts.trustedProxies ?? []);
  const options: ConnectionOptions<Ticket> = {
    ...parts,
    buffers: createBatchBuffers(),
    inTurn: createCostlyTurns(() => clock.monotonicMs()),
  };
  const connections = new Set<Connection<Ticket>>();
  /** Sockets that are being judged, with the time at which a PROXY header must be there. */
  const arriving = new Map<net.Socket, number>();
  const arrivingMax = parts.arrivingMax ?? 1000;
  let isClosing = false;
  let whenEmpty: (() => void) | undefined;
  let ticking: Timer | undefined;

  const server = net.createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
    socket.on('error', () => undefined);
    arrive(socket).catch((fault: unknown) => {
      // A fault never opens the door, and what is not admitted is not answered.
      recordFault(fault);
      socket.destroy();
    });
  });

  async function arrive(socket: net.Socket): Promise<void> {
    const from = canonicalAddress(socket.remoteAddress ?? '');
    if (from === undefined || isClosing) return void socket.destroy();
    // Too many at once to ask about: silent, since the address may be one that gets silence.
    if (arriving.size >= arrivingMax) return holding.hold(socket, from, () => undefined);
    arriving.set(socket, clock.monotonicMs() + proxyHeaderMs);
    socket.once('close', () => arriving.delete(socket));
    const peer = trusted?.check(from, net.isIPv4(from) ? 'ipv4' : 'ipv6')
      ? await readProxyHeader(socket, from)
      : { address: from, received: Buffer.alloc(0) };
    if (peer === undefined) return void socket.destroy();
    // Before the banner only the address is known. A gate that fails is silent.
    const verdict = await gate.admit(peer.address).catch((fault: unknown) => {
      recordFault(fault);
      return 'silence' as const;
    });
    arriving.delete(socket);
    if (socket.destroyed || isClosing) return void socket.destroy();
    if (verdict === 'silence') return holding.hold(socket, peer.address, () => undefined);
    admit(socket, peer);
  }

  function admit(socket: net.Socket, peer: { readonly address: string; readonly received: Buffer }): void {
    const connectionId = parts.ids.next();
    const admitted = admission.admit(peer.address);
    if (admitted.verdict === 'take') {
      return serve({ socket, connectionId, address: peer.address, received: peer.received }, admitted.place);
    }
    socket.destroy();
    gate.failed({
      connectionId,
      address: peer.address,
      user: undefined,
      clientSoftware: undefined,
      reason: admitted.verdict,
      detail: admitted.verdict === 'dropped_early' ? 'too many strangers are signing in' : 'a limit is reached',
    });
  }

  function serve(peer: Peer, place: Place): void {
    const connection = openConnection(peer, options, {
      held() {
        // D-15: it leaves the sign-in clock and the early-drop count, and has caps of its own.
        place.leave();
        holding.hold(peer.socket, peer.address, () => connection.released());
      },
      signedIn() {
        place.leaveSignIn();
        const { owner } = connection;
        let ofOwner = 0;
        for (const other of connections) if (other.owner === owner) ofOwner++;
        // In a turn of its own: the sign-in is still being told.
        if (ofOwner > ledgerLimits.ownerConnectionsMax)
          setImmediate(() => connection.end('Too many connections of this user are open. Close some, then try again.'));
      },
      ended() {
        place.leave();
        connections.delete(connection);
        if (connections.size === 0) whenEmpty?.();
      },
    });
    connections.add(connection);
  }

  function tick(): void {
    ticking = clock.after(tickMs, tick);
    holding.tick();
    const nowMs = clock.monotonicMs();
    for (const [socket, untilMs] of arriving) if (untilMs <= nowMs) socket.destroy();
    for (const connection of connections) connection.tick();
    for (const connection of pickHeaviest(connections, ledgerLimits.heldBytesMax))
      connection.end('The server is short of memory, and this connection takes no answers.');
  }

  return {
    async listen({ port, host }) {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ port, ...(host !== undefined && { host }) }, () => {
          server.removeListener('error', reject);
          resolve();
        });
      });
      server.on('error', recordFault);
      ticking = clock.after(tickMs, tick);
      return (server.address() as net.AddressInfo).port;
    },
    endConnections(isToEnd) {
      let count = 0;
      for (const connection of connections) {
        const { ticket } = connection;
        if (ticket === undefined || !isToEnd(ticket)) continue;
        connection.end('Your access has changed. Sign in again.');
        count++;
      }
      return count;
    },
    get counts() {
      const { connections: taken, signingIn } = admission.counts;
      return { connections: taken, signingIn, held: holding.count };
    },
    async close(deadlineMs = defaultDeadlineMs) {
      if (isClosing) return;
      isClosing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of arriving.keys()) socket.destroy();
      holding.destroyAll();
      const empty = Promise.withResolvers<void>();
      whenEmpty = empty.resolve;
      if (connections.size === 0) empty.resolve();
      for (const connection of connections) connection.finish();
      const cut = clock.after(deadlineMs, () => {
        for (const connection of connections) connection.end('The server is being restarted.');
      });
      await empty.promise;
      cut.close();
      await closed;
      ticking?.close();
    },
  };
}

/** Reads the header that a trusted balancer sends first; undefined when it is missing, malformed or names no one. */
async function readProxyHeader(
  socket: net.Socket,
  balancer: string,
): Promise<{ address: string; received: Buffer } | undefined> {
  let received = Buffer.alloc(0);
  const answer = Promise.withResolvers<{ address: string; received: Buffer } | undefined>();
  const hear = (bytes: Buffer): void => {
    received = Buffer.concat([received, bytes]);
    const header = parseProxyHeader(received);
    if (header.kind === 'more') return;
    socket.pause();
    if (header.kind === 'fault') return answer.resolve(undefined);
    const address = canonicalAddress(header.address ?? balancer);
    answer.resolve(address === undefined ? undefined : { address, received: received.subarray(header.headerBytes) });
  };
  const leave = (): void => answer.resolve(undefined);
  socket.on('data', hear);
  socket.once('close', leave);
  socket.resume();
  const peer = await answer.promise;
  socket.removeListener('data', hear);
  socket.removeListener('close', leave);
  return peer;
}

function createBlockList(entries: readonly string[]): net.BlockList | undefined {
  if (entries.length === 0) return undefined;
  const list = new net.BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/');
    const family = net.isIPv4(address) ? 'ipv4' : 'ipv6';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}
