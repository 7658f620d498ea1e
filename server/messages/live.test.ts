// Live changes: who hears what, how many streams a sign-in holds, and their end with it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually } from '../../test/eventually.ts';
import { systemActor, type Actor } from '../kernel/actor.ts';
import { createChanges } from '../kernel/changes.ts';
import { systemClock } from '../kernel/clock.ts';
import { Refusal } from '../kernel/refusal.ts';
import { makeSshKey, openDelivery, password } from '../statements/delivery/delivery-fixture.ts';
import { createLive, type Listener } from './live.ts';

async function open() {
  const held = await openDelivery();
  const { database, ids, identity, log } = held;
  const changes = createChanges({ database, clock: systemClock, ids });
  const live = createLive({ database, clock: systemClock, changes, identity, log });
  const ears = [await changes.start(), await live.start()];

  function follow(actor: Actor, asked: { since?: string; clientId?: string } = {}) {
    const seen = { kinds: [] as string[], ids: [] as string[], isOver: false, at: '', resets: 0 };
    const listener: Listener = {
      ready: (id) => void (seen.at = id),
      changed: (change) => void [seen.kinds.push(change.kind), seen.ids.push(change.subject ?? '')],
      reset: () => void (seen.resets += 1),
      end: () => void (seen.isOver = true),
    };
    live.checkMayFollow(actor, asked.clientId);
    const { close } = live.follow(actor, { since: asked.since, clientId: asked.clientId }, listener);
    return Object.assign(seen, { close });
  }

  const signIn = async (login: string): Promise<Actor> =>
    (await identity.signIn({ login, password, origin: { face: 'https', address: '198.51.100.9' } })).actor;

  async function addOperator(login: string, desks: Parameters<typeof held.addOperator>[1]) {
    const { invitation } = await identity.addOperator(systemActor('console'), {
      login,
      name: login,
      desks: [...desks!],
    });
    await identity.acceptInvitation({ token: invitation.token, password, origin: { face: 'https' } });
    return signIn(login);
  }

  return {
    ...held,
    live,
    follow,
    signIn,
    addSignedInOperator: addOperator,
    async [Symbol.asyncDispose]() {
      for (const ear of ears) await ear.close();
      await held[Symbol.asyncDispose]();
    },
  };
}

const isRefused = (code: string) => (thrown: unknown) => thrown instanceof Refusal && thrown.code === code;

test('A client hears of its own notices, requests, keys and delivery, and of nobody else’s', async () => {
  await using t = await open();
  const stranger = await t.addClient('bob');
  const own = t.follow(await t.signIn('ada'));
  const other = t.follow(await t.signIn('bob'));
  assert.notEqual(own.at, '');
  await t.setUp(t.client);
  const expected = ['request', 'key', 'address', 'delivery', 'notice'];
  await eventually(() => expected.every((kind) => own.kinds.includes(kind)));
  // Bob may still hear of being added and of signing in.
  assert.deepEqual(
    other.kinds.filter((kind) => kind !== 'sign_in' && kind !== 'client'),
    [],
  );
  await t.messages.notify(t.database.sql, { clientId: stranger.clientId, kind: 'statement_new', params: {}, atMs: 0 });
  await eventually(() => other.kinds.includes('notice'));
});

test('A desk hears of its queue, and of one client when it asks for it; others may not ask', async () => {
  await using t = await open();
  const dora = await t.addSignedInOperator('delia', ['delivery']);
  const sam = await t.addSignedInOperator('sam', ['service']);
  const [queue, both, service] = [t.follow(dora), t.follow(dora, { clientId: t.client.clientId }), t.follow(sam)];
  await t.setUp(t.client);
  await eventually(() => queue.kinds.includes('request') && both.kinds.includes('key'));
  assert.equal(queue.kinds.includes('key'), false);
  assert.equal(service.kinds.includes('request'), false);
  const ada = await t.signIn('ada');
  for (const actor of [sam, ada]) {
    assert.throws(() => t.follow(actor, { clientId: t.client.clientId }), isRefused('events_forbidden'));
  }
  assert.throws(() => t.follow(systemActor('console')), isRefused('events_forbidden'));
});

test('A stream ends within a second of its sign-in, whoever ends it, and the streams of others stay', async () => {
  await using t = await open();
  const [first, second, bob] = [
    await t.signIn('ada'),
    await t.signIn('ada'),
    await t.addClient('bob').then(() => t.signIn('bob')),
  ];
  const [one, two, other] = [t.follow(first), t.follow(second), t.follow(bob)];
  const startedMs = performance.now();
  await t.identity.endSignIn(second, first.origin.through!);
  await eventually(() => one.isOver);
  assert.ok(performance.now() - startedMs < 1000);
  assert.equal(two.isOver, false);
  await t.identity.suspendClient(t.desk, t.client.clientId, 'asked for');
  await eventually(() => two.isOver);
  assert.equal(other.isOver, false);
  // A sign-in that was over before its stream was opened ends it as well.
  const late = t.follow(first);
  await eventually(() => late.isOver);
});

test('A sign-in holds ten streams in a process, and a closed one makes room', async () => {
  await using t = await open();
  const ada = await t.signIn('ada');
  const streams = Array.from({ length: 10 }, () => t.follow(ada));
  assert.throws(() => t.follow(ada), isRefused('streams_too_many'));
  streams[0]!.close();
  t.follow(ada);
});

test('A refused connection is told to the desk and to every client that it can be attributed to', async () => {
  await using t = await open();
  await t.addClient('bob');
  const [ada, bob] = [t.follow(await t.signIn('ada')), t.follow(await t.signIn('bob'))];
  const desk = t.follow(await t.addSignedInOperator('delia', ['delivery']));
  const running = await t.delivery.start(() => undefined);
  // Ada and Bob signed in to the portal from there, so each of them may be the one that is meant.
  assert.equal(await t.delivery.admit('198.51.100.9'), 'silence');
  t.clock.advance(1000);
  await eventually(() => [ada, bob, desk].every(({ kinds }) => kinds.includes('refusal')));
  const before = bob.kinds.length;
  const { userName } = await t.setUp(t.client);
  await t.delivery.authenticate({ ...t.attempt(userName, makeSshKey()), connectionId: 'c1' });
  ada.kinds.length = 0;
  t.delivery.connectionEnded({
    connectionId: 'c1',
    address: '203.0.113.7',
    user: userName,
    ticket: undefined,
    bytesIn: 0,
    bytesOut: 0,
    endReason: '',
  });
  t.clock.advance(1000);
  await eventually(() => ada.kinds.includes('refusal'));
  assert.equal(bob.kinds.length, before);
  await running.close();
});
