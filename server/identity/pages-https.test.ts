// Signing in by the server's own pages: the form, what it refuses and in whose words, the cookie, the way on, and invitations.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPortalFixture } from '../faces/https/portal-fixture.ts';
import { openTestFace, type TestFace } from '../faces/https/test-face.ts';
import { consoleActor } from '../kernel/actor.ts';
import { createIdentityRoutes } from './https.ts';
import { identityRefusals } from './identity.ts';
import { createIdentityDocuments } from './pages-https.ts';
import { goodPassword, openTestIdentity, type TestIdentity } from './test-identity.ts';

interface Opened extends AsyncDisposable {
  readonly t: TestIdentity;
  readonly face: TestFace;
  /** A form as a browser sends it from our own page; no redirect is followed. */
  send(where: string, form: Record<string, string>, headers?: Record<string, string>): Promise<Response>;
  open(where: string, headers?: Record<string, string>): Promise<Response>;
}

async function open(burst = 5000): Promise<Opened> {
  const t = await openTestIdentity();
  const fixture = await openPortalFixture();
  const { identity, clock } = t;
  const face = await openTestFace({
    routes: createIdentityRoutes({ identity }),
    refusals: [identityRefusals],
    clock,
    findActor: (token, origin) => identity.findActor(token, origin),
    limits: { address: { burst, perSecond: 5000 } },
    portal: {
      files: fixture.files,
      brand: { name: 'Harbour & Vale' },
      documents: createIdentityDocuments({ identity }),
    },
  });
  const ask = (where: string, init: RequestInit): Promise<Response> =>
    fetch(`${face.url}${where}`, { redirect: 'manual', ...init });
  return {
    t,
    face,
    send: (where, form, headers = {}) =>
      ask(where, {
        method: 'POST',
        headers: { origin: face.url, 'sec-fetch-site': 'same-origin', ...headers },
        body: new URLSearchParams(form),
      }),
    open: (where, headers = {}) => ask(where, { headers: { accept: 'text/html', ...headers } }),
    async [Symbol.asyncDispose]() {
      await face[Symbol.asyncDispose]();
      fixture[Symbol.dispose]();
      await t[Symbol.asyncDispose]();
    },
  };
}

test('the form signs in without any script, and leads on to the page that was asked for', async () => {
  await using opened = await open();
  const { t, send, face } = opened;
  await t.addClient('ann.lee');
  const answer = await send('/sign-in', { login: 'Ann.Lee', password: goodPassword, next: '/statements?kind=daily' });
  assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/statements?kind=daily']);
  const cookie = answer.headers.get('set-cookie')!;
  assert.match(cookie, /^broadgate=[A-Za-z0-9_-]{43}; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Strict$/);
  const me = await face.ask('GET', '/v1/me', { headers: { cookie: cookie.split(';')[0]! } });
  assert.equal(me.json.login, 'ann.lee');
});

test('a sign-in never leads to another site, whatever the address or the form says', async () => {
  await using opened = await open();
  const { t, send, open: get } = opened;
  const { token } = await t.addSignedIn('ann.lee');
  for (const next of ['//evil.test', 'https://evil.test', '/\\evil.test', '/..//evil.test', 'javascript:alert(1)']) {
    const sent = await send('/sign-in', { login: 'ann.lee', password: goodPassword, next });
    assert.equal(sent.headers.get('location'), '/', next);
    const query = new URLSearchParams({ next }).toString();
    const back = await get(`/sign-in?${query}`, { cookie: `broadgate=${token}` });
    assert.deepEqual([back.status, back.headers.get('location')], [303, '/'], next);
    assert.doesNotMatch(await (await get(`/sign-in?${query}`)).text(), /evil|javascript/);
  }
});

test("what is wrong is said in the reader's words, the login stays and the password does not", async () => {
  await using opened = await open();
  const { t, send } = opened;
  await t.addClient('ann.lee');
  for (const login of ['ann.lee', 'no.such.login']) {
    const answer = await send('/sign-in', { login, password: 'wrong wrong', next: '/delivery' });
    const page = await answer.text();
    assert.equal(answer.status, 401);
    assert.equal(answer.headers.get('set-cookie'), null);
    assert.match(page, /role="alert"/);
    assert.doesNotMatch(page, /sign_in_refused|wrong wrong/);
    assert.match(page, new RegExp(`name="login" value="${login}"`));
    assert.match(page, /name="next" value="\/delivery"/);
  }
});

test('a login that is locked is told so, with when to come back', async () => {
  await using opened = await open();
  const { t, send } = opened;
  await t.addClient('ann.lee');
  for (let failures = 0; failures < 10; failures += 1) await send('/sign-in', { login: 'ann.lee', password: 'wrong' });
  const answer = await send('/sign-in', { login: 'ann.lee', password: goodPassword });
  assert.equal(answer.status, 429);
  assert.equal(answer.headers.get('retry-after'), String(24 * 3600));
  assert.match(await answer.text(), /role="alert"/);
});

test('who sends the form too often is told so on a page, in the language of the reader, with the way back', async () => {
  await using opened = await open(1);
  const headers = { 'accept-language': 'de' };
  const answer = await opened.send('/sign-in', { login: 'ann.lee', password: 'wrong' }, headers);
  assert.equal(answer.status, 429);
  assert.match(answer.headers.get('content-type') ?? '', /^text\/html/);
  assert.match(answer.headers.get('content-security-policy') ?? '', /trusted-types/);
  const page = await answer.text();
  assert.match(page, /<html lang="de"/);
  assert.match(page, /role="alert">Zu viele Anfragen/);
  assert.match(page, /<a href="\/sign-in">/);
});

test('what a stranger types into the form or the address comes back as text, never as markup', async () => {
  await using opened = await open();
  const hostile = '"><script>alert(1)</script>';
  const pages = [
    await opened.send('/sign-in', { login: hostile, password: 'x', next: `/x${hostile}` }),
    await opened.open(
      `/sign-in?${new URLSearchParams({ login: hostile, next: `/x${hostile}`, note: hostile }).toString()}`,
    ),
    await opened.send('/invitation', { token: hostile, password: 'a', repeat: 'b' }),
  ];
  for (const page of pages) assert.doesNotMatch(await page.text(), /<script>|alert\(1\)<\/script>/);
});

test('a form from another site signs nobody in', async () => {
  await using opened = await open();
  const { t, send } = opened;
  await t.addClient('ann.lee');
  const form = { login: 'ann.lee', password: goodPassword };
  const foreign: readonly Record<string, string>[] = [
    { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' },
    { origin: 'null', 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ];
  for (const headers of foreign) {
    const answer = await send('/sign-in', form, headers);
    assert.equal(answer.status, 403, JSON.stringify(headers));
    assert.equal(answer.headers.get('set-cookie'), null);
  }
});

test('the page is kept nowhere, loads only files of our own, and stands in no frame', async () => {
  await using opened = await open();
  for (const where of ['/sign-in', '/invitation']) {
    const { headers } = await opened.open(where);
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('x-frame-options'), 'DENY');
    assert.equal(headers.get('referrer-policy'), 'same-origin');
    const policy = headers.get('content-security-policy')!;
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.match(policy, /form-action 'self'/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*|data:/);
  }
});

test('the page speaks the language that the browser asks for, until the reader chooses another', async () => {
  await using opened = await open();
  const plain = await (await opened.open('/sign-in', { 'accept-language': 'ar-EG' })).text();
  assert.match(plain, /<html lang="ar" dir="rtl">/);
  const chosen = await opened.open('/sign-in?language=pt&next=/delivery');
  assert.deepEqual([chosen.status, chosen.headers.get('location')], [303, '/sign-in?next=%2Fdelivery']);
  assert.match(chosen.headers.get('set-cookie')!, /^language=pt; Max-Age=31536000; Path=\/; SameSite=Lax$/);
  const page = await (await opened.open('/sign-in', { cookie: 'language=pt', 'accept-language': 'ar' })).text();
  assert.match(page, /<html lang="pt" dir="ltr">/);
  assert.equal((await opened.open('/sign-in?language=xx')).status, 200);
});

test('an invitation sets a password once, and says what is wrong with one', async () => {
  await using opened = await open();
  const { t, send } = opened;
  const client = { kind: 'person', name: 'Ann', login: 'ann.lee', accountNumbers: ['U1'] } as const;
  const { invitation } = await t.identity.addClient(consoleActor, client);
  const { token } = invitation;
  const tried: readonly [Record<string, string>, number][] = [
    [{ token, password: goodPassword, repeat: 'another' }, 400],
    [{ token, password: 'short', repeat: 'short' }, 400],
    [{ token: 'x'.repeat(43), password: goodPassword, repeat: goodPassword }, 404],
    [{ token: '', password: goodPassword, repeat: goodPassword }, 404],
  ];
  for (const [form, status] of tried) {
    const answer = await send('/invitation', form);
    assert.equal(answer.status, status, JSON.stringify(form));
    assert.match(await answer.text(), /role="alert"/);
  }
  const whole = `https://broker.example/invitation#${token}`;
  const answer = await send('/invitation', { token: whole, password: goodPassword, repeat: goodPassword });
  assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/sign-in?note=password-set&login=ann.lee']);
  assert.equal((await send('/invitation', { token, password: goodPassword, repeat: goodPassword })).status, 404);
  assert.equal((await send('/sign-in', { login: 'ann.lee', password: goodPassword })).status, 303);
});

test('a form of any other kind or size is declined', async () => {
  await using opened = await open();
  const { face } = opened;
  const headers = { origin: face.url, 'content-type': 'application/json' };
  const json = await face.ask('POST', '/sign-in', { body: '{"login":"a"}', headers });
  assert.equal(json.status, 415);
  const large = await opened.send('/sign-in', { login: 'x', password: 'y'.repeat(20_000) });
  assert.equal(large.status, 413);
  const strange = await opened.send('/sign-in', { login: 'a\0b', password: `x${'y'.repeat(2000)}` });
  assert.equal(strange.status, 401);
});
