// Rows: what a thousand connections that do nothing cost, and what fifty that transfer do to memory and to the event loop.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectPeer, type Peer } from '../test/adversary/peer.ts';
import { memoryBytesOf, withCost } from './process-cost.ts';
import type { Bench, OpenRow, Row, Sample, Side } from './row.ts';
import { ciphers, runClient } from './sftp-runs.ts';
import { makeFile, type OurServer, type SftpServers, shareSftpServers } from './sftp-servers.ts';
import type { SftpServer } from './sftp-peers.ts';
import { readKey } from './sftp-sign-ins.ts';

const isOurs = (server: SftpServer): server is OurServer => server.name === 'Broadgate';

const settleMs = 1500;

/** Collects garbage in ours and gives every process a moment to let go. */
async function settle(server: SftpServer): Promise<void> {
  await delay(settleMs);
  if (!isOurs(server)) return;
  await server.probes.collect();
  await server.probes.collect();
}

/** Connections with an open SFTP session, a hundred from each source, so that no limit of a source is met. */
async function openIdle(server: SftpServer, count: number): Promise<Peer[]> {
  const key = readKey(server.target.keyFile);
  const peers: Peer[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const peer = await connectPeer(server.target.port, { localAddress: `127.0.0.${2 + Math.floor(index / 100)}` });
      peers.push(peer);
      await peer.signIn({ user: server.target.user, key });
      await peer.openSftp();
    }
  };
  await Promise.all(Array.from({ length: 10 }, lane));
  return peers;
}

async function closeAll(peers: readonly Peer[]): Promise<void> {
  for (const peer of peers) peer[Symbol.dispose]();
  await delay(settleMs);
}

function idleSide(server: SftpServer, count: number): Side {
  return {
    name: server.name,
    version: server.version,
    // A process a connection: fewer of them tell as much.
    ...(!isOurs(server) && { rounds: 1 }),
    async run(round): Promise<Sample> {
      // The warm-up makes what the first connections of a process make once.
      const wanted = round === 0 ? 100 : isOurs(server) ? count : Math.min(count, 200);
      const roots = server.holders;
      await settle(server);
      const before = memoryBytesOf(roots);
      const peers = await openIdle(server, wanted);
      await delay(settleMs);
      const fresh = memoryBytesOf(roots) - before;
      await settle(server);
      const kept = memoryBytesOf(roots) - before;
      const lost = peers.filter((peer) => peer.end !== undefined).length;
      await closeAll(peers);
      await settle(server);
      const after = memoryBytesOf(roots) - before;
      const values = {
        'memory a connection': kept / wanted / 1024,
        'before garbage is collected': fresh / wanted / 1024,
        'left when all are gone': after / 2 ** 20,
      };
      return { values, attempts: wanted, failures: wanted - peers.length + lost };
    },
  };
}

const idleRow: Row = {
  name: 'sftp-idle',
  meaning: 'Hold 1,000 signed-in connections with an open SFTP session that do nothing',
  notes: [
    'Memory is what the workers hold above what they held before, shared pages split, after a collection of garbage; OpenSSH is asked with 200 connections, since it starts processes for each. ProFTPD is left out: the client of this row, which is our own, does not come through its key exchange.',
  ],
  measures: [
    { name: 'memory a connection', unit: 'KiB', better: 'lower', bars: [{ kind: 'at-most', value: 60 }] },
    { name: 'before garbage is collected', unit: 'KiB', better: 'neither' },
    { name: 'left when all are gone', unit: 'MiB', better: 'neither' },
  ],
  rounds: 2,
  async open(bench): Promise<OpenRow> {
    const servers = await shareSftpServers(bench);
    const count = bench.isQuick ? 300 : 1000;
    const peers = servers.peers.filter(({ name }) => name === 'OpenSSH');
    return { sides: [servers.ours, ...peers].map((server) => idleSide(server, count)) };
  },
};

const clients = 50;
const eachMib = 16;

/** Half of them get and half put, at once, each in a program of its own. */
async function transferAll(servers: SftpServers, server: SftpServer, file: string, count: number): Promise<number> {
  const local = (index: number): string => path.join(servers.clientFolder, `load-${index}`);
  const one = async (index: number): Promise<void> => {
    const isGet = index % 2 === 0;
    const command = isGet ? `get ${server.at('load')} ${local(index)}` : `put ${file} ${server.at(`load-${index}`)}`;
    await runClient(server, ciphers.gcm, [command]);
    rmSync(local(index), { force: true });
  };
  const ended = await Promise.allSettled(Array.from({ length: count }, (_, index) => one(index)));
  return ended.filter(({ status }) => status === 'rejected').length;
}

function loadSide(bench: Bench, servers: SftpServers, server: SftpServer, file: string): Side {
  return {
    name: server.name,
    version: server.version,
    ...(server.name === 'ProFTPD' && { rounds: 1 }),
    async run(round): Promise<Sample> {
      const count = round === 0 ? 4 : clients;
      const work = () => withCost(server, () => transferAll(servers, server, file, count));
      const { result: ran, delays } = isOurs(server)
        ? await server.probes.delaysDuring(() =>
            bench.profileFolder === undefined ? work() : server.probes.profile(bench.profileFolder, 'sftp-load', work),
          )
        : { result: await work(), delays: [] };
      await runClient(server, ciphers.gcm, [`-rm ${server.at('load-*')}`]);
      const values: Record<string, number> = {
        speed: (count * eachMib) / ran.seconds,
        'server memory, growth': ran.cost.memoryGrowthBytes / 2 ** 20,
      };
      if (delays.length > 0) {
        values['event-loop delay, 99 %'] = Math.max(...delays.map((delay) => delay.p99));
        values['event-loop delay, most'] = Math.max(...delays.map((delay) => delay.max));
      }
      return { values, attempts: count, failures: ran.result };
    },
  };
}

const loadRow: Row = {
  name: 'sftp-load',
  meaning: '50 clients at once, half of them get and half put 16 MiB',
  notes: [
    'The delay is that of the slower worker, as Node measures it with a timer of 1 ms; fifty client programs compete with it for the same cores.',
  ],
  measures: [
    { name: 'event-loop delay, 99 %', unit: 'ms', better: 'neither', bars: [{ kind: 'at-most', value: 20 }] },
    { name: 'event-loop delay, most', unit: 'ms', better: 'neither' },
    { name: 'server memory, growth', unit: 'MiB', better: 'neither' },
    { name: 'speed', unit: 'MiB/s', better: 'higher' },
  ],
  rounds: 3,
  async open(bench): Promise<OpenRow> {
    const servers = await shareSftpServers(bench);
    const file = await makeFile(servers, 'load', eachMib);
    const all = [servers.ours, ...servers.peers];
    for (const server of all) await runClient(server, ciphers.gcm, [`put ${file} ${server.at('load')}`]);
    return { sides: all.map((server) => loadSide(bench, servers, server, file)) };
  },
};

export const idleRows: readonly Row[] = [loadRow, idleRow];
