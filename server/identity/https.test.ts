// Identity through the real port: for each operation what is taken, what is refused, and what somebody else gets to see.
import assert from 'node:assert/strict';
import test from 'node:test';
import { openTestFace, type TestAnswer, type TestFace } from '../faces/https/test-face.ts';
import { createIdentityRoutes } from './https.ts';
import { identityRefusals } from './identity.ts';
import { goodPassword, openTestIdentity, type TestIdentity } from './test-identity.ts';

interface Opened extends AsyncDisposable {
  readonly t: TestIdentity;
  readonly face: TestFace;
}

async function open(): Promise<Opened> {
  const t = await openTestIdentity();
  const { identity, clock } = t;
  const routes = createIdentityRoutes({ identity });
  const limits = { address: { burst: 5000, perSecond: 5000 } };
  const face = await openTestFace({
    routes,
    refusals: [identityRefusals],
    clock,
    findActor: (token, origin) => identity.findActor(token, origin),
    limits,
  });
  return {
    t,
    face,
    async [Symbol.asyncDispose]() {
      await face[Symbol.asyncDispose]();
      await t[Symbol.asyncDispose]();
    },
  };
}

const said = (answer: TestAnswer): [number, string | undefined] => [answer.status, answer.json?.code];
const fields = (answer: TestAnswer): string[] =>
  (answer.json.errors as { pointer: string; code: string }[]).map(({ pointer, code }) => `${pointer} ${code}`).sort();
const none = '00000000-0000-7000-8000-000000000000';
const newClient = { kind: 'person', name: 'Ann', login: 'new.client', accountNumbers: ['N1'] };

test('a browser signs in with a cookie that scripts cannot read and other sites cannot send, and signs out', async () => {
  await using opened = await open();
  const { t, face } = opened;
  await t.addClient('ann.lee');
  const answer = await face.ask('POST', '/v1/sign-ins', { json: { login: 'ann.lee', password: goodPassword } });
  assert.deepEqual([answer.status, answer.json.token, answer.json.me.login], [201, null, 'ann.lee']);
  const cookie = answer.headers.get('set-cookie')!;
  assert.match(cookie, /^broadgate=[A-Za-z0-9_-]{43}; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Strict$/);
  const headers = { cookie: cookie.split(';')[0]!, origin: face.url };
  assert.equal((await face.ask('GET', '/v1/me', { headers })).json.login, 'ann.lee');
  const out = await face.ask('DELETE', '/v1/sign-ins/current', { headers });
  assert.equal(out.status, 204);
  assert.match(out.headers.get('set-cookie')!, /^broadgate=; Max-Age=0/);
  assert.deepEqual(said(await face.ask('GET', '/v1/me', { headers })), [401, 'not_signed_in']);
});

test('a change with a cookie is taken from our own pages only, and reading is not a change', async () => {
  await using opened = await open();
  const { t, face } = opened;
  const { token } = await t.addSignedIn('ann.lee');
  const cookie = `broadgate=${token}`;
  const cases: [Record<string, string>, number][] = [
    [{}, 403],
    [{ origin: 'https://evil.test' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: face.url.replace('http:', 'https:') }, 403],
    [{ 'sec-fetch-site': 'cross-site', origin: face.url }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ 'sec-fetch-site': 'none' }, 403],
    [{ 'sec-fetch-site': 'same-origin' }, 404],
    [{ origin: face.url }, 404],
  ];
  for (const [headers, status] of cases) {
    const answer = await face.ask('DELETE', `/v1/sign-ins/${none}`, { headers: { cookie, ...headers } });
    assert.equal(answer.status, status, JSON.stringify(headers));
    if (status === 403) assert.equal(answer.json.code, 'cross_site');
  }
  assert.equal((await face.ask('GET', '/v1/me', { headers: { cookie, origin: 'https://evil.test' } })).status, 200);
  const bearer = await face.ask('DELETE', `/v1/sign-ins/${none}`, { token, headers: { origin: 'https://evil.test' } });
  assert.deepEqual(said(bearer), [404, 'sign_in_not_found'], 'a bearer token is not sent by a browser on its own');
});

test('another site cannot sign a reader in as somebody else', async () => {
  await using opened = await open();
  const { t, face } = opened;
  await t.addClient('ann.lee');
  const json = { login: 'ann.lee', password: goodPassword };
  const answer = await face.ask('POST', '/v1/sign-ins', { json, headers: { origin: 'https://evil.test' } });
  assert.deepEqual(said(answer), [403, 'cross_site']);
});

test('IK-X9: over HTTPS the eleventh attempt is refused with the time to wait, whatever its password', async () => {
  await using opened = await open();
  const { t, face } = opened;
  await t.addClient('ann.lee');
  for (const login of ['ann.lee', 'nobody.here']) {
    for (let n = 0; n < 10; n += 1) {
      const answer = await face.ask('POST', '/v1/sign-ins', { json: { login, password: 'wrong' } });
      assert.deepEqual(said(answer), [401, 'sign_in_refused']);
    }
    const locked = await face.ask('POST', '/v1/sign-ins', { json: { login, password: goodPassword } });
    assert.deepEqual(said(locked), [429, 'sign_in_locked']);
    assert.equal(locked.headers.get('retry-after'), '86400');
  }
});

test('the answers to an unknown login and to a wrong password differ in nothing but their id', async () => {
  await using opened = await open();
  const { t, face } = opened;
  await t.addClient('ann.lee');
  const answers = [];
  for (const login of ['ann.lee', 'nobody.here']) {
    const answer = await face.ask('POST', '/v1/sign-ins', { json: { login, password: 'wrong' } });
    const { instance, ...rest } = answer.json;
    assert.match(instance, /^urn:uuid:/);
    answers.push([answer.status, rest, [...answer.headers].filter(([name]) => name !== 'date')]);
  }
  assert.deepEqual(answers[0], answers[1]);
});

test('signing in takes exactly its fields', async () => {
  await using opened = await open();
  const { face } = opened;
  const cases: [unknown, string[]][] = [
    [{ login: 'a', password: 'b', admin: true }, ['#/body/admin unknown']],
    [{ login: 'a' }, ['#/body/password missing']],
    [{ login: null, password: null }, ['#/body/login wrong_type', '#/body/password wrong_type']],
    [{ login: 5, password: ['x'] }, ['#/body/login wrong_type', '#/body/password wrong_type']],
    [{ login: '', password: '' }, ['#/body/login too_short', '#/body/password too_short']],
    [{ login: 'x'.repeat(65), password: 'x'.repeat(1025) }, ['#/body/login too_long', '#/body/password too_long']],
    [{ login: 'a', password: 'b', deliver: 'mail' }, ['#/body/deliver not_one_of']],
    [null, ['#/body wrong_type']],
    [[], ['#/body wrong_type']],
  ];
  for (const [json, expected] of cases) {
    const answer = await face.ask('POST', '/v1/sign-ins', { json });
    assert.deepEqual(said(answer), [400, 'request_invalid']);
    assert.deepEqual(fields(answer), expected);
  }
  const huge = await face.ask('POST', '/v1/sign-ins', { json: { login: 'a', password: 'x'.repeat(20_000) } });
  assert.deepEqual(said(huge), [413, 'body_too_large']);
});

test('the desk adds a client, who sets a password by the link and signs in; the link works once', async () => {
  await using opened = await open();
  const { t, face } = opened;
  const desk = await t.addOperator('dora', ['delivery']);
  const added = await face.ask('POST', '/v1/clients', { token: desk.token, json: { ...newClient, email: 'a@b.test' } });
  assert.equal(added.status, 201);
  const json = { token: added.json.invitation.token, password: goodPassword };
  assert.deepEqual(said(await face.ask('POST', '/v1/invitations/accept', { json: { ...json, password: 'short' } })), [
    400,
    'password_too_short',
  ]);
  assert.deepEqual((await face.ask('POST', '/v1/invitations/accept', { json })).json, {
    login: 'new.client',
    kind: 'client',
  });
  assert.deepEqual(said(await face.ask('POST', '/v1/invitations/accept', { json })), [404, 'invitation_invalid']);
  const signIn = { login: 'new.client', password: goodPassword, deliver: 'token' };
  const { json: opens } = await face.ask('POST', '/v1/sign-ins', { json: signIn });
  const self = await face.ask('GET', `/v1/clients/${added.json.clientId}`, { token: opens.token });
  assert.deepEqual([self.json.accountNumbers, self.json.email, self.json.stateReason], [['N1'], 'a@b.test', null]);
});

test('a new client is taken exactly as described', async () => {
  await using opened = await open();
  const { t, face } = opened;
  const { token } = await t.addOperator('dora', ['delivery']);
  const cases: [object, string[]][] = [
    [{ state: 'closed' }, ['#/body/state unknown']],
    [{ kind: 'robot' }, ['#/body/kind not_one_of']],
    [{ name: '' }, ['#/body/name too_short']],
    [{ name: 'a\nb' }, ['#/body/name malformed']],
    [{ name: null }, ['#/body/name wrong_type']],
    [{ login: 'has space' }, ['#/body/login malformed']],
    [{ email: 'nowhere' }, ['#/body/email malformed']],
    [{ accountNumbers: 'N1' }, ['#/body/accountNumbers wrong_type']],
    [{ accountNumbers: [] }, ['#/body/accountNumbers too_few']],
    [{ accountNumbers: ['N1', 'N1'] }, ['#/body/accountNumbers repeated']],
    [{ accountNumbers: ['N1', 7] }, ['#/body/accountNumbers/1 wrong_type']],
  ];
  for (const [part, expected] of cases) {
    const answer = await face.ask('POST', '/v1/clients', { token, json: { ...newClient, ...part } });
    assert.deepEqual([...said(answer), ...fields(answer)], [400, 'request_invalid', ...expected], JSON.stringify(part));
  }
  assert.equal((await face.ask('GET', '/v1/clients', { token })).json.items.length, 0);
});

test('every operation of the desks refuses clients, other desks and strangers', async () => {
  await using opened = await open();
  const { t, face } = opened;
  const ann = await t.addSignedIn('ann.lee');
  const dealer = await t.addOperator('dealer', ['dealing']);
  const operations: [string, string, unknown?][] = [
    ['GET', '/v1/clients'],
    ['POST', '/v1/clients', newClient],
    ['POST', `/v1/clients/${ann.clientId}/suspend`, { reason: 'r' }],
    ['POST', `/v1/clients/${ann.clientId}/resume`, { reason: 'r' }],
    ['POST', `/v1/clients/${ann.clientId}/close`, { reason: 'r' }],
    ['POST', `/v1/clients/${ann.clientId}/accounts`, { accountNumber: 'N9' }],
    ['POST', `/v1/clients/${ann.clientId}/logins`, { login: 'other.person' }],
    ['DELETE', `/v1/logins/${ann.loginId}`],
    ['POST', `/v1/logins/${ann.loginId}/reset`],
    ['GET', '/v1/operators'],
    ['POST', '/v1/operators', { login: 'new.operator', name: 'N', desks: ['delivery'] }],
    ['PUT', `/v1/operators/${dealer.operatorId}/desks`, { desks: ['operations'] }],
    ['POST', `/v1/operators/${none}/end`],
  ];
  for (const [method, path, json] of operations) {
    const ask = (token?: string) =>
      face.ask(method, path, { ...(token === undefined ? {} : { token }), ...(json === undefined ? {} : { json }) });
    assert.deepEqual(said(await ask(ann.token)), [403, 'desk_only'], `${method} ${path}`);
    assert.deepEqual(said(await ask(dealer.token)), [403, 'desk_only'], `${method} ${path}`);
    assert.deepEqual(said(await ask()), [401, 'not_signed_in'], `${method} ${path}`);
    assert.deepEqual(said(await ask('x'.repeat(43))), [401, 'not_signed_in'], `${method} ${path}`);
  }
});

test('another client’s id, an id of nothing and no id at all lead to the same nothing', async () => {
  await using opened = await open();
  const { t, face } = opened;
  const ann = await t.addSignedIn('ann.lee');
  const bob = await t.addSignedIn('bob.ray');
  const bobs = await face.ask('GET', '/v1/sign-ins', { token: bob.token });
  const pairs = [
    ['GET', `/v1/clients/${bob.clientId}`, `/v1/clients/${none}`],
    ['DELETE', `/v1/sign-ins/${bobs.json.items[0].id}`, `/v1/sign-ins/${none}`],
  ] as const;
  for (const [method, theirs, nothing] of pairs) {
    const [one, other] = [
      await face.ask(method, theirs, { token: ann.token }),
      await face.ask(method, nothing, { token: ann.token }),
    ];
    assert.equal(one.status, 404);
    assert.deepEqual({ ...one.json, instance: '' }, { ...other.json, instance: '' });
  }
  assert.equal((await face.ask('GET', '/v1/clients/..%2f..%2fetc', { token: ann.token })).status, 400);
});

test('suspending ends a client’s tokens by the next request', async () => {
  await using opened = await open();
  const { t, face } = opened;
  const desk = await t.addOperator('dora', ['service']);
  const ann = await t.addSignedIn('ann.lee');
  const path = `/v1/clients/${ann.clientId}/suspend`;
  const empty = await face.ask('POST', path, { token: desk.token, json: { reason: '' } });
  assert.deepEqual([...said(empty), ...fields(empty)], [400, 'request_invalid', '#/body/reason too_short']);
  assert.equal((await face.ask('POST', path, { token: desk.token, json: { reason: 'papers' } })).status, 204);
  assert.deepEqual(said(await face.ask('GET', '/v1/me', { token: ann.token })), [401, 'not_signed_in']);
  const json = { login: 'ann.lee', password: goodPassword };
  assert.deepEqual(said(await face.ask('POST', '/v1/sign-ins', { json })), [403, 'access_suspended']);
});

test('a script’s token is made with the password, listed without itself, and ended', async () => {
  await using opened = await open();
  const { t, face } = opened;
  const ann = await t.addSignedIn('ann.lee');
  const asked = { name: 'nightly', expiresInDays: 30, password: goodPassword };
  const wrong = await face.ask('POST', '/v1/tokens', { token: ann.token, json: { ...asked, password: 'wrong' } });
  assert.deepEqual(said(wrong), [403, 'password_wrong']);
  const made = await face.ask('POST', '/v1/tokens', { token: ann.token, json: asked });
  assert.equal(made.status, 201);
  const list = await face.ask('GET', '/v1/sign-ins', { token: made.json.token });
  const item = list.json.items.find((entry: { id: string }) => entry.id === made.json.id);
  assert.deepEqual([item.sort, item.name, item.isCurrent], ['token', 'nightly', true]);
  assert.ok(!list.text.includes(made.json.token));
  assert.equal((await face.ask('DELETE', `/v1/sign-ins/${made.json.id}`, { token: ann.token })).status, 204);
  assert.equal((await face.ask('GET', '/v1/me', { token: made.json.token })).status, 401);
});

test('a cursor is good for its own list, filter and reader, and for nothing that was altered', async () => {
  await using opened = await open();
  const { t, face } = opened;
  const dora = await t.addOperator('dora', ['delivery']);
  const sam = await t.addOperator('sam', ['service']);
  for (const login of ['one', 'two', 'three']) await t.addClient(login);
  const first = await face.ask('GET', '/v1/clients?limit=2', { token: dora.token });
  const next = first.json.next as string;
  const read = (query: string, token = dora.token, path = '/v1/clients') =>
    face.ask('GET', `${path}?${query}`, { token });
  const second = await read(`limit=1&cursor=${next}`);
  assert.deepEqual([second.status, second.json.items.length, second.json.next], [200, 1, null], 'the limit may change');
  const altered = [
    await read(`cursor=${next}`, sam.token),
    await read(`state=active&cursor=${next}`),
    await read(`cursor=${next}`, dora.token, '/v1/sign-ins'),
    await read(`cursor=${next.slice(0, -2)}`),
    await read(`cursor=${next}A`),
    await read(`cursor=${next.startsWith('A') ? 'B' : 'A'}${next.slice(1)}`),
    await read('cursor=AAAA'),
  ];
  for (const answer of altered) assert.deepEqual(said(answer), [400, 'cursor_invalid']);
  for (const query of ['limit=0', 'limit=201', 'limit=x', 'limit=1&limit=2', 'cursor=', 'order=name', 'state=asleep']) {
    assert.deepEqual(said(await read(query)), [400, 'request_invalid'], query);
  }
});

test('a CSV of clients is checked, then imported; what is no CSV is not taken', async () => {
  await using opened = await open();
  const { t, face } = opened;
  const { token } = await t.addOperator('dora', ['delivery']);
  const post = (path: string, body: string | Uint8Array<ArrayBuffer>, type = 'text/csv') =>
    face.ask('POST', path, { token, body, headers: { 'content-type': type } });
  const csv = 'kind,name,login,accounts\nperson,A,aaa,U1\nperson,B,bbb,U2\n';
  assert.deepEqual((await post('/v1/clients/import/check', csv)).json, { rows: 2 });
  const bad = await post('/v1/clients/import', csv.replace('bbb', 'aaa'));
  assert.deepEqual([...said(bad), bad.json.params.count], [400, 'import_rejected', 1]);
  const done = await post('/v1/clients/import', csv, 'text/csv; charset=utf-8');
  assert.deepEqual(
    done.json.clients.map((row: { login: string }) => row.login),
    ['aaa', 'bbb'],
  );
  assert.deepEqual(said(await post('/v1/clients/import', '{}', 'application/json')), [415, 'media_type_not_taken']);
  assert.deepEqual(said(await post('/v1/clients/import', new Uint8Array([0xff, 0xfe, 0x80]))), [
    400,
    'import_malformed',
  ]);
  assert.deepEqual(said(await post('/v1/clients/import', 'x'.repeat(5 * 1024 * 1024 + 1))), [413, 'body_too_large']);
});

test('the operations desk adds an operator, moves them to another desk and ends them', async () => {
  await using opened = await open();
  const { t, face } = opened;
  const ops = await t.addOperator('ops', ['operations']);
  const asked = { login: 'new.one', name: 'New One', desks: ['delivery'] };
  const added = await face.ask('POST', '/v1/operators', { token: ops.token, json: asked });
  assert.equal(added.status, 201);
  const desks = `/v1/operators/${added.json.operatorId}/desks`;
  assert.equal((await face.ask('PUT', desks, { token: ops.token, json: { desks: ['service'] } })).status, 204);
  const unknown = await face.ask('PUT', desks, { token: ops.token, json: { desks: ['kitchen'] } });
  assert.deepEqual([...said(unknown), ...fields(unknown)], [400, 'request_invalid', '#/body/desks/0 not_one_of']);
  const again = await face.ask('POST', '/v1/operators', { token: ops.token, json: asked });
  assert.deepEqual([...said(again), again.json.params.login], [409, 'login_taken', 'new.one']);
  assert.equal(
    (await face.ask('POST', `/v1/operators/${added.json.operatorId}/end`, { token: ops.token })).status,
    204,
  );
  const { json } = await face.ask('GET', '/v1/operators', { token: ops.token });
  const row = json.items.find((item: { login: string }) => item.login === 'new.one');
  assert.deepEqual([row.desks, row.state, row.isSetUp], [['service'], 'ended', false]);
});

test('neither passwords nor tokens nor one-time links are ever in the log', async () => {
  await using opened = await open();
  const { t, face } = opened;
  const ann = await t.addSignedIn('ann.lee');
  await face.ask('POST', '/v1/sign-ins', { json: { login: 'ann.lee', password: 'wrong-secret' } });
  await face.ask('GET', `/v1/me?token=${ann.token}`, { token: ann.token });
  await face.ask('POST', '/v1/password', {
    token: ann.token,
    json: { currentPassword: goodPassword, newPassword: 'four brown owls' },
  });
  const log = face.logged.join('');
  assert.ok(face.logged.length >= 3);
  for (const secret of [ann.token, goodPassword, 'wrong-secret', 'four brown owls']) assert.ok(!log.includes(secret));
});

test('a text that no database keeps is the caller’s fault and names its field, for strangers too', async () => {
  await using opened = await open();
  const { face } = opened;
  const answer = await face.ask('POST', '/v1/sign-ins', { json: { login: 'ann\0lee', password: 'any' } });
  assert.deepEqual(said(answer), [400, 'request_invalid']);
  assert.deepEqual(fields(answer), ['#/body/login malformed']);
  assert.ok(!face.logged.some((line) => line.includes('"level":"error"')));
});
