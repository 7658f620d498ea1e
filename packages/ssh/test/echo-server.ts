// A small real server on loopback for the tests: the connection under test behind a socket, with three subsystems.
//
// `echo` sends back what comes; `sink` counts, and answers the count at EOF; `source:N` sends N bytes of a pattern.
import { createServer, type Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import {
  type AuthAttempt,
  type Channel,
  createServerConnection,
  type EndReason,
  generateHostKey,
  type HostKey,
  type ServerConnection,
  type ServerOptions,
  type Verdict,
} from '../ssh.ts';

export interface EchoServer extends AsyncDisposable {
  readonly port: number;
  readonly hostKeys: readonly HostKey[];
  readonly connections: ServerConnection[];
  readonly attempts: AuthAttempt[];
  readonly ends: EndReason[];
}

export interface EchoOptions extends Partial<Omit<ServerOptions, 'random' | 'nowMs'>> {
  readonly authenticate?: (attempt: AuthAttempt) => Verdict;
}

/** The byte at every offset of `source`, so that a lost or doubled piece shows. */
export function makePattern(sizeBytes: number): Buffer {
  const words = new Uint32Array(Math.ceil(sizeBytes / 4));
  for (let index = 0; index < words.length; index += 1) words[index] = Math.imul(index, 2654435761);
  return Buffer.from(words.buffer, 0, sizeBytes);
}

export const acceptKeys = (attempt: AuthAttempt): Verdict => (attempt.method === 'publickey' ? 'accept' : 'reject');

export async function openEchoServer(options: EchoOptions = {}): Promise<EchoServer> {
  const { authenticate = acceptKeys, ...rest } = options;
  const hostKeys = options.hostKeys ?? [await generateHostKey('ed25519'), await generateHostKey('rsa')];
  const connections: ServerConnection[] = [];
  const attempts: AuthAttempt[] = [];
  const ends: EndReason[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    const connection = createServerConnection(
      {
        ...rest,
        hostKeys,
        software: 'Echo_1',
        random: randomBytes,
        nowMs: () => performance.now(),
        defer: setImmediate,
      },
      {
        send(bytes) {
          if (socket.writableCorked === 0) {
            socket.cork();
            process.nextTick(() => socket.uncork());
          }
          return socket.write(bytes);
        },
        authenticate: async (attempt) => {
          attempts.push(attempt);
          return authenticate(attempt);
        },
        subsystem: serve,
        ended(reason) {
          ends.push(reason);
          clearInterval(timer);
          socket.end();
        },
      },
    );
    const timer = setInterval(() => connection.tick(), 50);
    connections.push(connection);
    socket.on('data', (bytes: Buffer) => connection.receive(bytes));
    socket.on('drain', () => connection.drained());
    socket.on('error', () => connection.lost());
    socket.on('close', () => {
      sockets.delete(socket);
      connection.lost();
    });
    connection.start();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    hostKeys,
    connections,
    attempts,
    ends,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function serve(channel: Channel, name: string): boolean {
  if (name === 'echo') return serveEcho(channel);
  if (name === 'sink') return serveSink(channel);
  if (name.startsWith('source:')) return serveSource(channel, Number(name.slice('source:'.length)));
  return false;
}

function serveEcho(channel: Channel): boolean {
  // Given back to the window only when the peer took the echo: the queue stays under one window.
  let owedBytes = 0;
  channel.onData = (bytes) => {
    if (channel.write(bytes)) channel.consume(bytes.length);
    else owedBytes += bytes.length;
  };
  channel.onDrain = () => {
    channel.consume(owedBytes);
    owedBytes = 0;
  };
  channel.onEof = () => {
    channel.exit(0);
    channel.close();
  };
  return true;
}

function serveSink(channel: Channel): boolean {
  let sizeBytes = 0;
  channel.onData = (bytes) => {
    sizeBytes += bytes.length;
    channel.consume(bytes.length);
  };
  channel.onEof = () => {
    channel.write(Buffer.from(`${sizeBytes}\n`));
    channel.exit(0);
    channel.close();
  };
  return true;
}

function serveSource(channel: Channel, sizeBytes: number): boolean {
  const block = makePattern(256 * 1024);
  let leftBytes = sizeBytes;
  const fill = (): void => {
    while (leftBytes > 0) {
      const piece = block.subarray(0, Math.min(block.length, leftBytes));
      leftBytes -= piece.length;
      if (!channel.write(piece)) return;
    }
    channel.exit(0);
    channel.close();
  };
  channel.onDrain = fill;
  fill();
  return true;
}
