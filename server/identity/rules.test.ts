// The decisions of identity as tables: both sides of every limit.
import assert from 'node:assert/strict';
import test from 'node:test';
import { consoleActor, type Actor, type Desk } from '../kernel/actor.ts';
import { Refusal } from '../kernel/refusal.ts';
import * as rules from './rules.ts';

const settings = rules.defaultSettings;
const hourMs = 3_600_000;
const operatorAt = (...desks: Desk[]): Actor => ({
  kind: 'operator',
  operatorId: 'o1',
  desks,
  origin: { face: 'https' },
});
const client: Actor = { kind: 'client', clientId: 'c1', origin: { face: 'https' } };

function codeOf(work: () => void): string {
  try {
    work();
    return 'ok';
  } catch (thrown) {
    assert.ok(thrown instanceof Refusal);
    return thrown.code;
  }
}

test('IK-X9: the tenth failure within 24 hours locks for 24 hours, the ninth does not', () => {
  let counter = rules.freshCounter;
  for (let n = 1; n <= 9; n += 1) counter = rules.countFailure(counter, n * 1000, settings);
  assert.equal(rules.lockedForMs(counter, 9000), 0);
  counter = rules.countFailure(counter, 10_000, settings);
  assert.equal(rules.lockedForMs(counter, 10_000), 24 * hourMs);
  assert.equal(rules.lockedForMs(counter, 10_000 + 24 * hourMs - 1), 1);
  assert.equal(rules.lockedForMs(counter, 10_000 + 24 * hourMs), 0);
});

test('IK-X9: a failure counts for 24 hours and not a millisecond longer', () => {
  for (const [laterMs, isLocked] of [
    [24 * hourMs - 1, true],
    [24 * hourMs, false],
  ] as const) {
    let counter = rules.countFailure(rules.freshCounter, 0, settings);
    for (let n = 2; n <= 10; n += 1) counter = rules.countFailure(counter, laterMs, settings);
    assert.equal(rules.lockedForMs(counter, laterMs) > 0, isLocked, `first failure ${laterMs} ms before the tenth`);
  }
});

test('after a lock has passed, counting starts afresh', () => {
  let counter = rules.freshCounter;
  for (let n = 1; n <= 10; n += 1) counter = rules.countFailure(counter, 0, settings);
  counter = rules.countFailure(counter, 24 * hourMs, settings);
  assert.deepEqual(counter, { failedAtMs: [24 * hourMs], lockedUntilMs: 0 });
});

test('strangers to a login share one counter, a known source has its own, and another login has others', () => {
  const strangers = rules.counterOf('ann', undefined);
  assert.equal(strangers, rules.counterOf(' ANN ', undefined));
  assert.equal(
    new Set([
      strangers,
      rules.counterOf('ann', '1.1.1.1'),
      rules.counterOf('ann', '2.2.2.2'),
      rules.counterOf('bob', undefined),
    ]).size,
    4,
  );
  assert.ok(strangers.startsWith(rules.counterPrefix('ann')) && !strangers.includes('ann'));
});

test('a source is an IPv4 address or the 64-bit prefix of an IPv6 one', () => {
  const cases = [
    ['203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::', 'fe80:0:0:0::/64'],
    [undefined, 'none'],
  ] as const;
  for (const [address, source] of cases) assert.equal(rules.sourceOf(address), source);
});

test('a sign-in ends at its life or when left idle; a token for scripts may idle; what was ended stays ended', () => {
  const life = { sort: 'password', usedAtMs: 0, expiresAtMs: 12 * hourMs, endedAtMs: undefined } as const;
  assert.equal(rules.isAlive(life, hourMs / 2 - 1, settings), true);
  assert.equal(rules.isAlive(life, hourMs / 2, settings), false);
  assert.equal(rules.isAlive({ ...life, usedAtMs: 12 * hourMs - 2 }, 12 * hourMs - 1, settings), true);
  assert.equal(rules.isAlive({ ...life, usedAtMs: 12 * hourMs - 2 }, 12 * hourMs, settings), false);
  assert.equal(rules.isAlive({ ...life, sort: 'token' }, 12 * hourMs - 1, settings), true);
  assert.equal(rules.isAlive({ ...life, sort: 'token' }, 12 * hourMs, settings), false);
  assert.equal(rules.isAlive({ ...life, endedAtMs: 0 }, 0, settings), false);
});

test('a password is refused when it is short, huge or easy to guess, and taken otherwise', () => {
  const cases = [
    ['ninechars', 'password_too_short'],
    ['tenchars-x', 'ok'],
    ['\u{1f980}'.repeat(9), 'password_too_short'],
    ['a😀bc'.repeat(3) + 'x'.repeat(1008), 'password_too_long'],
    ['abcabcabcabc', 'password_too_plain'],
    ['aaaaaaaaaaaa', 'password_too_plain'],
    ['my Ann.Lee 2026!', 'password_too_plain'],
    ['pässwörd mit umlaut', 'ok'],
  ] as const;
  for (const [password, code] of cases) {
    assert.equal(
      codeOf(() => rules.checkPassword(password, 'ann.lee', settings)),
      code,
      password.slice(0, 20),
    );
  }
});

test('clients are looked after at the delivery and service desks, operators at the operations desk, and both on the console', () => {
  const cases: [Actor, string, string][] = [
    [operatorAt('delivery'), 'ok', 'desk_only'],
    [operatorAt('service'), 'ok', 'desk_only'],
    [operatorAt('operations'), 'desk_only', 'ok'],
    [operatorAt('dealing', 'diagnostics', 'compliance'), 'desk_only', 'desk_only'],
    [client, 'desk_only', 'desk_only'],
    [consoleActor, 'ok', 'ok'],
  ];
  for (const [actor, forClients, forOperators] of cases) {
    assert.equal(
      codeOf(() => rules.checkClientDesk(actor)),
      forClients,
    );
    assert.equal(
      codeOf(() => rules.checkOperationsDesk(actor)),
      forOperators,
    );
  }
});

test('a login that is not yours to reset and a login that is not there are the same', () => {
  const ofClient = { operatorId: null, state: 'active' };
  const ofOperator = { operatorId: 'o2', state: 'active' };
  const cases: [Actor, { operatorId: string | null; state: string } | undefined, string][] = [
    [operatorAt('delivery'), ofClient, 'ok'],
    [operatorAt('delivery'), { ...ofClient, state: 'suspended' }, 'ok'],
    [operatorAt('delivery'), { ...ofClient, state: 'closed' }, 'login_not_found'],
    [operatorAt('delivery'), ofOperator, 'login_not_found'],
    [operatorAt('delivery'), undefined, 'login_not_found'],
    [operatorAt('operations'), ofOperator, 'ok'],
    [operatorAt('operations'), ofClient, 'login_not_found'],
    [operatorAt('dealing'), ofClient, 'desk_only'],
    [operatorAt('dealing'), undefined, 'desk_only'],
    [client, ofClient, 'desk_only'],
  ];
  for (const [actor, login, code] of cases)
    assert.equal(
      codeOf(() => rules.checkMayReset(actor, login)),
      code,
    );
});

test('what a desk or a file gives for a new client is checked field by field', () => {
  const fine = { kind: 'person', name: 'Ann Lee', login: 'ann.lee', accountNumbers: ['U-1'] };
  const cases: [Partial<rules.NewClient>, string][] = [
    [{}, 'ok'],
    [{ email: 'ann@example.test', locale: 'pt-BR' }, 'ok'],
    [{ kind: 'robot' }, 'kind_malformed'],
    [{ name: '  ' }, 'name_malformed'],
    [{ name: 'a\u0000b' }, 'name_malformed'],
    [{ name: 'x'.repeat(201) }, 'name_malformed'],
    [{ name: 'x'.repeat(200) }, 'ok'],
    [{ login: 'ab' }, 'login_malformed'],
    [{ login: 'abc' }, 'ok'],
    [{ login: '.abc' }, 'login_malformed'],
    [{ login: 'a b c' }, 'login_malformed'],
    [{ login: 'x'.repeat(65) }, 'login_malformed'],
    [{ email: 'no address' }, 'email_malformed'],
    [{ email: 'two@at@signs.test' }, 'email_malformed'],
    [{ locale: 'english please' }, 'locale_malformed'],
    [{ accountNumbers: [] }, 'account_malformed'],
    [{ accountNumbers: ['U1', 'U1'] }, 'account_malformed'],
    [{ accountNumbers: ['../etc'] }, 'account_malformed'],
    [{ accountNumbers: ['x'.repeat(33)] }, 'account_malformed'],
  ];
  for (const [part, code] of cases) {
    assert.equal(
      codeOf(() => rules.checkNewClient({ ...fine, ...part })),
      code,
      JSON.stringify(part).slice(0, 60),
    );
  }
});
