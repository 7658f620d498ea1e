// What the pages of delivery ask for: the desk's queue and one client at a glance, declining by code, a site for FileZilla.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { openTestFace } from '../../faces/https/test-face.ts';
import { identityRefusals } from '../../identity/identity.ts';
import { createNoticeRoutes } from '../../messages/https.ts';
import { refusals as noticeRules } from '../../messages/rules.ts';
import { createConnectionRoutes } from '../connections/https.ts';
import { refusals as connectionRules } from '../connections/rules.ts';
import { refusals as keyRules } from '../keys/rules.ts';
import { makeSshKey, openDelivery, password } from './delivery-fixture.ts';
import { createDeliveryRoutes } from './https.ts';
import { formatInstructions } from './instructions.ts';
import { refusals } from './rules.ts';

const [client, other, desk, service] = ['c', 'o', 'd', 's'].map((letter) => letter.repeat(43)) as [
  string,
  string,
  string,
  string,
];

async function open() {
  const held = await openDelivery();
  const bob = await held.addClient('bob');
  const sam = await held.addOperator('sam', ['service']);
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
    { [client]: held.client, [other]: bob, [desk]: held.desk, [service]: sam },
  );
  const ask = (token: string, method: string, path: string, json?: unknown) =>
    face.ask(method, path, json === undefined ? { token } : { token, json });
  /** A set-up that its client has handed in, and confirmed when asked for. */
  async function handIn(token: string, address: string, isConfirmed: boolean): Promise<string> {
    await ask(token, 'PUT', '/v1/delivery', { sftp: true, portal: true });
    const { line } = makeSshKey();
    const { json } = await ask(token, 'POST', '/v1/delivery/requests', { key: line, addresses: [address] });
    const path = `/v1/delivery/requests/${json.id}/confirm`;
    if (isConfirmed) assert.equal((await ask(token, 'POST', path, { shown: json.awaiting, password })).status, 200);
    return json.id;
  }
  return {
    held,
    bob,
    ask,
    handIn,
    async [Symbol.asyncDispose]() {
      await face[Symbol.asyncDispose]();
      await held[Symbol.asyncDispose]();
    },
  };
}

test('EN-22: the queue shows what is not finished with its client, the soonest due first, page by page', async () => {
  await using t = await open();
  const first = await t.handIn(client, '203.0.113.7', false);
  t.held.clock.advance(60_000);
  const second = await t.handIn(other, '203.0.113.8', true);
  const read = async (query: string) => (await t.ask(desk, 'GET', `/v1/delivery-desk/queue${query}`)).json;
  const all = await read('');
  assert.deepEqual(
    all.items.map((item: { id: string }) => item.id),
    [first, second],
  );
  assert.deepEqual(all.items[1].client, { id: t.bob.clientId, name: 'bob', accountNumbers: ['U-bob'] });
  assert.deepEqual(
    (await read('?waitsFor=desk')).items.map((item: { id: string }) => item.id),
    [second],
  );
  assert.deepEqual(
    (await read('?waitsFor=client')).items.map((item: { id: string }) => item.id),
    [first],
  );
  const page = await read('?limit=1');
  assert.equal(page.items[0].id, first);
  const rest = await read(`?limit=1&cursor=${page.next}`);
  assert.deepEqual([rest.items[0].id, rest.next], [second, null]);
  await t.ask(desk, 'POST', `/v1/delivery-desk/requests/${second}/decline`, { code: 'other', reason: 'No.' });
  assert.deepEqual(
    (await read('')).items.map((item: { id: string }) => item.id),
    [first],
  );
  for (const token of [client, service]) {
    assert.equal((await t.ask(token, 'GET', '/v1/delivery-desk/queue')).json.code, 'delivery_forbidden');
  }
});

test('EN-22: a request is declined by a code that the client reads in its language, by words, or by both', async () => {
  await using t = await open();
  const decline = async (body: object) => {
    const id = await t.handIn(client, '203.0.113.7', true);
    return (await t.ask(desk, 'POST', `/v1/delivery-desk/requests/${id}/decline`, body)).json;
  };
  const coded = await decline({ code: 'address_shared' });
  assert.deepEqual([coded.state, coded.reasonCode], ['refused', 'address_shared']);
  assert.notEqual(coded.reason, '');
  const { json } = await t.ask(client, 'GET', '/v1/notices');
  assert.equal(json.items[0].params.reasonCode, 'address_shared');
  const both = await decline({ code: 'incomplete', reason: 'The second page is missing.' });
  assert.deepEqual([both.reasonCode, both.reason], ['incomplete', 'The second page is missing.']);
  const words = await decline({ reason: 'Not from a hotel.' });
  assert.deepEqual([words.reasonCode, words.reason], [null, 'Not from a hotel.']);
  const id = await t.handIn(client, '203.0.113.7', true);
  const refusedWith = async (body: object): Promise<string> =>
    (await t.ask(desk, 'POST', `/v1/delivery-desk/requests/${id}/decline`, body)).json.code;
  for (const body of [{}, { code: 'other' }, { reason: ' ' }]) {
    assert.equal(await refusedWith(body), 'delivery_reason_missing', JSON.stringify(body));
  }
  assert.equal(await refusedWith({ code: 'bad_mood' }), 'request_invalid');
});

test('The desk sees all of one client’s delivery in one answer, and nobody else does', async () => {
  await using t = await open();
  const { userName } = await t.held.setUp(t.held.client);
  const path = `/v1/clients/${t.held.client.clientId}/delivery/view`;
  const { json } = await t.ask(desk, 'GET', path);
  assert.equal(json.delivery.connection.userName, userName);
  assert.equal(json.keys.sshKeys[0].state, 'active');
  assert.equal(json.addresses[0].network, '203.0.113.7');
  assert.equal(json.requests.length, 1);
  assert.deepEqual([json.connections, json.refusals], [[], []]);
  assert.equal((await t.ask(other, 'GET', path)).json.code, 'delivery_not_found');
  assert.equal((await t.ask(service, 'GET', path)).json.code, 'delivery_forbidden');
});

test('A client fetches its connection as a site for FileZilla, and commands that fit each system', async () => {
  await using t = await open();
  const { userName } = await t.held.setUp(t.held.client);
  const site = await t.ask(client, 'GET', '/v1/delivery/filezilla.xml');
  assert.equal(site.headers.get('content-type'), 'application/xml');
  assert.match(site.headers.get('content-disposition')!, /^attachment; filename="statements-filezilla.xml"/);
  assert.ok(site.text.includes(`<User>${userName}</User>`));
  const { json } = await t.ask(client, 'GET', '/v1/delivery/instructions');
  assert.deepEqual(
    json.systems.map(({ system }: { system: string }) => system),
    ['linux', 'macos', 'windows'],
  );
  for (const { commands } of json.systems) {
    const connect = commands.find(({ step }: { step: string }) => step === 'connect').command;
    assert.ok(connect.startsWith('sftp -P 32 ') && connect.endsWith(`${userName}@sftp.broker.example`), connect);
  }
});

test('A site for FileZilla is well-formed XML whatever the names hold', () => {
  const hostile = '<&"\'>]]>';
  const { fileZillaSites } = formatInstructions({ hostName: hostile, port: 32, userName: hostile, hostKeys: [] });
  const script =
    'import sys,xml.etree.ElementTree as e; s=e.fromstring(sys.stdin.read()).find("Servers/Server"); ' +
    'print(s.find("Host").text, s.find("User").text, s.find("Port").text, s.find("Protocol").text, s.find("Logontype").text)';
  const printed = execFileSync('python3', ['-c', script], { input: fileZillaSites }).toString().trim();
  assert.equal(printed, `${hostile} ${hostile} 32 1 5`);
});
