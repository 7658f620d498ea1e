// Our server as its operator runs it, with one client taken through set-up, beside the two peers: shared by all SFTP rows.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { addClient, addOperator, setUpSftp } from '../test/broker.ts';
import { openTempFolder, run } from '../test/clients.ts';
import { type Installation, openInstallation } from '../test/installation.ts';
import { makeKeyPair } from '../test/key-pairs.ts';
import { openCpuAccount } from './cpu-account.ts';
import { createProbes, type Probes, probeOptions } from './probing.ts';
import type { Bench } from './row.ts';
import { openOpenSsh, openProFtpd, type SftpServer } from './sftp-peers.ts';

export interface OurServer extends SftpServer {
  readonly installation: Installation;
  readonly probes: Probes;
  /** The client whose folder is served. */
  readonly clientId: string;
}

export interface SftpServers extends AsyncDisposable {
  readonly ours: OurServer;
  readonly peers: readonly SftpServer[];
  /** Where clients keep their files: in memory, so that only the server's disk counts. */
  readonly clientFolder: string;
  readonly sizes: SftpSizes;
}

/** How much the rows move. Units: MiB where the name says so. */
export interface SftpSizes {
  readonly fileMib: number;
  readonly streams: number;
  readonly files: number;
  readonly listed: number;
  readonly signIns: number;
}

const fullSizes: SftpSizes = { fileMib: 1024, streams: 8, files: 2000, listed: 100_000, signIns: 20 };
const quickSizes: SftpSizes = { fileMib: 256, streams: 8, files: 500, listed: 20_000, signIns: 8 };

/** Any address of this network is a client's own: many idle connections need more than one source. */
const clientNetwork = '127.0.0.0/24';

async function openOurs(folder: string, keyFile: string, publicKey: string): Promise<OurServer> {
  const sockets = path.join(folder, 'probes');
  mkdirSync(sockets);
  chmodSync(sockets, 0o777);
  const installation = await openInstallation({
    env: {
      BROADGATE_PRIVATE_ADDRESSES: 'on',
      BROADGATE_QUOTA: '200 GiB',
      BROADGATE_WORKERS: String(os.availableParallelism()),
      ...probeOptions(sockets),
    },
  });
  try {
    const desk = await addOperator(installation, 'desk', ['delivery']);
    const client = await addClient(desk.caller, 'bench', 'U1234567');
    const { userName } = await setUpSftp(desk.caller, client, { key: publicKey, addresses: [clientNetwork] });
    const pids = [installation.pid, await installation.databasePid()];
    const cpu = openCpuAccount(pids);
    return {
      name: 'Broadgate',
      version: '0.1.0',
      target: { port: installation.sftpPort, user: userName, keyFile },
      at: (name) => `/${name}`,
      pids,
      cpu,
      holders: installation.workers(),
      installation,
      probes: createProbes(sockets),
      clientId: client.clientId,
      async [Symbol.asyncDispose]() {
        await installation[Symbol.asyncDispose]();
        cpu.close();
      },
    };
  } catch (fault) {
    await installation[Symbol.asyncDispose]();
    throw fault;
  }
}

/** Opens them once for the whole run. */
export const shareSftpServers = (bench: Bench): Promise<SftpServers> =>
  bench.share('sftp servers', () => openSftpServers(bench));

async function openSftpServers(bench: Bench): Promise<SftpServers> {
  bench.say('starting the servers');
  await using opened = new AsyncDisposableStack();
  const { folder } = opened.use(openTempFolder('broadgate-bench-'));
  chmodSync(folder, 0o755);
  const clientFolder = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : folder, 'broadgate-bench-'));
  opened.defer(() => rmSync(clientFolder, { recursive: true, force: true }));
  const { keyFile, publicKey } = await makeKeyPair(folder, 'key');
  const ours = opened.use(await openOurs(folder, keyFile, publicKey));
  const peers: SftpServer[] = [];
  for (const [name, open] of [['OpenSSH', openOpenSsh] as const, ['ProFTPD', openProFtpd] as const]) {
    if (!bench.wants(name)) continue;
    const place = path.join(folder, name);
    mkdirSync(place);
    peers.push(opened.use(await open({ folder: place, keyFile })));
  }
  const rest = opened.move();
  const sizes = bench.isQuick ? quickSizes : fullSizes;
  return { ours, peers, clientFolder, sizes, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}

/** Makes a file of noise once. Shape: its path; it is reused while its size is the same. */
export async function makeFile(servers: Pick<SftpServers, 'clientFolder'>, name: string, mib: number): Promise<string> {
  const file = path.join(servers.clientFolder, name);
  const ran = await run('sh', ['-c', `test -f ${file} || head -c ${mib}M /dev/urandom > ${file}`]);
  if (ran.status !== 0) throw new Error(`${file} could not be made: ${ran.stderr}`);
  return file;
}
