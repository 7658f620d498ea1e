// Keys from Windows and macOS at work, keys that are refused, the desk that looks after them, and the warning about private keys.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import {
  addClient,
  addOperator,
  approve,
  confirm,
  handIn,
  issueStatement,
  type LogIn,
  type RequestView,
  submit,
} from '../broker.ts';
import { openComputer, profiles } from '../client-computer.ts';
import { openTempFolder, run, withClients } from '../clients.ts';
import { eventually } from '../eventually.ts';
import { openInstallation } from '../installation.ts';
import { makeKeyPair, makePuttyPair } from '../key-pairs.ts';
import { once } from '../once.ts';
import { openRepositoryClient } from '../repository-client.ts';
import { listNames, psftp, sftp } from '../sftp-programs.ts';

const temp = openTempFolder();
const { folder } = temp;
const installation = await openInstallation({ env: { BROADGATE_PRIVATE_ADDRESSES: 'on' } });
const computers: Disposable[] = [];
after(async () => {
  await installation[Symbol.asyncDispose]();
  for (const computer of computers) computer[Symbol.dispose]();
  temp[Symbol.dispose]();
});
const desk = (await addOperator(installation, 'ana', ['delivery'])).caller;
const place = { installation, desk, folder };
const local = (name: string): string => path.join(folder, name);

const computerOf = once(async () => {
  const computer = await openComputer(installation);
  computers.push(computer);
  return computer;
});

/** The fingerprint as the client's own program prints it. */
const fingerprintOf = async (publicKey: string): Promise<string> =>
  (await run('ssh-keygen', ['-lf', '-'], { input: publicKey })).stdout.toString().split(' ')[1]!;

const wim = once(async () => {
  const pair = await makePuttyPair(folder, 'wim');
  const oneLine = { ...pair, publicKey: pair.publicKey.replaceAll('\n', '\r\n') };
  return { ...(await openRepositoryClient(place, 'wim', 'U5000010', oneLine)), pair };
});

test(
  'EN-10: an RSA key made on Windows is accepted for SFTP in both public forms of PuTTYgen, with CRLF',
  withClients,
  async () => {
    const { client, pair, putty, target, hostKeyFingerprint } = await wim();
    const keys = () => client.caller.get<{ sshKeys: { state: string; fingerprint: string }[] }>('/v1/delivery/keys');
    const active = async () =>
      (await keys()).sshKeys.filter((key) => key.state === 'active').map((key) => key.fingerprint);
    assert.deepEqual(await active(), [await fingerprintOf(pair.publicKey)]);
    assert.equal((await putty(['pwd'])).status, 0);
    const next = await makePuttyPair(folder, 'wim-next');
    const saved = `\ufeff${next.rfc4716.replaceAll(/\r?\n/g, '\r\n')}`;
    assert.equal((await handIn(desk, client, { key: saved })).state, 'done');
    assert.deepEqual(await active(), [await fingerprintOf(next.publicKey)]);
    const ran = await psftp({ ...target, keyFile: next.ppkFile }, ['pwd'], { folder, hostKeyFingerprint });
    assert.equal(ran.status, 0, ran.stderr);
    // The old key is needed again by whoever looks at this client next.
    await handIn(desk, client, { key: (await wim()).pair.publicKey });
  },
);

test('EN-11: psftp with a .ppk key lists, reads byte for byte and uploads', withClients, async () => {
  const { client, putty, read } = await wim();
  const bytes = Buffer.from('Trades,Data,1\r\n'.repeat(10_000));
  const asked = { account: client.accountNumber, kind: 'daily', period: '2026-11-20', file: 'a.csv' };
  const { name } = await issueStatement(desk, asked, bytes);
  writeFileSync(local('from-windows.csv'), 'sell,1\r\n');
  const ran = await putty(['ls', `get ${name} ${local('by-psftp')}`, `put ${local('from-windows.csv')} orders.csv`]);
  assert.equal(ran.status, 0, ran.stdout.toString() + ran.stderr);
  assert.ok(ran.stdout.toString().includes(name));
  assert.ok(readFileSync(local('by-psftp')).equals(bytes));
  assert.equal((await read('/orders.csv')).toString(), 'sell,1\r\n');
});

test('EN-12: OpenSSH sftp with a key as ssh-keygen -t rsa makes it lists, reads and uploads', withClients, async () => {
  const pair = await makeKeyPair(folder, 'max', ['-t', 'rsa']);
  const { client, target, fetch, read } = await openRepositoryClient(place, 'max', 'U5000012', pair);
  const asked = { account: client.accountNumber, kind: 'daily', period: '2026-11-20', file: 'a.csv' };
  const { name } = await issueStatement(desk, asked, 'for max');
  assert.ok((await listNames(target)).includes(name));
  assert.equal((await fetch(name)).toString(), 'for max');
  writeFileSync(local('from-mac.csv'), 'sell,2');
  assert.equal((await sftp(target, [`put ${local('from-mac.csv')} orders.csv`])).status, 0);
  assert.equal((await read('/orders.csv')).toString(), 'sell,2');
});

test(
  'EN-18: the delivery desk receives keys and addresses, issues log-in details and maintains the allow-lists',
  withClients,
  async () => {
    const client = await addClient(desk, 'dora', 'U5000018');
    const pair = await makeKeyPair(folder, 'dora');
    await client.caller.put('/v1/delivery', { sftp: true, portal: true });
    const submitted = await submit(client, { key: pair.publicKey, addresses: ['127.0.0.1'] });
    const queue = await desk.list<RequestView>('/v1/delivery-desk/requests?state=unfinished');
    const received = queue.find((one) => one.id === submitted.id);
    assert.equal(received?.sshKeys[0]?.fingerprint, await fingerprintOf(pair.publicKey));
    assert.equal(received?.addresses[0]?.network, '127.0.0.1');
    await approve(desk, await confirm(client, submitted));
    const { userName, password } = await desk.post<LogIn>(`/v1/clients/${client.clientId}/delivery/log-in`);
    assert.ok(userName.length > 12 && password.length > 12);
    await desk.post(`/v1/clients/${client.clientId}/delivery/configured`);
    const target = { port: installation.sftpPort, user: userName, keyFile: pair.keyFile };
    const from = (address: string) =>
      sftp(target, ['pwd'], { args: ['-o', `BindAddress=${address}`, '-o', 'ConnectTimeout=5'], timeoutMs: 30_000 });
    const listed = () =>
      desk.list<{ id: string; network: string }>(`/v1/delivery/addresses?clientId=${client.clientId}`);
    const sets = async () => (await desk.call('GET', '/v1/delivery-desk/allow-list.nft')).text();

    assert.equal((await from('127.0.0.1')).status, 0);
    const added = await desk.post<RequestView>(`/v1/clients/${client.clientId}/delivery/requests`, {
      addresses: ['127.0.0.18'],
    });
    assert.ok(!(await sets()).includes('127.0.0.18'), 'nothing takes effect before the client confirms it');
    // Who handed it in cannot approve it.
    const colleague = await addOperator(installation, 'bela', ['delivery']);
    await approve(colleague.caller, await confirm(client, added));
    await eventually(async () => (await from('127.0.0.18')).status === 0, { timeoutMs: 30_000 });
    assert.deepEqual((await listed()).map(({ network }) => network).toSorted(), ['127.0.0.1', '127.0.0.18']);
    assert.ok((await sets()).includes('127.0.0.18'));
    const entry = (await listed()).find(({ network }) => network === '127.0.0.18')!;
    await desk.post(`/v1/delivery/addresses/${entry.id}/remove`, { reason: 'moved' });
    await eventually(async () => (await from('127.0.0.18')).status !== 0, { timeoutMs: 30_000 });
    assert.ok(!(await sets()).includes('127.0.0.18'));

    const other = await addOperator(installation, 'otmar', ['service']);
    assert.equal((await other.caller.refused('GET', '/v1/delivery-desk/requests')).status, 403);
    const logIn = `/v1/clients/${client.clientId}/delivery/log-in`;
    assert.equal((await other.caller.refused('POST', logIn)).status, 403);
    const take = `/v1/delivery-desk/requests/${submitted.id}/take`;
    assert.equal((await client.caller.refused('POST', take)).status, 403);
  },
);

test(
  'EN-X3: a secret, expired, revoked or signing-only OpenPGP key is refused with its reason',
  withClients,
  async () => {
    const client = await addClient(desk, 'xenia', 'U5000019');
    await client.caller.put('/v1/delivery', { sftp: true, portal: true });
    const computer = await computerOf();
    const { home } = computer;
    const fingerprint = computer.generate(profiles.curve25519, 'Xenia');
    const past = ['--faked-system-time', '20240105T120000'];
    home.gpg([...past, '--quick-generate-key', 'Old <old@xenia.example>', 'rsa2048', 'default', '1y']);
    home.gpg(['--quick-generate-key', 'Signer <signer@xenia.example>', 'ed25519', 'sign', 'never']);
    const revoked = computer.generate(profiles.curve25519, 'Gone');
    const bad: [Buffer, string][] = [
      [home.gpg(['--armor', '--export-secret-keys', fingerprint]), 'key_private'],
      [home.gpg(['--export-secret-keys', fingerprint]), 'key_private'],
      [home.gpg(['--export-secret-subkeys', fingerprint]), 'key_private'],
      [home.gpg(['--armor', '--export', 'old@xenia.example']), 'key_expired'],
      [home.gpg(['--armor', '--export', 'signer@xenia.example']), 'key_without_encryption'],
      [Buffer.from(computer.revoke(revoked)), 'key_revoked'],
      [Buffer.from(computer.armored(fingerprint).slice(0, 300)), 'key_unreadable'],
      [Buffer.concat([home.gpg(['--export', fingerprint]), home.gpg(['--export', revoked])]), 'key_several'],
    ];
    for (const [bytes, code] of bad) {
      const refused = await client.caller.refused('POST', '/v1/delivery/keys', {
        bytes,
        headers: { 'content-type': 'application/octet-stream' },
      });
      assert.equal(refused.code, code);
      writeFileSync(local('offered'), bytes);
      const checked = await installation.command('keys', 'check', local('offered'));
      assert.equal(checked.status, 1, `keys check says the same: ${checked.output}`);
    }
    const keys = await client.caller.get<{ openPgpKeys: { state: string }[] }>('/v1/delivery/keys');
    assert.ok(keys.openPgpKeys.every((key) => key.state === 'refused'));
    const turnedOn = await client.caller.refused('PUT', '/v1/delivery/encryption', { json: { encryption: 'on' } });
    assert.equal(turnedOn.code, 'no_certificate_imported');
  },
);

test('EN-19: wherever a key is handed in the client is warned not to send the private key', withClients, async () => {
  const client = await addClient(desk, 'warda', 'U5000020');
  const { caller } = client;
  const isWarning = (text: string): boolean => /public key only/i.test(text) && /private key/i.test(text);
  const pair = await makeKeyPair(folder, 'warda');
  const computer = await computerOf();
  await caller.put('/v1/delivery', { sftp: true, portal: true });

  type Warned = RequestView;
  const submitted = await submit(client, { key: pair.publicKey, addresses: ['127.0.0.1'] });
  const confirmed = await confirm(client, submitted);
  const approved = await approve(desk, confirmed);
  const uploaded = await caller.upload<Warned>(
    '/v1/delivery/keys',
    Buffer.from(computer.armored(computer.generate(profiles.curve25519, 'Warda'))),
    'text/plain',
  );
  const byDesk = await desk.post<Warned>(`/v1/clients/${client.clientId}/delivery/requests`, {
    addresses: ['127.0.0.20'],
  });
  const answers: Readonly<Record<string, { warning: string }>> = {
    submitted,
    confirmed,
    uploaded,
    byDesk,
    approved,
    addresses: await caller.post<Warned>('/v1/delivery/addresses', { addresses: ['127.0.0.21'] }),
    shown: await caller.get<Warned>(`/v1/delivery/requests/${submitted.id}`),
    keys: await caller.get<Warned>('/v1/delivery/keys'),
    instructions: await caller.get<Warned>('/v1/delivery/instructions'),
    ...Object.fromEntries((await caller.list<Warned>('/v1/delivery/requests')).map((one) => [one.id, one])),
    ...Object.fromEntries((await desk.list<Warned>('/v1/delivery-desk/requests')).map((one) => [one.id, one])),
  };
  for (const [answer, { warning }] of Object.entries(answers)) assert.ok(isWarning(warning), answer);

  const document = await caller.get<{ paths: Record<string, Record<string, { description?: string }>> }>(
    '/v1/openapi.json',
  );
  for (const where of ['/v1/delivery/requests', '/v1/delivery/keys']) {
    assert.ok(isWarning(document.paths[where]?.['post']?.description ?? ''), where);
  }

  writeFileSync(local('warda.password'), `${client.password}\n`, { mode: 0o600 });
  const as = ['--url', installation.url, '--login', client.login, '--password-file', local('warda.password')];
  for (const words of [
    ['keys', 'check', local('warda.pub')],
    ['keys', 'check', local('warda')],
    ['delivery', 'key', 'add', local('warda'), ...as],
    ['delivery', 'key', 'list', ...as],
    ['delivery', 'status', ...as],
    ['delivery', 'requests', ...as],
    ['delivery', 'key', 'add', '--help'],
  ]) {
    const { output } = await installation.command(...words);
    assert.ok(isWarning(output), `${words.slice(0, 3).join(' ')}: ${output}`);
  }
});
