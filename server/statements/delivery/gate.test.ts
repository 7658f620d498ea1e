// The gate on a real database: who is admitted, what is recorded of those who are not, and which open connections end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../../test/eventually.ts';
import { consoleActor } from '../../kernel/actor.ts';
import { createDelivery } from './delivery.ts';
import { makeSshKey, openDelivery } from './delivery-fixture.ts';
import type { Ticket } from './gate.ts';

const algorithms = {
  kex: 'mlkem768x25519-sha256',
  hostKey: 'ssh-ed25519',
  cipherIn: 'aes256-gcm@openssh.com',
  macIn: 'implicit',
};

type Held = Awaited<ReturnType<typeof openDelivery>>;

async function signIn(held: Held, userName: string, key: { blob: Buffer; fingerprint: string }): Promise<Ticket> {
  const answer = await held.delivery.authenticate(held.attempt(userName, key));
  assert.equal(answer.verdict, 'accept');
  const { ticket } = answer as { ticket: Ticket };
  held.delivery.connectionOpened(ticket, {
    connectionId: ticket.connectionId,
    address: '203.0.113.7',
    clientSoftware: 'SSH-2.0-OpenSSH_9.2',
    algorithms,
  });
  return ticket;
}

/** The gate with its ears open; what it ended stands in `ended`. */
async function watch(held: Held) {
  const ended: string[] = [];
  const running = await held.delivery.start((connectionId) => void ended.push(connectionId));
  return { ended, [Symbol.asyncDispose]: () => running.close() };
}

const reasons = async (held: Held, who = held.client as Parameters<Held['delivery']['listRefusals']>[0]) => {
  await held.delivery.flushRefusals();
  const { items } = await held.delivery.listRefusals(who, {}, { after: undefined, limit: 50 });
  return items;
};

test('SF-26: an address on no list gets silence, one on a list the banner, and the desk sees which was refused', async () => {
  await using held = await openDelivery();
  await held.setUp(held.client, makeSshKey(), ['203.0.113.0/28', '2001:db8::7']);
  await using _ = await watch(held);
  for (const address of ['203.0.113.1', '203.0.113.15', '2001:db8::7']) {
    assert.equal(await held.delivery.admit(address), 'banner', address);
  }
  for (const address of ['203.0.113.16', '198.51.100.1', '2001:db8::8']) {
    assert.equal(await held.delivery.admit(address), 'silence', address);
  }
  const seen = await reasons(held, held.desk);
  assert.deepEqual(
    seen.map(({ reason }) => reason),
    ['address_not_listed', 'address_not_listed', 'address_not_listed'],
  );
  assert.ok(seen.some(({ address }) => address === '203.0.113.16'));
});

test('SF-27: a new address is admitted the moment its request is approved, by every process', async () => {
  await using held = await openDelivery();
  const { delivery, client, desk } = held;
  await held.setUp(client);
  await using _ = await watch(held);
  const elsewhere = createDelivery(held);
  const running = await elsewhere.start(() => undefined);
  assert.equal(await delivery.admit('203.0.113.99'), 'silence');
  const request = await delivery.submit(client, { channel: 'portal', addresses: ['203.0.113.99'] });
  assert.equal(request.kind, 'new_address');
  await held.confirm(request);
  assert.equal(await delivery.admit('203.0.113.99'), 'silence');
  await delivery.approve(desk, request.requestId);
  assert.equal(await delivery.admit('203.0.113.99'), 'banner');
  assert.equal(await elsewhere.admit('203.0.113.99'), 'banner');
  // A removal is heard, since memory alone would still admit it.
  const { items } = await delivery.listAddresses(client, { isLive: true }, { after: undefined, limit: 10 });
  await delivery.removeAddress(client, items.find(({ network }) => network === '203.0.113.99')!.entryId, 'moved');
  await eventually(async () => (await elsewhere.admit('203.0.113.99')) === 'silence');
  await running.close();
});

test('SF-24: replacing a key ends it and the connections opened with it, and only those', async () => {
  await using held = await openDelivery();
  const { delivery, client, desk } = held;
  const first = await held.setUp(client);
  const other = await held.addClient('bob');
  const bystander = await held.setUp(other);
  await using watched = await watch(held);
  const ticket = await signIn(held, first.userName, first.key);
  const theirs = await signIn(held, bystander.userName, bystander.key);
  const successor = makeSshKey();
  const request = await delivery.submit(client, { channel: 'portal', key: successor.bytes });
  assert.equal(request.kind, 're_key');
  await held.confirm(request);
  assert.equal((await delivery.authenticate(held.attempt(first.userName, first.key))).verdict, 'accept');
  await delivery.approve(desk, request.requestId);
  assert.equal((await delivery.authenticate(held.attempt(first.userName, first.key))).verdict, 'reject');
  assert.equal((await delivery.authenticate(held.attempt(first.userName, successor))).verdict, 'accept');
  await eventually(() => watched.ended.includes(ticket.connectionId));
  assert.ok(!watched.ended.includes(theirs.connectionId));
  assert.equal(await delivery.isTicketGood(ticket, '203.0.113.7'), false);
  assert.equal(await delivery.isTicketGood(theirs, '203.0.113.7'), true);
});

test('a connection that opens just as its key is replaced ends as well', async () => {
  await using held = await openDelivery();
  const { delivery, client, desk } = held;
  const first = await held.setUp(client);
  const answer = await delivery.authenticate(held.attempt(first.userName, first.key));
  const request = await delivery.submit(client, { channel: 'portal', key: makeSshKey().bytes });
  await held.confirm(request);
  await delivery.approve(desk, request.requestId);
  await using watched = await watch(held);
  const { ticket } = answer as { ticket: Ticket };
  const opened = { connectionId: ticket.connectionId, address: '203.0.113.7', clientSoftware: undefined, algorithms };
  delivery.connectionOpened(ticket, opened);
  await eventually(() => watched.ended.includes(ticket.connectionId));
});

test('removing the address, suspending the connection or the client ends what is open from it', async () => {
  for (const cause of ['address', 'connection', 'client'] as const) {
    await using held = await openDelivery();
    const { delivery, client, desk } = held;
    const { userName, key } = await held.setUp(client);
    await using watched = await watch(held);
    const ticket = await signIn(held, userName, key);
    await eventually(async () => (await delivery.getElected(client)).connection?.state === 'proven');
    if (cause === 'address') {
      const { items } = await delivery.listAddresses(client, { isLive: true }, { after: undefined, limit: 10 });
      await delivery.removeAddress(desk, items[0]!.entryId, 'moved');
    } else if (cause === 'connection') await delivery.suspendConnection(desk, client.clientId, 'A question is open.');
    else await held.identity.suspendClient(consoleActor, client.clientId, 'A question is open.');
    await eventually(() => watched.ended.includes(ticket.connectionId), { timeoutMs: 5000 });
  }
});

test('the first good sign-in proves the connection, makes its address known, and stands in the history', async () => {
  await using held = await openDelivery();
  const { delivery, client } = held;
  const { userName, key } = await held.setUp(client);
  await using _ = await watch(held);
  const elsewhere = createDelivery(held);
  const running = await elsewhere.start(() => undefined);
  assert.equal(delivery.isKnown('203.0.113.7'), false);
  const ticket = await signIn(held, userName, key);
  await eventually(async () => (await delivery.getElected(client)).connection?.state === 'proven');
  assert.equal(delivery.isKnown('203.0.113.7'), true);
  await eventually(() => elsewhere.isKnown('203.0.113.7'));
  delivery.connectionEnded({
    connectionId: ticket.connectionId,
    address: '203.0.113.7',
    user: userName,
    ticket,
    bytesIn: 10,
    bytesOut: 20,
    endReason: 'peer_left',
  });
  const [entry] = await eventually(async () => {
    const { items } = await delivery.listConnections(client, {}, { after: undefined, limit: 10 });
    return items[0]?.endedAtMs ? items : undefined;
  });
  assert.equal(entry!.fingerprint, key.fingerprint);
  assert.equal(entry!.kex, algorithms.kex);
  assert.equal(entry!.bytesOut, 20);
  held.clock.advance(3_600_000);
  assert.equal(delivery.isKnown('203.0.113.7'), false);
  await running.close();
});

test('SF-19: an unknown name fails like a wrong key, and what was typed is kept nowhere, since it may be a password', async () => {
  await using held = await openDelivery();
  const { userName, key } = await held.setUp(held.client);
  const wrong = await held.delivery.authenticate(held.attempt(userName, makeSshKey()));
  const unknown = await held.delivery.authenticate(held.attempt('d000000000000x', key));
  const odd = await held.delivery.authenticate(held.attempt(`x\0${'é'.repeat(300)}`, key));
  assert.deepEqual([wrong, unknown, odd], [{ verdict: 'reject' }, { verdict: 'reject' }, { verdict: 'reject' }]);
  held.clock.advance(2000);
  const mine = await reasons(held);
  assert.ok(mine.some(({ reason }) => reason === 'key_not_registered'));
  // It came from an address on the client's list, so the client is told.
  assert.ok(mine.some(({ reason }) => reason === 'unknown_user'));
  const { items: foreign } = await held.delivery.listRefusals(
    await held.addClient('bob'),
    {},
    { after: undefined, limit: 9 },
  );
  assert.equal(foreign.length, 0);
  const seen = await reasons(held, held.desk);
  const unknownOnes = seen.filter(({ reason }) => reason === 'unknown_user');
  assert.equal(unknownOnes.length, 1);
  assert.equal(unknownOnes[0]!.count, 2);
  assert.deepEqual(unknownOnes[0]!.detail, {});
  assert.equal(unknownOnes[0]!.userName, '');
});

test('SF-22: a key that is not registered is refused in the query step already, and shown beside those that are', async () => {
  await using held = await openDelivery();
  const { userName, key } = await held.setUp(held.client);
  const offered = makeSshKey();
  const query = { ...held.attempt(userName, offered), signed: false };
  assert.equal((await held.delivery.authenticate(query)).verdict, 'reject');
  held.delivery.connectionEnded({ ...ending(query.connectionId), user: userName });
  const [refused] = await reasons(held);
  assert.equal(refused?.reason, 'key_not_registered');
  assert.equal(refused.detail['fingerprint'], offered.fingerprint);
  assert.deepEqual(refused.registered, [key.fingerprint]);
});

const ending = (connectionId: string) => ({
  connectionId,
  address: '203.0.113.7',
  ticket: undefined,
  bytesIn: 0,
  bytesOut: 0,
  endReason: 'peer_left',
});

test('a program that tries other keys first and then the right one was not refused', async () => {
  await using held = await openDelivery();
  const { userName, key } = await held.setUp(held.client);
  const attempt = held.attempt(userName, makeSshKey());
  await held.delivery.authenticate({ ...attempt, signed: false });
  await held.delivery.authenticate({ ...attempt, key: { ...attempt.key, ...key } });
  held.clock.advance(5000);
  assert.deepEqual(await reasons(held), []);
});

test('a program that only asks, or cannot unlock its key, or shares no algorithm, is told so', async () => {
  await using held = await openDelivery();
  const { delivery, client } = held;
  const { userName, key } = await held.setUp(client);
  const failure = (connectionId: string, reason: string, detail = '') => ({
    connectionId,
    address: '203.0.113.7',
    user: userName,
    clientSoftware: 'SSH-2.0-Old',
    reason,
    detail,
  });
  const asking = { ...held.attempt(userName, key), method: 'none' };
  await delivery.authenticate(asking);
  delivery.failed(failure(asking.connectionId, 'peer_left'));
  const locked = { ...held.attempt(userName, key), signed: false };
  await delivery.authenticate({ ...locked, method: 'none' });
  await delivery.authenticate(locked);
  delivery.failed(failure(locked.connectionId, 'peer_left'));
  delivery.failed(failure('old', 'no_common_algorithm', 'kex: diffie-hellman-group1-sha1'));
  delivery.failed(failure('unsure', 'peer_left'));
  delivery.failed(failure('slow', 'sign_in_time_over'));
  delivery.failed(failure('many', 'dropped_early'));
  const seen = await reasons(held);
  assert.deepEqual(
    new Set(seen.map(({ reason }) => reason)),
    new Set([
      'no_key_offered',
      'key_not_unlocked',
      'no_common_algorithm',
      'left_before_sign_in',
      'sign_in_time_over',
      'too_busy',
    ]),
  );
  assert.match(seen.find(({ reason }) => reason === 'no_common_algorithm')!.cause, /diffie-hellman-group1-sha1/);
});

test('a drop before the banner is shown to whom the address belongs: by sign-in, or by an entry that was', async () => {
  await using held = await openDelivery();
  const { delivery, client } = held;
  await held.setUp(client);
  const other = await held.addClient('bob');
  await held.setUp(other, makeSshKey(), ['203.0.113.50']);
  await using _ = await watch(held);
  const { items } = await delivery.listAddresses(client, { isLive: true }, { after: undefined, limit: 10 });
  await delivery.removeAddress(client, items[0]!.entryId, 'moved');
  await eventually(async () => (await delivery.admit('203.0.113.7')) === 'silence');
  // Both clients took up their invitations from this address, and neither listed it.
  await delivery.admit('198.51.100.9');
  await delivery.admit('192.0.2.1');
  const addresses = async (who: typeof client) => new Set((await reasons(held, who)).map(({ address }) => address));
  const portal = await held.identity.lastSignInAddresses(held.database.sql, client.clientId);
  const byPortal = portal.includes('198.51.100.9') ? ['198.51.100.9'] : [];
  assert.deepEqual(await addresses(client), new Set(['203.0.113.7', ...byPortal]));
  assert.deepEqual(await addresses(other), new Set(byPortal));
});

test('T14: a rejection leaves at the same time after its question, whichever rule it broke', async () => {
  await using held = await openDelivery({ rejectedAfterMs: 50 });
  const { userName, key } = await held.setUp(held.client);
  for (const name of [userName, 'd000000000000x']) {
    let isAnswered = false;
    const answer = held.delivery.authenticate(held.attempt(name, name === userName ? makeSshKey() : key));
    void answer.then(() => (isAnswered = true));
    await new Promise((go) => setTimeout(go, 300));
    assert.equal(isAnswered, false);
    held.clock.advance(50);
    assert.deepEqual(await answer, { verdict: 'reject' });
  }
});

test('T14: an unknown name, a wrong key and a suspended client ask the database the very same statements', async () => {
  await using held = await openDelivery();
  const { userName, key } = await held.setUp(held.client);
  const other = await held.addClient('bob');
  const suspended = await held.setUp(other);
  await held.identity.suspendClient(consoleActor, other.clientId, 'A question is open.');
  let asked: string[] = [];
  const sql: typeof held.database.sql = async (text, ...values) => {
    asked.push(text.join('?'));
    return await held.database.sql(text, ...values);
  };
  const watched = createDelivery({ ...held, database: { ...held.database, sql } });
  const statements = async (name: string, which: typeof key): Promise<string[]> => {
    asked = [];
    assert.equal((await watched.authenticate(held.attempt(name, which))).verdict, 'reject');
    return asked;
  };
  const unknown = await statements('d000000000000x', key);
  assert.ok(unknown.length > 0);
  assert.deepEqual(await statements(userName, makeSshKey()), unknown);
  assert.deepEqual(await statements(suspended.userName, suspended.key), unknown);
});
