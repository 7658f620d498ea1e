// A running installation is backed up, restored into an empty folder and served again; nothing altered or foreign is restored.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { addClient, addOperator, type Caller, type Issued, issueStatement, setUpSftp, signIn } from '../broker.ts';
import { openTempFolder, withClients } from '../clients.ts';
import { eventually } from '../eventually.ts';
import { commandOn, type Installation, openInstallation } from '../installation.ts';
import { makeKeyPair } from '../key-pairs.ts';
import { once } from '../once.ts';
import { sftp, type Target } from '../sftp-programs.ts';

const temp = openTempFolder();
const env = { BROADGATE_PRIVATE_ADDRESSES: 'on' };
const installation = await openInstallation({ env });
let again: Installation | undefined;
after(async () => {
  await again?.[Symbol.asyncDispose]();
  await installation[Symbol.asyncDispose]();
  temp[Symbol.dispose]();
});
const local = (name: string): string => path.join(temp.folder, name);
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

interface Listed {
  readonly id: string;
  readonly delivery: { readonly state: string } | null;
}

const made = once(makeBackup);

/** Statements and uploads, and a backup that is made while more statements are issued. */
async function makeBackup() {
  const desk = (await addOperator(installation, 'ana', ['delivery'])).caller;
  const client = await addClient(desk, 'vera', 'U9000001');
  const pair = await makeKeyPair(temp.folder, 'vera');
  const { userName: user } = await setUpSftp(desk, client, { key: pair.publicKey });
  const target: Target = { port: installation.sftpPort, user, keyFile: pair.keyFile };

  const bytesOf = (index: number): Buffer => Buffer.from(`statement ${index} `.repeat(3000));
  const issued: Issued[] = [];
  const issueNext = async (): Promise<void> => {
    const index = issued.length;
    const period = new Date(Date.UTC(2026, 0, 1 + index)).toISOString().slice(0, 10);
    const asked = { account: client.accountNumber, kind: 'daily', period, file: 'a.csv' };
    issued.push(await issueStatement(desk, asked, bytesOf(index)));
  };
  for (let count = 0; count < 5; count += 1) await issueNext();
  const upload = randomBytes(300_000);
  writeFileSync(local('upload.bin'), upload);
  const put = await sftp(target, ['mkdir out', `put ${local('upload.bin')} out/upload.bin`]);
  assert.equal(put.status, 0, put.stderr);
  {
    await using parts = await installation.openParts();
    await parts.statements.manifests.updateManifests();
    await parts.audit.seal(parts.database);
  }
  const noted = await installation.command('verify', 'audit');
  const head = /\b\d+:[0-9a-f]{64}\b/.exec(noted.output)?.[0];
  assert.ok(head, noted.output);

  const certain = issued.length;
  const busy = new AbortController();
  const backingUp = installation.command('backup', local('backup')).finally(() => busy.abort());
  while (!busy.signal.aborted) await issueNext();
  const { status, output } = await backingUp;
  assert.equal(status, 0, output);
  const { hostKeys } = await client.caller.get<{ hostKeys: unknown }>('/v1/delivery/instructions');
  return { client, target, issued, certain, bytesOf, upload, head, hostKeys };
}

/** An empty data folder that is given the master key of the installation. */
function emptyFolder(name: string): string {
  mkdirSync(local(name), { mode: 0o700 });
  copyFileSync(path.join(installation.dataDir, 'master.key'), path.join(local(name), 'master.key'));
  return local(name);
}

const restored = once(async () => {
  await made();
  const dataDir = emptyFolder('restored');
  const { status, output } = await commandOn(dataDir, ['restore', local('backup')]);
  assert.equal(status, 0, output);
  again = await openInstallation({ dataDir, env });
  return again;
});

test('a backup holds nothing that reads without the master key, and not that key', async () => {
  const { bytesOf } = await made();
  const key = readFileSync(path.join(installation.dataDir, 'master.key'), 'utf8').trim().split('\n').at(-1)!;
  const entries = readdirSync(local('backup'), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  assert.ok(files.length > 10);
  for (const file of files) {
    const bytes = readFileSync(file);
    assert.ok(!bytes.includes(key) && !bytes.includes(Buffer.from(key, 'hex')), file);
    assert.ok(!bytes.includes(bytesOf(0).subarray(0, 200)), file);
  }
});

test(
  'what is restored is served again: the same client fetches its statements and its own file by sftp',
  withClients,
  async () => {
    const { client, target, issued, certain, bytesOf, upload, hostKeys } = await made();
    const serving = await restored();
    const caller: Caller = await signIn(serving.url, client.login, client.password);
    // The backup's moment may lie between an issue and its placing: what waited then is placed after the restore.
    const found = await eventually(
      async () => {
        const listed = await caller.list<Listed>('/v1/statements?limit=100');
        return listed.every(({ delivery }) => delivery?.state === 'placed') && listed;
      },
      { timeoutMs: 60_000 },
    );
    // Whatever was issued before is there; of what was issued meanwhile, the first so many, and each of them whole.
    assert.ok(found.length >= certain && found.length <= issued.length, `${found.length} of ${issued.length}`);
    assert.deepEqual(
      found.map(({ id }) => id).toSorted(),
      issued
        .slice(0, found.length)
        .map(({ id }) => id)
        .toSorted(),
    );
    mkdirSync(local('fetched'));
    const there = { ...target, port: serving.sftpPort };
    const placed = issued.slice(0, found.length);
    const ran = await sftp(there, [
      ...placed.flatMap(({ name }) => [`get ${name} ${local('fetched')}/`, `get ${name}.sig ${local('fetched')}/`]),
      `get -R manifests ${local('fetched')}/`,
      `get out/upload.bin ${local('upload.back')}`,
    ]);
    assert.equal(ran.status, 0, ran.stderr);
    for (const [index, { name }] of placed.entries()) {
      assert.ok(readFileSync(path.join(local('fetched'), name)).equals(bytesOf(index)), name);
    }
    assert.ok(readFileSync(local('upload.back')).equals(upload));
    const instructions = await caller.get<{ hostKeys: unknown }>('/v1/delivery/instructions');
    assert.deepEqual(instructions.hostKeys, hostKeys, 'the server shows another host key');

    const brokerKey = local('broker.asc');
    writeFileSync(brokerKey, (await caller.get<{ certificate: string }>('/v1/broker-key')).certificate);
    const manifests = readdirSync(path.join(local('fetched'), 'manifests')).filter((name) => name.endsWith('.json'));
    assert.equal(manifests.length, 1);
    const paths = manifests.map((name) => path.join(local('fetched'), 'manifests', name));
    const checked = await serving.command('verify', 'manifest', ...paths, '--broker-key', brokerKey);
    assert.equal(checked.status, 0, checked.output);
  },
);

test('after a restore the audit trail goes on from the head that was noted before', async () => {
  const { head } = await made();
  const serving = await restored();
  const verified = await serving.command('verify', 'audit', '--noted', head);
  assert.equal(verified.status, 0, verified.output);
  const [index] = head.split(':');
  const other = await serving.command('verify', 'audit', '--noted', `${index}:${hashOf(Buffer.from(head))}`);
  assert.equal(other.status, 1, 'a head of another trail was believed');
  await using parts = await serving.openParts();
  const lists = await parts.statements.manifests.verifyAll();
  assert.deepEqual([lists.clients, lists.faults], [1, []]);
  await eventually(async () => (await parts.sql`select 1 from audit where sequence > ${Number(index)}`).length > 0);
});

/** Copies of the backup with one thing changed in each, and what the restore says to it. */
const alterations: readonly { readonly what: string; readonly code: string; change(folder: string): void }[] = [
  {
    what: 'the manifest is missing',
    code: 'backup_incomplete',
    change: (folder) => rmSync(path.join(folder, 'manifest.json')),
  },
  {
    what: 'a row is changed',
    code: 'backup_damaged',
    change(folder) {
      const file = path.join(folder, 'rows/accounts.jsonl');
      writeFileSync(file, readFileSync(file, 'utf8').replace('U9000001', 'U9000002'));
    },
  },
  {
    what: 'a row is changed, and its hash in the manifest with it',
    code: 'backup_damaged',
    change(folder) {
      const [rows, manifest] = [path.join(folder, 'rows/accounts.jsonl'), path.join(folder, 'manifest.json')];
      const before = readFileSync(rows);
      const changed = Buffer.from(before.toString().replace('U9000001', 'U9000002'));
      writeFileSync(rows, changed);
      writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(hashOf(before), hashOf(changed)));
    },
  },
  {
    what: 'a bit of a file is changed',
    code: 'backup_damaged',
    change(folder) {
      const entries = readdirSync(path.join(folder, 'blobs'), { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
      const file = files.find((one) => readFileSync(one).length > 10_000)!;
      const bytes = readFileSync(file);
      bytes[5000]! ^= 1;
      writeFileSync(file, bytes);
    },
  },
];

for (const { what, code, change } of alterations) {
  test(`a backup is refused where ${what}, and the empty installation stays empty`, async () => {
    await made();
    const [copy, dataDir] = [local(`copy where ${what}`), emptyFolder(`empty where ${what}`)];
    cpSync(local('backup'), copy, { recursive: true });
    change(copy);
    const { status, output } = await commandOn(dataDir, ['restore', copy]);
    assert.notEqual(status, 0, output);
    assert.match(output, new RegExp(`\\[${code}\\]`));
    const clients = await commandOn(dataDir, ['client', 'list']);
    assert.deepEqual([clients.status, clients.stdout], [0, '']);
  });
}

test('a backup is refused where the master key is missing or another', async () => {
  await made();
  mkdirSync(local('keyless'), { mode: 0o700 });
  const missing = await commandOn(local('keyless'), ['restore', local('backup')]);
  assert.equal(missing.status, 1, missing.output);
  assert.match(missing.output, /\[master_key_missing\]/);
  assert.ok(!existsSync(path.join(local('keyless'), 'master.key')), 'a key was made that opens nothing');
  const other = { BROADGATE_MASTER_KEY: randomBytes(32).toString('hex') };
  const wrong = await commandOn(local('keyless'), ['restore', local('backup')], other);
  assert.equal(wrong.status, 1, wrong.output);
  assert.match(wrong.output, /\[master_key_wrong\]/);
});

test('a backup is restored into nothing but an empty installation that nobody serves', async () => {
  await made();
  const serving = await restored();
  const beside = await serving.command('restore', local('backup'));
  assert.match(beside.output, /\[folder_in_use\]/);
  assert.equal(beside.status, 1, beside.output);
  const over = await installation.command('backup', local('backup'));
  assert.match(over.output, /\[backup_folder_not_empty\]/);
});
