// The way between a server and its PostgreSQL, as a small proxy that fails on demand: cut, refused, silent, or late.
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** `commit` as the driver sends it: a simple query (PostgreSQL manual, "Message Formats"). */
const commitQuery = Buffer.from([0x51, 0, 0, 0, 11, ...Buffer.from('commit\0')]);

/** Opens a proxy to the server that the address names. Shape: `url` is what to connect to instead. */
export async function openDatabaseLink(target: string) {
  const pairs = new Set<{ near: net.Socket; far: net.Socket }>();
  let mode: 'open' | 'refusing' | 'silent' | 'dead' = 'open';
  let lateCommits = 0;
  let lateMs = 0;

  const server = net.createServer((near) => {
    near.on('error', () => near.destroy());
    if (mode === 'refusing' || mode === 'dead') {
      near.destroy();
      return;
    }
    const far = net.connect(addressOf(target));
    far.on('error', () => far.destroy());
    const pair = { near, far };
    pairs.add(pair);
    near.setNoDelay(true);
    if (mode === 'silent') near.pause();
    near.on('data', (bytes: Buffer) => {
      if (lateCommits > 0 && bytes.includes(commitQuery)) {
        lateCommits -= 1;
        void sendLate(pair, bytes);
      } else far.write(bytes);
    });
    far.on('data', (bytes: Buffer) => near.write(bytes));
    near.on('close', () => {
      pairs.delete(pair);
      if (!late.has(far)) far.destroy();
    });
    far.on('close', () => near.destroy());
  });
  const late = new Set<net.Socket>();

  /** The server's side of the commit arrives after its sender has lost the connection, and the answer reaches nobody. */
  async function sendLate({ near, far }: { near: net.Socket; far: net.Socket }, bytes: Buffer): Promise<void> {
    late.add(far);
    near.destroy();
    await delay(lateMs);
    far.end(bytes);
  }

  await new Promise<void>((listening) => server.listen({ host: '127.0.0.1', port: 0 }, listening));
  server.unref();
  const url = new URL(target);
  url.search = '';
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as net.AddressInfo).port);

  const cut = (): void => pairs.forEach(({ near }) => near.destroy());
  return {
    url: url.href,
    /** Every connection breaks; new ones are taken. */
    cut,
    /** Every connection breaks, and none is taken until `heal`. */
    refuse(): void {
      mode = 'refusing';
      cut();
    },
    /** Nothing passes in either direction until `heal`; connections are taken and never answered. */
    silence(): void {
      mode = 'silent';
      for (const { near, far } of pairs) void [near.pause(), far.pause()];
    },
    /** The next commits lose their connection before they are answered, and take effect that much later. */
    answerNoCommit(count: number, afterMs: number): void {
      lateCommits = count;
      lateMs = afterMs;
    },
    heal(): void {
      if (mode !== 'dead') mode = 'open';
      lateCommits = 0;
      for (const { near, far } of pairs) void [near.resume(), far.resume()];
    },
    /** As at the death of the process that uses it. */
    kill(): void {
      mode = 'dead';
      cut();
      server.close();
    },
  };
}

function addressOf(target: string): net.NetConnectOpts {
  const url = new URL(target);
  const folder = url.searchParams.get('host');
  if (folder !== null) return { path: `${folder}/.s.PGSQL.${url.port || '5432'}` };
  return { host: url.hostname, port: Number(url.port || '5432') };
}
