// What the desk may not do, or not yet: every step out of order, by the wrong person, or on a client that is not active.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { consoleActor } from '../../kernel/actor.ts';
import { Refusal } from '../../kernel/refusal.ts';
import { brokenConstraint } from '../../kernel/sql.ts';
import { readCertificate } from '../keys/openpgp-certificate.ts';
import { makeSshKey, openDelivery, password } from './delivery-fixture.ts';
import { createTransitions, moveOf } from './transitions.ts';

const refusedWith = (code: string) => (fault: unknown) => fault instanceof Refusal && fault.code === code;
const bySftp = { sftp: true, portal: true, ftp: false, email: false };
const channel = 'desk' as const;

test('a first set-up is approved with key and address together, and a finished request by nobody', async () => {
  await using held = await openDelivery();
  const { delivery, client, desk } = held;
  await delivery.elect(client, { channels: bySftp, contact: undefined });
  const request = await held.confirm(await delivery.submit(client, { channel: 'portal', key: makeSshKey().bytes }));
  await assert.rejects(delivery.approve(desk, request.requestId), refusedWith('request_incomplete'));
  await held.confirm(await delivery.submit(client, { channel: 'portal', addresses: ['203.0.113.7'] }));
  await delivery.approve(desk, request.requestId);
  await delivery.issueLogIn(desk, client.clientId);
  await delivery.markConfigured(desk, client.clientId);
  for (const late of [
    () => delivery.approve(desk, request.requestId),
    () => delivery.decline(desk, request.requestId, 'late'),
    () => delivery.takeRequest(desk, request.requestId),
    () => held.confirm(request),
  ]) {
    await assert.rejects(late(), refusedWith('request_finished'));
  }
});

test('what joins a set-up after its approval must be approved anew', async () => {
  await using held = await openDelivery();
  const { delivery, client, desk } = held;
  await delivery.elect(client, { channels: bySftp, contact: undefined });
  const given = { channel: 'portal', key: makeSshKey().bytes, addresses: ['203.0.113.7'] } as const;
  const request = await held.confirm(await delivery.submit(client, given));
  await delivery.approve(desk, request.requestId);
  await delivery.issueLogIn(desk, client.clientId);
  await delivery.submit(client, { channel: 'portal', addresses: ['203.0.113.8'] });
  await assert.rejects(delivery.markConfigured(desk, client.clientId), refusedWith('request_not_approved'));
  await held.confirm(await delivery.getRequest(client, request.requestId));
  await delivery.approve(desk, request.requestId);
  await delivery.markConfigured(desk, client.clientId);
  const { items } = await delivery.listAddresses(
    desk,
    { clientId: client.clientId, isLive: true },
    { after: undefined, limit: 9 },
  );
  assert.deepEqual(new Set(items.map(({ state }) => state)), new Set(['active']));
});

test('D-23: an operator who added a key to the client’s own set-up is not the one who approves it', async () => {
  await using held = await openDelivery();
  const { database, delivery, client, desk } = held;
  const colleague = await held.addOperator('cora');
  await delivery.elect(client, { channels: bySftp, contact: undefined });
  const opened = await delivery.submit(client, { channel: 'portal', addresses: ['203.0.113.7'] });
  const given = { channel, clientId: client.clientId, key: makeSshKey().bytes };
  const { requestId } = await held.confirm(await delivery.submit(desk, given));
  assert.equal(requestId, opened.requestId);
  await assert.rejects(delivery.approve(desk, requestId), refusedWith('approver_is_requester'));
  await assert.rejects(
    database.sql`insert into request_approvals values (${requestId}, ${`client:${client.clientId}`},
      ${`operator:${desk.operatorId}`}, 0)`,
    (fault) => brokenConstraint(fault) === 'approver_is_no_submitter',
  );
  await delivery.approve(colleague, requestId);
});

test('D-23: an operator who reset a password of the client approves nothing that the client confirms', async () => {
  await using held = await openDelivery();
  const { delivery, identity, client, desk } = held;
  const colleague = await held.addOperator('cora');
  await delivery.elect(client, { channels: bySftp, contact: undefined });
  const given = { channel: 'portal', key: makeSshKey().bytes, addresses: ['203.0.113.7'] } as const;
  const opened = await delivery.submit(client, given);
  const { invitation } = await identity.resetPassword(desk, client.loginId!);
  await identity.acceptInvitation({ token: invitation.token, password, origin: client.origin });
  const { requestId } = await held.confirm(opened);
  await assert.rejects(delivery.approve(desk, requestId), refusedWith('approver_reset_password'));
  await delivery.approve(colleague, requestId);
});

test('an approval is given by a person of the delivery desk, not by the console and not by another desk', async () => {
  await using held = await openDelivery();
  const { delivery, client, desk } = held;
  await delivery.elect(client, { channels: bySftp, contact: undefined });
  const given = { channel: 'portal', key: makeSshKey().bytes, addresses: ['203.0.113.7'] } as const;
  const { requestId } = await held.confirm(await delivery.submit(client, given));
  await assert.rejects(delivery.approve(consoleActor, requestId), refusedWith('approver_not_operator'));
  const service = await held.addOperator('sam', ['service', 'compliance', 'operations']);
  await assert.rejects(delivery.approve(service, requestId), refusedWith('delivery_forbidden'));
  await assert.rejects(delivery.issueLogIn(service, client.clientId), refusedWith('delivery_forbidden'));
  await assert.rejects(delivery.issueLogIn(client, client.clientId), refusedWith('delivery_forbidden'));
  await assert.rejects(delivery.markConfigured(client, client.clientId), refusedWith('delivery_forbidden'));
  await delivery.approve(desk, requestId);
});

test('what is handed in for a client names it, brings something, and waits for the client’s own confirmation', async () => {
  await using held = await openDelivery();
  const { delivery, client, desk } = held;
  const given = { channel, addresses: ['203.0.113.7'] };
  await assert.rejects(delivery.submit(desk, given), refusedWith('client_not_named'));
  const nobody = '00000000-0000-7000-8000-000000000000';
  await assert.rejects(delivery.submit(desk, { ...given, clientId: nobody }), refusedWith('delivery_not_found'));
  await assert.rejects(delivery.submit(client, { channel: 'portal' }), refusedWith('nothing_submitted'));
  await delivery.elect(client, { channels: bySftp, contact: undefined });
  const request = await delivery.submit(desk, { ...given, clientId: client.clientId });
  assert.equal(request.requester, `operator:${desk.operatorId}`);
  await assert.rejects(
    delivery.confirm(desk, request.requestId, { shown: request.awaiting, password: 'any' }),
    refusedWith('delivery_forbidden'),
  );
  // An SFTP connection is the client's program, not its person.
  const program = { kind: 'client', clientId: client.clientId, origin: { face: 'sftp' } } as const;
  await assert.rejects(
    delivery.confirm(program, request.requestId, { shown: request.awaiting, password: 'any' }),
    refusedWith('delivery_forbidden'),
  );
  await assert.rejects(held.messages.listNotices(program, { limit: 1 }), refusedWith('notices_forbidden'));
});

test('a client that is suspended changes nothing until it is resumed', async () => {
  await using held = await openDelivery();
  const { delivery, client, desk } = held;
  await delivery.elect(client, { channels: bySftp, contact: undefined });
  await held.identity.suspendClient(consoleActor, client.clientId, 'A question is open.');
  for (const change of [
    () => delivery.elect(client, { channels: bySftp, contact: undefined }),
    () => delivery.submit(client, { channel: 'portal', addresses: ['203.0.113.7'] }),
    () => delivery.issueLogIn(desk, client.clientId),
    () => delivery.markConfigured(desk, client.clientId),
  ]) {
    await assert.rejects(change(), refusedWith('client_not_active'));
  }
  await held.identity.resumeClient(consoleActor, client.clientId, 'It is answered.');
  await delivery.submit(client, { channel: 'portal', addresses: ['203.0.113.7'] });
});

test('a connection is suspended for a cause, opens nothing meanwhile, and opens as before when it is resumed', async () => {
  await using held = await openDelivery();
  const { delivery, client, desk } = held;
  await assert.rejects(delivery.suspendConnection(desk, client.clientId, 'why'), refusedWith('sftp_not_elected'));
  const { userName, key } = await held.setUp(client);
  const verdict = async () => (await delivery.authenticate(held.attempt(userName, key))).verdict;
  await assert.rejects(delivery.resumeConnection(desk, client.clientId), refusedWith('connection_state_wrong'));
  await assert.rejects(delivery.suspendConnection(desk, client.clientId, ' '), refusedWith('delivery_reason_missing'));
  const suspended = await delivery.suspendConnection(desk, client.clientId, 'The key was seen elsewhere.');
  assert.equal(suspended.connection?.reason, 'The key was seen elsewhere.');
  assert.equal(await verdict(), 'reject');
  await assert.rejects(
    delivery.suspendConnection(desk, client.clientId, 'again'),
    refusedWith('connection_state_wrong'),
  );
  await delivery.resumeConnection(desk, client.clientId);
  assert.equal(await verdict(), 'accept');
});

test('a move from a state that somebody else has left is refused and leaves no trace', async () => {
  await using held = await openDelivery();
  const { database, client, audit, clock } = held;
  await held.setUp(client);
  const transitions = createTransitions({ audit });
  const before = await audit.list(database.sql, { subject: `connection:${client.clientId}`, limit: 100 });
  await assert.rejects(
    database.transaction((sql) =>
      transitions.connection(sql, client, client.clientId, { from: 'proven', to: 'closed' }, { atMs: clock.nowMs() }),
    ),
    refusedWith('state_moved'),
  );
  assert.throws(() => moveOf('ssh_key', 'replaced', 'active'), refusedWith('state_moved'));
  assert.throws(() => moveOf('ssh_key', 'unheard of', 'active'), refusedWith('state_moved'));
  const after = await audit.list(database.sql, { subject: `connection:${client.clientId}`, limit: 100 });
  assert.equal(after.length, before.length);
});

test('over the day’s limit no certificate is read any more, and a private key is still called one', async () => {
  let read = 0;
  const inspectCertificate = async (bytes: Uint8Array, nowMs: number) => {
    read += 1;
    return await readCertificate(bytes, nowMs);
  };
  await using held = await openDelivery({ submissionsPerDayMax: 2 }, { inspectCertificate });
  const { delivery, client } = held;
  const submit = (text: string) => delivery.submit(client, { channel: 'portal', key: Buffer.from(text) });
  const unreadable = '-----BEGIN PGP PUBLIC KEY BLOCK-----';
  await assert.rejects(submit(unreadable), refusedWith('key_unreadable'));
  await assert.rejects(submit(unreadable), refusedWith('key_unreadable'));
  await assert.rejects(submit(unreadable), refusedWith('submissions_too_many'));
  assert.equal(read, 2);
  await assert.rejects(submit('-----BEGIN OPENSSH PRIVATE KEY-----'), refusedWith('key_private'));
  held.clock.advance(86_400_001);
  await assert.rejects(submit(unreadable), refusedWith('key_unreadable'));
});
