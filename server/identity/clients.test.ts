// Clients and operators on a real database: what the desks do, who may, and what it ends.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually } from '../../test/eventually.ts';
import { type Actor, consoleActor } from '../kernel/actor.ts';
import { Refusal } from '../kernel/refusal.ts';
import { codeOf, goodPassword, home, openTestIdentity } from './test-identity.ts';

const newClient = (login: string, ...accountNumbers: string[]) => ({
  kind: 'person',
  name: 'N',
  login,
  accountNumbers,
});

test('the desk adds a client with accounts, and another domain finds it by an account number', async () => {
  await using t = await openTestIdentity();
  const { actor } = await t.addOperator('dora', ['delivery']);
  const asked = { ...newClient('fund.one', 'U1', 'U2'), kind: 'institution', email: 'a@b.test', locale: 'pt' };
  const { clientId } = await t.identity.addClient(actor, asked);
  const found = await t.identity.findClientByAccount(t.sql, 'U2');
  assert.deepEqual([found?.clientId, found?.state], [clientId, 'active']);
  assert.equal(await t.identity.findClientByAccount(t.sql, 'u2'), undefined);
  assert.deepEqual(await t.identity.getContact(t.sql, clientId), {
    clientId,
    kind: 'institution',
    name: 'N',
    email: 'a@b.test',
    locale: 'pt',
    state: 'active',
  });
  assert.deepEqual(
    (await t.identity.listAccounts(t.sql, clientId)).map((a) => a.accountNumber),
    ['U1', 'U2'],
  );
});

test('a login and an account number belong to one client, also when two desks add them at once', async () => {
  await using t = await openTestIdentity();
  await t.identity.addClient(consoleActor, newClient('ann', 'U1'));
  await t.addOperator('dora', ['delivery']);
  const add = (login: string, account: string) => codeOf(t.identity.addClient(consoleActor, newClient(login, account)));
  assert.equal(await add('ANN', 'U2'), 'login_taken');
  assert.equal(await add('dora', 'U2'), 'login_taken');
  assert.equal(await add('bob', 'U1'), 'account_taken');
  const codes = await Promise.all([add('same', 'S1'), add('same', 'S2'), add('one', 'S3'), add('two', 'S3')]);
  assert.deepEqual(codes.toSorted(), ['account_taken', 'login_taken', 'ok', 'ok']);
});

test('suspending ends sign-ins at once, tells whoever listens, and lets nobody in until it is resumed', async () => {
  await using t = await openTestIdentity();
  const { clientId, token } = await t.addSignedIn('ann');
  const bob = await t.addSignedIn('bob');
  const heard: string[] = [];
  await t.database.listen('client_ended', (payload) => heard.push(payload));
  await t.identity.suspendClient(consoleActor, clientId, 'papers are missing');
  await eventually(() => heard.includes(clientId));
  assert.equal(await t.identity.findActor(token, home), undefined);
  assert.ok(await t.identity.findActor(bob.token, home), 'another client goes on');
  const signIn = (password: string) => codeOf(t.identity.signIn({ login: 'ann', password, origin: home }));
  assert.equal(await signIn(goodPassword), 'access_suspended');
  assert.equal(await signIn('wrong'), 'sign_in_refused', 'a stranger is not told');
  assert.equal(await t.identity.getClientState(t.sql, clientId), 'suspended');
  await t.identity.resumeClient(consoleActor, clientId, 'papers came');
  assert.equal(await signIn(goodPassword), 'ok');
  assert.equal(await t.identity.findActor(token, home), undefined, 'the old sign-in stays ended');
});

test('closing is for good, and doing the same twice changes nothing', async () => {
  await using t = await openTestIdentity();
  const { clientId, loginId } = await t.addSignedIn('ann');
  await t.identity.suspendClient(consoleActor, clientId, 'a');
  await t.identity.suspendClient(consoleActor, clientId, 'b');
  assert.equal((await t.identity.getClient(consoleActor, clientId)).stateReason, 'a');
  await t.identity.closeClient(consoleActor, clientId, 'left');
  assert.equal(await codeOf(t.identity.closeClient(consoleActor, clientId, 'left')), 'ok');
  assert.equal(await codeOf(t.identity.resumeClient(consoleActor, clientId, 'back')), 'client_closed');
  assert.equal(await codeOf(t.identity.resetPassword(consoleActor, loginId)), 'login_not_found');
  assert.equal(await codeOf(t.identity.addAccount(consoleActor, clientId, 'U77')), 'client_closed');
  assert.equal(await codeOf(t.identity.signIn({ login: 'ann', password: goodPassword, origin: home })), 'access_ended');
});

test('somebody else’s client and no client are the same answer, and a client never reads the desk’s reason', async () => {
  await using t = await openTestIdentity();
  const ann = await t.addSignedIn('ann');
  const bob = await t.addSignedIn('bob');
  const none = '00000000-0000-7000-8000-000000000000';
  const answers = await Promise.all(
    [bob.clientId, none].map((id) => t.identity.getClient(ann.actor, id).then(String, (thrown: Refusal) => thrown)),
  );
  assert.deepEqual(answers[0], answers[1]);
  assert.ok(answers[0] instanceof Refusal && answers[0].code === 'client_not_found');
  await t.identity.suspendClient(consoleActor, ann.clientId, 'a secret of the desk');
  assert.equal((await t.identity.getClient(ann.actor, ann.clientId)).stateReason, undefined);
});

test('only the desks that look after clients may, and each operation asks for itself', async () => {
  await using t = await openTestIdentity();
  const ann = await t.addSignedIn('ann');
  const dealer = await t.addOperator('dealer', ['dealing']);
  const service = await t.addOperator('service', ['service']);
  const tries = (actor: Actor) => [
    t.identity.addClient(actor, newClient(`x${actor.kind}`, `X-${actor.kind}`)),
    t.identity.listClients(actor, { limit: 1 }),
    t.identity.checkImport(actor, 'kind,name,login,accounts\nperson,A,aaa,U9'),
    t.identity.addAccount(actor, ann.clientId, `Y-${actor.kind}`),
    t.identity.suspendClient(actor, ann.clientId, 'r'),
    t.identity.resumeClient(actor, ann.clientId, 'r'),
    t.identity.resetPassword(actor, ann.loginId),
  ];
  for (const actor of [ann.actor, dealer.actor]) {
    assert.deepEqual(
      await Promise.all(tries(actor).map(codeOf)),
      Array.from({ length: 7 }, () => 'desk_only'),
    );
  }
  for (const work of tries(service.actor)) assert.equal(await codeOf(work), 'ok');
});

test('a client may have several people, and one of them can leave', async () => {
  await using t = await openTestIdentity();
  const { clientId, actor } = await t.addSignedIn('fund.a');
  const { loginId, invitation } = await t.identity.addLogin(consoleActor, clientId, { login: 'fund.b' });
  await t.identity.acceptInvitation({ token: invitation.token, password: goodPassword, origin: home });
  const second = await t.identity.signIn({ login: 'fund.b', password: goodPassword, origin: home });
  assert.deepEqual(
    (await t.identity.getClient(second.actor, clientId)).logins.map((l) => l.login),
    ['fund.a', 'fund.b'],
  );
  await t.identity.endLogin(consoleActor, loginId);
  assert.equal(await t.identity.findActor(second.token, home), undefined);
  assert.equal(
    await codeOf(t.identity.signIn({ login: 'fund.b', password: goodPassword, origin: home })),
    'sign_in_refused',
  );
  assert.deepEqual(
    (await t.identity.getClient(actor, clientId)).logins.map((l) => l.login),
    ['fund.a'],
  );
});

test('clients are listed in pages, each once, also while others are added, and found by name or account', async () => {
  await using t = await openTestIdentity();
  const ids: string[] = [];
  const add = async (n: number): Promise<void> => {
    t.clock.advance(1);
    const added = await t.identity.addClient(consoleActor, { ...newClient(`login${n}`, `A-${n}`), name: `Fund_${n}%` });
    ids.push(added.clientId);
  };
  for (let n = 0; n < 5; n += 1) await add(n);
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const page = await t.identity.listClients(consoleActor, { limit: 2, after });
    seen.push(...page.items.map((item) => item.clientId));
    after = page.next;
    if (seen.length === 2) await add(5);
  } while (after !== undefined);
  assert.deepEqual(seen, ids);
  const search = async (text: string) =>
    (await t.identity.listClients(consoleActor, { limit: 50, search: text })).items.map((item) => item.name);
  assert.deepEqual(await search('fund_3'), ['Fund_3%']);
  assert.deepEqual(await search('a-4'), ['Fund_4%']);
  assert.deepEqual(await search('%'), ['Fund_0%', 'Fund_1%', 'Fund_2%', 'Fund_3%', 'Fund_4%', 'Fund_5%']);
  assert.deepEqual(await search('x%'), []);
  assert.deepEqual((await t.identity.listClients(consoleActor, { limit: 9, state: 'closed' })).items, []);
});

test('a file of clients is imported whole, and every one of them can set a password', async () => {
  await using t = await openTestIdentity();
  const csv =
    '\ufeffkind,name,login,email,accounts,locale\r\nperson,"Lee, Ann",ann,ann@b.test,U1;U2,pt\r\ninstitution,Fund,fund,,U3,\r\n';
  assert.deepEqual(await t.identity.checkImport(consoleActor, csv), { rows: 2 });
  const { clients } = await t.identity.importClients(consoleActor, csv);
  assert.deepEqual(
    clients.map(({ row, login }) => [row, login]),
    [
      [2, 'ann'],
      [3, 'fund'],
    ],
  );
  const ann = await t.identity.getClient(consoleActor, clients[0]!.clientId);
  assert.deepEqual(
    [ann.name, ann.email, ann.locale, ann.accountNumbers],
    ['Lee, Ann', 'ann@b.test', 'pt', ['U1', 'U2']],
  );
  await t.identity.acceptInvitation({ token: clients[1]!.invitation.token, password: goodPassword, origin: home });
  assert.equal(await codeOf(t.identity.signIn({ login: 'fund', password: goodPassword, origin: home })), 'ok');
});

test('one bad row stops the whole file, and every fault is named with its row', async () => {
  await using t = await openTestIdentity();
  await t.identity.addClient(consoleActor, newClient('ann', 'U1'));
  const csv = [
    'kind,name,login,accounts',
    'person,Fine,fine,U5',
    'robot,R,rob,U6',
    'person,Twice,fine,U7',
    'person,Taken,ann,U1',
    'person,,noname,U8',
  ].join('\n');
  for (const work of [t.identity.checkImport(consoleActor, csv), t.identity.importClients(consoleActor, csv)]) {
    const refusal = await work.then(
      () => assert.fail('it was taken'),
      (thrown: Refusal) => thrown,
    );
    assert.equal(refusal.code, 'import_rejected');
    const rows = (refusal.params['rows'] as string[]).map((text) => text.split(': ').slice(0, 2).join(' '));
    assert.deepEqual(rows, [
      'row 3 kind_malformed',
      'row 4 login_taken',
      'row 5 login_taken',
      'row 5 account_taken',
      'row 6 name_malformed',
    ]);
  }
  assert.equal((await t.identity.listClients(consoleActor, { limit: 9 })).items.length, 1);
});

test('a file that is no such CSV is refused with the columns it needs', async () => {
  await using t = await openTestIdentity();
  const cases = [
    ['', 'import_malformed'],
    ['kind,name,login,accounts\n', 'import_malformed'],
    ['kind,name,login\nperson,A,aaa', 'import_malformed'],
    ['kind,name,login,accounts,password\nperson,A,aaa,U1,x', 'import_malformed'],
    ['kind,name,login,accounts\nperson,A,aaa', 'import_malformed'],
    ['kind,name,login,accounts\nperson,"A,aaa,U1', 'import_malformed'],
    [`kind,name,login,accounts\n${'person,A,aaa,U1\n'.repeat(10_001)}`, 'import_too_large'],
    [`kind,name,login,accounts\nperson,${'x'.repeat(30_000)},aaa,U1`, 'import_malformed'],
  ] as const;
  for (const [csv, code] of cases)
    assert.equal(await codeOf(t.identity.checkImport(consoleActor, csv)), code, csv.slice(0, 50));
});

test('operators are added and ended at the operations desk, and nobody changes the own desks', async () => {
  await using t = await openTestIdentity();
  const ops = await t.addOperator('ops', ['operations']);
  t.clock.advance(1);
  const desk = await t.addOperator('desk', ['delivery']);
  assert.equal(await codeOf(t.identity.listOperators(desk.actor, { limit: 9 })), 'desk_only');
  assert.equal(await codeOf(t.identity.setDesks(ops.actor, ops.operatorId, ['delivery'])), 'not_on_yourself');
  assert.equal(await codeOf(t.identity.endOperator(ops.actor, ops.operatorId)), 'not_on_yourself');
  assert.equal(await codeOf(t.identity.setDesks(ops.actor, desk.operatorId, ['kitchen'])), 'desk_unknown');
  assert.equal(await codeOf(t.identity.setDesks(ops.actor, 'nobody', ['delivery'])), 'operator_not_found');
  await t.identity.setDesks(ops.actor, desk.operatorId, ['service', 'service']);
  const now = await t.identity.findActor(desk.token, home);
  assert.deepEqual(now?.kind === 'operator' && now.desks, ['service'], 'from the next request on');
  await t.identity.endOperator(ops.actor, desk.operatorId);
  assert.equal(await t.identity.findActor(desk.token, home), undefined);
  assert.equal(
    await codeOf(t.identity.signIn({ login: 'desk', password: goodPassword, origin: home })),
    'access_ended',
  );
  const { items } = await t.identity.listOperators(ops.actor, { limit: 9 });
  assert.deepEqual(
    items.map((item) => [item.login, item.state]),
    [
      ['ops', 'active'],
      ['desk', 'ended'],
    ],
  );
});

test('everything the desks do stands in the audit trail with who did it', async () => {
  await using t = await openTestIdentity();
  const { actor, operatorId } = await t.addOperator('dora', ['delivery']);
  const { clientId } = await t.identity.addClient(actor, newClient('ann', 'U1'));
  await t.identity.addAccount(actor, clientId, 'U2');
  await t.identity.suspendClient(actor, clientId, 'why');
  await t.identity.resumeClient(actor, clientId, 'why');
  await t.identity.closeClient(actor, clientId, 'why');
  const rows = await t.sql<{ actor: string; action: string }>`
    select actor, action from audit where subject = ${`client:${clientId}`} order by sequence`;
  assert.deepEqual(
    rows.map((row) => row.action),
    ['client.add', 'account.add', 'client.suspend', 'client.resume', 'client.close'],
  );
  for (const row of rows) assert.equal(row.actor, `operator:${operatorId}`);
});
