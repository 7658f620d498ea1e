// Reports from the desk's run to the client's hands: channel, name, contents, corrections, withdrawal, and the proof of it all.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import {
  addClient,
  addOperator,
  type ClientPerson,
  issueStatement,
  type NewStatement,
  setUpEncryption,
} from '../broker.ts';
import { type ClientComputer, type DeliveredStatement, openComputer, placeOf, profiles } from '../client-computer.ts';
import { openTempFolder, run, withClients } from '../clients.ts';
import { eventually } from '../eventually.ts';
import { openInstallation } from '../installation.ts';
import { once } from '../once.ts';
import { readCsv, readPdf, readXml } from '../report-readers.ts';
import { openRepositoryClient } from '../repository-client.ts';
import { lftp, listNames, sftp } from '../sftp-programs.ts';

const root = path.join(import.meta.dirname, '../..');
const temp = openTempFolder();
const { folder } = temp;
const installation = await openInstallation({
  env: { BROADGATE_PRIVATE_ADDRESSES: 'on', BROADGATE_BROKER_NAME: 'Harbour & Vale' },
});
const computers: ClientComputer[] = [];
after(async () => {
  await installation[Symbol.asyncDispose]();
  for (const computer of computers) computer[Symbol.dispose]();
  temp[Symbol.dispose]();
});
const ana = await addOperator(installation, 'ana', ['delivery']);
const desk = ana.caller;
const place = { installation, desk, folder };
const local = (name: string): string => path.join(folder, name);
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const day = '2026-11-20';
const formats = ['pdf', 'csv', 'xml'] as const;
const statementsOf = (client: ClientPerson) => client.caller.list<DeliveredStatement>('/v1/statements');
const noticesOf = async (client: ClientPerson) =>
  (await client.caller.list<{ kind: string }>('/v1/notices')).map(({ kind }) => kind);

const sven = once(() => openRepositoryClient(place, 'sven', 'U7000001'));
const erika = once(async () => {
  const repository = await openRepositoryClient(place, 'erika', 'U7000002');
  const computer = await openComputer(installation);
  computers.push(computer);
  const fingerprint = computer.generate(profiles.curve25519, 'Erika');
  await setUpEncryption(desk, repository.client, computer.armored(fingerprint));
  return { ...repository, computer, fingerprint };
});
const paula = once(() => addClient(desk, 'paula', 'U7000003'));

/** The desk's command for a run: `rows` are account, kind and file, the files lie in the folder. */
async function startRun(reference: string, runFolder: string, rows: readonly (readonly [string, string, string])[]) {
  const lines = rows.map(([account, kind, file]) =>
    [account, kind, day, file, hashOf(readFileSync(path.join(runFolder, file)))].join(','),
  );
  writeFileSync(path.join(runFolder, 'run.csv'), `account,kind,period,file,sha256\n${lines.join('\n')}\n`);
  writeFileSync(local('ana.password'), `${ana.password}\n`, { mode: 0o600 });
  const as = ['--url', installation.url, '--login', ana.login, '--password-file', local('ana.password')];
  const ran = await installation.command('desk', 'run', runFolder, '--reference', reference, ...as);
  assert.equal(ran.status, 0, ran.output);
}

/** One run with the activity statements of all three clients, as the generator writes them. */
const activity = once(async () => {
  const runFolder = local('run');
  const clients = [(await sven()).client, (await erika()).client, await paula()];
  const rows: [string, string, string][] = [];
  for (const { accountNumber } of clients) {
    const out = local(accountNumber);
    const generator = path.join(root, 'tools/activity-statement.ts');
    const made = await run(process.execPath, [generator, '--out', out, '--account', accountNumber, '--on', day]);
    assert.equal(made.status, 0, made.stderr);
    mkdirSync(runFolder, { recursive: true });
    for (const format of formats) {
      const file = `${accountNumber}.${format}`;
      renameSync(path.join(out, `activity-daily-${day}.${format}`), path.join(runFolder, file));
      rows.push([accountNumber, 'daily', file]);
    }
  }
  await startRun('activity-1', runFolder, rows);
  return {
    source: (client: ClientPerson, format: string): Buffer =>
      readFileSync(path.join(runFolder, `${client.accountNumber}.${format}`)),
  };
});

/** Waits until a client has a statement in each format where it belongs, and gives them by format. */
async function dailyOf(client: ClientPerson): Promise<Record<(typeof formats)[number], DeliveredStatement>> {
  const found = await eventually(async () => {
    const daily = (await statementsOf(client)).filter((one) => one.name.includes(`_daily_${day.replaceAll('-', '')}.`));
    const isThere = daily.every((one) => one.delivery === null || one.delivery.state === 'placed');
    return daily.length === formats.length && isThere ? daily : undefined;
  });
  return Object.fromEntries(found.map((one) => [one.name.split('.').at(-1), one])) as never;
}

test('RP-01: statements are produced and delivered over the channel that the client chose', withClients, async () => {
  const { source } = await activity();
  const viaSftp = await sven();
  const encrypted = await erika();
  const viaPortal = await paula();
  const plain = await dailyOf(viaSftp.client);
  const sealed = await dailyOf(encrypted.client);
  const shown = await dailyOf(viaPortal);
  for (const format of formats) {
    const { name } = plain[format];
    assert.deepEqual(await viaSftp.fetch(name), source(viaSftp.client, format));
    const message = await encrypted.fetch(`${sealed[format].name}.pgp`);
    assert.deepEqual(encrypted.computer.open(message, encrypted.fingerprint), source(encrypted.client, format));
    const { id, delivery } = shown[format];
    assert.equal(delivery, null, 'for the portal alone');
    const copy = await viaPortal.caller.call('GET', `/v1/statements/${id}/file`);
    assert.deepEqual(Buffer.from(await copy.arrayBuffer()), source(viaPortal, format));
  }
  assert.deepEqual(await viaPortal.caller.list('/v1/repository/entries?path=/'), []);
  for (const client of [viaSftp.client, encrypted.client, viaPortal])
    await eventually(async () => (await noticesOf(client)).includes('statement_new'));
  for (const [channel, code] of [
    ['ftp', 'channel_not_offered'],
    ['email', 'channel_not_offered'],
  ] as const) {
    const json = { sftp: false, portal: true, [channel]: true };
    assert.equal((await viaPortal.caller.refused('PUT', '/v1/delivery', { json })).code, code);
  }
});

test(
  'RP-02: reports can be opened and read after download, and after decryption where they are encrypted',
  withClients,
  async () => {
    await activity();
    const viaSftp = await sven();
    const encrypted = await erika();
    const readers = {
      plain: { client: viaSftp.client, read: async (name: string) => viaSftp.fetch(name) },
      encrypted: {
        client: encrypted.client,
        read: async (name: string) =>
          encrypted.computer.open(await encrypted.fetch(`${name}.pgp`), encrypted.fingerprint),
      },
    };
    for (const [how, { client, read }] of Object.entries(readers)) {
      const daily = await dailyOf(client);
      const words = readPdf(await read(daily.pdf.name));
      assert.ok(
        words.some((word) => word.includes(client.accountNumber)),
        how,
      );
      const rows = readCsv(await read(daily.csv.name));
      const account = rows.find(([section, , field]) => section === 'Account Information' && field === 'Account');
      assert.equal(account?.[3], client.accountNumber);
      const value = rows.find(([section, type]) => section === 'Net Asset Value' && type === 'Total')?.[4];
      assert.match(value ?? '', /^\d+\.\d\d$/);
      const elements = readXml(await read(daily.xml.name));
      const statement = elements.find(({ name }) => name === 'FlexStatement');
      assert.equal(statement?.attributes['accountId'], client.accountNumber);
      assert.deepEqual([statement?.attributes['fromDate'], statement?.attributes['toDate']], ['20261120', '20261120']);
      const cents = elements
        .filter(({ name }) => name === 'EquitySummaryByAssetClassInBase')
        .map(({ attributes }) => BigInt(attributes['total']!.replace('.', '')));
      const sum = cents.reduce((before, one) => before + one, 0n);
      assert.equal(`${sum}`, value?.replace('.', ''), 'CSV and XML tell the same');
    }
  },
);

/** A client with statements of its own, for what happens to single ones. */
const vito = once(() => openRepositoryClient(place, 'vito', 'U7000004'));

test(
  'D-27: names tell feed, kind and day, never the account, and a correction is a version beside the first',
  withClients,
  async () => {
    const { client, target, fetch } = await vito();
    const { client: other } = await sven();
    const asked: NewStatement = { account: client.accountNumber, kind: 'monthly', period: '2026-10', file: 'x.CSV' };
    const first = await issueStatement(desk, asked, 'first');
    const second = await issueStatement(desk, asked, 'second');
    const third = await issueStatement(desk, asked, 'third');
    const pdf = await issueStatement(desk, { ...asked, kind: 'document', period: '2026', file: 'Terms.pdf' }, 'terms');
    const feed = /^([0-9a-z]{6})_monthly_20261031\.csv$/.exec(first.name)?.[1];
    assert.ok(feed !== undefined && !client.accountNumber.toLowerCase().includes(feed), first.name);
    assert.deepEqual(
      [second.name, third.name, pdf.name],
      [`${feed}_monthly_20261031_v2.csv`, `${feed}_monthly_20261031_v3.csv`, `${feed}_document_20261231.pdf`],
    );
    assert.deepEqual([first.version, second.version, third.version, pdf.version], [1, 2, 3, 1]);
    const ofOther = await issueStatement(desk, { ...asked, account: other.accountNumber }, 'first');
    assert.notEqual(ofOther.name.slice(0, 6), feed);
    const names = await listNames(target);
    for (const { name } of [first, second, third, pdf])
      assert.ok(names.includes(name) && names.includes(`${name}.sig`));
    assert.equal((await fetch(first.name)).toString(), 'first', 'a correction leaves the first as it was');
    assert.equal((await fetch(third.name)).toString(), 'third');
  },
);

test('a withdrawn statement is hidden everywhere, its receipts stay, and the client is told', withClients, async () => {
  const { client, target, fetch } = await vito();
  const asked: NewStatement = { account: client.accountNumber, kind: 'annual', period: '2025', file: 'x.pdf' };
  const wrong = await issueStatement(desk, asked, 'of someone else');
  const right = await issueStatement(desk, asked, 'of vito');
  assert.equal((await fetch(wrong.name)).toString(), 'of someone else');
  const withdraw = `/v1/delivery-desk/statements/${wrong.id}/withdraw`;
  assert.equal((await client.caller.refused('POST', withdraw, { json: { reason: 'mine' } })).status, 403);
  await desk.post(withdraw, { reason: 'wrong account' });
  const names = await listNames(target);
  assert.ok(!names.includes(wrong.name) && !names.includes(`${wrong.name}.sig`) && names.includes(right.name));
  assert.notEqual((await sftp(target, [`get ${wrong.name} ${local('wrong')}`])).status, 0);
  for (const part of ['file', 'delivered']) {
    const answer = await client.caller.refused('GET', `/v1/statements/${wrong.id}/${part}`);
    assert.equal(answer.status, 404, part);
  }
  assert.ok((await noticesOf(client)).includes('statement_withdrawn'));
  const issued = await desk.list<DeliveredStatement>(`/v1/delivery-desk/statements?client=${client.clientId}`);
  assert.equal(issued.find((one) => one.id === wrong.id)?.state, 'withdrawn');
  const receipts = await desk.list<{ statementId: string | null }>(`/v1/receipts?client=${client.clientId}`);
  assert.ok(receipts.some((one) => one.statementId === wrong.id));
  assert.equal(
    (await desk.refused('POST', withdraw, { json: { reason: 'again' } })).code,
    'statement_withdrawn_already',
  );
  assert.equal((await fetch(right.name)).toString(), 'of vito');
});

test('a test file comes on request through the real delivery, for client and desk', withClients, async () => {
  const { client, computer, fingerprint, fetch } = await erika();
  const byClient = await client.caller.post<{ id: string }>('/v1/delivery/test-file');
  const byDesk = await desk.post<{ id: string }>(`/v1/clients/${client.clientId}/delivery/test-file`);
  for (const { id } of [byClient, byDesk]) {
    const { path: where, isEncrypted } = await placeOf(client, id);
    assert.match(where, /^\/[0-9a-z]{6}_test_\d{8}(_v2)?\.txt\.pgp$/);
    assert.ok(isEncrypted);
    assert.ok(computer.open(await fetch(where), fingerprint).includes('Harbour & Vale'));
  }
  const { caller } = await paula();
  assert.equal((await caller.refused('POST', '/v1/delivery/test-file')).code, 'test_file_not_possible');
});

interface Step {
  readonly step: string;
  readonly at: string;
  readonly subkeyId?: string;
  readonly certificateFingerprint?: string;
  readonly receipt?: {
    readonly face: string;
    readonly form: string;
    readonly address: string;
    readonly keyFingerprint: string | null;
    readonly sha256: string;
    readonly isWhole: boolean;
    readonly sentBytes: number;
  };
}

test(
  'the timeline of a statement tells when it was issued, encrypted, published, fetched by which key, and when it goes',
  withClients,
  async () => {
    const { client, fetch, fingerprint, pair } = await erika();
    const asked: NewStatement = {
      account: client.accountNumber,
      kind: 'weekly',
      period: '2026-11-16/2026-11-20',
      file: 'x.csv',
    };
    const { id } = await issueStatement(desk, asked, 'a week');
    const { path: where } = await placeOf(client, id);
    const message = await fetch(where);
    assert.ok((await client.caller.call('GET', `/v1/statements/${id}/file`)).ok);
    const steps = await eventually(async () => {
      const found = (await client.caller.get<{ steps: Step[] }>(`/v1/statements/${id}/timeline`)).steps;
      return found.filter((one) => one.step === 'fetched').length === 2 ? found : undefined;
    });
    const step = (name: string): Step => steps.find((one) => one.step === name)!;
    assert.deepEqual(
      new Set(steps.map((one) => one.step)),
      new Set(['issued', 'encrypted', 'published', 'fetched', 'expires']),
    );
    assert.equal(step('encrypted').certificateFingerprint, fingerprint);
    const hundredDays = Date.parse(step('expires').at) - Date.parse(step('published').at);
    assert.equal(hundredDays, 100 * 24 * 3_600_000);
    const bySftp = steps.find((one) => one.receipt?.face === 'sftp')?.receipt;
    const printed = await run('ssh-keygen', ['-lf', `${pair.keyFile}.pub`]);
    assert.equal(bySftp?.keyFingerprint, printed.stdout.toString().split(' ')[1]);
    assert.deepEqual(
      [bySftp?.sha256, bySftp?.isWhole, bySftp?.sentBytes, bySftp?.address],
      [hashOf(message), true, message.length, '127.0.0.1'],
    );
    const byPortal = steps.find((one) => one.receipt?.face === 'https')?.receipt;
    assert.deepEqual([byPortal?.form, byPortal?.sha256], ['portal', hashOf(Buffer.from('a week'))]);
  },
);

/** The tool on a computer that reaches no server: public keys are all it has. */
const verify = (mirror: string, brokerKey: string) => {
  const lists = readdirSync(path.join(mirror, 'manifests')).filter((name) => name.endsWith('.json'));
  assert.ok(lists.length > 0);
  const words = lists.map((name) => path.join(mirror, 'manifests', name));
  return run(
    process.execPath,
    [path.join(root, 'cli/main.ts'), 'verify', 'manifest', ...words, '--broker-key', brokerKey, '--json'],
    { env: { BROADGATE_URL: 'http://127.0.0.1:1', BROADGATE_DATA_DIR: local('nowhere') } },
  );
};

test(
  'the daily manifest proves with public keys only that nothing is missing, exchanged or invented',
  withClients,
  async () => {
    await activity();
    const { client, target, computer, fingerprint } = await erika();
    await eventually(async () => (await client.caller.list('/v1/manifests')).length > 0, { timeoutMs: 30_000 });
    const { certificate } = await client.caller.get<{ certificate: string }>('/v1/broker-key');
    writeFileSync(local('broker.asc'), certificate);
    const mirrored = await lftp(target, 'mirror / copy', folder);
    assert.equal(mirrored.status, 0, mirrored.stderr);
    const good = await verify(local('copy'), local('broker.asc'));
    assert.equal(good.status, 0, good.stdout.toString() + good.stderr);
    const verdict = JSON.parse(good.stdout.toString()) as { isGood: boolean; filesGood: number };
    assert.ok(verdict.isGood && verdict.filesGood >= formats.length);
    // gpg finds the same signature good.
    const list = readdirSync(local('copy/manifests')).find((name) => name.endsWith('.json'))!;
    const bytes = (name: string): Buffer => readFileSync(local(`copy/manifests/${name}`));
    assert.ok(computer.isSigned(bytes(list), bytes(`${list}.sig`)));

    const statement = (await dailyOf(client)).csv.name;
    const spoil: Record<string, (mirror: string) => void> = {
      file_differs: (mirror) => appendFileSync(path.join(mirror, `${statement}.pgp`), 'x'),
      file_missing: (mirror) => rmSync(path.join(mirror, `${statement}.pgp`)),
      bad_signature: (mirror) => {
        const file = path.join(mirror, 'manifests', list);
        writeFileSync(file, readFileSync(file, 'utf8').replace(statement, statement.replace('daily', 'other')));
      },
    };
    for (const [fault, act] of Object.entries(spoil)) {
      cpSync(local('copy'), local(fault), { recursive: true });
      act(local(fault));
      const bad = await verify(local(fault), local('broker.asc'));
      assert.equal(bad.status, 1, fault);
      const { faults } = JSON.parse(bad.stdout.toString()) as { faults: { fault: string }[] };
      assert.deepEqual(
        faults.map((one) => one.fault),
        [fault],
      );
    }
    writeFileSync(local('stranger.asc'), computer.armored(fingerprint));
    assert.equal((await verify(local('copy'), local('stranger.asc'))).status, 1, 'another key proves nothing');
  },
);
