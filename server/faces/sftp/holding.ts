// Connections that are kept in silence: nothing is sent, so that the peer sees a time-out and learns nothing.
// They are let go when the peer leaves, after ten minutes, or oldest first when there are too many.
import type { Socket } from 'node:net';
import { sourceOf } from './addresses.ts';

export interface HoldingLimits {
  readonly heldMs: number;
  readonly heldMax: number;
  readonly heldPerSourceMax: number;
}

export const defaultHoldingLimits: HoldingLimits = { heldMs: 600_000, heldMax: 1000, heldPerSourceMax: 20 };

/** What a silent peer may still say; then we stop listening to it, and its own send buffer fills. */
const heardBytesMax = 256 * 1024;
/** A peer that does not answer our FIN is cut after this. */
const farewellMs = 5000;

interface Held {
  readonly socket: Socket;
  readonly source: string;
  readonly untilMs: number;
  readonly released: () => void;
}

export function createHolding(limits: HoldingLimits, monotonicMs: () => number) {
  // In order of arrival, so the oldest comes first.
  const held = new Set<Held>();

  /** Let go, but not yet closed by the peer. */
  const leaving = new Map<Socket, number>();

  function release(one: Held): void {
    if (!held.delete(one)) return;
    // A FIN alone: closing with bytes unread would send a RST, which a peer takes for a refusal.
    one.socket.end();
    one.socket.resume();
    if (!one.socket.destroyed) {
      leaving.set(one.socket, monotonicMs() + farewellMs);
      one.socket.once('close', () => leaving.delete(one.socket));
    }
    one.released();
  }

  function makeRoom(source: string): void {
    const ofSource = [...held].filter((one) => one.source === source);
    if (ofSource.length >= limits.heldPerSourceMax) release(ofSource[0]!);
    const [oldest] = held;
    if (oldest && held.size >= limits.heldMax) release(oldest);
  }

  return {
    /** Takes the socket over; `released` is called once, when it is gone. */
    hold(socket: Socket, address: string, released: () => void): void {
      const source = sourceOf(address);
      makeRoom(source);
      const one: Held = { socket, source, untilMs: monotonicMs() + limits.heldMs, released };
      held.add(one);
      let heardBytes = 0;
      socket.removeAllListeners('data');
      socket.on('data', (bytes: Buffer) => {
        heardBytes += bytes.length;
        if (heardBytes > heardBytesMax) socket.pause();
      });
      socket.once('end', () => release(one));
      socket.once('close', () => release(one));
      socket.resume();
    },
    /** Lets go of those whose time is over. */
    tick(): void {
      const nowMs = monotonicMs();
      for (const one of held) {
        if (one.untilMs > nowMs) break;
        release(one);
      }
      for (const [socket, untilMs] of leaving) if (untilMs <= nowMs) socket.destroy();
    },
    /** At the end of everything. */
    destroyAll(): void {
      for (const one of held) release(one);
      for (const socket of leaving.keys()) socket.destroy();
    },
    get count(): number {
      return held.size;
    },
  };
}
