// Statements through the real HTTPS port: what a client reads, what the desk does, and what neither may.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { pack } from 'tar-stream';
import { eventually } from '../../test/eventually.ts';
import { openTestFace } from '../faces/https/test-face.ts';
import { refusalSets } from '../refusal-sets.ts';
import { openStatementWorld } from '../../test/statement-world.ts';
import { createStatementRoutes } from './https.ts';
import { refusals as runRefusals } from './issuing/run-rules.ts';

const tokens = { client: 'c'.repeat(43), other: 'o'.repeat(43), desk: 'd'.repeat(43), service: 's'.repeat(43) };
const at = (path: string): string => `path=${encodeURIComponent(path)}`;
const csv = { 'content-type': 'application/octet-stream' };

async function openFace() {
  const world = await openStatementWorld({ startMs: Date.now() });
  const [client, other] = [await world.addClient(), await world.addClient()];
  world.elect(client.clientId);
  const origin = { face: 'https', address: '198.51.100.4', through: 'sign-in' } as const;
  const face = await openTestFace(
    {
      routes: createStatementRoutes(world),
      refusals: refusalSets.includes(runRefusals as never) ? refusalSets : [...refusalSets, runRefusals],
      clock: world.clock,
    },
    {
      [tokens.client]: { ...client.actor, loginId: 'l', origin },
      [tokens.other]: { ...other.actor, loginId: 'l', origin },
      [tokens.desk]: world.desk,
      [tokens.service]: { ...world.desk, desks: ['service'] },
    },
  );
  const issue = (query: string, body: string, headers: Record<string, string> = {}) =>
    face.ask('POST', `/v1/delivery-desk/statements?account=${client.accountNumber}&${query}`, {
      token: tokens.desk,
      body,
      headers: { ...csv, ...headers },
    });
  return {
    world,
    client,
    face,
    issue,
    async [Symbol.asyncDispose]() {
      await face[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

test('RP-01: the desk issues a statement, and its client alone lists, reads and follows it', async () => {
  await using open = await openFace();
  const { face, issue, client } = open;
  const issued = await issue('kind=daily&period=2026-11-23&file=a.csv', 'NAV,1\n', { 'idempotency-key': 'request-1' });
  assert.equal(issued.status, 201, issued.text);
  const again = await issue('kind=daily&period=2026-11-23&file=a.csv', 'NAV,1\n', { 'idempotency-key': 'request-1' });
  assert.deepEqual(again.json, issued.json);
  const list = await face.ask('GET', `/v1/statements?account=${client.accountNumber}&kind=daily&from=2026-11-01`, {
    token: tokens.client,
  });
  assert.deepEqual(
    list.json.items.map((item: { id: string }) => item.id),
    [issued.json.id],
  );
  assert.equal(list.json.items[0].delivery.state, 'placed');
  const file = await face.ask('GET', `/v1/statements/${issued.json.id}/file`, { token: tokens.client });
  assert.deepEqual([file.status, file.text], [200, 'NAV,1\n']);
  assert.match(file.headers.get('content-disposition')!, new RegExp(issued.json.name));
  const part = await face.ask('GET', `/v1/statements/${issued.json.id}/delivered`, {
    token: tokens.client,
    headers: { range: 'bytes=0-2' },
  });
  assert.deepEqual([part.status, part.text], [206, 'NAV']);
  // A receipt is written when the answer has left, which the caller may see first.
  const timeline = await eventually(async () => {
    const answer = await face.ask('GET', `/v1/statements/${issued.json.id}/timeline`, { token: tokens.client });
    return answer.json.steps.length === 5 ? answer : undefined;
  });
  const steps: { step: string; receipt?: { form: string; isWhole: boolean } }[] = timeline.json.steps;
  assert.deepEqual(
    steps.map((step) => step.step),
    ['issued', 'published', 'fetched', 'fetched', 'expires'],
  );
  const fetched = steps.flatMap((step) => (step.receipt ? [`${step.receipt.form} ${step.receipt.isWhole}`] : []));
  assert.deepEqual(fetched.sort(), ['delivered false', 'portal true']);
  for (const path of ['', '/file', '/delivered', '/timeline']) {
    const answer = await face.ask('GET', `/v1/statements/${issued.json.id}${path}`, { token: tokens.other });
    assert.deepEqual([answer.status, answer.json.code], [404, 'statement_not_found'], path);
  }
  const none = await face.ask('GET', '/v1/statements', { token: tokens.other });
  assert.deepEqual(none.json.items, []);
});

test('the desk withdraws, sends a test file, and reads the log; another desk and a client may not', async () => {
  await using open = await openFace();
  const { face, issue, client } = open;
  const { json } = await issue('kind=document&period=2026-11-23&file=a.pdf&title=Terms', '%PDF');
  for (const token of [tokens.client, tokens.service]) {
    const refused = await face.ask('POST', `/v1/delivery-desk/statements/${json.id}/withdraw`, {
      token,
      json: { reason: 'x' },
    });
    assert.deepEqual([refused.status, refused.json.code], [403, 'issuing_not_yours']);
  }
  const gone = await face.ask('POST', `/v1/delivery-desk/statements/${json.id}/withdraw`, {
    token: tokens.desk,
    json: { reason: 'wrong' },
  });
  assert.equal(gone.status, 204, gone.text);
  assert.equal((await face.ask('GET', `/v1/statements/${json.id}`, { token: tokens.client })).status, 404);
  const seen = await face.ask('GET', `/v1/delivery-desk/statements?client=${client.clientId}`, { token: tokens.desk });
  assert.deepEqual(
    [seen.json.items[0].state, seen.json.items[0].withdrawn.reason, seen.json.items[0].title],
    ['withdrawn', 'wrong', 'Terms'],
  );
  const deletions = await face.ask('GET', '/v1/deletions', { token: tokens.client });
  assert.deepEqual(new Set(deletions.json.items.map((item: { why: string }) => item.why)), new Set(['withdrawn']));
  const own = await face.ask('POST', '/v1/delivery/test-file', { token: tokens.client });
  assert.equal(own.status, 201, own.text);
  const sent = await face.ask('POST', `/v1/clients/${client.clientId}/delivery/test-file`, { token: tokens.desk });
  assert.equal(sent.json.version, 2);
  const preview = await face.ask('GET', '/v1/retention', { token: tokens.desk });
  assert.deepEqual([preview.json.files, preview.json.isHeld], [0, false]);
  assert.equal((await face.ask('POST', '/v1/retention/clock', { token: tokens.client })).status, 403);
  assert.equal((await face.ask('POST', '/v1/retention/clock', { token: tokens.desk })).status, 204);
});

test('a client works in its repository over HTTPS, and the desk fetches what it uploaded', async () => {
  await using open = await openFace();
  const { face } = open;
  const token = tokens.client;
  assert.equal((await face.ask('POST', '/v1/repository/folders', { token, json: { path: '/in' } })).status, 204);
  const put = await face.ask('PUT', `/v1/repository/file?${at('/in/a.csv')}`, { token, body: 'buy,1\n', headers: csv });
  assert.deepEqual([put.status, put.json.sizeBytes, put.json.origin], [200, 6, 'client'], put.text);
  const moved = await face.ask('POST', '/v1/repository/moves', { token, json: { from: '/in/a.csv', to: '/in/b.csv' } });
  assert.equal(moved.status, 204, moved.text);
  const list = await face.ask('GET', `/v1/repository/entries?${at('/in')}`, { token });
  assert.deepEqual(
    list.json.items.map((item: { name: string }) => item.name),
    ['b.csv'],
  );
  assert.equal((await face.ask('GET', `/v1/repository/file?${at('/in/b.csv')}`, { token })).text, 'buy,1\n');
  assert.equal((await face.ask('GET', '/v1/repository/space', { token })).json.usedBytes, 6);
  const uploads = await face.ask('GET', '/v1/delivery-desk/uploads', { token: tokens.desk });
  const fetched = await face.ask('GET', `/v1/delivery-desk/uploads/${uploads.json.items[0].id}/file`, {
    token: tokens.desk,
  });
  assert.equal(fetched.text, 'buy,1\n');
  for (const path of ['/../x', '/a/../../b', '/a\0b', '/a'.repeat(2000)]) {
    const refused = await face.ask('PUT', `/v1/repository/file?${at(path)}`, { token, body: 'x', headers: csv });
    assert.equal(refused.status, 400, `${JSON.stringify(path.slice(0, 20))} ${refused.text}`);
  }
  assert.equal((await face.ask('GET', `/v1/repository/file?${at('/in/b.csv')}`, { token: tokens.other })).status, 404);
  assert.equal((await face.ask('DELETE', `/v1/repository/folder?${at('/in')}`, { token })).status, 409);
  assert.equal((await face.ask('DELETE', `/v1/repository/file?${at('/in/b.csv')}`, { token })).status, 204);
  assert.equal((await face.ask('DELETE', `/v1/repository/folder?${at('/in')}`, { token })).status, 204);
  assert.equal((await face.ask('DELETE', `/v1/repository/folder?${at('/manifests')}`, { token })).status, 403);
});

test('a run comes as a tar, is watched, and ends in a CSV of outcomes; the broker key is public', async () => {
  await using open = await openFace();
  const { face, client, world } = open;
  const tar = pack();
  const hash = createHash('sha256').update('%PDF').digest('hex');
  tar.entry(
    { name: 'run.csv' },
    `account,kind,period,file,sha256\n${client.accountNumber},monthly,2026-10,m.pdf,${hash}\n`,
  );
  tar.entry({ name: 'm.pdf' }, '%PDF');
  tar.finalize();
  const body = Buffer.concat(await Array.fromAsync(tar as AsyncIterable<Buffer>));
  const headers = { 'content-type': 'application/x-tar' };
  const send = (query: string, token = tokens.desk) => face.ask('POST', `/v1/runs?${query}`, { token, body, headers });
  assert.equal((await send('reference=m1', tokens.client)).status, 403);
  const dry = await send('reference=m1&dryRun=true');
  assert.deepEqual([dry.status, dry.json.state], [202, 'checked'], dry.text);
  const started = await send('reference=m1');
  assert.deepEqual([started.status, started.json.state], [202, 'running'], started.text);
  await world.statements.runs.resume();
  const done = await face.ask('GET', `/v1/runs/${started.json.id}`, { token: tokens.desk });
  assert.deepEqual([done.json.state, done.json.rows.done], ['done', 1]);
  const outcomes = await face.ask('GET', `/v1/runs/${started.json.id}/outcomes.csv`, { token: tokens.desk });
  assert.match(outcomes.text, /^row,account,.*\r\n1,.*,monthly,2026-10,m\.pdf,placed,/);
  const lists = await face.ask('GET', '/v1/manifests', { token: tokens.client });
  assert.equal(lists.json.items[0].number, 1);
  const key = await face.ask('GET', '/v1/broker-key');
  assert.match(key.json.certificate, /BEGIN PGP PUBLIC KEY BLOCK/);
  const receipts = await face.ask('GET', '/v1/receipts', { token: tokens.client });
  assert.deepEqual(receipts.json.items, []);
});
