// The face through its real port, with routes made for the purpose: checks, problems, limits, lists and headers.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import test from 'node:test';
import { closed, oneOf } from '@broadgate/contract';
import { Type } from 'typebox';
import type { Actor } from '../../kernel/actor.ts';
import { createFakeClock } from '../../kernel/clock.ts';
import { defineRefusals, Outage, refusalKinds } from '../../kernel/refusal.ts';
import { listRoute, noBody, route } from './route.ts';
import { openTestFace } from './test-face.ts';

const ann: Actor = { kind: 'client', clientId: 'ann', origin: { face: 'https' } };
const operator: Actor = { kind: 'operator', operatorId: 'o', desks: [], origin: { face: 'https' } };
const token = 'a'.repeat(43);
const operatorToken = 'o'.repeat(43);
const actors = { [token]: ann, [operatorToken]: operator };

const refusals = defineRefusals(
  Object.fromEntries(refusalKinds.map((kind) => [`thing_${kind}`, { kind, text: 'No {name}.' }])),
);

const thing = route({
  method: 'POST',
  path: '/v1/things/:name',
  operationId: 'putThing',
  tag: 'Things',
  summary: 'For tests.',
  who: 'client',
  refusals: Object.keys(refusals),
  params: closed({ name: Type.String({ maxLength: 30 }) }),
  query: closed({ times: Type.Optional(Type.Integer({ maximum: 9 })), loud: Type.Optional(Type.Boolean()) }),
  body: closed({ n: Type.Integer(), word: Type.Optional(oneOf(['one', 'two'])) }),
  answers: { 200: closed({ n: Type.Integer(), loud: Type.Boolean() }), 204: noBody },
  bodyLimitBytes: 200,
  idempotency: 'accepted',
  async handle({ params: { name }, body, query, requestId }) {
    if (name in refusals) throw refusals[name]!({ name, list: ['a', 'b'] });
    if (name === 'outage') throw new Outage('the disk', { retryAfterMs: 2500 });
    if (name === 'fault') throw new Error('a detail that nobody outside may read');
    if (name === 'empty' || requestId === 'gone-0001') return { status: 204 };
    const secret = { secret: 'not declared' };
    return { status: 200, body: { n: body.n * (query.times ?? 1), loud: query.loud ?? false, ...secret } };
  },
});

const once9 = route({
  method: 'POST',
  path: '/v1/orders',
  operationId: 'placeOrder',
  tag: 'Things',
  summary: 'For tests.',
  who: 'anyone',
  refusals: [],
  answers: { 200: closed({ requestId: Type.String(), who: Type.String() }) },
  idempotency: 'required',
  handle: async ({ requestId, actor }) => ({
    status: 200,
    body: { requestId: requestId!, who: actor?.kind ?? 'nobody' },
  }),
});

const numbers = listRoute({
  path: '/v1/numbers',
  operationId: 'listNumbers',
  tag: 'Things',
  summary: 'For tests.',
  who: 'anyone',
  refusals: [],
  query: closed({ odd: Type.Optional(Type.Boolean()) }),
  item: Type.Integer(),
  async handle({ page: { limit, after } }) {
    const first = after === undefined ? 0 : Number(after);
    const items = Array.from({ length: Math.min(limit, 500 - first) }, (_, index) => first + index);
    return { items, next: first + items.length < 500 ? String(first + items.length) : undefined };
  },
});

const open = (parts: Partial<Parameters<typeof openTestFace>[0]> = {}) =>
  openTestFace({ routes: [thing, once9, numbers], refusals: [refusals], ...parts }, actors);

test('HP-13: a caller reads the address it connects from', async () => {
  await using face = await open();
  const answer = await face.ask('GET', '/v1/address');
  assert.deepEqual([answer.status, answer.json], [200, { address: '127.0.0.1' }]);
});

test('each kind of refusal has its one status, its code, its params and an address that explains it', async () => {
  await using face = await open();
  const statuses = { unauthenticated: 401, forbidden: 403, not_found: 404, invalid: 400, conflict: 409 };
  const rest = { too_large: 413, too_many: 429, unsupported: 415, unavailable: 503 };
  for (const [kind, status] of Object.entries({ ...statuses, ...rest })) {
    const code = `thing_${kind}`;
    const answer = await face.ask('POST', `/v1/things/${code}`, { token, json: { n: 1 } });
    assert.equal(answer.status, status);
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
    const { instance, title, ...problem } = answer.json;
    const params = { name: code, list: ['a', 'b'] };
    assert.deepEqual(problem, { type: `/v1/refusals/${code}`, status, code, detail: `No ${code}.`, params });
    assert.match(instance, /^urn:uuid:[0-9a-f-]{36}$/);
    assert.ok(title.length > 0);
    assert.deepEqual((await face.ask('GET', problem.type)).json.status, status);
  }
});

test('an outage asks to come back, and a fault of ours tells nothing but an id under which the log holds the rest', async () => {
  await using face = await open();
  const outage = await face.ask('POST', '/v1/things/outage', { token, json: { n: 1 } });
  assert.deepEqual([outage.status, outage.json.code, outage.headers.get('retry-after')], [503, 'outage', '3']);
  const fault = await face.ask('POST', '/v1/things/fault', { token, json: { n: 1 } });
  assert.deepEqual([fault.status, fault.json.code], [500, 'internal']);
  assert.ok(!fault.text.includes('nobody outside'));
  const id = fault.json.instance.replace('urn:uuid:', '');
  assert.ok(face.logged.some((line) => line.includes(id) && line.includes('nobody outside')));
});

test('a body is taken exactly as sent: no null for a number, no text for a number, no unknown field', async () => {
  await using face = await open();
  const cases: [unknown, string][] = [
    [{ n: null }, '#/body/n wrong_type'],
    [{ n: '5' }, '#/body/n wrong_type'],
    [{ n: 5.5 }, '#/body/n wrong_type'],
    [{ n: 5, extra: 1 }, '#/body/extra unknown'],
    [{ n: 5, 'a/b~c': 1 }, '#/body/a~1b~0c unknown'],
    [{}, '#/body/n missing'],
    [{ n: 5, word: 'three' }, '#/body/word not_one_of'],
    ['text', '#/body wrong_type'],
  ];
  for (const [json, expected] of cases) {
    const answer = await face.ask('POST', '/v1/things/a', { token, json });
    const [error] = answer.json.errors;
    assert.deepEqual(
      [answer.status, answer.json.code, `${error.pointer} ${error.code}`],
      [400, 'request_invalid', expected],
    );
  }
});

test('query and path are read as numbers and booleans, and unknown ones are refused', async () => {
  await using face = await open();
  const ask = (query: string) => face.ask('POST', `/v1/things/a?${query}`, { token, json: { n: 2 } });
  assert.deepEqual((await ask('times=3&loud=true')).json, { n: 6, loud: true });
  for (const query of ['times=x', 'times=10', 'times=1&times=2', 'loud=maybe', 'other=1', 'times=']) {
    assert.deepEqual([(await ask(query)).status, (await ask(query)).json.code], [400, 'request_invalid'], query);
  }
});

test('what an answer’s schema does not declare never leaves', async () => {
  await using face = await open();
  const answer = await face.ask('POST', '/v1/things/a', { token, json: { n: 1 } });
  assert.equal(answer.text, '{"n":1,"loud":false}');
});

test('malformed, missing, foreign and oversized bodies have codes of ours', async () => {
  await using face = await open();
  const json = { 'content-type': 'application/json' };
  const cases = [
    [{ body: '{"n":', headers: json }, 400, 'json_malformed'],
    [{ body: '', headers: json }, 400, 'json_malformed'],
    [{ body: '{"n":1,"__proto__":{"x":1}}', headers: json }, 400, 'json_malformed'],
    [{}, 400, 'request_invalid'],
    [{ body: 'n=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415, 'media_type_not_taken'],
    [{ body: 'n', headers: { 'content-type': 'text/plain' } }, 415, 'media_type_not_taken'],
    [{ body: 'n', headers: { 'content-type': 'not a type' } }, 415, 'media_type_not_taken'],
    [{ body: JSON.stringify({ n: 1, pad: 'x'.repeat(300) }), headers: json }, 413, 'body_too_large'],
  ] as const;
  for (const [options, status, code] of cases) {
    const answer = await face.ask('POST', '/v1/things/a', { token, ...options });
    assert.deepEqual([answer.status, answer.json?.code], [status, code], JSON.stringify(options).slice(0, 80));
    assert.ok(!answer.text.includes('FST_ERR'));
  }
});

test('what is not there, a method that is not taken and a broken address are problems too', async () => {
  await using face = await open();
  assert.deepEqual((await face.ask('GET', '/v1/nothing')).json.code, 'no_such_address');
  assert.deepEqual((await face.ask('PUT', '/v1/things/a', { token })).json.code, 'no_such_address');
  assert.deepEqual((await face.ask('GET', '/v1/refusals/never_heard_of')).json.code, 'no_such_refusal');
  assert.deepEqual((await face.ask('GET', '/v1/refusals/constructor')).json.code, 'no_such_refusal');
  const long = await face.ask('POST', `/v1/things/${'x'.repeat(600)}`, { token, json: { n: 1 } });
  assert.ok(long.status === 400 || long.status === 404);
  assert.match(long.json.code, /^(request_malformed|no_such_address)$/);
});

test('bytes that are no HTTP get a problem and the end of the connection, and no code of the framework', async () => {
  await using face = await open();
  for (const text of [
    'NONSENSE\r\n\r\n',
    `GET /v1/things/%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    `GET / HTTP/1.1\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`,
  ]) {
    const socket = connect(face.face.port, '127.0.0.1');
    socket.end(text);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(socket, 'close');
    const answer = Buffer.concat(chunks).toString();
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.match(answer, /"code":"(request_malformed|no_such_address)"/);
    assert.ok(!answer.includes('FST_ERR'));
  }
});

test('every answer carries the headers that keep a browser from doing anything with it', async () => {
  await using face = await open();
  for (const path of ['/', '/v1/openapi.json', '/v1/address', '/v1/nothing', '/healthz']) {
    const { headers } = await face.ask('GET', path);
    assert.match(headers.get('content-security-policy')!, /default-src 'none'.*frame-ancestors 'none'/, path);
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('strict-transport-security'), null, 'not over clear HTTP');
    assert.equal(headers.get('x-powered-by'), null);
  }
});

test('a list goes on from page to page, each item once, and holds at most 200 a page', async () => {
  await using face = await open();
  const seen: number[] = [];
  let query = 'limit=200';
  for (;;) {
    const { json } = await face.ask('GET', `/v1/numbers?${query}`);
    seen.push(...json.items);
    if (json.next === null) break;
    query = `limit=200&cursor=${json.next}`;
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 500 }, (_, index) => index),
  );
  assert.equal((await face.ask('GET', '/v1/numbers')).json.items.length, 50);
  assert.equal((await face.ask('GET', '/v1/numbers?limit=201')).status, 400);
});

test('a cursor is bound to filter and reader, and one letter changed makes it nothing', async () => {
  await using face = await open();
  const { next } = (await face.ask('GET', '/v1/numbers?odd=true')).json;
  const code = async (query: string, options = {}): Promise<string> =>
    (await face.ask('GET', `/v1/numbers?${query}`, options)).json.code ?? 'ok';
  assert.equal(await code(`odd=true&cursor=${next}`), 'ok');
  assert.equal(await code(`odd=false&cursor=${next}`), 'cursor_invalid');
  assert.equal(await code(`cursor=${next}`), 'cursor_invalid');
  assert.equal(await code(`odd=true&cursor=${next}`, { token }), 'cursor_invalid');
  for (let at = 0; at < next.length; at += 1) {
    const other = next[at] === 'A' ? 'B' : 'A';
    assert.equal(
      await code(`odd=true&cursor=${next.slice(0, at)}${other}${next.slice(at + 1)}`),
      'cursor_invalid',
      `letter ${at}`,
    );
  }
});

test('an idempotency key is asked for where it is required, checked, and handed to the operation', async () => {
  await using face = await open();
  const ask = (key?: string) =>
    face.ask('POST', '/v1/orders', { headers: key === undefined ? {} : { 'idempotency-key': key } });
  assert.equal((await ask()).json.code, 'idempotency_key_missing');
  for (const key of ['short', 'x'.repeat(129), 'with space in it']) {
    assert.equal((await ask(key)).json.code, 'idempotency_key_malformed', key);
  }
  assert.deepEqual((await ask('12345678')).json, { requestId: '12345678', who: 'nobody' });
  const accepted = { token, json: { n: 1 }, headers: { 'idempotency-key': 'gone-0001' } };
  assert.equal((await face.ask('POST', '/v1/things/a', accepted)).status, 204);
});

test('a body where none is taken is refused', async () => {
  await using face = await open();
  const headers = { 'idempotency-key': '12345678' };
  assert.equal((await face.ask('POST', '/v1/orders', { json: {}, headers })).json.code, 'request_invalid');
});

test('an operation for the signed-in refuses a stranger before it reads the body', async () => {
  await using face = await open();
  const answer = await face.ask('POST', '/v1/things/a', { body: 'not even JSON', headers: { 'content-type': 'x/y' } });
  assert.deepEqual([answer.status, answer.json.code], [401, 'not_signed_in']);
  assert.match(answer.headers.get('www-authenticate')!, /^Bearer/);
  for (const authorization of [
    'Basic YTpi',
    'Bearer',
    'Bearer x',
    `Bearer ${'z'.repeat(43)}`,
    `Bearer ${token} ${token}`,
  ]) {
    const refused = await face.ask('POST', '/v1/things/a', { headers: { authorization }, json: { n: 1 } });
    assert.equal(refused.status, 401, authorization);
  }
  const lower = await face.ask('POST', '/v1/things/a', {
    headers: { authorization: `bearer ${token}` },
    json: { n: 1 },
  });
  assert.equal(lower.status, 200);
});

test('a value that is read again unchanged is not sent again', async () => {
  await using face = await open();
  const first = await face.ask('GET', '/v1/numbers');
  const etag = first.headers.get('etag')!;
  const again = await face.ask('GET', '/v1/numbers', { headers: { 'if-none-match': etag } });
  assert.deepEqual([again.status, again.text], [304, '']);
  const other = await face.ask('GET', '/v1/numbers?limit=3', { headers: { 'if-none-match': etag } });
  assert.equal(other.status, 200);
  const head = await fetch(`${face.url}/v1/numbers`, { method: 'HEAD' });
  assert.deepEqual([head.status, await head.text()], [200, '']);
});

test('who asks too often is told how long to wait, and may go on after that', async () => {
  const clock = createFakeClock();
  await using face = await open({ clock, limits: { address: { burst: 3, perSecond: 0.5 } } });
  const ask = () => face.ask('GET', '/v1/address');
  for (let n = 0; n < 3; n += 1) assert.equal((await ask()).status, 200);
  const refused = await ask();
  assert.deepEqual([refused.status, refused.json.code], [429, 'too_many_requests']);
  assert.deepEqual([refused.headers.get('retry-after'), refused.json.params], ['2', { retryAfterSeconds: 2 }]);
  clock.advance(1999);
  assert.equal((await ask()).status, 429);
  clock.advance(1);
  assert.equal((await ask()).status, 200);
});

test('one actor has a limit of its own, whatever addresses it comes from', async () => {
  await using face = await open({ limits: { actor: { burst: 2, perSecond: 1 } } });
  const ask = (as: string) => face.ask('GET', '/v1/numbers', { token: as });
  assert.deepEqual([(await ask(token)).status, (await ask(token)).status, (await ask(token)).status], [200, 200, 429]);
  assert.equal((await ask(operatorToken)).status, 200);
});

test('the front page leads to the document, and health, readiness and metrics answer', async () => {
  let isReady = true;
  await using face = await open({
    readiness: async () => ({ isReady, parts: { database: isReady ? 'ok' : 'unreachable' } }),
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }),
  });
  assert.match((await face.ask('GET', '/')).text, /href="\/v1\/openapi\.json"/);
  assert.equal((await face.ask('GET', '/healthz')).status, 200);
  assert.deepEqual(
    [(await face.ask('GET', '/readyz')).status, (await face.ask('GET', '/readyz')).text],
    [200, 'database: ok\n'],
  );
  isReady = false;
  assert.deepEqual(
    [(await face.ask('GET', '/readyz')).status, (await face.ask('GET', '/readyz')).text],
    [503, 'database: unreachable\n'],
  );
  assert.equal((await face.ask('GET', '/metrics')).text, 'up 1\n');
});
