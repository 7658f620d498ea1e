// Signing in on a real database: passwords, lock-out, tokens, one-time links, and what ends a sign-in.
import assert from 'node:assert/strict';
import test from 'node:test';
import { consoleActor } from '../kernel/actor.ts';
import { codeOf, from, goodPassword, home, openTestIdentity, type TestIdentity } from './test-identity.ts';

const hourMs = 3_600_000;
const signIn = (t: TestIdentity, login: string, password: string, address: string) =>
  codeOf(t.identity.signIn({ login, password, origin: from(address) }));

async function fail(t: TestIdentity, times: number, login: string, address: string): Promise<void> {
  for (let n = 0; n < times; n += 1) assert.equal(await signIn(t, login, 'wrong', address), 'sign_in_refused');
}

test('a person signs in by login in any case, and the token stands for them until it is ended', async () => {
  await using t = await openTestIdentity();
  const { clientId, loginId } = await t.addClient('ann.lee');
  const { token, signInId, actor } = await t.identity.signIn({
    login: ' Ann.LEE ',
    password: goodPassword,
    origin: home,
  });
  assert.deepEqual(actor, { kind: 'client', clientId, loginId, origin: { ...home, through: signInId } });
  assert.deepEqual(await t.identity.findActor(token, from('198.51.100.1')), {
    ...actor,
    origin: { ...from('198.51.100.1'), through: signInId },
  });
  await t.identity.signOut(actor);
  assert.equal(await t.identity.findActor(token, home), undefined);
});

test('a token that is altered, empty, long or somebody else’s hash opens nothing', async () => {
  await using t = await openTestIdentity();
  const { token } = await t.addSignedIn('ann.lee');
  const flipped = (token.startsWith('A') ? 'B' : 'A') + token.slice(1);
  const [row] = await t.sql<{ hash: string }>`select token_hash as hash from sign_ins limit 1`;
  for (const tried of [flipped, '', `${token}A`, 'x'.repeat(5000), row!.hash, row!.hash.slice(0, 43)]) {
    assert.equal(await t.identity.findActor(tried, home), undefined);
  }
  const [leak] = await t.sql<{ found: number }>`
    select count(*)::int as found from sign_ins s where row_to_json(s)::text like '%' || ${token} || '%'`;
  assert.equal(leak!.found, 0, 'the database never holds a token itself');
});

test('an unknown login and a wrong password get the same answer after the same work', async () => {
  await using t = await openTestIdentity();
  await t.addClient('ann.lee');
  await t.identity.addClient(consoleActor, { kind: 'person', name: 'B', login: 'not.set.up', accountNumbers: ['U1'] });
  const answers = [];
  for (const login of ['ann.lee', 'nobody.here', 'not.set.up', '']) {
    const before = t.identity.passwordHashes();
    const code = await signIn(t, login, 'wrong password', '198.51.100.1');
    answers.push([code, t.identity.passwordHashes() - before]);
  }
  assert.deepEqual(
    answers,
    Array.from({ length: 4 }, () => ['sign_in_refused', 1]),
  );
});

test('IK-X9: ten failures lock the login for strangers for 24 hours, even with the right password', async () => {
  await using t = await openTestIdentity();
  await t.addClient('ann.lee');
  await fail(t, 9, 'ann.lee', '198.51.100.1');
  assert.equal(await signIn(t, 'ann.lee', goodPassword, '198.51.100.2'), 'ok', 'nine failures lock nobody out');
  await fail(t, 1, 'ann.lee', '198.51.100.1');
  assert.equal(await signIn(t, 'ann.lee', goodPassword, '198.51.100.1'), 'sign_in_locked');
  assert.equal(await signIn(t, 'ann.lee', goodPassword, '198.51.100.3'), 'sign_in_locked', 'another stranger');
  t.clock.advance(24 * hourMs - 1);
  assert.equal(await signIn(t, 'ann.lee', goodPassword, '198.51.100.1'), 'sign_in_locked');
  t.clock.advance(1);
  assert.equal(await signIn(t, 'ann.lee', goodPassword, '198.51.100.1'), 'ok');
});

test('IK-X9: a stranger cannot lock out a source that signed in within 30 days', async () => {
  await using t = await openTestIdentity();
  await t.addSignedIn('ann.lee');
  await fail(t, 10, 'ann.lee', '198.51.100.1');
  t.clock.advance(30 * 24 * hourMs - 1);
  await fail(t, 10, 'ann.lee', '198.51.100.1');
  assert.equal(
    await signIn(t, 'ann.lee', goodPassword, home.address!),
    'ok',
    'a millisecond before the 30 days are over',
  );
});

test('IK-X9: a source that signed in 30 days ago is a stranger again', async () => {
  await using t = await openTestIdentity();
  await t.addSignedIn('ann.lee');
  t.clock.advance(30 * 24 * hourMs);
  await fail(t, 10, 'ann.lee', '198.51.100.1');
  assert.equal(await signIn(t, 'ann.lee', goodPassword, home.address!), 'sign_in_locked');
});

test('IK-X9: the known source has a limit of its own, and a success sets it back', async () => {
  await using t = await openTestIdentity();
  await t.addSignedIn('ann.lee');
  await fail(t, 9, 'ann.lee', home.address!);
  assert.equal(await signIn(t, 'ann.lee', goodPassword, home.address!), 'ok');
  await fail(t, 10, 'ann.lee', home.address!);
  assert.equal(await signIn(t, 'ann.lee', goodPassword, home.address!), 'sign_in_locked');
  assert.equal(await signIn(t, 'ann.lee', goodPassword, '198.51.100.1'), 'ok', 'strangers have another counter');
});

test('IK-X9: a lock concerns one login and tells nothing about whether it exists', async () => {
  await using t = await openTestIdentity();
  await t.addClient('ann.lee');
  await t.addClient('bob.ray');
  for (const login of ['ann.lee', 'nobody.here']) {
    await fail(t, 10, login, '198.51.100.1');
    const before = t.identity.passwordHashes();
    assert.equal(await signIn(t, login, goodPassword, '198.51.100.1'), 'sign_in_locked');
    assert.equal(t.identity.passwordHashes(), before, 'a locked login costs no work');
  }
  assert.equal(await signIn(t, 'bob.ray', goodPassword, '198.51.100.1'), 'ok');
});

test('IK-X9: guesses sent all at once are counted one after the other', async () => {
  await using t = await openTestIdentity();
  await t.addClient('ann.lee');
  const codes = await Promise.all(Array.from({ length: 30 }, () => signIn(t, 'ann.lee', 'wrong', '198.51.100.1')));
  assert.equal(codes.filter((code) => code === 'sign_in_refused').length, 10);
  assert.equal(codes.filter((code) => code === 'sign_in_locked').length, 20);
});

test('IK-X9: a new password from the desk opens the lock', async () => {
  await using t = await openTestIdentity();
  const { loginId } = await t.addClient('ann.lee');
  await fail(t, 10, 'ann.lee', '198.51.100.1');
  const { invitation } = await t.identity.resetPassword(consoleActor, loginId);
  assert.equal(await signIn(t, 'ann.lee', goodPassword, '198.51.100.1'), 'sign_in_locked');
  await t.identity.acceptInvitation({ token: invitation.token, password: 'four brown owls', origin: home });
  assert.equal(await signIn(t, 'ann.lee', 'four brown owls', '198.51.100.1'), 'ok');
});

test('a sign-in ends half an hour after its last use and twelve hours after it was opened', async () => {
  await using t = await openTestIdentity();
  const { token } = await t.addSignedIn('ann.lee');
  for (let n = 0; n < 24; n += 1) {
    t.clock.advance(hourMs / 2 - 1);
    assert.ok(await t.identity.findActor(token, home), `use ${n}`);
  }
  t.clock.advance(24);
  assert.equal(await t.identity.findActor(token, home), undefined, 'twelve hours are over');
  const again = await t.identity.signIn({ login: 'ann.lee', password: goodPassword, origin: home });
  t.clock.advance(hourMs / 2);
  assert.equal(await t.identity.findActor(again.token, home), undefined, 'half an hour without use');
});

test('a token for scripts outlives sign-ins, ends on its day, and is revoked by its owner alone', async () => {
  await using t = await openTestIdentity();
  const ann = await t.addSignedIn('ann.lee');
  const bob = await t.addSignedIn('bob.ray');
  const asked = { name: 'nightly fetch', expiresInDays: 2, password: goodPassword };
  const first = await t.identity.createToken(ann.actor, asked);
  const second = await t.identity.createToken(ann.actor, asked);
  t.clock.advance(48 * hourMs - 1);
  assert.ok(await t.identity.findActor(first.token, home));
  assert.equal(await codeOf(t.identity.endSignIn(bob.actor, second.tokenId)), 'sign_in_not_found');
  assert.equal(await codeOf(t.identity.endSignIn(ann.actor, second.tokenId)), 'ok');
  assert.equal(await t.identity.findActor(second.token, home), undefined);
  t.clock.advance(1);
  assert.equal(await t.identity.findActor(first.token, home), undefined);
});

test('a token needs the password afresh, a name, and a life of one day to 366', async () => {
  await using t = await openTestIdentity();
  const { actor } = await t.addSignedIn('ann.lee');
  const cases = [
    [{}, 'ok'],
    [{ expiresInDays: 366 }, 'ok'],
    [{ expiresInDays: 367 }, 'token_malformed'],
    [{ expiresInDays: 0 }, 'token_malformed'],
    [{ expiresInDays: 1.5 }, 'token_malformed'],
    [{ name: ' ' }, 'token_malformed'],
    [{ password: 'wrong' }, 'password_wrong'],
  ] as const;
  for (const [part, code] of cases) {
    const asked = { name: 'n', expiresInDays: 1, password: goodPassword, ...part };
    assert.equal(await codeOf(t.identity.createToken(actor, asked)), code, JSON.stringify(part));
  }
});

test('a login holds at most fifty tokens', async () => {
  await using t = await openTestIdentity();
  const { actor } = await t.addSignedIn('ann.lee');
  const make = () => codeOf(t.identity.createToken(actor, { name: 'n', expiresInDays: 1, password: goodPassword }));
  for (let n = 0; n < 50; n += 1) assert.equal(await make(), 'ok');
  assert.equal(await make(), 'tokens_too_many');
  t.clock.advance(24 * hourMs);
  const again = await t.identity.signIn({ login: 'ann.lee', password: goodPassword, origin: home });
  const asked = { name: 'n', expiresInDays: 1, password: goodPassword };
  assert.equal(await codeOf(t.identity.createToken(again.actor, asked)), 'ok', 'expired tokens do not count');
});

test('a one-time link opens once, within 72 hours, and a newer one takes its place', async () => {
  await using t = await openTestIdentity();
  const asked = { kind: 'person', name: 'Ann', login: 'ann.lee', accountNumbers: ['U1'] };
  const { loginId, invitation } = await t.identity.addClient(consoleActor, asked);
  const accept = (token: string, password = goodPassword) =>
    codeOf(t.identity.acceptInvitation({ token, password, origin: home }));
  assert.equal(await accept(invitation.token, 'short'), 'password_too_short');
  const newer = (await t.identity.resetPassword(consoleActor, loginId)).invitation;
  assert.equal(await accept(invitation.token), 'invitation_invalid');
  t.clock.advance(72 * hourMs - 1);
  assert.equal(await accept(newer.token, 'short'), 'password_too_short', 'a refused password does not use the link up');
  const codes = await Promise.all([accept(newer.token), accept(newer.token)]);
  assert.deepEqual(codes.sort(), ['invitation_invalid', 'ok'], 'of two at once, one');
  const late = (await t.identity.resetPassword(consoleActor, loginId)).invitation;
  t.clock.advance(72 * hourMs);
  assert.equal(await accept(late.token), 'invitation_invalid');
});

test('a password reset ends the old password, every sign-in and every token at once', async () => {
  await using t = await openTestIdentity();
  const { loginId, token, actor } = await t.addSignedIn('ann.lee');
  const script = await t.identity.createToken(actor, { name: 'n', expiresInDays: 9, password: goodPassword });
  await t.identity.resetPassword(consoleActor, loginId);
  assert.equal(await t.identity.findActor(token, home), undefined);
  assert.equal(await t.identity.findActor(script.token, home), undefined);
  assert.equal(await signIn(t, 'ann.lee', goodPassword, home.address!), 'sign_in_refused');
});

test('changing the password needs the old one and keeps only the sign-in that did it', async () => {
  await using t = await openTestIdentity();
  const here = await t.addSignedIn('ann.lee');
  const other = await t.identity.signIn({ login: 'ann.lee', password: goodPassword, origin: home });
  const change = (currentPassword: string, newPassword: string) =>
    codeOf(t.identity.changePassword(here.actor, { currentPassword, newPassword }));
  assert.equal(await change('wrong', 'four brown owls'), 'password_wrong');
  assert.equal(await change(goodPassword, 'ann.lee owls'), 'password_too_plain');
  assert.equal(await change(goodPassword, 'four brown owls'), 'ok');
  assert.ok(await t.identity.findActor(here.token, home));
  assert.equal(await t.identity.findActor(other.token, home), undefined);
  assert.equal(await signIn(t, 'ann.lee', goodPassword, home.address!), 'sign_in_refused');
  assert.equal(await signIn(t, 'ann.lee', 'four brown owls', home.address!), 'ok');
});

test('a confirmation needs the password afresh, counts failures for the lock-out, and records what was shown', async () => {
  await using t = await openTestIdentity();
  const { actor, loginId } = await t.addSignedIn('ann.lee');
  const shown = 'SHA256:abc';
  const given = await t.identity.confirm(actor, { password: goodPassword, shown });
  assert.deepEqual(given, { loginId, shown, confirmedAtMs: t.clock.nowMs() });
  const [entry] = await t.sql<{ detail: object }>`select detail from audit where action = 'confirmation.give'`;
  assert.deepEqual(entry, { detail: { shown } });
  for (let n = 0; n < 10; n += 1)
    assert.equal(await codeOf(t.identity.checkFreshPassword(actor, 'wrong')), 'password_wrong');
  assert.equal(await codeOf(t.identity.checkFreshPassword(actor, goodPassword)), 'sign_in_locked');
  assert.equal(await codeOf(t.identity.confirm(consoleActor, { password: goodPassword, shown })), 'person_only');
});

test('a person lists the own sign-ins in pages, the newest first, and nobody else’s', async () => {
  await using t = await openTestIdentity();
  const { actor } = await t.addSignedIn('ann.lee');
  await t.addSignedIn('bob.ray');
  for (let n = 0; n < 4; n += 1) {
    t.clock.advance(1000);
    await t.identity.signIn({ login: 'ann.lee', password: goodPassword, origin: home });
  }
  const seen: number[] = [];
  let after: string | undefined;
  do {
    const page = await t.identity.listSignIns(actor, { limit: 2, after });
    seen.push(...page.items.map((item) => item.createdAtMs));
    after = page.next;
  } while (after !== undefined);
  assert.equal(seen.length, 5);
  assert.deepEqual(
    seen,
    [...seen].sort((a, b) => b - a),
  );
});

test('where a client signed in from is known for 30 days, the newest first, each address once', async () => {
  await using t = await openTestIdentity();
  const { clientId } = await t.addSignedIn('ann.lee');
  await t.addSignedIn('bob.ray');
  t.clock.advance(1000);
  await t.identity.signIn({ login: 'ann.lee', password: goodPassword, origin: from('2001:db8::7') });
  await t.identity.signIn({ login: 'ann.lee', password: goodPassword, origin: from('2001:db8::7') });
  assert.deepEqual(await t.identity.lastSignInAddresses(t.sql, clientId), ['2001:db8::7', home.address]);
  t.clock.advance(30 * 24 * hourMs - 1000);
  assert.deepEqual(await t.identity.lastSignInAddresses(t.sql, clientId), ['2001:db8::7']);
});

test('counters and sign-ins that say nothing any more are dropped, and nothing else', async () => {
  await using t = await openTestIdentity();
  const { token } = await t.addSignedIn('ann.lee');
  await fail(t, 10, 'ann.lee', '198.51.100.1');
  assert.equal(await t.identity.purge(t.sql), 0);
  t.clock.advance(48 * hourMs + 1);
  assert.equal(await t.identity.purge(t.sql), 1, 'the counter');
  t.clock.advance(400 * 24 * hourMs);
  assert.equal(await t.identity.purge(t.sql), 1, 'the sign-in');
  assert.equal(await t.identity.findActor(token, home), undefined);
});

test('no password and no token stands in the audit trail', async () => {
  await using t = await openTestIdentity();
  const { actor, token } = await t.addSignedIn('ann.lee');
  await fail(t, 1, 'my password typed as login', '198.51.100.1');
  await t.identity.changePassword(actor, { currentPassword: goodPassword, newPassword: 'four brown owls' });
  const rows = await t.sql<{ text: string }>`select row_to_json(a)::text as text from audit a`;
  assert.ok(rows.length >= 4);
  for (const { text } of rows) {
    for (const secret of [goodPassword, 'four brown owls', token, 'typed as login']) assert.ok(!text.includes(secret));
  }
});
