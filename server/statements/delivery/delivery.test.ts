// The life of a delivery connection on a real database: election, intake, confirmation, approval, and what they open.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../../kernel/refusal.ts';
import { sqlState } from '../../kernel/sql.ts';
import { makeSshKey, openDelivery, password } from './delivery-fixture.ts';
import { moves } from './state-rules.ts';

const refusedWith = (code: string) => (fault: unknown) => fault instanceof Refusal && fault.code === code;
const brokenCheck = (fault: unknown): boolean => sqlState(fault) === '23514';
const bySftp = { sftp: true, portal: true, ftp: false, email: false };

test('SF-14: a set-up goes from election to a connection that opens with the key handed in at its beginning', async () => {
  await using held = await openDelivery();
  const { delivery, client, desk } = held;
  const key = makeSshKey();

  const elected = await delivery.elect(client, { channels: bySftp, contact: 'Ada, +1 555 0100' });
  assert.equal(elected.connection?.state, 'waiting_for_keys');

  const request = await delivery.submit(client, { channel: 'portal', key: key.bytes, addresses: ['203.0.113.7'] });
  assert.equal(request.kind, 'set_up');
  assert.deepEqual(new Set(request.awaiting), new Set(['203.0.113.7', key.fingerprint]));
  assert.equal((await delivery.getElected(client)).connection?.state, 'waiting_for_confirmation');

  await held.confirm(request);
  assert.equal((await delivery.getElected(client)).connection?.state, 'waiting_for_approval');
  await delivery.approve(desk, request.requestId);
  const { userName } = await delivery.issueLogIn(desk, client.clientId);

  // SF-13: issued, approved, and still closed.
  const before = await delivery.authenticate(held.attempt(userName, key));
  assert.equal(before.verdict, 'reject');

  await delivery.markConfigured(desk, client.clientId);
  assert.equal(await delivery.admit('203.0.113.7'), 'banner');
  const after = await delivery.authenticate(held.attempt(userName, key));
  assert.equal(after.verdict, 'accept');
  const finished = await delivery.getRequest(client, request.requestId);
  assert.equal(finished.state, 'done');
});

test('SF-12: the notice that the connection is configured is written with the configuration itself', async () => {
  await using held = await openDelivery();
  const { userName } = await held.setUp(held.client);
  const { items } = await held.messages.listNotices(held.client, { limit: 10 });
  const notice = items.find(({ kind }) => kind === 'connection_configured');
  assert.equal(notice?.params['userName'], userName);
});

test('SF-06: the user name is issued, differs for each client, and no update changes it', async () => {
  await using held = await openDelivery();
  const first = await held.setUp(held.client);
  const second = await held.setUp(await held.addClient('bob'));
  assert.match(first.userName, /^d[0-9a-z]{13}$/);
  assert.notEqual(first.userName, second.userName);
  const again = await held.delivery.issueLogIn(held.desk, held.client.clientId);
  assert.equal(again.userName, first.userName);
  await assert.rejects(
    held.database.sql`update delivery_connections set user_name = 'chosen' where client_id = ${held.client.clientId}`,
    brokenCheck,
  );
});

test('SF-20: the password is issued with the name, kept as a hash only, and offers nothing to SFTP', async () => {
  await using held = await openDelivery();
  const { userName } = await held.setUp(held.client);
  const issued = await held.delivery.issueLogIn(held.desk, held.client.clientId);
  const [row] = await held.database.sql<{ hash: string }>`
    select password_hash as hash from delivery_connections where client_id = ${held.client.clientId}`;
  assert.match(row!.hash, /^\$argon2id\$/);
  assert.ok(!row!.hash.includes(issued.password));
  const offered = { ...held.attempt(userName, makeSshKey()), method: 'password' };
  assert.equal((await held.delivery.authenticate(offered)).verdict, 'reject');
});

test('a portal election needs no connection, and channels without an outlet are refused by name', async () => {
  await using held = await openDelivery();
  const portalOnly = { ...bySftp, sftp: false };
  const elected = await held.delivery.elect(held.client, { channels: portalOnly, contact: undefined });
  assert.equal(elected.connection, undefined);
  for (const channel of ['ftp', 'email'] as const) {
    const channels = { ...bySftp, [channel]: true };
    await assert.rejects(
      held.delivery.elect(held.client, { channels, contact: undefined }),
      refusedWith('channel_not_offered'),
    );
  }
  await assert.rejects(
    held.delivery.elect(held.client, { channels: { ...portalOnly, portal: false }, contact: undefined }),
    refusedWith('no_channel_elected'),
  );
  await assert.rejects(
    held.delivery.submit(held.client, { channel: 'portal', addresses: ['203.0.113.7'] }),
    refusedWith('sftp_not_elected'),
  );
});

test('the client confirms exactly what it was shown, with its own password', async () => {
  await using held = await openDelivery();
  const { delivery, client } = held;
  await delivery.elect(client, { channels: bySftp, contact: undefined });
  const request = await delivery.submit(client, { channel: 'portal', key: makeSshKey().bytes });
  const confirm = (shown: readonly string[], typed = password) =>
    delivery.confirm(client, request.requestId, { shown, password: typed });
  await assert.rejects(confirm([makeSshKey().fingerprint]), refusedWith('confirmation_mismatch'));
  await assert.rejects(confirm([]), refusedWith('confirmation_mismatch'));
  await assert.rejects(confirm(request.awaiting, 'wrong'), refusedWith('password_wrong'));
  // An address that joins meanwhile was not on the screen.
  await delivery.submit(client, { channel: 'portal', addresses: ['203.0.113.9'] });
  await assert.rejects(confirm(request.awaiting), refusedWith('confirmation_mismatch'));
  await held.confirm(await delivery.getRequest(client, request.requestId));
  await assert.rejects(confirm(request.awaiting), refusedWith('nothing_to_confirm'));
});

test('another client can neither see nor confirm a request', async () => {
  await using held = await openDelivery();
  const stranger = await held.addClient('bob');
  await held.delivery.elect(held.client, { channels: bySftp, contact: undefined });
  const request = await held.delivery.submit(held.client, { channel: 'portal', key: makeSshKey().bytes });
  await assert.rejects(held.delivery.getRequest(stranger, request.requestId), refusedWith('delivery_not_found'));
  await assert.rejects(held.confirm(request, stranger), refusedWith('delivery_not_found'));
  await assert.rejects(held.delivery.approve(stranger as never, request.requestId), refusedWith('delivery_forbidden'));
  assert.equal((await held.delivery.listRequests(stranger, {}, { after: undefined, limit: 10 })).items.length, 0);
});

test('two approvals need two people, and neither may be who opened the request', async () => {
  await using held = await openDelivery({ approval: 'two' });
  const { delivery, client, desk } = held;
  const [second, third] = [await held.addOperator('emil'), await held.addOperator('fay')];
  await delivery.elect(client, { channels: bySftp, contact: undefined });
  const given = {
    clientId: client.clientId,
    channel: 'desk',
    key: makeSshKey().bytes,
    addresses: ['203.0.113.7'],
  } as const;
  const request = await delivery.submit(desk, given);
  await assert.rejects(delivery.approve(second, request.requestId), refusedWith('request_not_confirmed'));
  await held.confirm(request);
  await assert.rejects(delivery.approve(desk, request.requestId), refusedWith('approver_is_requester'));
  assert.equal((await delivery.approve(second, request.requestId)).approvedAtMs, null);
  await assert.rejects(delivery.approve(second, request.requestId), refusedWith('approved_already'));
  await delivery.issueLogIn(desk, client.clientId);
  await assert.rejects(delivery.markConfigured(desk, client.clientId), refusedWith('request_not_approved'));
  assert.notEqual((await delivery.approve(third, request.requestId)).approvedAtMs, null);
  assert.equal((await delivery.markConfigured(desk, client.clientId)).connection?.state, 'configured');
});

test('the database itself refuses an approval by the requester and a key without its approvals', async () => {
  await using held = await openDelivery({ approval: 'two' });
  const { delivery, client, desk, database } = held;
  await delivery.elect(client, { channels: bySftp, contact: undefined });
  const given = {
    clientId: client.clientId,
    channel: 'desk',
    key: makeSshKey().bytes,
    addresses: ['203.0.113.7'],
  } as const;
  const { requestId, requester } = await delivery.submit(desk, given);
  await held.confirm(await delivery.getRequest(client, requestId));
  const approve = (approver: string) => database.sql`
    insert into request_approvals values (${requestId}, ${requester}, ${approver}, 0)`;
  await assert.rejects(approve(requester), brokenCheck);
  await assert.rejects(approve(`client:${client.clientId}`), brokenCheck);
  await approve('operator:one');
  await assert.rejects(
    database.sql`update delivery_requests set approved_at_ms = 1 where id = ${requestId}`,
    brokenCheck,
  );
  await assert.rejects(
    database.sql`update delivery_requests set approvals_needed = 1 where id = ${requestId}`,
    brokenCheck,
  );
  await assert.rejects(
    database.sql`update ssh_keys set state = 'approved' where request_id = ${requestId}`,
    brokenCheck,
  );
  await assert.rejects(
    database.sql`update address_entries set state = 'approved' where request_id = ${requestId}`,
    brokenCheck,
  );
});

test('without approval by the desk the confirmed set-up is configured at once', async () => {
  await using held = await openDelivery({ approval: 'none' });
  const { delivery, client } = held;
  await delivery.elect(client, { channels: bySftp, contact: undefined });
  const request = await delivery.submit(client, { channel: 'portal', key: makeSshKey().bytes });
  await held.confirm(request);
  assert.equal((await delivery.getElected(client)).connection?.state, 'waiting_for_confirmation');
  const address = await delivery.submit(client, { channel: 'portal', addresses: ['203.0.113.7'] });
  assert.equal(address.requestId, request.requestId);
  await held.confirm(address);
  const { connection } = await delivery.getElected(client);
  assert.equal(connection?.state, 'configured');
  assert.match(connection.userName ?? '', /^d/);
});

test('every legal move of the code is a legal move of the database, and no other', async () => {
  await using held = await openDelivery();
  const inDatabase = await held.database.sql<{ move: string }>`
    select object || ' ' || from_state || ' ' || to_state as move from delivery_moves`;
  const inCode = Object.entries(moves).flatMap(([object, table]) =>
    Object.entries<readonly string[]>(table).flatMap(([from, all]) => all.map((to) => `${object} ${from} ${to}`)),
  );
  assert.deepEqual(new Set(inDatabase.map(({ move }) => move)), new Set(inCode));
});

test('SF-13: no statement can take a connection past the states that lie before configured', async () => {
  await using held = await openDelivery();
  await held.delivery.elect(held.client, { channels: bySftp, contact: undefined });
  for (const state of ['configured', 'proven', 'waiting_for_approval', 'suspended', 'elected']) {
    await assert.rejects(
      held.database
        .sql`update delivery_connections set state = ${state}, reason = 'x' where client_id = ${held.client.clientId}`,
      brokenCheck,
    );
  }
});

test('a declined request ends what was handed in, tells the client why, and leaves room for another', async () => {
  await using held = await openDelivery();
  const { delivery, client, desk } = held;
  await delivery.elect(client, { channels: bySftp, contact: undefined });
  const request = await delivery.submit(client, {
    channel: 'portal',
    key: makeSshKey().bytes,
    addresses: ['203.0.113.7'],
  });
  await held.confirm(request);
  await assert.rejects(delivery.decline(desk, request.requestId, '  '), refusedWith('delivery_reason_missing'));
  const declined = await delivery.decline(desk, request.requestId, 'The address is a VPN.');
  assert.equal(declined.state, 'refused');
  assert.deepEqual(
    declined.items.sshKeys.map(({ state }) => state),
    ['refused'],
  );
  assert.deepEqual(
    declined.items.addresses.map(({ state }) => state),
    ['removed'],
  );
  assert.equal((await delivery.getElected(client)).connection?.state, 'refused');
  const { items } = await held.messages.listNotices(client, { limit: 10 });
  assert.equal(
    items.find(({ kind }) => kind === 'delivery_request_refused')?.params['reason'],
    'The address is a VPN.',
  );
  const again = await held.setUp(client);
  assert.notEqual(again.requestId, request.requestId);
});

test('SF-X6: a request shows when it is due, counts the desk’s time from the confirmation, and says when it is late', async () => {
  await using held = await openDelivery();
  const { delivery, client, clock } = held;
  await delivery.elect(client, { channels: bySftp, contact: undefined });
  // Tuesday 24 November 2026, 12:00 UTC.
  const request = await delivery.submit(client, {
    channel: 'portal',
    key: makeSshKey().bytes,
    addresses: ['203.0.113.7'],
  });
  assert.equal(request.dueAtMs, Date.UTC(2026, 10, 26, 12));
  clock.advance(3 * 86_400_000);
  // Friday: the desk may act from now on, so it is due on Tuesday.
  const confirmed = await held.confirm(request);
  assert.equal(confirmed.dueAtMs, Date.UTC(2026, 11, 1, 12));
  clock.advance(4 * 86_400_000 + 1);
  const late = await delivery.getRequest(client, request.requestId);
  assert.equal(late.businessTimeMs, 2 * 86_400_000 + 1);
  assert.equal(late.isLate, true);
});

test('leaving SFTP before it is configured closes the connection, and afterwards keeps it for the files that are there', async () => {
  await using held = await openDelivery();
  const { delivery, client } = held;
  await delivery.elect(client, { channels: bySftp, contact: undefined });
  await delivery.submit(client, { channel: 'portal', key: makeSshKey().bytes, addresses: ['203.0.113.7'] });
  const left = await delivery.elect(client, { channels: { ...bySftp, sftp: false }, contact: undefined });
  assert.equal(left.connection?.state, 'closed');
  const { userName, key } = await held.setUp(client);
  const kept = await delivery.elect(client, { channels: { ...bySftp, sftp: false }, contact: undefined });
  assert.equal(kept.connection?.state, 'configured');
  assert.equal((await delivery.authenticate(held.attempt(userName, key))).verdict, 'accept');
  const closed = await delivery.closeConnection(client);
  assert.equal(closed.connection?.state, 'closed');
  assert.equal((await delivery.authenticate(held.attempt(userName, key))).verdict, 'reject');
});

test('SF-08: whoever goes through the whole procedure again ends with a new key under the same user name', async () => {
  await using held = await openDelivery();
  const first = await held.setUp(held.client);
  await held.delivery.closeConnection(held.client);
  const second = await held.setUp(held.client);
  assert.equal(second.userName, first.userName);
  assert.equal((await held.delivery.authenticate(held.attempt(second.userName, second.key))).verdict, 'accept');
  assert.equal((await held.delivery.authenticate(held.attempt(second.userName, first.key))).verdict, 'reject');
});

test('every move stands in the audit trail with who made it and why', async () => {
  await using held = await openDelivery();
  const { key } = await held.setUp(held.client);
  const { sshKeys } = await held.delivery.listKeys(held.client);
  const trail = await held.audit.list(held.database.sql, { subject: `ssh_key:${sshKeys[0]!.keyId}`, limit: 10 });
  assert.equal(sshKeys[0]!.fingerprint, key.fingerprint);
  assert.deepEqual(trail.map(({ action }) => action).toReversed(), [
    'ssh_key.checked',
    'ssh_key.confirmed',
    'ssh_key.approved',
    'ssh_key.active',
  ]);
  assert.equal(trail.at(-2)!.actor, `client:${held.client.clientId}`);
  assert.equal(trail[0]!.actor, `operator:${held.desk.operatorId}`);
});

test('handing in the same thing twice is answered with the same request twice', async () => {
  await using held = await openDelivery();
  const { delivery, client } = held;
  await delivery.elect(client, { channels: bySftp, contact: undefined });
  const key = makeSshKey();
  const given = { channel: 'portal', key: key.bytes, addresses: ['203.0.113.7', '203.0.113.8'] } as const;
  const first = await delivery.submit(client, given);
  const second = await delivery.submit(client, given);
  assert.deepEqual(second, first);
  await held.confirm(first);
  const third = await delivery.submit(client, { channel: 'portal', addresses: ['203.0.113.8/32'] });
  assert.equal(third.requestId, first.requestId);
  assert.deepEqual(third.awaiting, []);
  await delivery.approve(held.desk, first.requestId);
  await delivery.issueLogIn(held.desk, client.clientId);
  await delivery.markConfigured(held.desk, client.clientId);
  const successor = makeSshKey();
  const rekey = await delivery.submit(client, { channel: 'portal', key: successor.bytes });
  const again = await delivery.submit(client, { channel: 'portal', key: successor.bytes });
  assert.equal(again.requestId, rekey.requestId);
  assert.equal((await delivery.listRequests(client, {}, { after: undefined, limit: 10 })).items.length, 2);
});

test('two submissions, two confirmations or two approvals at the same moment leave one outcome', async () => {
  await using held = await openDelivery();
  const { delivery, client, desk } = held;
  await delivery.elect(client, { channels: bySftp, contact: undefined });
  const given = { channel: 'portal', key: makeSshKey().bytes, addresses: ['203.0.113.7'] } as const;
  const [request, other] = await Promise.all([delivery.submit(client, given), delivery.submit(client, given)]);
  assert.equal(request.requestId, other.requestId);
  const confirmed = await Promise.allSettled([held.confirm(request), held.confirm(request)]);
  assert.deepEqual(new Set(confirmed.map(({ status }) => status)), new Set(['fulfilled', 'rejected']));
  const second = await held.addOperator('emil');
  const approved = await Promise.allSettled([
    delivery.approve(desk, request.requestId),
    delivery.approve(second, request.requestId),
  ]);
  assert.ok(approved.some(({ status }) => status === 'fulfilled'));
  await delivery.issueLogIn(desk, client.clientId);
  await Promise.allSettled([
    delivery.markConfigured(desk, client.clientId),
    delivery.markConfigured(second, client.clientId),
  ]);
  assert.equal((await delivery.getElected(client)).connection?.state, 'configured');
  const notices = (await held.messages.listNotices(client, { limit: 20 })).items;
  assert.equal(notices.filter(({ kind }) => kind === 'connection_configured').length, 1);
});
