// The processes of an installation: one that dies is replaced, a stop is orderly, and what a crash leaves is taken up again.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { addClient, addOperator, type ClientPerson, createCaller, issueStatement, setUpSftp } from '../broker.ts';
import { openTempFolder, withClients } from '../clients.ts';
import { eventually } from '../eventually.ts';
import { client as packets } from '../fakes/sftp-client.ts';
import { type Installation, openInstallation, readRunFile, startInVain } from '../installation.ts';
import { makeKeyPair } from '../key-pairs.ts';
import { openByHand } from '../sftp-by-hand.ts';
import { listNames, openSftp, sftp, type Target } from '../sftp-programs.ts';

const temp = openTempFolder();
const { folder } = temp;
const env = { BROADGATE_PRIVATE_ADDRESSES: 'on', BROADGATE_WORKERS: '2' };
const installation = await openInstallation({ env });
after(async () => {
  await installation[Symbol.asyncDispose]();
  temp[Symbol.dispose]();
});
const desk = (await addOperator(installation, 'ana', ['delivery'])).caller;
const local = (name: string): string => path.join(folder, name);

/** A client with a configured connection. */
async function setUp(on: Installation, by: typeof desk, login: string, accountNumber: string) {
  const client = await addClient(by, login, accountNumber);
  const pair = await makeKeyPair(folder, login);
  const { userName: user } = await setUpSftp(by, client, { key: pair.publicKey });
  const target: Target = { port: on.sftpPort, user, keyFile: pair.keyFile };
  return { client, target };
}

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}/stat`) && !/^\d+ \(.*\) Z/.test(statOf(pid));
function statOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return '';
  }
}

/** How many connections to the port a process holds. Source: proc(5), net/tcp: state 01 is ESTABLISHED, ports are hexadecimal. */
function countConnections(pid: number, port: number): number {
  const inodes = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((cells) => cells[1]?.endsWith(`:${port.toString(16).toUpperCase().padStart(4, '0')}`) && cells[3] === '01')
    .map((cells) => `socket:[${cells[9]}]`);
  const held = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return held.filter((link) => inodes.includes(link)).length;
}

test('run.json names the process and both ports while the server runs', async () => {
  const { pid, httpsPort, sftpPort } = installation;
  assert.deepEqual(readRunFile(installation.dataDir), { pid, httpsPort, sftpPort });
  assert.equal(statSync(path.join(installation.dataDir, 'run.json')).mode & 0o777, 0o600);
  assert.ok(isAlive(pid));
  assert.equal((await fetch(`${installation.url}/v1/openapi.json`)).status, 200);
});

test('a second start on the same folder is refused, and the first server goes on undisturbed', async () => {
  const before = readRunFile(installation.dataDir);
  const { status, output } = await startInVain(installation.dataDir, { env });
  assert.equal(status, 1, output);
  assert.match(output, /\[folder_in_use\]/);
  assert.deepEqual(readRunFile(installation.dataDir), before);
  assert.equal((await fetch(`${installation.url}/v1/openapi.json`)).status, 200);
});

test('a worker that is killed is replaced, and only its own connections are lost', withClients, async () => {
  const { target } = await setUp(installation, desk, 'wanda', 'U8000001');
  const opened: Awaited<ReturnType<typeof openByHand>>[] = [];
  after(() => opened.forEach((one) => one[Symbol.dispose]()));
  const workers = installation.workers();
  assert.equal(workers.length, 2);
  const heldBy = (pid: number): number => countConnections(pid, installation.sftpPort);
  // The system chooses which worker accepts: connections are opened until each has one.
  while (workers.some((pid) => heldBy(pid) === 0)) {
    opened.push(await openByHand(target));
    assert.ok(opened.length <= 40, 'one worker takes every connection');
  }
  const [killed, kept] = workers as [number, number];
  const [lostCount, keptCount] = [heldBy(killed), heldBy(kept)];
  assert.equal(lostCount + keptCount, opened.length);
  process.kill(killed, 'SIGKILL');

  const answers = await Promise.all(
    opened.map((one) =>
      one
        .status((id) => packets.path(17, id, '/'))
        .then(
          ({ code }) => code === 0,
          () => false,
        ),
    ),
  );
  assert.equal(answers.filter(Boolean).length, keptCount, 'a connection of the other worker was lost');
  const now = await eventually(() => installation.workers().length === 2 && installation.workers());
  assert.ok(now.includes(kept) && !now.includes(killed));
  await eventually(async () => (await sftp(target, ['pwd'])).status === 0);
  assert.equal(readRunFile(installation.dataDir)?.pid, installation.pid);
});

test('a client that is suspended loses its sign-ins and its SFTP connections at once', withClients, async () => {
  const { client, target } = await setUp(installation, desk, 'selma', 'U8000002');
  const other = await setUp(installation, desk, 'otto', 'U8000003');
  const [open, untouched] = [openSftp(target, [], 60_000), openSftp(other.target, [], 60_000)];
  after(untouched.close);
  const isConnected = async (one: ClientPerson): Promise<boolean> => {
    const connections = await one.caller.list<{ endedAt: string | null }>('/v1/delivery/connections');
    return connections.some(({ endedAt }) => endedAt === null);
  };
  await eventually(async () => (await isConnected(client)) && (await isConnected(other.client)));
  const { status, output } = await installation.command('client', 'suspend', 'selma', '--reason', 'a check');
  assert.equal(status, 0, output);
  const saidMs = performance.now();
  assert.ok(await open.ended, 'the connection went on');
  assert.ok(performance.now() - saidMs < 5000, 'the connection ended late');
  assert.equal((await client.caller.call('GET', '/v1/delivery')).status, 401);
  assert.notEqual((await sftp(target, ['pwd'])).status, 0);
  assert.ok(await isConnected(other.client), 'another client lost its connection');
});

/** An upload that takes minutes, under way. Shape: the status that `sftp` ends with. */
async function startSlowUpload(
  on: Installation,
  client: ClientPerson,
  target: Target,
): Promise<{ ended: Promise<number> }> {
  const caller = createCaller(on.url, client.caller.token);
  writeFileSync(local('large'), randomBytes(8 * 1024 * 1024));
  // 64 KiB a second.
  const put = sftp({ ...target, port: on.sftpPort }, [`put ${local('large')} slow.bin`], { args: ['-l', '512'] });
  await eventually(async () => {
    const entry = await caller.get<{ isPartial: boolean }>('/v1/repository/entry?path=/slow.bin');
    return entry.isPartial;
  });
  return { ended: put.then(({ status }) => status) };
}

test(
  'Ctrl-C lets a running transfer end, and stops everything; a second one cuts what is too slow',
  withClients,
  async () => {
    const dataDir = local('stopped');
    const patient = { ...env, BROADGATE_STOP_SECONDS: '200' };
    await using running = await openInstallation({ dataDir, env: patient, isOwnGroup: true });
    const by = (await addOperator(running, 'ben', ['delivery'])).caller;
    const { client, target } = await setUp(running, by, 'rita', 'U8000010');
    const bytes = randomBytes(4 * 1024 * 1024);
    const asked = { account: client.accountNumber, kind: 'daily', period: '2026-11-20', file: 'a.pdf' };
    const issued = await issueStatement(by, asked, bytes);
    const [workers, databasePid] = [running.workers(), await running.databasePid()];
    const upload = await startSlowUpload(running, client, target);
    // 1 MiB a second.
    const fetching = sftp(target, [`get ${issued.name} ${local('fetched')}`], { args: ['-l', '8192'] });
    await eventually(() => statSync(local('fetched')).size > 0);

    process.kill(-running.pid, 'SIGINT');
    await fetching;
    assert.ok(readFileSync(local('fetched')).equals(bytes), 'the transfer was cut');
    await eventually(
      () =>
        fetch(running.url).then(
          () => false,
          () => true,
        ),
      { what: 'the end of the API' },
    );
    assert.ok(isAlive(running.pid), 'the server did not wait for the upload');
    process.kill(-running.pid, 'SIGINT');
    await running.exit();
    assert.notEqual(await upload.ended, 0);
    assert.deepEqual([...workers, databasePid].filter(isAlive), [], 'a process outlived the stop');
    assert.equal(readRunFile(dataDir), undefined);

    // Served again, it shows nothing of what was cut; without patience the time alone cuts.
    await using again = await openInstallation({ dataDir, env: { ...env, BROADGATE_STOP_SECONDS: '1' } });
    const names = await listNames({ ...target, port: again.sftpPort });
    assert.deepEqual(names.toSorted(), [issued.name, `${issued.name}.sig`, 'manifests'].toSorted());
    const second = await startSlowUpload(again, client, target);
    await again.stop();
    assert.notEqual(await second.ended, 0);
    assert.equal(readRunFile(dataDir), undefined);
  },
);

test('a PostgreSQL that outlived its killed server is taken over by the next start', withClients, async () => {
  const dataDir = local('orphaned');
  const first = await openInstallation({ dataDir, env });
  const by = await addOperator(first, 'cleo', ['delivery']);
  const { client, target } = await setUp(first, by.caller, 'rosa', 'U8000011');
  const asked = { account: client.accountNumber, kind: 'daily', period: '2026-11-20', file: 'a.pdf' };
  const issued = await issueStatement(by.caller, asked, 'issued before the crash');
  const [workers, databasePid] = [first.workers(), await first.databasePid()];
  process.kill(first.pid, 'SIGKILL');
  await first.exit();
  // Nobody supervises the workers any more: they go by themselves, and the database stays.
  await eventually(() => !workers.some(isAlive));
  assert.ok(isAlive(databasePid));
  assert.equal(readRunFile(dataDir)?.pid, first.pid, 'a killed server cannot take its file away');

  await using second = await openInstallation({ dataDir, env });
  assert.equal(await second.databasePid(), databasePid);
  const ran = await sftp({ ...target, port: second.sftpPort }, [`get ${issued.name} ${local('survived')}`]);
  assert.equal(ran.status, 0, ran.stderr);
  assert.equal(readFileSync(local('survived'), 'utf8'), 'issued before the crash');
  const again = createCaller(second.url, by.caller.token);
  const later = await issueStatement(again, { ...asked, period: '2026-11-23' }, 'issued after it');
  assert.equal(later.version, 1);
  await second.stop();
  assert.ok(!isAlive(databasePid), 'what was taken over was not stopped');
});
