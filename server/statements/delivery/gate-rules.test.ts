// One sign-in decided from its facts, row by row, and the order in which the facts count.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain, refusalReasons } from '../connections/rules.ts';
import { decideSignIn, isAddressListed, type KnownFacts, mayStay, type SignInQuestion } from './gate-rules.ts';

const nowMs = Date.UTC(2026, 10, 24, 12);
const asked: SignInQuestion = {
  method: 'publickey',
  fingerprint: 'SHA256:offered',
  algorithm: 'ssh-ed25519',
  fault: undefined,
  nowMs,
  zone: 'America/New_York',
};
const good: KnownFacts = {
  clientId: 'client',
  clientState: 'active',
  state: 'configured',
  keyState: 'active',
  keyExpiresAtMs: null,
  keyEndedAtMs: null,
  listedWidth: 32,
  blockedWidth: null,
};
const decide = (question: Partial<SignInQuestion>, facts: Partial<KnownFacts>): string => {
  const decision = decideSignIn({ ...asked, ...question }, { ...good, ...facts });
  return decision.verdict === 'accept' ? 'accept' : `${decision.verdict} ${decision.reason ?? '-'}`;
};

test('SF-05: user name, registered key and listed address together are let in, and nothing less is', () => {
  const table: [Partial<SignInQuestion>, Partial<KnownFacts>, string][] = [
    [{}, {}, 'accept'],
    [{}, { state: 'proven' }, 'accept'],
    [{}, { clientId: null, state: null, keyState: null, listedWidth: null }, 'reject unknown_user'],
    [{}, { clientState: 'suspended' }, 'reject client_suspended'],
    [{}, { clientState: 'closed' }, 'reject client_suspended'],
    [{}, { clientState: undefined }, 'reject client_suspended'],
    [{}, { state: 'suspended' }, 'reject connection_suspended'],
    [{}, { state: 'closed' }, 'reject connection_closed'],
    [{}, { state: 'waiting_for_approval', listedWidth: null }, 'reject not_configured'],
    [{}, { state: 'elected' }, 'reject not_configured'],
    [{}, { listedWidth: null }, 'hold address_not_yours'],
    [{}, { listedWidth: 24, blockedWidth: 28 }, 'hold address_blocked'],
    [{}, { listedWidth: 28, blockedWidth: 28 }, 'hold address_blocked'],
    [{}, { listedWidth: 28, blockedWidth: 24 }, 'accept'],
    [{}, { keyState: null }, 'reject key_not_registered'],
    [{}, { keyState: 'checked' }, 'reject key_waiting'],
    [{}, { keyState: 'approved' }, 'reject key_waiting'],
    [{}, { keyState: 'replaced', keyEndedAtMs: nowMs }, 'reject key_replaced'],
    [{}, { keyState: 'revoked', keyEndedAtMs: nowMs }, 'reject key_revoked'],
    [{}, { keyState: 'expired', keyExpiresAtMs: nowMs }, 'reject key_expired'],
    [{}, { keyExpiresAtMs: nowMs + 1 }, 'accept'],
    [{}, { keyExpiresAtMs: nowMs }, 'reject key_expired'],
    [{ fault: 'signature_wrong' }, {}, 'reject signature_wrong'],
    [{ fault: 'algorithm_not_offered', algorithm: 'ssh-rsa' }, {}, 'reject signature_algorithm_old'],
    [{ fault: 'key_malformed', fingerprint: undefined }, {}, 'reject key_unfit'],
    [{ fault: 'key_too_small' }, {}, 'reject key_unfit'],
    [{ fingerprint: undefined }, { keyState: null }, 'reject key_unfit'],
  ];
  for (const [question, facts, expected] of table) assert.equal(decide(question, facts), expected);
});

test('SF-21: no method but a key is ever let in, whatever else is right', () => {
  const methods = ['none', 'password', 'keyboard-interactive', 'hostbased', 'gssapi-with-mic', ''];
  const expected = ['-', 'password_offered', 'password_offered', 'method_not_offered', 'method_not_offered'];
  for (const [index, method] of methods.entries()) {
    assert.equal(decide({ method }, {}), `reject ${expected[index] ?? 'method_not_offered'}`);
  }
});

test('a stranger learns nothing: an address on another list is held only for a name whose connection is open', () => {
  const elsewhere = { listedWidth: null };
  assert.match(decide({}, { ...elsewhere, clientId: null, state: null }), /^reject/);
  assert.match(decide({}, { ...elsewhere, state: 'waiting_for_keys' }), /^reject/);
  assert.match(decide({}, { ...elsewhere, clientState: 'suspended' }), /^reject/);
  assert.match(decide({}, elsewhere), /^hold/);
  assert.match(decide({ method: 'password' }, elsewhere), /^hold/);
});

test('an open connection stays as long as everything that it stands on', () => {
  const live = { ...good, isListed: isAddressListed(good), clientState: 'active' };
  assert.equal(mayStay(live, nowMs), true);
  for (const change of [
    { keyState: 'replaced' as const },
    { keyState: null },
    { keyExpiresAtMs: nowMs },
    { state: 'suspended' as const },
    { state: null },
    { isListed: false },
    { clientState: 'suspended' },
    { clientState: undefined },
  ]) {
    assert.equal(mayStay({ ...live, ...change }, nowMs), false, JSON.stringify(change));
  }
});

test('SF-X9: every reason has a cause and an advice, with nothing left to fill', () => {
  const values = Object.fromEntries(
    ['address', 'user', 'fingerprint', 'on', 'fault', 'algorithm', 'method', 'detail'].map((name) => [
      name,
      `<${name}>`,
    ]),
  );
  for (const reason of refusalReasons) {
    const { cause, whatToDo } = explain(reason, values);
    assert.ok(cause.endsWith('.') && whatToDo.endsWith('.'), reason);
    assert.ok(!`${cause}${whatToDo}`.includes('{') && !cause.includes('unknown'), reason);
  }
});
