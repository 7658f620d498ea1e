// Rows: a run of statements from the desk's upload to the last one placed, durable at every step.
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pack } from 'tar-stream';
import { addOperator, type Caller } from '../test/broker.ts';
import { type Installation, openInstallation } from '../test/installation.ts';
import { type KeyKind, kindNames, makeRecipients } from './issuing-recipients.ts';
import { statementBytes } from './issuing-seal.ts';
import { cpuSecondsOf } from './process-cost.ts';
import type { Row } from './row.ts';

const clientCount = 1000;

/** Clients with a configured connection and an enabled certificate, written as rows: a thousand set-ups would take minutes. */
async function addClients(installation: Installation, kind: KeyKind): Promise<string[]> {
  await using parts = await installation.openParts();
  const { sql, ids } = parts;
  const nowMs = Date.now();
  const clients = makeRecipients(kind, clientCount).map((recipient, index) => ({
    client: ids.next(),
    account: ids.next(),
    request: ids.next(),
    certificate: ids.next(),
    number: `U${7_000_000 + index}`,
    name: `client-${index}`,
    recipient,
  }));
  const given = JSON.stringify(clients);
  await sql`with r as (select * from jsonb_to_recordset(${given}::jsonb) as r (client text, name text))
    insert into clients (id, kind, name, locale, state, state_changed_at_ms, created_at_ms)
    select client, 'person', name, 'en', 'active', ${nowMs}, ${nowMs} from r`;
  await sql`with r as (select * from jsonb_to_recordset(${given}::jsonb) as r (client text, account text, number text))
    insert into accounts (id, client_id, number, created_at_ms) select account, client, number, ${nowMs} from r`;
  await sql`with r as (select * from jsonb_to_recordset(${given}::jsonb) as r (client text))
    insert into delivery_elections (client_id, sftp, encryption, elected_at_ms, changed_at_ms)
    select client, true, 'on', ${nowMs}, ${nowMs} from r`;
  await sql`with r as (select * from jsonb_to_recordset(${given}::jsonb) as r (client text, name text))
    insert into delivery_connections (client_id, state, user_name, password_hash, login_issued_at_ms, elected_at_ms,
      configured_at_ms, changed_at_ms)
    select client, 'configured', name, '-', ${nowMs}, ${nowMs}, ${nowMs}, ${nowMs} from r`;
  await sql`with r as (select * from jsonb_to_recordset(${given}::jsonb) as r (client text, request text))
    insert into delivery_requests (id, client_id, kind, channel, state, requester, submitters, approvals_needed,
      opened_at_ms, due_at_ms, approved_at_ms, finished_at_ms)
    select request, client, 'new_key', 'portal', 'done', 'client:' || client, array['client:' || client], 0,
      ${nowMs}, ${nowMs}, ${nowMs}, ${nowMs} from r`;
  await sql`with r as (select * from jsonb_to_recordset(${given}::jsonb)
      as r (client text, request text, certificate text, recipient jsonb))
    insert into openpgp_certificates (id, client_id, request_id, state, purpose, fingerprint, subkey_id, algorithm, cipher,
      certificate, recipient, submitted_at_ms, enabled_at_ms)
    select certificate, client, request, 'enabled', 'add', recipient ->> 'fingerprint', recipient ->> 'keyId', 'bench',
      'aes256', '\\x00', recipient, ${nowMs}, ${nowMs} from r`;
  await sql`analyze`;
  return clients.map((client) => client.number);
}

/** A run of `count` statements as a tar, its clients in turn, each statement of a client for another day. */
async function writeRun(file: string, accounts: readonly string[], count: number, firstDay: number): Promise<void> {
  const tar = pack();
  const written = tar.pipe((await open(file, 'w')).createWriteStream());
  const ended = new Promise((resolve, reject) => written.once('close', resolve).once('error', reject));
  const lines = ['account,kind,period,file,sha256'];
  for (let index = 0; index < count; index += 1) {
    const data = randomBytes(statementBytes);
    const day = new Date(Date.UTC(2020, 0, 1 + firstDay + Math.floor(index / accounts.length)))
      .toISOString()
      .slice(0, 10);
    const sha256 = createHash('sha256').update(data).digest('hex');
    lines.push([accounts[index % accounts.length], 'daily', day, `statement-${index}.pdf`, sha256].join(','));
    await new Promise<void>((done) => tar.entry({ name: `statement-${index}.pdf` }, data, () => done()));
  }
  tar.entry({ name: 'run.csv' }, lines.join('\n'));
  tar.finalize();
  await ended;
}

/** Processor time of the threads of these processes by what they do. Units: seconds. */
function threadSeconds(pids: readonly number[]): { main: number; sealing: number; files: number } {
  const sums = { main: 0, sealing: 0, files: 0 };
  for (const pid of pids) {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const [head, tail] = readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8').split(') ');
      const fields = tail!.split(' ');
      const seconds = (Number(fields[11]) + Number(fields[12])) / 100;
      if (Number(task) === pid) sums.main += seconds;
      else if (head!.includes('libuv')) sums.files += seconds;
      else if (head!.includes('WorkerThread')) sums.sealing += seconds;
    }
  }
  return sums;
}

interface RunView {
  readonly id: string;
  readonly state: string;
  readonly rows: { readonly done: number; readonly failed: number; readonly waiting: number };
}

/** Sends the run as the desk does and waits until it is done. */
async function issue(desk: Caller, file: string, reference: string): Promise<RunView['rows']> {
  const source = createReadStream(file, { highWaterMark: 2 ** 18 });
  const run = await desk.upload<RunView>(`/v1/runs?reference=${reference}`, source, 'application/x-tar');
  for (;;) {
    const now = await desk.get<RunView>(`/v1/runs/${run.id}`);
    if (now.state === 'done') return now.rows;
    await delay(50);
  }
}

function createRow(kind: KeyKind): Row {
  return {
    name: `issuing-run-${kind}`,
    meaning: `Issue a run of 10,000 statements of 50 KB to 1,000 ${kindNames[kind]} certificates, from the upload to the last one placed`,
    notes: [
      'An installation as its operator runs it, two workers and its own PostgreSQL, with everything synced: the plain copy, the encrypted and signed file, rows, audit and outbox.',
      'The run comes as a tar over HTTPS on loopback; its sender shares the machine. The manifests of the day follow after the run is done and are not waited for.',
      'Processor time a statement is that of all server processes; "sealing" are the threads that encrypt and sign, "main" reads, hashes, encrypts at rest and asks the database, "files" writes and syncs, "database" is PostgreSQL.',
    ],
    measures: [
      { name: 'speed', unit: '1/s', better: 'higher', bars: [{ kind: 'at-least', value: 1000 }] },
      { name: 'processor time', unit: 'ms', better: 'lower' },
      { name: 'of it sealing', unit: 'ms', better: 'lower' },
      { name: 'of it main', unit: 'ms', better: 'lower' },
      { name: 'of it files', unit: 'ms', better: 'lower' },
      { name: 'of it database', unit: 'ms', better: 'lower' },
    ],
    rounds: 2,
    async open(bench) {
      const installation = await openInstallation({ env: { BROADGATE_WORKERS: '2' } });
      const folder = mkdtempSync('/dev/shm/broadgate-bench-');
      const { caller } = await addOperator(installation, 'desk', ['delivery']);
      const accounts = await addClients(installation, kind);
      const databasePid = await installation.databasePid();
      const sizeOf = (round: number): number => (round === 0 ? 500 : bench.isQuick ? 2000 : 10_000);
      let firstDay = 0;
      return {
        sides: [
          {
            name: 'Broadgate',
            version: 'this',
            async run(round) {
              const count = sizeOf(round);
              const file = path.join(folder, 'run.tar');
              await writeRun(file, accounts, count, firstDay);
              firstDay += Math.ceil(count / accounts.length);
              const pids = [installation.pid, databasePid];
              const before = {
                ...threadSeconds(installation.workers()),
                all: cpuSecondsOf(pids),
                database: cpuSecondsOf([databasePid]),
              };
              const begunMs = performance.now();
              const rows = await issue(caller, file, `bench-${round}-${firstDay}`);
              const seconds = (performance.now() - begunMs) / 1000;
              const after = {
                ...threadSeconds(installation.workers()),
                all: cpuSecondsOf(pids),
                database: cpuSecondsOf([databasePid]),
              };
              rmSync(file);
              const each = (what: keyof typeof after): number => ((after[what] - before[what]) * 1000) / count;
              return {
                values: {
                  speed: count / seconds,
                  'processor time': each('all'),
                  'of it sealing': each('sealing'),
                  'of it main': each('main'),
                  'of it files': each('files'),
                  'of it database': each('database'),
                },
                attempts: count,
                failures: count - rows.done + rows.failed + rows.waiting,
              };
            },
          },
        ],
        async [Symbol.asyncDispose]() {
          rmSync(folder, { recursive: true, force: true });
          await installation[Symbol.asyncDispose]();
        },
      };
    },
  };
}

export const runRows: readonly Row[] = [createRow('rsa'), createRow('curve25519')];
