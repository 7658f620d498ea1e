// How code below the connection says that the connection must end, and why.
import type { EndReason } from './ssh.ts';

/** Thrown by parsers and state machines, caught at the edge of `receive`; the reason is what the caller sees. */
export class ConnectionFault extends Error {
  override readonly name = 'ConnectionFault';
  readonly reason: EndReason;

  constructor(reason: EndReason) {
    super(reason.kind === 'protocol_fault' || reason.kind === 'flood' ? reason.detail : reason.kind);
    this.reason = reason;
  }
}

export const protocolFault = (detail: string): ConnectionFault =>
  new ConnectionFault({ kind: 'protocol_fault', detail });

export const floodFault = (detail: string): ConnectionFault => new ConnectionFault({ kind: 'flood', detail });
