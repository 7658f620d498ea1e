// Keys from submission to their end, on a real database: verdicts, replacement and overlap, encryption, expiry and its warnings.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as openpgp from 'openpgp';
import { Refusal } from '../../kernel/refusal.ts';
import { type Fixture, makeCertificate, makeSshKey, openDelivery } from '../delivery/delivery-fixture.ts';

const refusedWith = (code: string) => (fault: unknown) => fault instanceof Refusal && fault.code === code;
const dayMs = 86_400_000;
const channel = 'portal' as const;

async function importCertificate(held: Fixture, made: { days?: number; purpose?: 'add' | 'replace' } = {}) {
  held.clock.advance(1);
  const { bytes } = await makeCertificate({ atMs: held.clock.nowMs(), ...made });
  const request = await held.delivery.submit(held.client, { channel, key: bytes, purpose: made.purpose });
  await held.confirm(request);
  await held.delivery.approve(held.desk, request.requestId);
  return request.items.certificates[0]!;
}

const certificates = async (held: Fixture) =>
  (await held.delivery.listKeys(held.client)).certificates.map(({ state }) => state);
const termsOf = async ({ delivery, database, client }: Fixture) =>
  (await delivery.deliveryFor(database.sql, [client.clientId])).get(client.clientId)!;
const kinds = async (held: Fixture, who = held.client as Parameters<Fixture['messages']['listNotices']>[0]) =>
  (await held.messages.listNotices(who, { limit: 100 })).items.map(({ kind }) => kind);

test('SF-X3: an unfit key is refused with its reason at once, and the request records it without the key', async () => {
  await using held = await openDelivery();
  const { delivery, client } = held;
  await held.setUp(client);
  held.clock.advance(1);
  await assert.rejects(delivery.submit(client, { channel, key: Buffer.from('ssh-dss AAAA') }), Refusal);
  const { items } = await delivery.listRequests(client, {}, { after: undefined, limit: 10 });
  const [refused] = items;
  assert.equal(refused!.state, 'refused');
  assert.equal(refused!.items.sshKeys[0]!.state, 'refused');
  assert.match(refused!.items.sshKeys[0]!.reason ?? '', /^key_/);
  assert.equal(refused!.items.sshKeys[0]!.fingerprint, null);
  // A refused key changes nothing about the one that works.
  assert.equal((await delivery.getElected(client)).connection?.state, 'configured');
});

test('during the set-up a refused key makes the connection say so until a better one comes', async () => {
  await using held = await openDelivery();
  const { delivery, client } = held;
  await delivery.elect(client, {
    channels: { sftp: true, portal: true, ftp: false, email: false },
    contact: undefined,
  });
  await assert.rejects(
    delivery.submit(client, { channel, key: Buffer.from('nonsense') }),
    refusedWith('key_unreadable'),
  );
  const { connection } = await delivery.getElected(client);
  assert.equal(connection?.state, 'refused');
  assert.equal(connection.reason, 'key_unreadable');
  await delivery.submit(client, { channel, key: makeSshKey().bytes });
  assert.equal((await delivery.getElected(client)).connection?.state, 'waiting_for_confirmation');
});

test('SF-10: of a private key nothing is kept but when, how, which sort and how often', async () => {
  await using held = await openDelivery();
  const { delivery, client, database } = held;
  await held.setUp(client);
  const mark = 'TUFSS0VEUFJJVkFURUtFWQ';
  const forms = [
    `-----BEGIN OPENSSH PRIVATE KEY-----\n${mark}\n-----END OPENSSH PRIVATE KEY-----\n`,
    `PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\n${mark}\n`,
    `-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n${mark}\n-----END PGP PRIVATE KEY BLOCK-----\n`,
  ];
  for (const text of [...forms, forms[0]!]) {
    await assert.rejects(delivery.submit(client, { channel, key: Buffer.from(text) }), refusedWith('key_private'));
  }
  const counted = await database.sql<{ kind: string; count: number }>`
    select kind, count from private_key_refusals where client_id = ${client.clientId} order by kind`;
  assert.deepEqual(new Set(counted.map(({ count }) => count)), new Set([1, 2]));
  assert.equal(counted.length, 3);
  const tables = await database.sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = 'public'`;
  for (const { name } of tables) {
    const { rows } = await database.pool.query(`select t::text as row from "${name}" t`);
    assert.ok(!rows.some(({ row }: { row: string }) => row.includes(mark)), name);
  }
});

test('a key that works for one client is refused to another without saying whose it is', async () => {
  await using held = await openDelivery();
  const { delivery, client } = held;
  const { key } = await held.setUp(client);
  const other = await held.addClient('bob');
  await held.setUp(other);
  await assert.rejects(delivery.submit(other, { channel, key: key.bytes }), (fault: unknown) => {
    assert.ok(fault instanceof Refusal);
    assert.equal(fault.code, 'key_registered_elsewhere');
    assert.ok(!JSON.stringify([fault.message, fault.params]).includes(client.clientId));
    return true;
  });
  await assert.rejects(delivery.submit(client, { channel, key: key.bytes }), refusedWith('key_registered_already'));
});

test('a key that two clients hand in before either is approved goes to the first approved', async () => {
  await using held = await openDelivery();
  const { delivery, client, desk } = held;
  const other = await held.addClient('bob');
  await held.setUp(client);
  await held.setUp(other);
  const key = makeSshKey();
  const mine = await held.confirm(await delivery.submit(client, { channel, key: key.bytes }));
  const theirs = await held.confirm(await delivery.submit(other, { channel, key: key.bytes }), other);
  await delivery.approve(desk, theirs.requestId);
  await assert.rejects(delivery.approve(desk, mine.requestId), refusedWith('key_registered_elsewhere'));
});

test('SF-23: a newer submission takes the place of one that still waits, and the old key works until it is approved', async () => {
  await using held = await openDelivery();
  const { delivery, client, desk } = held;
  const { userName, key } = await held.setUp(client);
  held.clock.advance(1);
  const first = await delivery.submit(client, { channel, key: makeSshKey().bytes });
  held.clock.advance(1);
  const successor = makeSshKey();
  const second = await delivery.submit(client, { channel, key: successor.bytes });
  assert.equal((await delivery.getRequest(client, first.requestId)).state, 'refused');
  assert.equal((await delivery.authenticate(held.attempt(userName, key))).verdict, 'accept');
  await held.confirm(second);
  await delivery.approve(desk, second.requestId);
  const { sshKeys } = await delivery.listKeys(client);
  assert.deepEqual(
    sshKeys.map(({ state }) => state),
    ['active', 'refused', 'replaced'],
  );
  assert.equal((await delivery.authenticate(held.attempt(userName, successor))).verdict, 'accept');
  assert.equal((await delivery.authenticate(held.attempt(userName, key))).verdict, 'reject');
});

test('SF-X8: where several keys are allowed an added one stands beside the first until its date', async () => {
  await using held = await openDelivery({ severalKeys: true });
  const { delivery, client, desk, clock } = held;
  const { userName, key } = await held.setUp(client);
  const added = makeSshKey();
  const given = { channel, key: added.bytes, purpose: 'add' } as const;
  await assert.rejects(delivery.submit(client, given), refusedWith('key_expiry_missing'));
  const expiresAtMs = clock.nowMs() + 40 * dayMs;
  const request = await held.confirm(await delivery.submit(client, { ...given, expiresAtMs }));
  await delivery.approve(desk, request.requestId);
  const isAccepted = async (which: typeof key) =>
    (await delivery.authenticate(held.attempt(userName, which))).verdict === 'accept';
  assert.deepEqual([await isAccepted(key), await isAccepted(added)], [true, true]);
  assert.deepEqual(await delivery.warnOfExpiry(), { warned: 1, ended: 0 });
  clock.advance(40 * dayMs);
  assert.deepEqual([await isAccepted(key), await isAccepted(added)], [true, false]);
  assert.deepEqual(await delivery.warnOfExpiry(), { warned: 0, ended: 1 });
  assert.ok((await kinds(held)).includes('ssh_key_expired'));
});

test('by default a second SSH key is not offered', async () => {
  await using held = await openDelivery();
  await held.setUp(held.client);
  const expiresAtMs = held.clock.nowMs() + dayMs;
  const given = { channel, key: makeSshKey().bytes, purpose: 'add', expiresAtMs } as const;
  await assert.rejects(held.delivery.submit(held.client, given), refusedWith('several_keys_not_offered'));
});

test('EN-05: nothing is encrypted before the client has enabled an imported certificate', async () => {
  await using held = await openDelivery();
  const { delivery, client } = held;
  const terms = () => termsOf(held);
  assert.deepEqual(await terms(), {
    sftp: false,
    portal: true,
    connectionState: 'none',
    encryption: 'off',
    certificates: [],
  });
  const imported = await importCertificate(held);
  assert.equal((await terms()).encryption, 'off');
  await delivery.enableEncryption(client);
  const [certificate] = (await terms()).certificates;
  assert.equal(certificate!.fingerprint, imported.fingerprint);
  assert.equal(certificate!.recipient.keyId, certificate!.subkeyId);
  assert.equal((await terms()).encryption, 'on');
  await delivery.disableEncryption(client);
  assert.deepEqual((await terms()).certificates, []);
});

test('a replacing certificate ends the old one when the client enables it, an added one stands beside it', async () => {
  await using held = await openDelivery();
  const { delivery, client } = held;
  const count = async () => (await termsOf(held)).certificates.length;
  await importCertificate(held);
  await delivery.enableEncryption(client);
  await importCertificate(held, { purpose: 'add' });
  assert.equal(await count(), 1);
  await delivery.enableEncryption(client);
  assert.equal(await count(), 2);
  const last = await importCertificate(held);
  assert.equal(await count(), 2);
  await delivery.enableEncryption(client);
  assert.equal(await count(), 1);
  assert.deepEqual(await certificates(held), ['enabled', 'replaced', 'replaced']);
  await delivery.endKey(client, last.keyId, 'lost');
  assert.equal(await count(), 0);
  assert.equal((await termsOf(held)).encryption, 'on');
  await assert.rejects(delivery.endKey(client, last.keyId, 'lost'), refusedWith('key_not_in_force'));
});

test('a certificate is warned of at 60, 30 and 7 days, expires, and leaves encryption on with nobody to encrypt to', async () => {
  await using held = await openDelivery();
  const { delivery, client, clock } = held;
  await importCertificate(held, { days: 90 });
  await delivery.enableEncryption(client);
  const terms = () => termsOf(held);
  const run = async (days: number) => {
    clock.advance(days * dayMs);
    await delivery.warnOfExpiry();
    await delivery.warnOfExpiry();
    return (await kinds(held)).filter((kind) => kind.startsWith('certificate_exp'));
  };
  assert.deepEqual(await run(29), []);
  assert.deepEqual(await run(1), ['certificate_expiring']);
  assert.deepEqual(await certificates(held), ['expiring']);
  assert.equal((await terms()).certificates.length, 1);
  assert.equal((await run(30)).length, 2);
  assert.equal((await run(23)).length, 3);
  // The minute it ends, even before the run that notes it.
  clock.advance(7 * dayMs);
  assert.deepEqual((await terms()).certificates, []);
  assert.equal((await terms()).encryption, 'on');
  assert.equal((await run(0))[0], 'certificate_expired');
  assert.deepEqual(await certificates(held), ['expired']);
  assert.equal((await kinds(held, held.desk)).filter((kind) => kind === 'certificate_expired').length, 1);
});

test('the desk’s board lists keys that end, soonest first, in pages', async () => {
  await using held = await openDelivery();
  await importCertificate(held, { days: 50 });
  await importCertificate(held, { days: 20, purpose: 'add' });
  await importCertificate(held, { days: 300, purpose: 'add' });
  const first = await held.delivery.listEndingKeys(held.desk, 60, { after: undefined, limit: 1 });
  const second = await held.delivery.listEndingKeys(held.desk, 60, { after: first.next, limit: 1 });
  assert.ok(first.items[0]!.expiresAtMs < second.items[0]!.expiresAtMs);
  assert.equal(second.next, undefined);
  await assert.rejects(
    held.delivery.listEndingKeys(held.client, 60, { after: undefined, limit: 1 }),
    refusedWith('delivery_forbidden'),
  );
});

test('SF-X4: where the operator requires OpenPGP, encryption is on from the start and cannot be switched off', async () => {
  await using held = await openDelivery({ encryptionRequired: true });
  const { delivery, client } = held;
  const before = await termsOf(held);
  assert.deepEqual([before.encryption, before.certificates.length], ['on', 0]);
  await importCertificate(held);
  await delivery.enableEncryption(client);
  await assert.rejects(delivery.disableEncryption(client), refusedWith('encryption_required'));
});

test('D-26: a revoked certificate that is handed in ends the one on file', async () => {
  await using held = await openDelivery();
  const { delivery, client, clock } = held;
  const { privateKey } = await openpgp.generateKey({
    userIDs: [{ name: 'Client' }],
    date: new Date(clock.nowMs() - dayMs),
    format: 'object',
  });
  const request = await delivery.submit(client, { channel, key: Buffer.from(privateKey.toPublic().armor()) });
  await held.confirm(request);
  await delivery.approve(held.desk, request.requestId);
  await delivery.enableEncryption(client);
  const { publicKey: revoked } = await openpgp.revokeKey({
    key: privateKey,
    date: new Date(clock.nowMs() - 1000),
    format: 'object',
  });
  await assert.rejects(
    delivery.submit(client, { channel, key: Buffer.from(revoked.armor()) }),
    refusedWith('key_revoked'),
  );
  assert.deepEqual((await termsOf(held)).certificates, []);
  assert.ok((await kinds(held)).includes('delivery_key_ended'));
});

test('the same certificate with a later end is a successor, the very same one is not', async () => {
  await using held = await openDelivery();
  const { bytes } = await makeCertificate({ atMs: held.clock.nowMs(), days: 30 });
  const request = await held.confirm(await held.delivery.submit(held.client, { channel, key: bytes }));
  await held.delivery.approve(held.desk, request.requestId);
  await assert.rejects(
    held.delivery.submit(held.client, { channel, key: bytes }),
    refusedWith('key_registered_already'),
  );
});

test('what a client may hand in within a day, keep waiting and keep listed is limited', async () => {
  await using held = await openDelivery({ submissionsPerDayMax: 6, openRequestsMax: 2, addressesMax: 3 });
  const { delivery, client, clock } = held;
  await held.setUp(client);
  const submit = (addresses: string[]) => delivery.submit(client, { channel, addresses });
  await submit(['203.0.113.8']);
  await assert.rejects(submit(['203.0.113.7']), refusedWith('address_listed'));
  await assert.rejects(submit(['203.0.113.9', '203.0.113.10']), refusedWith('addresses_too_many'));
  await submit(['203.0.113.9']);
  await assert.rejects(submit(['203.0.113.10']), refusedWith('requests_too_many'));
  await assert.rejects(submit(['203.0.113.11', '203.0.113.12', '203.0.113.13']), refusedWith('submissions_too_many'));
  clock.advance(dayMs);
  await assert.rejects(submit(['203.0.113.11', '203.0.113.12', '203.0.113.13']), refusedWith('requests_too_many'));
});
