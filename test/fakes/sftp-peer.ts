// The far end of an SFTP channel that is only memory, for tests of the session.
import assert from 'node:assert/strict';
import { createFakeClock } from '../../server/kernel/clock.ts';
import { createSeededRandom } from '../../server/kernel/random.ts';
import type { SftpMount } from '../../server/faces/sftp/mount.ts';
import { createAllotment } from '../../server/faces/sftp/allotment.ts';
import { createBatchBuffers } from '../../server/faces/sftp/batch-buffers.ts';
import { openSession, type SessionChannel } from '../../server/faces/sftp/session.ts';
import { eventually } from '../eventually.ts';
import { client, createReplyReader, type Reply } from './sftp-client.ts';
import type { FakeTree } from './sftp-mount.ts';

export interface PeerOptions {
  /** What the peer takes before it opens its window further. */
  readonly windowBytes?: number;
  readonly openMount?: () => Promise<SftpMount>;
  /** What it sends first. */
  readonly hello?: Buffer;
}

/** The peer's end of the channel: it takes as many bytes as its window allows. */
export function createPeer(tree: FakeTree, options: PeerOptions = {}) {
  const { windowBytes = Infinity, openMount = async () => tree.mount(), hello = client.init() } = options;
  const replies = createReplyReader();
  const seen: Reply[] = [];
  const log: string[] = [];
  const waiting: Buffer[] = [];
  const faults: unknown[] = [];
  const counted = { read: 0, written: 0, given: 0, consumed: 0, queuedBytesMax: 0 };
  let window = windowBytes;
  let writtenBytes = 0;
  const queued = (): number => waiting.reduce((sum, bytes) => sum + bytes.length, 0);
  const channel: SessionChannel = {
    onData: () => undefined,
    onEof: () => undefined,
    onDrain: () => undefined,
    onClosed: () => undefined,
    consume: (sizeBytes) => void (counted.consumed += sizeBytes),
    write(...parts) {
      waiting.push(...parts);
      for (const part of parts) writtenBytes += part.length;
      move();
      counted.queuedBytesMax = Math.max(counted.queuedBytesMax, queued());
      return queued() < 1024 * 1024;
    },
    get queuedBytes() {
      return queued();
    },
    get writtenBytes() {
      return writtenBytes;
    },
    exit: (status) => void log.push(`exit ${status}`),
    close: () => void log.push('close'),
  };
  function move(): void {
    for (let bytes = waiting[0]; bytes !== undefined && window > 0; bytes = waiting[0]) {
      const now = Math.min(window, bytes.length);
      seen.push(...replies.push(bytes.subarray(0, now)));
      window -= now;
      if (now === bytes.length) waiting.shift();
      else waiting[0] = bytes.subarray(now);
    }
  }
  const session = openSession(channel, {
    openMount,
    user: 'u1',
    buffers: createBatchBuffers(),
    allotment: createAllotment(),
    clock: createFakeClock(),
    random: createSeededRandom('session'),
    recordFault: (fault) => `incident ${faults.push(fault)}`,
    countRead: (sizeBytes) => void (counted.read += sizeBytes),
    countWritten: (sizeBytes) => void (counted.written += sizeBytes),
  });
  const peer = {
    channel,
    session,
    seen,
    log,
    faults,
    counted,
    send(...packets: Buffer[]) {
      const bytes = Buffer.concat(packets);
      counted.given += bytes.length;
      channel.onData(bytes);
    },
    open(sizeBytes: number) {
      const wasFull = queued() >= 1024 * 1024;
      window += sizeBytes;
      move();
      if (wasFull && queued() < 1024 * 1024) channel.onDrain();
    },
    reply: (id: number): Promise<Reply> => eventually(() => seen.find((reply) => reply.id === id && reply.type !== 2)),
    async ask(request: Buffer): Promise<Reply> {
      const id = request.readUInt32BE(5);
      const before = seen.length;
      peer.send(request);
      return eventually(() => seen.slice(before).find((reply) => reply.id === id));
    },
    status: async (request: Buffer): Promise<number> => (await peer.ask(request)).status(),
    async handle(request: Buffer): Promise<Buffer> {
      const reply = await peer.ask(request);
      assert.equal(reply.type, 102);
      return reply.string();
    },
  };
  peer.send(hello);
  return peer;
}
