// Joins transport, sign-in and channels to one connection, and is the only place where it ends.
import { createAuthentication } from './authentication.ts';
import { createChannels } from './channels.ts';
import { ConnectionFault, protocolFault } from './faults.ts';
import { createGlobalRequests } from './global-requests.ts';
import { createAllowance, defaultLimits, type Limits } from './limits.ts';
import { disconnectCode, message } from './message-numbers.ts';
import type { ConnectionSummary, EndReason, ServerConnection, ServerHandler, ServerOptions } from './ssh.ts';
import { createTransport } from './transport.ts';
import { formatByte, formatString, formatUint32 } from './wire.ts';

const declinedMax = 16;

export function openConnection(options: ServerOptions, handler: ServerHandler): ServerConnection {
  checkOptions(options);
  const limits: Limits = { ...defaultLimits, ...options.limits };
  const nowMs = (): number => options.nowMs();
  const declined: string[] = [];
  const startedAtMs = nowMs();
  // Channel data, looked at by ticks.
  let hasMoved = false;
  let movedAtMs = startedAtMs;
  let endReason: EndReason | undefined;
  let isHeld = false;
  // Depth of calls into us; output waits for the outermost to return, so that it leaves in few pieces.
  let depth = 0;
  let isWakeDue = false;
  // Something was queued since output last left.
  let isWoken = false;

  const transport = createTransport({
    options,
    limits,
    allowance: createAllowance(limits.chatterMax, limits.chatterPerSecond, nowMs),
    send: (bytes) => handler.send(bytes),
    deliver,
    negotiated: (negotiated) => handler.negotiated?.(negotiated),
    ready: wake,
    inTurn,
  });
  // What is still to come is announced with what is in use, so that clients know it before the change.
  const requests = createGlobalRequests({
    transport,
    limits,
    hostKeys: [...options.hostKeys, ...(options.nextHostKeys ?? [])],
    nowMs,
    inTurn,
  });
  const authentication = createAuthentication({
    transport,
    limits,
    banner: options.banner,
    authenticate: async (attempt) => handler.authenticate(attempt),
    hold() {
      // Replies of an earlier moment that the socket did not take yet are dropped too.
      isHeld = true;
      transport.stop(undefined);
    },
    signedIn(user) {
      movedAtMs = nowMs();
      requests.announceHostKeys();
      handler.signedIn?.(user);
    },
    guard,
    inTurn,
    failed: (fault) => guard(() => end({ kind: 'internal_fault', fault })),
  });
  const channels = createChannels({
    transport,
    limits,
    wake,
    subsystem: (channel, name) => handler.subsystem(channel, name),
    declined(what) {
      if (declined.length < declinedMax && !declined.includes(what)) declined.push(what);
    },
    moved() {
      hasMoved = true;
    },
  });

  function deliver(payload: Buffer): void {
    const number = payload[0]!;
    if (number === message.serviceRequest) return authentication.handleServiceRequest(payload);
    if (number === message.userauthRequest) return authentication.handleUserauthRequest(payload);
    // RFC 8308 §2.4: clients may send theirs; we ask for nothing in it.
    if (number === message.extInfo) return transport.countChatter(1);
    if (number >= 80 && number <= 127) {
      // RFC 4252 §6: nothing of the connection protocol before the sign-in.
      if (authentication.signedIn === undefined) throw protocolFault('a message comes before the sign-in');
      if (number <= message.requestFailure) return requests.handle(payload);
      if (channels.handle(payload)) return;
    }
    transport.answerUnknown();
  }

  /** Runs a step; whatever it throws ends this connection and nothing else. Then output leaves. */
  function guard(work: () => void): void {
    if (endReason !== undefined || isHeld) return;
    depth += 1;
    try {
      work();
      if (depth === 1 && endReason === undefined) {
        isWoken = false;
        channels.pump();
        transport.flush();
      }
    } catch (fault) {
      end(fault instanceof ConnectionFault ? fault.reason : { kind: 'internal_fault', fault });
    } finally {
      depth -= 1;
      if (isWoken && depth === 0) wake();
    }
  }

  /** Runs a costly step, for which input is paused: at once, or when the caller says so. */
  function inTurn(work: () => void): void {
    if (options.inTurn) options.inTurn(() => guard(work));
    else work();
  }

  /** Output is due: inside a call it leaves at its end, else in a moment, joined with what follows. */
  function wake(): void {
    if (depth > 0) {
      isWoken = true;
    } else if (!isWakeDue) {
      isWakeDue = true;
      const rise = (): void => {
        isWakeDue = false;
        guard(() => undefined);
      };
      if (options.defer) options.defer(rise);
      else queueMicrotask(rise);
    }
  }

  /** The only end: once, with a goodbye where one may be said, and the handler's last call. */
  function end(reason: EndReason, text?: string): void {
    if (endReason !== undefined) return;
    endReason = reason;
    try {
      if (!isHeld) transport.stop(formatFarewell(reason, text));
      channels.closeAll();
    } finally {
      handler.ended(reason);
    }
  }

  const summary: ConnectionSummary = {
    get peerSoftware() {
      return transport.peerSoftware;
    },
    get negotiated() {
      return transport.negotiated;
    },
    get keyExchanges() {
      return transport.keyExchanges;
    },
    get user() {
      return authentication.signedIn?.user;
    },
    get signatureAlgorithm() {
      return authentication.signedIn?.algorithm;
    },
    get keyFingerprint() {
      return authentication.signedIn?.fingerprint;
    },
    get tries() {
      return authentication.tries;
    },
    get isHeld() {
      return isHeld;
    },
    get bytesIn() {
      return transport.bytesIn;
    },
    get bytesOut() {
      return transport.bytesOut;
    },
    declined,
    get endReason() {
      return endReason;
    },
  };

  return {
    start: () => guard(() => transport.start()),
    receive: (bytes) => guard(() => transport.receive(bytes)),
    drained: () => guard(() => transport.drained()),
    tick: () =>
      guard(() => {
        if (authentication.signedIn === undefined) {
          if (nowMs() - startedAtMs >= limits.loginGraceMs) end({ kind: 'grace_expired' });
          return;
        }
        if (!transport.tick()) throw protocolFault('a key exchange takes too long');
        if (hasMoved) movedAtMs = nowMs();
        hasMoved = false;
        if (nowMs() - movedAtMs >= limits.idleMs) return end({ kind: 'idle' });
        requests.tick();
      }),
    lost: () => end({ kind: 'connection_lost' }),
    end: (text) => end({ kind: 'stopped' }, text),
    summary,
    get isSignedIn() {
      return authentication.signedIn !== undefined && endReason === undefined;
    },
    get unreadBytes() {
      return transport.unreadBytes;
    },
    get bufferedBytes() {
      return transport.bufferedBytes + channels.queuedBytes;
    },
  };
}

/** RFC 4253 §11.1; undefined where nothing is to be said. The text tells a stranger nothing but the rule. */
function formatFarewell(reason: EndReason, text: string | undefined): Buffer | undefined {
  const code = farewellCodes[reason.kind];
  if (code === undefined) return undefined;
  return Buffer.concat([
    formatByte(message.disconnect),
    formatUint32(code),
    formatString(text ?? farewellTexts[reason.kind] ?? 'internal'),
    formatString('en'),
  ]);
}

const farewellCodes: Record<EndReason['kind'], number | undefined> = {
  peer_disconnected: undefined,
  connection_lost: undefined,
  not_ssh: undefined,
  stopped: disconnectCode.byApplication,
  no_common_algorithm: disconnectCode.keyExchangeFailed,
  grace_expired: disconnectCode.byApplication,
  too_many_tries: disconnectCode.noMoreAuthMethods,
  protocol_fault: disconnectCode.protocolError,
  flood: disconnectCode.protocolError,
  peer_silent: disconnectCode.byApplication,
  idle: disconnectCode.byApplication,
  internal_fault: disconnectCode.byApplication,
};

const farewellTexts: Partial<Record<EndReason['kind'], string>> = {
  stopped: 'the server ends the connection',
  no_common_algorithm: 'no algorithm in common',
  grace_expired: 'the sign-in took too long',
  too_many_tries: 'too many sign-in tries',
  protocol_fault: 'protocol error',
  flood: 'too many requests',
  peer_silent: 'no sign of life',
  idle: 'idle for too long',
};

function checkOptions(options: ServerOptions): void {
  if (options.hostKeys.length === 0) throw new RangeError('a server needs a host key');
  // RFC 4253 §4.2: the software version is printable US-ASCII without blank and minus.
  if (!/^[!-,./0-~]{1,100}$/.test(options.software))
    throw new RangeError('the software name has a forbidden character');
}
