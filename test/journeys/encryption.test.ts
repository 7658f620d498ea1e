// Encrypted delivery: keys as clients' programs make them, files that gpg and sq open, and the one switch.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as openpgp from 'openpgp';
import {
  addClient,
  addOperator,
  approve,
  type Caller,
  type ClientPerson,
  confirm,
  handIn,
  issueStatement,
  type RequestView,
  setUpEncryption,
  submit,
} from '../broker.ts';
import { type ClientComputer, type DeliveredStatement, openComputer, placeOf, profiles } from '../client-computer.ts';
import { openTempFolder, withClients } from '../clients.ts';
import { eventually } from '../eventually.ts';
import { openInstallation } from '../installation.ts';
import { once } from '../once.ts';
import { openRepositoryClient, type RepositoryClient } from '../repository-client.ts';
import { sftp } from '../sftp-programs.ts';

const temp = openTempFolder();
const installation = await openInstallation({ env: { BROADGATE_PRIVATE_ADDRESSES: 'on' } });
const computers: ClientComputer[] = [];
after(async () => {
  await installation[Symbol.asyncDispose]();
  for (const computer of computers) computer[Symbol.dispose]();
  temp[Symbol.dispose]();
});
const desk: Caller = (await addOperator(installation, 'ana', ['delivery'])).caller;
const place = { installation, desk, folder: temp.folder };

async function startComputer(): Promise<ClientComputer> {
  const computer = await openComputer(installation);
  computers.push(computer);
  return computer;
}

const csv = Buffer.from('Trades,Header,Symbol,Quantity\r\nTrades,Data,ABC,100\r\n');
let days = 0;

/** Issues one file, each on a day of its own. */
function issue({ client }: { client: ClientPerson }, bytes = csv, kind = 'daily', file = 'a.csv') {
  days += 1;
  const period = `2026-${String(1 + Math.floor(days / 28)).padStart(2, '0')}-${String(1 + (days % 28)).padStart(2, '0')}`;
  return issueStatement(desk, { account: client.accountNumber, kind, period, file }, bytes);
}

/** Issues a file, fetches what was delivered by SFTP, and opens it. Shape: what the client reads in the end. */
async function read(repository: RepositoryClient, computer: ClientComputer, fingerprint: string, bytes = csv) {
  const { id } = await issue(repository, bytes);
  const { path } = await placeOf(repository.client, id);
  return computer.open(await repository.fetch(path), fingerprint);
}

/** A client with encryption on, whose key came in as `edit` leaves its text. */
async function openEncrypted(
  login: string,
  accountNumber: string,
  lines: readonly string[],
  edit = (armored: string): string => armored,
) {
  const repository = await openRepositoryClient(place, login, accountNumber);
  const computer = await startComputer();
  const fingerprint = computer.generate(lines, login);
  const request = await setUpEncryption(desk, repository.client, edit(computer.armored(fingerprint)));
  return { ...repository, computer, fingerprint, request };
}

const alder = once(() => openEncrypted('alder', 'U4000001', profiles.curve25519));

interface KeyView {
  readonly state: string;
  readonly fingerprint: string;
  readonly subkeyId: string;
  readonly algorithm: string;
  readonly userIds: readonly string[];
  readonly expiresAt: string | null;
}
const keysOf = async (client: ClientPerson) =>
  (await client.caller.get<{ encryption: string; openPgpKeys: KeyView[] }>('/v1/delivery/keys')).openPgpKeys;

test(
  'EN-01: a client hands in its OpenPGP public key as text or as a file, and is shown what will be used',
  withClients,
  async () => {
    const client = await addClient(desk, 'berta', 'U4000002');
    await client.caller.put('/v1/delivery', { sftp: true, portal: true });
    const computer = await startComputer();
    const byText = (fingerprint: string) => submit(client, { key: computer.armored(fingerprint) });
    const byFile = (fingerprint: string) => {
      const binary = computer.home.gpg(['--export', fingerprint]);
      return client.caller.upload<RequestView>('/v1/delivery/keys', binary, 'application/octet-stream');
    };
    for (const [handIn, lines] of [
      [byText, profiles.rsa3072],
      [byFile, profiles.curve25519],
    ] as const) {
      const fingerprint = computer.generate(lines, 'Berta Fund');
      const request = await handIn(fingerprint);
      assert.ok(request.awaiting.includes(fingerprint));
      const key = (await keysOf(client)).find((one) => one.fingerprint === fingerprint);
      assert.equal(key?.state, 'checked');
      const listed = computer.home.gpg(['--with-colons', '--list-keys', fingerprint]).toString();
      assert.equal(key.subkeyId, /^sub:[^:]*:[^:]*:[^:]*:([0-9A-F]{16}):/m.exec(listed)?.[1]);
      assert.deepEqual(key.userIds, ['Berta Fund <ops@alder.example>']);
      assert.ok(key.expiresAt);
    }
  },
);

test(
  'EN-04: an encrypted file decrypts with the client’s key in GnuPG and in Sequoia, whatever its size and kind',
  withClients,
  async () => {
    const { computer, fingerprint, ...repository } = await alder();
    assert.deepEqual(await read(repository, computer, fingerprint), csv);
    for (const [bytes, file] of [
      [Buffer.from('x'), 'a.txt'],
      [randomBytes(700_001), 'a.pdf'],
      [Buffer.from('Trades,Data,ABC,100\r\n'.repeat(300_000)), 'a.csv'],
    ] as const) {
      const { id, name } = await issue(repository, bytes, 'daily', file);
      const { path, isEncrypted, certificateFingerprint } = await placeOf(repository.client, id);
      assert.deepEqual([path, isEncrypted, certificateFingerprint], [`/${name}.pgp`, true, fingerprint]);
      const message = await repository.fetch(path);
      assert.ok(!message.includes(bytes.subarray(0, 40)) || bytes.length < 40);
      assert.ok(computer.open(message, fingerprint).equals(bytes), file);
    }
  },
);

test(
  'EN-05, EN-X2: reports are encrypted only once the client switched it on, which it can after the notice',
  withClients,
  async () => {
    const repository = await openRepositoryClient(place, 'carla', 'U4000005');
    const { client } = repository;
    const computer = await startComputer();
    const fingerprint = computer.generate(profiles.curve25519);
    const turnOn = () => client.caller.call('PUT', '/v1/delivery/encryption', { json: { encryption: 'on' } });
    const notices = async () => (await client.caller.list<{ kind: string }>('/v1/notices')).map(({ kind }) => kind);
    /** A report of this moment lies there in clear, and the broker's signature beside it is good. */
    const checkPlain = async (): Promise<void> => {
      const { id, name } = await issue(repository);
      const { path, isEncrypted } = await placeOf(client, id);
      assert.deepEqual([path, isEncrypted], [`/${name}`, false]);
      const bytes = await repository.fetch(path);
      assert.deepEqual(bytes, csv);
      assert.ok(computer.isSigned(bytes, await repository.fetch(`${path}.sig`)));
      assert.ok(!computer.isSigned(Buffer.concat([bytes, csv]), await repository.fetch(`${path}.sig`)));
    };

    await checkPlain();
    assert.equal((await turnOn()).status, 409);
    const submitted = await submit(client, { key: computer.armored(fingerprint) });
    assert.equal((await turnOn()).status, 409);
    const confirmed = await confirm(client, submitted);
    assert.equal((await turnOn()).status, 409);
    assert.ok(!(await notices()).includes('certificate_imported'));
    await checkPlain();
    await approve(desk, confirmed);
    assert.ok((await notices()).includes('certificate_imported'));
    await checkPlain();
    const byDesk = await desk.refused('PUT', '/v1/delivery/encryption', { json: { encryption: 'on' } });
    assert.equal(byDesk.status, 403, 'nobody but the client switches it on');
    assert.equal((await turnOn()).status, 200);
    assert.deepEqual(await read(repository, computer, fingerprint), csv);
  },
);

test(
  'EN-X4: encryption is one switch for every report, and no report has a switch of its own',
  withClients,
  async () => {
    const cedar = await openEncrypted('cedar', 'U4000006', profiles.curve25519);
    const kinds: [string, string][] = [
      ['daily', 'a.csv'],
      ['monthly', 'a.pdf'],
      ['annual', 'a.xml'],
      ['confirmation', 'a.txt'],
    ];
    const areEncrypted = async (): Promise<boolean[]> => {
      const placed: boolean[] = [];
      for (const [kind, file] of kinds) {
        const { id } = await issue(cedar, csv, kind, file);
        placed.push((await placeOf(cedar.client, id)).isEncrypted);
      }
      return placed;
    };
    assert.deepEqual(await areEncrypted(), [true, true, true, true]);
    await cedar.client.caller.put('/v1/delivery/encryption', { encryption: 'off' });
    assert.deepEqual(await areEncrypted(), [false, false, false, false]);
    await cedar.client.caller.put('/v1/delivery/encryption', { encryption: 'on' });
    assert.deepEqual(await areEncrypted(), [true, true, true, true]);
    const query = `account=${cedar.client.accountNumber}&kind=daily&period=2026-12-01&file=a.csv&encryption=off`;
    const refused = await desk.refused('POST', `/v1/delivery-desk/statements?${query}`, {
      bytes: csv,
      headers: { 'content-type': 'application/octet-stream' },
    });
    assert.equal(refused.status, 400);
  },
);

const toWindows = (armored: string): string =>
  armored.replace(/\n/, '\nVersion: GnuPG v2.0.30 (MingW32)\n').replaceAll('\n', '\r\n');
const toMac = (armored: string): string => armored.replace(/\n/, '\nComment: GPGTools - https://gpgtools.org\n');

const windows = once(async () => [
  await openEncrypted('wilma', 'U4000061', profiles.rsa3072, toWindows),
  await openEncrypted('willem', 'U4000062', profiles.curve25519, (armored) => `\ufeff${toWindows(armored)}`),
]);
const mac = once(() => openEncrypted('mara', 'U4000071', profiles.rsa4096, toMac));

test('EN-06: keys as GPG for Windows makes and exports them are accepted', withClients, async () => {
  for (const { client, fingerprint, request } of await windows()) {
    assert.equal(request.state, 'done');
    assert.deepEqual(
      (await keysOf(client)).map((key) => [key.fingerprint, key.state]),
      [[fingerprint, 'enabled']],
    );
  }
});

test('EN-08: reports decrypt with the pairs of GPG for Windows', withClients, async () => {
  for (const one of await windows()) assert.deepEqual(await read(one, one.computer, one.fingerprint), csv);
});

test('EN-07: a key as GPG Suite on macOS makes and exports it is accepted', withClients, async () => {
  const { client, fingerprint, request } = await mac();
  assert.equal(request.state, 'done');
  const [key] = await keysOf(client);
  assert.deepEqual([key?.fingerprint, key?.state], [fingerprint, 'enabled']);
});

test('EN-09: reports decrypt with the pair of macOS', withClients, async () => {
  const one = await mac();
  assert.deepEqual(await read(one, one.computer, one.fingerprint), csv);
});

test('EN-X6: RSA and Curve25519 serve alike, and a key of OpenPGP version 6 as well', withClients, async () => {
  const { privateKey, publicKey } = await openpgp.generateKey({
    type: 'curve25519',
    userIDs: [{ name: 'Vera Six', email: 'vera@six.example' }],
    config: { v6Keys: true },
    format: 'object',
  });
  assert.equal(publicKey.keyPacket.version, 6);
  const repository = await openRepositoryClient(place, 'sixta', 'U4000066');
  await setUpEncryption(desk, repository.client, publicKey.armor());
  const { id } = await issue(repository);
  const { path } = await placeOf(repository.client, id);
  const broker = await desk.get<{ certificate: string }>('/v1/broker-key');
  const opened = await openpgp.decrypt({
    message: await openpgp.readMessage({ binaryMessage: new Uint8Array(await repository.fetch(path)) }),
    decryptionKeys: privateKey,
    verificationKeys: await openpgp.readKey({ armoredKey: broker.certificate }),
    format: 'binary',
  });
  assert.deepEqual(Buffer.from(opened.data), csv);
  assert.equal(await opened.signatures[0]?.verified, true);
});

test('EN-13: a pair restored from a backup opens old and new files, and signs in', withClients, async () => {
  const { computer, fingerprint, ...repository } = await alder();
  const { id } = await issue(repository);
  const old = await repository.fetch((await placeOf(repository.client, id)).path);
  const { keyFile } = repository.pair;
  const backup = { openPgp: computer.backUp(fingerprint), ssh: readFileSync(keyFile) };
  computer.home.gpg(['--yes', '--delete-secret-and-public-key', fingerprint]);
  rmSync(keyFile);
  assert.throws(() => computer.home.open(old), 'without its pair the client reads nothing');
  assert.notEqual((await sftp(repository.target, ['pwd'])).status, 0, 'without its pair it does not sign in');
  computer.restore(backup.openPgp);
  writeFileSync(keyFile, backup.ssh, { mode: 0o600 });
  assert.deepEqual(computer.open(old, fingerprint), csv);
  assert.deepEqual(await read(repository, computer, fingerprint), csv);
});

test(
  'EN-14, EN-X5: a pair moved to another computer serves there, once its address is listed',
  withClients,
  async () => {
    const { computer, fingerprint, ...repository } = await openEncrypted('mono', 'U4000014', profiles.curve25519);
    const { id } = await issue(repository);
    const { path } = await placeOf(repository.client, id);
    const other = await startComputer();
    other.restore(computer.backUp(fingerprint));
    const moved = { ...repository.target, keyFile: join(temp.folder, 'moved') };
    writeFileSync(moved.keyFile, readFileSync(repository.pair.keyFile), { mode: 0o600 });
    const [there, fetched] = ['127.0.0.8', join(temp.folder, 'moved.pgp')];
    const fromThere = () =>
      sftp(moved, [`get ${path} ${fetched}`], { args: ['-o', `BindAddress=${there}`, '-o', 'ConnectTimeout=5'] });
    assert.notEqual((await fromThere()).status, 0, 'the address of the other computer is on no list');
    await handIn(desk, repository.client, { addresses: [there] });
    await eventually(async () => (await fromThere()).status === 0, { timeoutMs: 30_000 });
    assert.deepEqual(other.open(readFileSync(fetched), fingerprint), csv);
    const article = readFileSync(join(import.meta.dirname, '../../docs/articles/en/KB3842.md'), 'utf8');
    assert.match(article, /another computer,[^.]*address/);
  },
);

test('EN-20: documents and other files are encrypted as statements are', withClients, async () => {
  const { computer, fingerprint, ...repository } = await alder();
  for (const [kind, file] of [
    ['document', 'Terms of business.pdf'],
    ['tax-form', 'form.xml'],
    ['notice', 'photo.png'],
    ['archive', 'all.zip'],
  ] as const) {
    const bytes = randomBytes(20_000);
    const { id, name } = await issue(repository, bytes, kind, file);
    const { path, isEncrypted } = await placeOf(repository.client, id);
    assert.deepEqual([path, isEncrypted], [`/${name}.pgp`, true]);
    assert.ok(computer.open(await repository.fetch(path), fingerprint).equals(bytes), kind);
  }
});

test(
  'D-26: once the owner revoked its key nothing is encrypted to it or placed in clear, and a new key frees what waited',
  withClients,
  async () => {
    const repository = await openEncrypted('rufus', 'U4000026', profiles.curve25519);
    const { client, computer, fingerprint } = repository;
    const revoked = computer.revoke(fingerprint);
    assert.equal(
      (await client.caller.refused('POST', '/v1/delivery/requests', { json: { key: revoked } })).code,
      'key_revoked',
    );
    const { id, name } = await issue(repository);
    const statement = () => client.caller.get<DeliveredStatement>(`/v1/statements/${id}`);
    const { delivery } = await statement();
    assert.deepEqual([delivery?.state, delivery?.state === 'waiting' && delivery.waitsFor], ['waiting', 'usable_key']);
    assert.ok((await repository.names()).every((one) => !one.startsWith(name)));
    const notices = await client.caller.list<{ kind: string }>('/v1/notices');
    assert.ok(notices.some(({ kind }) => kind === 'statements_waiting'));
    const next = computer.generate(profiles.rsa3072, 'Rufus anew');
    await handIn(desk, client, { key: computer.armored(next) });
    await client.caller.put('/v1/delivery/encryption', { encryption: 'on' });
    await eventually(async () => (await statement()).delivery?.state === 'placed', { timeoutMs: 30_000 });
    const { path, certificateFingerprint } = await placeOf(client, id);
    assert.deepEqual([path, certificateFingerprint], [`/${name}.pgp`, next]);
    assert.deepEqual(computer.open(await repository.fetch(path), next), csv);
  },
);
