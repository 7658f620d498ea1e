// Row: a folder of a hundred thousand files, listed to its end, and how much memory that takes the server.
import { run } from '../test/clients.ts';
import type { Row } from './row.ts';
import { ciphers, runClient, sidesOf, type SftpWork } from './sftp-runs.ts';
import { makeFile, type OurServer, type SftpServers, shareSftpServers } from './sftp-servers.ts';
import type { SftpServer } from './sftp-peers.ts';

const folder = 'many';
const warmFolder = 'some';
const warmFiles = 500;

/** As many rows as that many uploads leave, all over the blob of one: a hundred thousand uploads would take an hour. */
async function fillOurs(server: OurServer, name: string, count: number): Promise<void> {
  await using parts = await server.installation.openParts();
  await parts.sql`insert into entries (id, client_id, path, parent, name, kind, origin, blob_id, size_bytes, sha256,
      placed_at_ms, modified_at_ms)
    select ${name} || number, client_id, parent || '/statement-' || lpad(number::text, 6, '0') || '.pdf.pgp', parent,
      'statement-' || lpad(number::text, 6, '0') || '.pdf.pgp', kind, origin, blob_id, size_bytes, sha256, placed_at_ms,
      modified_at_ms
    from entries, generate_series(1, ${count}::integer) as number
    where client_id = ${server.clientId} and path = ${`/${name}/seed`}`;
  await parts.sql`analyze entries`;
}

async function fill(servers: SftpServers, server: SftpServer, name: string, count: number): Promise<void> {
  const seed = await makeFile(servers, 'seed', 1);
  await runClient(server, ciphers.gcm, [`mkdir ${server.at(name)}`, `put ${seed} ${server.at(`${name}/seed`)}`]);
  if (server.name === 'Broadgate') return fillOurs(server as OurServer, name, count);
  const script = `cd ${server.at(name)} && seq -f 'statement-%06.0f.pdf.pgp' 1 ${count} | xargs touch`;
  const ran = await run('sh', ['-c', script]);
  if (ran.status !== 0) throw new Error(`the folder could not be filled: ${ran.stderr}`);
}

export const listingRow: Row = {
  name: 'sftp-list',
  meaning: 'List a folder of 100,000 files',
  notes: [
    'The client is OpenSSH sftp with `ls -1f`, which asks READDIR by READDIR and prints unsorted.',
    'Growth of memory is the highest that was seen while it ran above what was there before, of the processes that serve: of ours the workers, of the peers all.',
  ],
  measures: [
    { name: 'speed', unit: 'entries/s', better: 'higher', bars: [{ kind: 'ratio', against: 'OpenSSH', min: 1.0 }] },
    { name: 'time', unit: 's', better: 'neither' },
    { name: 'server processor time', unit: 's', better: 'lower' },
    { name: 'server memory, growth', unit: 'MiB', better: 'neither', bars: [{ kind: 'at-most', value: 32 }] },
  ],
  rounds: 5,
  async open(bench) {
    const servers = await shareSftpServers(bench);
    const { listed } = servers.sizes;
    for (const server of [servers.ours, ...servers.peers]) {
      await fill(servers, server, warmFolder, warmFiles);
      await fill(servers, server, folder, listed);
    }
    const work: SftpWork = {
      name: 'sftp-list',
      async work(server, round) {
        const names = await runClient(server, ciphers.gcm, [`ls -1f ${server.at(round === 0 ? warmFolder : folder)}`]);
        const seen = names.split('\n').filter((line) => line.endsWith('.pgp')).length;
        const wanted = round === 0 ? warmFiles : listed;
        if (seen !== wanted) throw new Error(`${seen} of ${wanted} entries were listed`);
        return { attempts: 1, failures: 0 };
      },
      values: ({ seconds, cost }) => ({
        speed: listed / seconds,
        time: seconds,
        'server processor time': cost.cpuSeconds,
        'server memory, growth': cost.memoryGrowthBytes / 2 ** 20,
      }),
    };
    return { sides: sidesOf(bench, servers, work, 1) };
  },
};
