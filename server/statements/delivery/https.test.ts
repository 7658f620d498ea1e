// Delivery over HTTPS: a client and a desk go through a whole set-up, and every malformed or foreign request is refused by code.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTestFace } from '../../faces/https/test-face.ts';
import { identityRefusals } from '../../identity/identity.ts';
import { createNoticeRoutes } from '../../messages/https.ts';
import { refusals as noticeRules } from '../../messages/rules.ts';
import { createConnectionRoutes } from '../connections/https.ts';
import { refusals as connectionRules } from '../connections/rules.ts';
import { refusals as keyRules } from '../keys/rules.ts';
import { type Fixture, makeCertificate, makeSshKey, openDelivery, password } from './delivery-fixture.ts';
import { createDeliveryRoutes } from './https.ts';
import { refusals } from './rules.ts';

const clientToken = 'client'.repeat(6);
const deskToken = 'desk'.repeat(8);
const strangerToken = 'stranger'.repeat(4);

async function openFace(held: Fixture) {
  const stranger = await held.addClient('bob');
  const face = await openTestFace(
    {
      routes: [
        ...createDeliveryRoutes(held),
        ...createConnectionRoutes({ connections: held.delivery }),
        ...createNoticeRoutes(held),
      ],
      refusals: [refusals, keyRules, connectionRules, noticeRules, identityRefusals],
      clock: held.clock,
    },
    { [clientToken]: held.client, [deskToken]: held.desk, [strangerToken]: stranger },
  );
  const ask = async (token: string, method: string, path: string, json?: unknown) =>
    await face.ask(method, path, json === undefined ? { token } : { token, json });
  return { face, ask, [Symbol.asyncDispose]: () => face[Symbol.asyncDispose]() };
}

test('EN-22: the desk finds the request in its queue, approves it, issues the log-in and marks the connection configured', async () => {
  await using held = await openDelivery();
  await using opened = await openFace(held);
  const { ask, face } = opened;
  const key = makeSshKey();
  const desk = `/v1/clients/${held.client.clientId}/delivery`;

  assert.equal(
    (await ask(clientToken, 'PUT', '/v1/delivery', { sftp: true, portal: true })).json.connection.state,
    'waiting_for_keys',
  );
  const uploaded = await face.ask('POST', '/v1/delivery/keys', {
    token: clientToken,
    body: key.line,
    headers: { 'content-type': 'text/plain' },
  });
  assert.equal(uploaded.status, 201);
  assert.equal(uploaded.json.sshKeys[0].fingerprint, key.fingerprint);
  const { json: request } = await ask(clientToken, 'POST', '/v1/delivery/addresses', { addresses: ['203.0.113.7'] });
  assert.deepEqual(new Set(request.awaiting), new Set(['203.0.113.7', key.fingerprint]));
  const path = `/v1/delivery/requests/${request.id}`;
  const confirmed = await ask(clientToken, 'POST', `${path}/confirm`, { shown: request.awaiting, password });
  assert.equal(confirmed.status, 200);
  assert.deepEqual(confirmed.json.awaiting, []);

  const queue = await ask(deskToken, 'GET', '/v1/delivery-desk/requests?state=unfinished');
  assert.deepEqual(
    queue.json.items.map((item: { id: string }) => item.id),
    [request.id],
  );
  assert.equal((await ask(deskToken, 'POST', `/v1/delivery-desk/requests/${request.id}/take`)).json.state, 'in_work');
  assert.equal((await ask(deskToken, 'POST', `${desk}/configured`)).json.code, 'request_not_approved');
  assert.equal(
    (await ask(deskToken, 'POST', `/v1/delivery-desk/requests/${request.id}/approve`)).json.approvalsGiven,
    1,
  );
  assert.equal((await ask(deskToken, 'POST', `${desk}/configured`)).json.code, 'login_not_issued');
  const logIn = await ask(deskToken, 'POST', `${desk}/log-in`);
  assert.match(logIn.json.password, /^[0-9a-z]{24}$/);
  assert.equal((await ask(deskToken, 'POST', `${desk}/configured`)).json.connection.state, 'configured');

  const shown = await ask(clientToken, 'GET', '/v1/delivery');
  assert.equal(shown.json.connection.userName, logIn.json.userName);
  assert.equal(shown.json.yourAddress, '127.0.0.1');
  const notices = await ask(clientToken, 'GET', '/v1/notices?unread=true');
  assert.ok(notices.json.items.some((notice: { kind: string }) => notice.kind === 'connection_configured'));
  const [notice] = notices.json.items;
  assert.equal((await ask(clientToken, 'POST', `/v1/notices/${notice.id}/read`)).status, 204);
  assert.equal((await ask(strangerToken, 'POST', `/v1/notices/${notice.id}/read`)).json.code, 'notice_not_found');
});

test('SF-02: the instructions name exactly the host that the operator set, with port, user and fingerprints', async () => {
  await using held = await openDelivery();
  await using opened = await openFace(held);
  const before = await opened.ask(clientToken, 'GET', '/v1/delivery/instructions');
  assert.equal(before.json.hostName, 'sftp.broker.example');
  assert.equal(before.json.userName, null);
  const { userName } = await held.setUp(held.client);
  const after = await opened.ask(clientToken, 'GET', '/v1/delivery/instructions');
  assert.equal(after.json.sftpCommand, `sftp -P 32 -i PRIVATE_KEY_FILE ${userName}@sftp.broker.example`);
  assert.equal(after.json.psftpCommand, `psftp -P 32 -i privatekey.ppk ${userName}@sftp.broker.example`);
  assert.deepEqual(after.json.knownHosts, ['[sftp.broker.example]:32 ssh-ed25519 AAAA']);
  assert.match(after.json.fileZillaSites, new RegExp(`<User>${userName}</User>`));
  assert.equal(after.json.hostKeys[0].fingerprint, 'SHA256:host');
});

test('EN-19: every answer of the intake, accepting or refusing, warns not to send the private key', async () => {
  await using held = await openDelivery();
  await using opened = await openFace(held);
  const { ask } = opened;
  await ask(clientToken, 'PUT', '/v1/delivery', { sftp: true, portal: true });
  const submit = (key: string) => ask(clientToken, 'POST', '/v1/delivery/requests', { key });
  const refused = await submit('nonsense');
  const privateKey = await submit(
    '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
  );
  const accepted = await submit(makeSshKey().line);
  assert.equal(refused.json.code, 'key_unreadable');
  assert.equal(privateKey.json.code, 'key_private');
  assert.match(refused.json.params.warning, /private key/);
  assert.match(privateKey.json.params.warning, /private key/);
  assert.match(accepted.json.warning, /private key/);
  assert.match((await ask(clientToken, 'GET', '/v1/delivery/keys')).json.warning, /private key/);
  assert.match((await ask(clientToken, 'GET', '/v1/delivery/instructions')).json.warning, /private key/);
});

test('SF-30: keys, addresses and re-keys go through the one intake and become requests alike', async () => {
  await using held = await openDelivery();
  await using opened = await openFace(held);
  await held.setUp(held.client);
  const submit = async (json: unknown) =>
    (await opened.ask(clientToken, 'POST', '/v1/delivery/requests', json)).json.kind;
  const { armored } = await makeCertificate({ atMs: held.clock.nowMs() });
  assert.equal(await submit({ key: makeSshKey().line }), 're_key');
  assert.equal(await submit({ addresses: ['203.0.113.80'] }), 'new_address');
  assert.equal(await submit({ key: armored }), 'new_key');
  const { json } = await opened.ask(clientToken, 'GET', '/v1/delivery/requests?limit=2');
  assert.equal(json.items.length, 2);
  const rest = await opened.ask(
    clientToken,
    'GET',
    `/v1/delivery/requests?limit=2&cursor=${encodeURIComponent(json.next)}`,
  );
  assert.equal(rest.json.items.length, 2);
  assert.equal(rest.json.next, null);
});

test('EN-X2: encryption is switched by the client, and only after its certificate is imported', async () => {
  await using held = await openDelivery();
  await using opened = await openFace(held);
  const { ask } = opened;
  const { armored } = await makeCertificate({ atMs: held.clock.nowMs() });
  const switchTo = (encryption: string) => ask(clientToken, 'PUT', '/v1/delivery/encryption', { encryption });
  const { json: request } = await ask(clientToken, 'POST', '/v1/delivery/requests', { key: armored });
  assert.equal((await switchTo('on')).json.code, 'no_certificate_imported');
  await ask(clientToken, 'POST', `/v1/delivery/requests/${request.id}/confirm`, { shown: request.awaiting, password });
  assert.equal((await switchTo('on')).json.code, 'no_certificate_imported');
  await ask(deskToken, 'POST', `/v1/delivery-desk/requests/${request.id}/approve`);
  const notices = await ask(clientToken, 'GET', '/v1/notices');
  assert.ok(notices.json.items.some((notice: { kind: string }) => notice.kind === 'certificate_imported'));
  const on = await switchTo('on');
  assert.equal(on.json.encryption, 'on');
  assert.equal(on.json.openPgpKeys[0].state, 'enabled');
  assert.equal((await switchTo('off')).json.openPgpKeys[0].state, 'imported');
});

test('a client cannot reach the desk, another client, or a property that is not declared', async () => {
  await using held = await openDelivery();
  await using opened = await openFace(held);
  const { ask } = opened;
  await ask(clientToken, 'PUT', '/v1/delivery', { sftp: true, portal: true });
  const { json: request } = await ask(clientToken, 'POST', '/v1/delivery/requests', { addresses: ['203.0.113.7'] });
  const tried: [string, string, string, unknown, number][] = [
    [clientToken, 'POST', `/v1/clients/${held.client.clientId}/delivery/log-in`, undefined, 403],
    [clientToken, 'POST', `/v1/delivery-desk/requests/${request.id}/approve`, undefined, 403],
    [clientToken, 'GET', '/v1/delivery-desk/allow-list.nft', undefined, 403],
    [clientToken, 'GET', '/v1/delivery-desk/requests', undefined, 403],
    [clientToken, 'POST', '/v1/delivery-desk/blocks', { network: '203.0.113.0/24' }, 403],
    [strangerToken, 'GET', `/v1/delivery/requests/${request.id}`, undefined, 404],
    [strangerToken, 'POST', `/v1/delivery/addresses/${request.addresses[0].id}/remove`, {}, 404],
    [strangerToken, 'POST', `/v1/delivery/keys/${request.id}/end`, {}, 404],
    // SF-06: no form lets the client choose its user name.
    [clientToken, 'PUT', '/v1/delivery', { sftp: true, portal: true, userName: 'ada' }, 400],
    [clientToken, 'PUT', '/v1/delivery', { sftp: true, portal: true, ftp: true }, 415],
    [clientToken, 'POST', '/v1/delivery/requests', {}, 400],
    [clientToken, 'POST', '/v1/delivery/requests', { addresses: ['203.0.113.7', 7] }, 400],
    [clientToken, 'POST', '/v1/delivery/requests', { addresses: ['203.0.113.999'] }, 400],
  ];
  for (const [token, method, path, json, status] of tried) {
    const answer = await ask(token, method, path, json);
    assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
    assert.equal(answer.json.status, status);
  }
  assert.equal((await opened.face.ask('GET', '/v1/delivery')).status, 401);
});

test('a key file of more than 64 KiB is refused before it is read to its end', async () => {
  await using held = await openDelivery();
  await using opened = await openFace(held);
  const answer = await opened.face.ask('POST', '/v1/delivery/keys', {
    token: clientToken,
    body: new Uint8Array(64 * 1024 + 1),
    headers: { 'content-type': 'application/octet-stream' },
  });
  assert.equal(answer.status, 413);
});

test('the desk takes the allow-list as nftables text and keeps a network out', async () => {
  await using held = await openDelivery();
  await using opened = await openFace(held);
  const { ask } = opened;
  await held.setUp(held.client, makeSshKey(), ['203.0.113.0/28', '2001:db8::/64']);
  const blocked = await ask(deskToken, 'POST', '/v1/delivery-desk/blocks', { network: '203.0.113.5' });
  assert.equal(blocked.status, 201);
  const list = await ask(deskToken, 'GET', '/v1/delivery-desk/allow-list.nft');
  assert.match(list.text, /elements = \{ 203\.0\.113\.0\/28 \}/);
  assert.match(list.text, /elements = \{ 2001:db8::\/64 \}/);
  assert.match(list.text, /elements = \{ 203\.0\.113\.5 \}/);
  assert.match(list.text, /tcp dport 32 ip saddr != @allowed4 drop/);
  assert.equal((await ask(deskToken, 'DELETE', `/v1/delivery-desk/blocks/${blocked.json.id}`)).status, 204);
  assert.equal((await ask(deskToken, 'GET', '/v1/delivery-desk/blocks')).json.items.length, 0);
});

test('SF-X9: the client reads the last refused address with its cause, and its present address beside it', async () => {
  await using held = await openDelivery();
  await using opened = await openFace(held);
  const { ask } = opened;
  const { userName, key } = await held.setUp(held.client);
  const other = await held.addClient('cleo');
  await held.setUp(other, makeSshKey(), ['198.51.100.77']);
  assert.equal((await held.delivery.authenticate(held.attempt(userName, key, '198.51.100.77'))).verdict, 'hold');
  await held.delivery.flushRefusals();
  const { json } = await ask(clientToken, 'GET', '/v1/delivery/refusals');
  assert.equal(json.items[0].reason, 'address_not_yours');
  assert.equal(json.items[0].address, '198.51.100.77');
  assert.match(json.items[0].cause, /198\.51\.100\.77/);
  assert.equal((await ask(strangerToken, 'GET', '/v1/delivery/refusals')).json.items.length, 0);
  assert.equal((await ask(deskToken, 'GET', '/v1/delivery/refusals')).json.items.length, 1);
});
