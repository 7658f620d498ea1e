// Every bound that a connection keeps, with its default, and the allowance that slows or ends a flood.

/** Units: bytes where the name says Bytes, milliseconds where it says Ms; `Infinity` switches a time limit off. */
export interface Limits {
  /** From `start()` to a successful sign-in. */
  readonly loginGraceMs: number;
  /** Failed sign-in tries; the one that reaches it ends the connection. The first `none` is not a try. */
  readonly triesMax: number;
  /** packet_length accepted before the sign-in (RFC 4253 §6.1). */
  readonly earlyPacketBytesMax: number;
  /** packet_length accepted after it. */
  readonly packetBytesMax: number;
  /** Largest CHANNEL_DATA payload that we ask for. */
  readonly channelPacketBytes: number;
  /** A channel whose peer takes less per packet than this is refused. */
  readonly peerPacketBytesMin: number;
  readonly channelsMax: number;
  /** First receive window of a channel, and what it may grow to while the peer keeps it full. */
  readonly windowBytes: number;
  readonly windowBytesMax: number;
  /** `Channel.write` answers false from here on. */
  readonly channelQueueBytesHigh: number;
  /** Replies that wait for a full socket or a key exchange; more ends the connection. */
  readonly controlQueueBytesMax: number;
  /** New keys after this many bytes in one direction, or after this time (RFC 4253 §9). */
  readonly rekeyBytes: number;
  readonly rekeyMs: number;
  /** A key exchange that takes longer ends the connection. */
  readonly keyExchangeMs: number;
  /** After this long without a packet the peer is asked for a sign of life, at most `keepaliveTriesMax` times. */
  readonly keepaliveMs: number;
  readonly keepaliveTriesMax: number;
  /** After this long without channel data in either direction the connection ends. */
  readonly idleMs: number;
  /** Messages that need an answer or do nothing (requests, PING, IGNORE, …): how many at once, and per second. */
  readonly chatterMax: number;
  readonly chatterPerSecond: number;
}

export const defaultLimits: Limits = {
  loginGraceMs: 30_000,
  triesMax: 6,
  earlyPacketBytesMax: 35_000,
  packetBytesMax: 256 * 1024 + 1024,
  channelPacketBytes: 128 * 1024,
  peerPacketBytesMin: 1024,
  channelsMax: 10,
  windowBytes: 4 * 1024 * 1024,
  windowBytesMax: 16 * 1024 * 1024,
  channelQueueBytesHigh: 1024 * 1024,
  controlQueueBytesMax: 256 * 1024,
  rekeyBytes: 1024 * 1024 * 1024,
  rekeyMs: 3_600_000,
  keyExchangeMs: 30_000,
  keepaliveMs: 60_000,
  keepaliveTriesMax: 3,
  idleMs: 1_800_000,
  chatterMax: 500,
  chatterPerSecond: 100,
};

/** A token bucket: `take` answers false when the peer has used up what it may use. */
export function createAllowance(unitsMax: number, unitsPerSecond: number, nowMs: () => number) {
  let units = unitsMax;
  let countedAtMs = nowMs();
  return {
    take(cost: number): boolean {
      const atMs = nowMs();
      units = Math.min(unitsMax, units + ((atMs - countedAtMs) / 1000) * unitsPerSecond);
      countedAtMs = atMs;
      if (units < cost) return false;
      units -= cost;
      return true;
    },
  };
}

export type Allowance = ReturnType<typeof createAllowance>;
