// Rows: one large file each way, by cipher, and eight of them at once.
import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Measure, Row } from './row.ts';
import { ciphers, runClient, sidesOf, type SftpWork } from './sftp-runs.ts';
import type { SftpServer } from './sftp-peers.ts';
import { makeFile, type SftpServers, shareSftpServers } from './sftp-servers.ts';

type CipherName = keyof typeof ciphers;

const notes = [
  'The client is OpenSSH sftp, its own files in memory; a run is the whole command, sign-in included.',
  'Files of all servers lie on one disk and are in the page cache; `sync` runs before each run.',
  'Ours encrypts at rest and verifies what it reads, and a put is on disk (fsync) and in a committed row when it is answered; the peers write plain files and leave them to the page cache.',
  'Server processor time counts the database of ours too.',
];

const warmMib = 64;

const measuresOf = (ratioMin: number | undefined): readonly Measure[] => [
  {
    name: 'speed',
    unit: 'MiB/s',
    better: 'higher',
    bars: ratioMin === undefined ? [] : [{ kind: 'ratio', against: 'OpenSSH', min: ratioMin }],
  },
  { name: 'server processor time', unit: 's/GiB', better: 'lower' },
  { name: 'server memory, growth', unit: 'MiB', better: 'neither' },
];

const valuesOf =
  (mib: number): SftpWork['values'] =>
  ({ seconds, cost }) => ({
    speed: mib / seconds,
    'server processor time': cost.cpuSeconds / (mib / 1024),
    'server memory, growth': cost.memoryGrowthBytes / 2 ** 20,
  });

/** Files that were put on a server for a later get. */
const offered = new WeakMap<SftpServer, Set<string>>();

async function offer(servers: SftpServers, name: string, mib: number): Promise<void> {
  const file = await makeFile(servers, name, mib);
  for (const server of [servers.ours, ...servers.peers]) {
    const names = offered.get(server) ?? new Set<string>();
    offered.set(server, names);
    if (names.has(name)) continue;
    await runClient(server, ciphers.gcm, [`put ${file} ${server.at(name)}`]);
    names.add(name);
  }
}

/** The warm-up moves less. */
const pick = (round: number, mib: number): { name: string; mib: number } =>
  round === 0 ? { name: 'warm', mib: warmMib } : { name: 'large', mib };

function createGet(name: string, cipher: CipherName, ratioMin?: number): Row {
  return {
    name,
    meaning: `Get one file of 1 GiB, ${showCipher(cipher)}`,
    notes,
    measures: measuresOf(ratioMin),
    rounds: 3,
    async open(bench) {
      const servers = await shareSftpServers(bench);
      const mib = servers.sizes.fileMib;
      await offer(servers, 'warm', warmMib);
      await offer(servers, 'large', mib);
      const to = path.join(servers.clientFolder, 'got');
      const work: SftpWork = {
        name,
        async work(server, round) {
          await runClient(server, ciphers[cipher], [`get ${server.at(pick(round, mib).name)} ${to}`]);
          return { attempts: 1, failures: 0 };
        },
        tidy: async () => rmSync(to),
        values: valuesOf(mib),
      };
      return { sides: sidesOf(bench, servers, work, 1) };
    },
  };
}

function createPut(name: string, cipher: CipherName, ratioMin?: number): Row {
  return {
    name,
    meaning: `Put one file of 1 GiB, ${showCipher(cipher)}`,
    notes,
    measures: measuresOf(ratioMin),
    rounds: 3,
    async open(bench) {
      const servers = await shareSftpServers(bench);
      const mib = servers.sizes.fileMib;
      const [warm, large] = [await makeFile(servers, 'warm', warmMib), await makeFile(servers, 'large', mib)];
      const work: SftpWork = {
        name,
        async work(server, round) {
          await runClient(server, ciphers[cipher], [`put ${round === 0 ? warm : large} ${server.at('put')}`]);
          return { attempts: 1, failures: 0 };
        },
        tidy: async (server) => void (await runClient(server, ciphers.gcm, [`rm ${server.at('put')}`])),
        values: valuesOf(mib),
      };
      return { sides: sidesOf(bench, servers, work, 1) };
    },
  };
}

/** Several clients at once. One that fails is counted; the others go on. */
function createStreams(name: string, direction: 'get' | 'put', ratioMin?: number): Row {
  return {
    name,
    meaning: `8 clients ${direction} a file of 128 MiB each at once, ${showCipher('gcm')}`,
    notes,
    measures: measuresOf(ratioMin),
    rounds: 3,
    async open(bench) {
      const servers = await shareSftpServers(bench);
      const { streams, fileMib } = servers.sizes;
      const each = fileMib / streams;
      const indices = Array.from({ length: streams }, (_, index) => index);
      for (const index of direction === 'get' ? indices : []) await offer(servers, `stream-${index}`, each);
      const local = (index: number): string => path.join(servers.clientFolder, `got-${index}`);
      const files = await Promise.all(indices.map((index) => makeFile(servers, `stream-${index}`, each)));
      const commandOf = (server: SftpServer, index: number): string =>
        direction === 'get'
          ? `get ${server.at(`stream-${index}`)} ${local(index)}`
          : `put ${files[index]} ${server.at(`put-${index}`)}`;
      const work: SftpWork = {
        name,
        async work(server, round) {
          // The warm-up is two of them.
          const some = round === 0 ? indices.slice(0, 2) : indices;
          const ended = await Promise.allSettled(
            some.map((index) => runClient(server, ciphers.gcm, [commandOf(server, index)])),
          );
          return { attempts: some.length, failures: ended.filter(({ status }) => status === 'rejected').length };
        },
        async tidy(server) {
          for (const index of indices) rmSync(local(index), { force: true });
          if (direction === 'put') await runClient(server, ciphers.gcm, [`-rm ${server.at('put-*')}`]);
        },
        values: (ran) => valuesOf(each * ran.attempts)(ran),
      };
      return { sides: sidesOf(bench, servers, work, 1) };
    },
  };
}

const showCipher = (cipher: CipherName): string =>
  ({ gcm: 'aes128-gcm', ctr: 'aes256-ctr with hmac-sha2-256-etm', default: 'what a default client picks' })[cipher];

export const transferRows: readonly Row[] = [
  createGet('sftp-get-gcm', 'gcm', 1.0),
  createPut('sftp-put-gcm', 'gcm', 1.2),
  createGet('sftp-get-ctr', 'ctr', 0.9),
  createPut('sftp-put-ctr', 'ctr'),
  createGet('sftp-get-default', 'default', 0.95),
  createPut('sftp-put-default', 'default'),
  createStreams('sftp-streams-get', 'get', 1.0),
  createStreams('sftp-streams-put', 'put'),
];
