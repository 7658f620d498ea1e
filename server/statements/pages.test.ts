// What the pages of statements ask for: several in one download, the rows of a run, and checks of the proof by the server.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { pack } from 'tar-stream';
import { eventually } from '../../test/eventually.ts';
import { openStatementWorld } from '../../test/statement-world.ts';
import { openTestFace } from '../faces/https/test-face.ts';
import { refusalSets } from '../refusal-sets.ts';
import { createStatementRoutes } from './https.ts';
import { archiveName } from './issuing/rules.ts';

const tokens = { client: 'c'.repeat(43), other: 'o'.repeat(43), desk: 'd'.repeat(43), service: 's'.repeat(43) };

async function open() {
  const world = await openStatementWorld({ startMs: Date.now() });
  const [client, other] = [await world.addClient(), await world.addClient()];
  world.elect(client.clientId);
  const origin = { face: 'https', address: '198.51.100.4', through: 'sign-in' } as const;
  const face = await openTestFace(
    { routes: createStatementRoutes(world), refusals: refusalSets, clock: world.clock },
    {
      [tokens.client]: { ...client.actor, loginId: 'l', origin },
      [tokens.other]: { ...other.actor, loginId: 'l', origin },
      [tokens.desk]: world.desk,
      [tokens.service]: { ...world.desk, desks: ['service'] },
    },
  );
  async function issue(query: string, body: string, accountNumber = client.accountNumber): Promise<string> {
    const answer = await face.ask('POST', `/v1/delivery-desk/statements?account=${accountNumber}&${query}`, {
      token: tokens.desk,
      body,
      headers: { 'content-type': 'application/octet-stream' },
    });
    assert.equal(answer.status, 201, answer.text);
    // Of one millisecond nobody knows which is the newer.
    world.clock.advance(1);
    return answer.json.id;
  }
  return {
    world,
    client,
    other,
    face,
    issue,
    async [Symbol.asyncDispose]() {
      await face[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

const archive = (ids: readonly string[]): string => `/v1/statements/archive?ids=${ids.join(',')}`;

test('A client fetches several statements as one ZIP, each byte for byte, and each fetch leaves its receipt', async () => {
  await using t = await open();
  const ids = [
    await t.issue('kind=daily&period=2026-11-22&file=activity.csv', 'NAV,1\n'),
    await t.issue('kind=daily&period=2026-11-23&file=activity.csv', 'NAV,2\n'.repeat(40_000)),
  ];
  const answer = await fetch(`${t.face.url}${archive([...ids, ids[0]!])}`, {
    headers: { authorization: `Bearer ${tokens.client}`, range: 'bytes=5-' },
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'application/zip');
  assert.equal(answer.headers.get('accept-ranges'), 'none');
  const zip = Buffer.from(await answer.arrayBuffer());
  assert.equal(answer.headers.get('content-length'), String(zip.length));
  const folder = mkdtempSync(path.join(tmpdir(), 'broadgate-archive-'));
  try {
    writeFileSync(path.join(folder, 'a.zip'), zip);
    execFileSync('unzip', ['-q', 'a.zip'], { cwd: folder });
    const [first, second] = await Promise.all(
      ids.map(async (id) => (await t.face.ask('GET', `/v1/statements/${id}`, { token: tokens.client })).json.name),
    );
    const read = (name: string) => readFileSync(path.join(folder, t.client.accountNumber, name), 'utf8');
    assert.deepEqual([read(first), read(second).length], ['NAV,1\n', 240_000]);
  } finally {
    rmSync(folder, { recursive: true });
  }
  const receipts = await eventually(async () => {
    const { items } = (await t.face.ask('GET', '/v1/receipts', { token: tokens.client })).json;
    return items.length === 2 ? items : undefined;
  });
  assert.deepEqual(new Set(receipts.map((one: { statementId: string }) => one.statementId)), new Set(ids));
  assert.ok(receipts.every((one: { isWhole: boolean; form: string }) => one.isWhole && one.form === 'portal'));
});

test('Nothing of another client goes into a ZIP, nor more than it may hold, and what is named wrongly is refused', async () => {
  await using t = await open();
  const own = await t.issue('kind=daily&period=2026-11-22&file=a.csv', '1');
  const foreign = await t.issue('kind=daily&period=2026-11-22&file=a.csv', '1', t.other.accountNumber);
  const code = async (ids: readonly string[], token = tokens.client): Promise<string> =>
    (await t.face.ask('GET', archive(ids), { token })).json?.code;
  assert.equal(await code([own, foreign]), 'statement_not_found');
  assert.equal(await code([own], tokens.service), 'statement_not_found');
  assert.equal(await code(['x']), 'request_invalid');
  const many = Array.from({ length: 201 }, (_, index) => own.slice(0, 33) + String(index).padStart(3, '0'));
  assert.equal(await code(many), 'request_invalid');
  assert.equal((await t.face.ask('GET', archive([foreign]), { token: tokens.desk })).status, 200);
});

test('A name in a ZIP stays in its folder, whatever the file was called', () => {
  const name = (file: string, taken: string[] = []) => archiveName({ accountNumber: 'U1', name: file }, new Set(taken));
  assert.equal(name('a.csv'), 'U1/a.csv');
  assert.equal(name('../../etc/passwd'), 'U1/__.._etc_passwd');
  assert.equal(name('.bashrc'), 'U1/_bashrc');
  assert.equal(name('..\\x\u0000\u202e|?*".p/df'), 'U1/__x______.p_df');
  assert.equal(name('a.csv', ['U1/a.csv']), 'U1/a (2).csv');
  assert.equal(name(`${'é'.repeat(300)}.pdf`).length, 'U1/'.length + 204);
});

test('Between two days a client finds every statement whose period touches them, short or of many years, newest first', async () => {
  await using t = await open();
  const ids = {
    day: await t.issue('kind=daily&period=2026-03-15&file=a.csv', '1'),
    month: await t.issue('kind=monthly&period=2026-03&file=a.csv', '1'),
    year: await t.issue('kind=annual&period=2026&file=a.csv', '1'),
    decade: await t.issue('kind=document&period=2017-01-01/2026-12-31&file=a.csv', '1'),
    later: await t.issue('kind=daily&period=2026-09-15&file=a.csv', '1'),
  };
  const nameOf = new Map(Object.entries(ids).map(([name, id]) => [id, name]));
  const find = async (query: string): Promise<string[]> => {
    const { items } = (await t.face.ask('GET', `/v1/statements?${query}`, { token: tokens.client })).json;
    return items.map((item: { id: string }) => nameOf.get(item.id));
  };
  assert.deepEqual(await find('from=2026-03-15&to=2026-03-15'), ['decade', 'year', 'month', 'day']);
  assert.deepEqual(await find('from=2026-04-01&to=2026-04-30'), ['decade', 'year']);
  assert.deepEqual(await find('from=2018-04-01&to=2018-04-30'), ['decade']);
  assert.deepEqual(await find('to=2026-03-14'), ['decade', 'year', 'month']);
  assert.deepEqual(await find('from=2026-09-15'), ['later', 'decade', 'year']);
  assert.deepEqual(await find('from=2026-01-01&to=2026-12-31&kind=daily'), ['later', 'day']);
  assert.deepEqual(await find('to=2016-12-31'), []);
  assert.deepEqual(await find(`to=2026-12-31&account=${t.other.accountNumber}`), []);
});

test('The desk reads what became of each row of a run, and of those that failed alone', async () => {
  await using t = await open();
  const good = Buffer.from('NAV,1\n');
  const hash = createHash('sha256').update(good).digest('hex');
  const csv = `account,kind,period,file,sha256\n${[1, 2, 3]
    .map((day) => `${t.client.accountNumber},daily,2026-11-0${day},a.csv,${hash}\n`)
    .join('')}`;
  const tar = pack();
  tar.entry({ name: 'run.csv' }, csv);
  tar.entry({ name: 'a.csv' }, good);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  const started = await t.face.ask('POST', '/v1/runs?reference=r1', {
    token: tokens.desk,
    body: new Uint8Array(Buffer.concat(chunks)),
    headers: { 'content-type': 'application/x-tar' },
  });
  assert.equal(started.status, 202, started.text);
  await t.world.statements.runs.resume();
  const read = async (query: string, token = tokens.desk) =>
    (await t.face.ask('GET', `/v1/runs/${started.json.id}/rows${query}`, { token })).json;
  const rows = await eventually(async () => {
    const { items } = await read('');
    return items.every((row: { state: string }) => row.state !== 'waiting') ? items : undefined;
  });
  assert.deepEqual(
    rows.map((row: { row: number; state: string }) => [row.row, row.state]),
    [
      [1, 'issued'],
      [2, 'issued'],
      [3, 'issued'],
    ],
  );
  const page = await read('?limit=2');
  assert.deepEqual(
    (await read(`?limit=2&cursor=${page.next}`)).items.map((row: { row: number }) => row.row),
    [3],
  );
  assert.deepEqual((await read('?state=failed')).items, []);
  assert.equal((await read('', tokens.client)).code, 'issuing_not_yours');
});

test('The server checks a client’s manifests and the deletion log on request, for those who may ask', async () => {
  await using t = await open();
  await t.issue('kind=daily&period=2026-11-22&file=a.csv', '1');
  await t.world.statements.manifests.updateManifests();
  const check = (token: string, json: object) => t.face.ask('POST', '/v1/manifests/check', { token, json });
  const own = await check(tokens.client, {});
  assert.deepEqual([own.status, own.json], [200, { manifests: 1, faults: [] }]);
  assert.deepEqual((await check(tokens.desk, { client: t.client.clientId })).json, { manifests: 1, faults: [] });
  assert.deepEqual((await check(tokens.client, { client: t.other.clientId })).json, { manifests: 1, faults: [] });
  for (const [token, body] of [
    [tokens.desk, {}],
    [tokens.service, { client: t.client.clientId }],
  ] as const) {
    assert.equal((await check(token, body)).json.code, 'proof_not_yours');
  }
  const { sql } = t.world.database;
  await sql`update manifests set sha256 = ${'0'.repeat(64)} where client_id = ${t.client.clientId}`;
  assert.equal((await check(tokens.client, {})).json.faults[0].fault, 'list_differs');

  const deletions = (token: string) => t.face.ask('POST', '/v1/deletions/check', { token });
  assert.deepEqual((await deletions(tokens.desk)).json, { isWhole: true, rows: 0, brokenAt: null });
  assert.equal((await deletions(tokens.client)).json.code, 'proof_not_yours');
});
