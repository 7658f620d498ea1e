// A hostile SSH client on a real socket: it can do a right key exchange and sign-in, and then anything wrong, slow or huge.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import {
  createClientCore,
  formatQuery,
  formatSignIn,
  type OfferChanges,
  type TestKey,
} from '../../packages/ssh/test/client-core.ts';
import { createReader, formatByte, formatString } from '../../packages/ssh/wire.ts';
import { client as packets, createReplyReader, type Reply } from '../fakes/sftp-client.ts';

const clientIdentification = 'SSH-2.0-Adversary_1\r\n';

export interface PeerOptions {
  /** One of 127.0.0.0/8: the source that the server sees. */
  readonly localAddress?: string;
  /** A server that says nothing for so long has failed the test. */
  readonly patienceMs?: number;
}

export type Peer = Awaited<ReturnType<typeof connectPeer>>;
export type SftpChannel = Awaited<ReturnType<Peer['openSftp']>>;

export async function connectPeer(port: number, options: PeerOptions = {}) {
  const { localAddress = '127.0.0.1', patienceMs = 30_000 } = options;
  const socket = net.connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
  const watchers = new Set<() => void>();
  const channels = new Map<number, (payload: Buffer) => void>();
  let end: string | undefined;
  let nextPeerId = 0;

  const core = createClientCore({
    random: randomBytes,
    carry: (bytes) => void (socket.destroyed || socket.write(bytes)),
    heard(payload) {
      const channel = payload[0]! >= 93 && payload[0]! <= 98 ? channels.get(payload.readUInt32BE(1)) : undefined;
      channel?.(payload);
      return channel === undefined;
    },
  });
  const look = (): void => {
    for (const watcher of watchers) watcher();
  };
  socket.on('data', (bytes: Buffer) => {
    core.hear(bytes);
    look();
  });
  socket.on('end', () => (end ??= 'FIN'));
  socket.on('error', (fault) => (end ??= (fault as NodeJS.ErrnoException).code ?? 'error'));
  socket.on('close', () => {
    end ??= 'closed';
    look();
  });
  await once(socket, 'connect');

  /** Waits until the probe gives something. Refuses: an end of the connection, or too long a wait, before it does. */
  function until<Result>(probe: () => Result | undefined, what: string): Promise<Result> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        watchers.delete(watch);
        clearTimeout(timer);
      };
      const fail = (why: string): void => {
        leave();
        reject(new Error(`${what}: ${why}`));
      };
      const watch = (): void => {
        const result = probe();
        if (result !== undefined) {
          leave();
          resolve(result);
        } else if (end !== undefined && socket.closed) fail(`the connection ended (${end}) ${peer.farewell}`);
      };
      const timer = setTimeout(() => fail('the server said nothing'), patienceMs);
      watchers.add(watch);
      watch();
    });
  }

  /** The next message of one of these numbers, which is then no longer among the received ones. */
  const next = (...numbers: number[]): Promise<Buffer> =>
    until(
      () => {
        const at = core.received.findIndex((payload) => numbers.includes(payload[0]!));
        return at < 0 ? undefined : core.received.splice(at, 1)[0];
      },
      `message ${numbers.join(' or ')}`,
    );

  const peer = {
    ...core,
    socket,
    get sessionId() {
      return core.sessionId;
    },
    get serverOffer() {
      return core.serverOffer;
    },
    get serverLine() {
      return core.serverLine;
    },
    get hostKeyBlob() {
      return core.hostKeyBlob;
    },
    /** How the connection ended: FIN, ECONNRESET, …; undefined while it lives. */
    get end() {
      return end;
    },
    /** What the server said as its goodbye (SSH_MSG_DISCONNECT), empty without one. */
    get farewell(): string {
      const payload = core.find(1);
      return payload === undefined ? '' : createReader(payload, 5).string().toString();
    },
    until,
    next,
    /** Resolves when the server has closed the socket. Shape: how, and the goodbye. */
    async ended(): Promise<{ readonly end: string; readonly farewell: string }> {
      socket.resume();
      await until(() => (socket.closed ? true : undefined), 'the end of the connection');
      return { end: end!, farewell: peer.farewell };
    },
    /** The first line of the server. */
    banner: (): Promise<string> => until(() => core.serverLine || undefined, 'the banner'),
    identify(): void {
      core.raw(clientIdentification);
    },
    /** From KEXINIT to NEWKEYS on both sides; the server's KEXINIT may be there already. */
    async exchangeKeys(changes: OfferChanges = {}): Promise<void> {
      const clientOffer = core.offer(changes);
      core.send(clientOffer);
      await next(20);
      const begun = core.beginExchange(clientOffer);
      core.completeExchange(begun, await next(31));
    },
    async handshake(changes: OfferChanges = {}): Promise<void> {
      peer.identify();
      await peer.exchangeKeys(changes);
    },
    async askService(): Promise<void> {
      core.send(formatByte(5), formatString('ssh-userauth'));
      await next(6);
    },
    /** Sends a signed request. Shape: the number of the answer, 52 for success and 51 for failure. */
    async trySignIn(user: string | Buffer, key: TestKey): Promise<number> {
      core.send(formatSignIn({ user, key, sessionId: core.sessionId }));
      return (await next(51, 52))[0]!;
    },
    async tryQuery(user: string, key: { readonly algorithm: string; readonly blob: Buffer }): Promise<number> {
      core.send(formatQuery(user, key));
      return (await next(51, 60))[0]!;
    },
    /** Everything up to a signed-in connection. Refuses: a sign-in that fails. */
    async signIn({ user, key }: { readonly user: string; readonly key: TestKey }): Promise<void> {
      await peer.handshake();
      await peer.askService();
      if ((await peer.trySignIn(user, key)) !== 52) throw new Error(`the sign-in as ${user} failed`);
    },
    /** A session channel. Shape: the server's id for it, and what it takes; undefined where it was refused. */
    async openSession(windowBytes = 0x7fff_ffff, packetBytes = 32_768) {
      const peerId = nextPeerId++;
      core.openChannel(peerId, windowBytes, packetBytes);
      const answer = await until(() => {
        const at = core.received.findIndex(
          (payload) => (payload[0] === 91 || payload[0] === 92) && payload.readUInt32BE(1) === peerId,
        );
        return at < 0 ? undefined : core.received.splice(at, 1)[0];
      }, 'the answer to CHANNEL_OPEN');
      if (answer[0] === 92) return undefined;
      return { peerId, id: answer.readUInt32BE(5), windowBytes: answer.readUInt32BE(9) };
    },
    async openSftp(windowBytes?: number, packetBytes?: number) {
      const session = await peer.openSession(windowBytes, packetBytes);
      if (session === undefined) throw new Error('the channel was refused');
      const sftp = createSftpChannel(session);
      channels.set(session.peerId, sftp.hear);
      core.request(session.id, 'subsystem', formatString('sftp'));
      if ((await next(99, 100))[0] !== 99) throw new Error('the subsystem was refused');
      await sftp.send(packets.init());
      await until(() => sftp.replies.get(greetingId), 'the greeting');
      return sftp;
    },
    /** Cuts the connection so that the server gets a RST. */
    reset(): void {
      socket.resetAndDestroy();
    },
    [Symbol.dispose](): void {
      socket.destroy();
    },
  };

  /** SFTP on a channel: requests find their replies by number, data goes out as the server's window allows. */
  function createSftpChannel(session: { readonly id: number; readonly windowBytes: number }) {
    const reader = createReplyReader();
    const replies = new Map<number, Reply>();
    let windowLeft = session.windowBytes;
    let requests = 100;
    let isClosed = false;
    const sftp = {
      id: session.id,
      replies,
      get windowLeft() {
        return windowLeft;
      },
      get isClosed() {
        return isClosed;
      },
      hear(payload: Buffer): void {
        if (payload[0] === 93) windowLeft += payload.readUInt32BE(5);
        if (payload[0] === 97) isClosed = true;
        if (payload[0] === 94) for (const reply of reader.push(payload.subarray(9))) replies.set(reply.id, reply);
      },
      /** Sends bytes in pieces of 32 KiB, and waits where the server's window is used up. */
      async send(bytes: Buffer): Promise<void> {
        for (let at = 0; at < bytes.length; ) {
          const piece = bytes.subarray(at, at + 32_768);
          await until(() => (windowLeft >= piece.length ? true : undefined), 'room in the window');
          windowLeft -= piece.length;
          core.data(session.id, piece);
          at += piece.length;
        }
      },
      /** Sends a request with a number of its own. Shape: that number. */
      async begin(build: (id: number) => Buffer): Promise<number> {
        const id = (requests += 1);
        await sftp.send(build(id));
        return id;
      },
      reply: (id: number): Promise<Reply> => until(() => replies.get(id), `the reply to request ${id}`),
      async ask(build: (id: number) => Buffer): Promise<Reply> {
        return sftp.reply(await sftp.begin(build));
      },
      /** The status of a request, 0 where it was answered with something else than a status. */
      async status(build: (id: number) => Buffer): Promise<number> {
        const reply = await sftp.ask(build);
        return reply.type === 101 ? reply.status() : 0;
      },
      /** The handle of an OPEN or OPENDIR. Refuses: one that is not granted. */
      async handle(build: (id: number) => Buffer): Promise<Buffer> {
        const reply = await sftp.ask(build);
        if (reply.type !== 102) throw new Error(`no handle but status ${reply.status()}`);
        return reply.string();
      },
    };
    return sftp;
  }

  return peer;
}

// VERSION carries the version where a reply carries its number.
const greetingId = 3;

/** A stranger's look: connects, reads the first line, and leaves. Refuses: a server that does not greet. */
export async function readBanner(port: number, options: PeerOptions = {}): Promise<string> {
  using peer = await connectPeer(port, options);
  return await peer.banner();
}
