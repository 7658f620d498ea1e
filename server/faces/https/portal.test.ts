// The portal over the real port: who gets the application, what is kept for good, what is kept nowhere, and what a page may load.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import type { Actor } from '../../kernel/actor.ts';
import { Refusal } from '../../kernel/refusal.ts';
import { openPortalFiles } from './portal-files.ts';
import { openPortalFixture, script } from './portal-fixture.ts';
import { openTestFace, type TestFace } from './test-face.ts';

const token = 'a-token-of-somebody-who-is-in';
const somebody: Actor = { kind: 'client', clientId: 'c', loginId: 'l', origin: { face: 'https' } };
const signedIn = { cookie: `broadgate=${token}` };
const browser = { accept: 'text/html,application/xhtml+xml', 'sec-fetch-site': 'none' };

async function open(name = 'Harbour & <Vale>'): Promise<AsyncDisposable & { readonly face: TestFace }> {
  const fixture = await openPortalFixture();
  const portal = { files: fixture.files, brand: { name }, documents: [] };
  const face = await openTestFace({ routes: [], refusals: [], portal }, { [token]: somebody });
  return {
    face,
    async [Symbol.asyncDispose]() {
      await face[Symbol.asyncDispose]();
      fixture[Symbol.dispose]();
    },
  };
}

interface Got {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly bytes: Buffer;
}

/** As a browser asks: no redirect is followed and nothing is unpacked. */
const get = (face: TestFace, where: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Got> =>
  new Promise((done, failed) => {
    const request = http.request(`${face.url}${where}`, { method, headers: { ...browser, ...headers } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => void chunks.push(chunk));
      answer.on('end', () =>
        done({ status: answer.statusCode!, headers: answer.headers, bytes: Buffer.concat(chunks) }),
      );
    });
    request.on('error', failed);
    request.end();
  });

test('a page is for whoever is signed in; everybody else is led to the sign-in, with the way back', async () => {
  await using opened = await open();
  const { face } = opened;
  const cases: readonly [string, string][] = [
    ['/', '/sign-in'],
    ['/statements', '/sign-in?next=%2Fstatements'],
    [
      '/statements/17?kind=daily&from=2026-01-01',
      '/sign-in?next=%2Fstatements%2F17%3Fkind%3Ddaily%26from%3D2026-01-01',
    ],
    ['/no-such-page', '/sign-in?next=%2Fno-such-page'],
    ['//evil.test/x', '/sign-in'],
  ];
  for (const [asked, location] of cases) {
    const answer = await get(face, asked);
    assert.deepEqual([answer.status, answer.headers.location], [302, location], asked);
    assert.equal(answer.headers['cache-control'], 'no-store');
  }
  for (const asked of ['/', '/statements', '/statements/17?x=1']) {
    const answer = await get(face, asked, signedIn);
    assert.equal(answer.status, 200, asked);
    assert.match(answer.bytes.toString(), /<script type="module" src="\/assets\/index-abc\.js">/);
    assert.equal(answer.headers['cache-control'], 'no-store');
  }
});

test('an address that no page has is answered as such, to a person with a page and to a program with a problem', async () => {
  await using opened = await open();
  const { face } = opened;
  const page = await get(face, '/no-such-page', signedIn);
  assert.equal(page.status, 404);
  assert.match(String(page.headers['content-type']), /^text\/html/);
  for (const [where, headers] of [
    ['/no-such-page', { ...signedIn, accept: '*/*' }],
    ['/v1/nothing', signedIn],
    ['/assets/index-other.js', signedIn],
    ['/favicon.ico', signedIn],
    ['/.env', {}],
  ] as const) {
    const answer = await get(face, where, headers);
    assert.equal(answer.status, 404, where);
    assert.equal(answer.headers['content-type'], 'application/problem+json', where);
  }
  assert.equal((await get(face, '/statements', { ...signedIn, 'sec-fetch-site': 'same-origin' }, 'POST')).status, 404);
});

test('nothing of the folder but its assets can be fetched, however the address is written', async () => {
  await using opened = await open();
  for (const where of [
    '/assets/../index.html',
    '/assets/..%2findex.html',
    '/assets/%2e%2e/pages.json',
    '/assets/.vite/manifest.json',
    '/.vite/manifest.json',
    '/pages.json',
    '/assets/',
    '/assets/index-abc.js.br',
  ]) {
    const answer = await get(opened.face, where, signedIn);
    assert.ok([400, 404].includes(answer.status), `${where} answered ${answer.status}`);
  }
});

test('a hashed file is kept for good, and is sent as it was compressed when it was built', async () => {
  await using opened = await open();
  const { face } = opened;
  const where = '/assets/index-abc.js';
  const plain = await get(face, where, { 'accept-encoding': 'identity' });
  assert.equal(plain.bytes.toString(), script);
  assert.equal(plain.headers['cache-control'], 'public, max-age=31536000, immutable');
  assert.equal(plain.headers['content-type'], 'text/javascript; charset=utf-8');
  assert.equal(plain.headers.vary, 'accept-encoding');
  assert.equal(plain.headers['x-content-type-options'], 'nosniff');
  const codings: readonly [string, string | undefined][] = [
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip', 'gzip'],
    ['br;q=0, gzip;q=0.5', 'gzip'],
    ['zstd', undefined],
  ];
  for (const [accepted, coding] of codings) {
    const answer = await get(face, where, { 'accept-encoding': accepted });
    assert.equal(answer.headers['content-encoding'], coding, accepted);
    assert.equal(answer.headers['content-length'], String(answer.bytes.length));
    if (coding !== undefined) assert.ok(answer.bytes.length < plain.bytes.length);
  }
  const again = await get(face, where, { 'if-none-match': plain.headers.etag! });
  assert.deepEqual([again.status, again.bytes.length], [304, 0]);
});

test('the application may load files of its own and nothing else, and nobody may put it in a frame', async () => {
  await using opened = await open();
  const answer = await get(opened.face, '/', signedIn);
  const rules = new Map(
    String(answer.headers['content-security-policy'])
      .split('; ')
      .map((rule) => [rule.split(' ', 1)[0]!, rule.split(' ').slice(1).join(' ')]),
  );
  assert.equal(rules.get('default-src'), "'none'");
  assert.equal(rules.get('script-src'), "'self'");
  assert.equal(rules.get('connect-src'), "'self'");
  assert.equal(rules.get('frame-ancestors'), "'none'");
  assert.equal(rules.get('base-uri'), "'none'");
  assert.equal(rules.get('require-trusted-types-for'), "'script'");
  assert.doesNotMatch(String(answer.headers['content-security-policy']), /unsafe|https?:|\*|data:/);
  assert.equal(answer.headers['x-frame-options'], 'DENY');
  assert.equal(answer.headers['referrer-policy'], 'no-referrer');
  assert.equal(answer.headers['cross-origin-opener-policy'], 'same-origin');
  const nonce = /'nonce-([^']+)'/.exec(rules.get('style-src')!)?.[1];
  assert.ok(answer.bytes.toString().includes(`content="${nonce}"`));
  const other = await get(opened.face, '/', signedIn);
  assert.notEqual(other.headers['content-security-policy'], answer.headers['content-security-policy']);
});

test("the application opens in the reader's language, direction and theme, under the broker's name", async () => {
  await using opened = await open();
  const { face } = opened;
  const open1 = async (cookies: string, accepted = 'de-CH, en;q=0.5') =>
    (await get(face, '/', { cookie: `${signedIn.cookie}; ${cookies}`, 'accept-language': accepted })).bytes.toString();
  assert.match(await open1(''), /<html lang="de" dir="ltr">/);
  assert.match(await open1('language=ar; theme=dark'), /<html lang="ar" dir="rtl" data-theme="dark">/);
  assert.match(await open1('language="><script>; theme=x"y'), /<html lang="de" dir="ltr">/);
  const page = await open1('');
  assert.match(page, /<title>Harbour &amp; &lt;Vale&gt;<\/title>/);
  assert.match(page, /<meta name="application-name" content="Harbour &amp; &lt;Vale&gt;">/);
  assert.doesNotMatch(page, /<Vale>/);
});

test('a link from elsewhere, with which no cookie is sent, is asked for once more from a page of our own', async () => {
  await using opened = await open();
  const { face } = opened;
  for (const site of ['cross-site', 'same-site']) {
    const answer = await get(face, '/statements/17', { 'sec-fetch-site': site });
    assert.equal(answer.status, 200);
    assert.match(answer.bytes.toString(), /http-equiv="refresh" content="0"/);
    assert.equal(answer.headers['cache-control'], 'no-store');
  }
  assert.equal((await get(face, '/statements/17', { 'sec-fetch-site': 'same-origin' })).status, 302);
  assert.equal((await get(face, '/statements/17', { ...signedIn, 'sec-fetch-site': 'cross-site' })).status, 200);
});

test('the logo of the broker is a picture that runs nothing, and stands where the name would be written', async () => {
  using fixture = await openPortalFixture();
  const logo = { contentType: 'image/svg+xml', bytes: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') };
  const portal = { files: fixture.files, brand: { name: 'B', logo }, documents: [] };
  await using face = await openTestFace({ routes: [], refusals: [], portal }, { [token]: somebody });
  const answer = await get(face, '/brand/logo');
  assert.equal(answer.headers['content-type'], 'image/svg+xml');
  assert.match(String(answer.headers['content-security-policy']), /default-src 'none'.*sandbox/);
  assert.match((await get(face, '/', signedIn)).bytes.toString(), /<meta name="logo" content="\/brand\/logo">/);
});

test('a portal that was not built is said to be, with what to do', async () => {
  using fixture = await openPortalFixture();
  rmSync(path.join(fixture.folder, 'pages.json'));
  await assert.rejects(openPortalFiles(fixture.folder), (thrown: unknown) => {
    assert.ok(thrown instanceof Refusal);
    assert.equal(thrown.code, 'portal_not_built');
    return true;
  });
});
