// Rows: two thousand small files each way in one connection, as a client that mirrors its folder moves them.
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { run } from '../test/clients.ts';
import type { Measure, Row } from './row.ts';
import { ciphers, runClient, sidesOf, type SftpWork } from './sftp-runs.ts';
import { type SftpServers, shareSftpServers } from './sftp-servers.ts';

const fileBytes = 20_000;

const measures: readonly Measure[] = [
  { name: 'speed', unit: 'files/s', better: 'higher', bars: [{ kind: 'ratio', against: 'OpenSSH', min: 1.0 }] },
  { name: 'server processor time', unit: 'ms/file', better: 'lower' },
];

const notes = [
  'The client is OpenSSH sftp with `get -r` or `put -r`, aes128-gcm, its own files in memory.',
  'Each file that ours takes is on disk (fsync) and in a committed row when its CLOSE is answered, and each that it gives leaves a durable receipt; the peers do neither.',
];

const values: SftpWork['values'] = ({ seconds, cost, attempts }) => ({
  speed: attempts / seconds,
  'server processor time': (cost.cpuSeconds * 1000) / attempts,
});

async function makeFiles(servers: SftpServers, count: number, folderName: string): Promise<string> {
  const folder = path.join(servers.clientFolder, folderName);
  mkdirSync(folder, { recursive: true });
  const script = `cd ${folder} && head -c ${count * fileBytes} /dev/urandom | split -b ${fileBytes} -a 4 -d - file-`;
  const ran = await run('sh', ['-c', script]);
  if (ran.status !== 0) throw new Error(`the small files could not be made: ${ran.stderr}`);
  return folder;
}

const warmFiles = 50;

// NOTE: `put -r` asks for the real path of a folder before it makes it, which ProFTPD answers with "no such file".
const putAll = (from: string, to: string): string[] => [`mkdir ${to}`, `put ${from}/* ${to}/`];

const getRow: Row = {
  name: 'sftp-files-get',
  meaning: 'Get 2,000 files of 20 KB',
  notes,
  measures,
  rounds: 3,
  async open(bench) {
    const servers = await shareSftpServers(bench);
    const { files } = servers.sizes;
    const [warm, all] = [await makeFiles(servers, warmFiles, 'small-warm'), await makeFiles(servers, files, 'small')];
    for (const server of [servers.ours, ...servers.peers]) {
      await runClient(server, ciphers.gcm, putAll(warm, server.at('small-warm')));
      await runClient(server, ciphers.gcm, putAll(all, server.at('small')));
    }
    const to = path.join(servers.clientFolder, 'small-got');
    const work: SftpWork = {
      name: 'sftp-files-get',
      async work(server, round) {
        await runClient(server, ciphers.gcm, [`get -r ${server.at(round === 0 ? 'small-warm' : 'small')} ${to}`]);
        return { attempts: round === 0 ? warmFiles : files, failures: 0 };
      },
      tidy: async () => rmSync(to, { recursive: true }),
      values,
    };
    return { sides: sidesOf(bench, servers, work, 1) };
  },
};

const putRow: Row = {
  name: 'sftp-files-put',
  meaning: 'Put 2,000 files of 20 KB',
  notes,
  measures,
  rounds: 3,
  async open(bench) {
    const servers = await shareSftpServers(bench);
    const { files } = servers.sizes;
    const [warm, all] = [await makeFiles(servers, warmFiles, 'small-warm'), await makeFiles(servers, files, 'small')];
    const work: SftpWork = {
      name: 'sftp-files-put',
      async work(server, round) {
        await runClient(server, ciphers.gcm, putAll(round === 0 ? warm : all, server.at('small-put')));
        return { attempts: round === 0 ? warmFiles : files, failures: 0 };
      },
      async tidy(server) {
        await runClient(server, ciphers.gcm, [`rm ${server.at('small-put/*')}`, `rmdir ${server.at('small-put')}`]);
      },
      values,
    };
    return { sides: sidesOf(bench, servers, work, 1) };
  },
};

export const smallFileRows: readonly Row[] = [getRow, putRow];
