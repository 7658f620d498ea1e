// The socket under the face: TLS with HTTP/2 and renewed certificates, declared proxies, refusal of clear HTTP, orderly close, several workers.
import assert from 'node:assert/strict';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { connect as connectTls } from 'node:tls';
import { closed } from '@broadgate/contract';
import { Type } from 'typebox';
import { eventually } from '../../../test/eventually.ts';
import { createFakeClock } from '../../kernel/clock.ts';
import { Refusal } from '../../kernel/refusal.ts';
import { downloadRoute, type Route, route } from './route.ts';
import { certificates } from './test-certificates.ts';
import { openTestFace, type TestFace } from './test-face.ts';

const slow = (gate: Promise<void>, called: () => void): Route =>
  route({
    method: 'GET',
    path: '/v1/slow',
    operationId: 'slow',
    tag: 'T',
    summary: 'For tests.',
    who: 'anyone',
    refusals: [],
    answers: { 200: closed({ pid: Type.Integer() }) },
    async handle() {
      called();
      await gate;
      return { status: 200, body: { pid: process.pid } };
    },
  });

const cookieRoute: Route = route({
  method: 'POST',
  path: '/v1/cookie',
  operationId: 'cookie',
  tag: 'T',
  summary: 'For tests.',
  who: 'anyone',
  refusals: [],
  answers: { 200: closed({}) },
  handle: async () => ({ status: 200, body: {}, cookie: { token: 't'.repeat(43), expiresAtMs: 2e12 } }),
});

async function openTls(clock = createFakeClock(), routes: readonly Route[] = [cookieRoute]) {
  const folder = await mkdtemp(join(tmpdir(), 'broadgate-tls-'));
  const [certificateFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const put = async (pair: { cert: string; key: string }): Promise<void> => {
    await writeFile(certificateFile, pair.cert);
    await writeFile(keyFile, pair.key);
  };
  await put(certificates.one);
  const listen = { host: '127.0.0.1', port: 0, certificateFile, keyFile };
  const test = await openTestFace({ routes, refusals: [], listen, clock });
  const nameShown = async (): Promise<string> => {
    const socket = connectTls({ port: test.face.port, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const name = socket.getPeerCertificate().subject.CN as string;
    socket.destroy();
    return name;
  };
  return {
    ...test,
    put,
    keyFile,
    nameShown,
    clock,
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

async function askHttps(
  port: number,
  path: string,
  method = 'GET',
): Promise<{ status: number; headers: http.IncomingHttpHeaders; text: string }> {
  const outgoing = https.request({ port, path, method, rejectUnauthorized: false });
  outgoing.end();
  const [incoming] = (await once(outgoing, 'response')) as [http.IncomingMessage];
  const text = Buffer.concat(await incoming.toArray()).toString();
  return { status: incoming.statusCode!, headers: incoming.headers, text };
}

async function askFrom(face: TestFace, headers: Record<string, string>, path = '/v1/address', method = 'GET') {
  const answer = await fetch(`${face.url}${path}`, { method, headers });
  const json = (await answer.json()) as { address: string };
  return { json, headers: answer.headers, status: answer.status };
}

test('over TLS, HTTP/1.1 and HTTP/2 answer alike, and browsers are told to stay with TLS', async () => {
  await using t = await openTls();
  const one = await askHttps(t.face.port, '/v1/address');
  assert.deepEqual([one.status, one.text], [200, '{"address":"127.0.0.1"}']);
  assert.match(one.headers['strict-transport-security']!, /max-age=/);
  const session = http2.connect(`https://127.0.0.1:${t.face.port}`, { rejectUnauthorized: false });
  const stream = session.request({ ':path': '/v1/address' });
  const [headers] = await once(stream, 'response');
  assert.deepEqual([headers[':status'], Buffer.concat(await stream.toArray()).toString()], [200, one.text]);
  const lost = session.request({ ':path': '/v1/nothing' });
  assert.equal((await once(lost, 'response'))[0][':status'], 404);
  session.close();
});

test('over TLS the cookie has the __Host- prefix and is Secure', async () => {
  await using t = await openTls();
  const { headers } = await askHttps(t.face.port, '/v1/cookie', 'POST');
  assert.match(
    headers['set-cookie']![0]!,
    /^__Host-broadgate=t{43}; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Strict$/,
  );
});

test('a renewed certificate is taken without a restart, and one that does not fit its key is not', async () => {
  await using t = await openTls();
  assert.equal(await t.nameShown(), 'one.gate.test');
  await writeFile(t.keyFile, certificates.two.key);
  await assert.rejects(
    t.face.reloadCertificate(),
    (thrown) => thrown instanceof Refusal && thrown.code === 'certificate_unusable',
  );
  assert.equal(await t.nameShown(), 'one.gate.test', 'the old pair stays');
  await t.put(certificates.two);
  t.clock.advance(10_000);
  await eventually(async () => {
    t.clock.advance(10_000);
    return (await t.nameShown()) === 'two.gate.test';
  });
});

test('clear HTTP is refused on any address that other machines reach', async () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.1']) {
    const opening = openTestFace({ routes: [], refusals: [], listen: { host, port: 0 } });
    await assert.rejects(opening, (thrown) => thrown instanceof Refusal && thrown.code === 'address_needs_tls', host);
  }
  const listen = { host: '127.0.0.1', port: 0, certificateFile: '/nowhere/a.pem', keyFile: '/nowhere/b.pem' };
  const opening = openTestFace({ routes: [], refusals: [], listen });
  await assert.rejects(opening, (thrown) => thrown instanceof Refusal && thrown.code === 'certificate_unusable');
});

test('a declared proxy speaks for others, nobody else does, and of a chain only the trusted part counts', async () => {
  const listen = { host: '127.0.0.1', port: 0, trustedProxies: ['127.0.0.1', '10.0.0.0/8'] };
  await using behind = await openTestFace({ routes: [cookieRoute], refusals: [], listen });
  const seen = async (face: TestFace, forwarded: string): Promise<string> =>
    (await askFrom(face, { 'x-forwarded-for': forwarded })).json.address;
  assert.equal(await seen(behind, '203.0.113.9'), '203.0.113.9');
  assert.equal(await seen(behind, '198.51.100.1, 203.0.113.9, 10.1.1.1'), '203.0.113.9');
  assert.equal(await seen(behind, '2001:DB8::0:7'), '2001:db8::7');
  assert.equal(await seen(behind, 'not an address'), '127.0.0.1', 'what cannot be read is the proxy itself');
  const cookie = await askFrom(
    behind,
    { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' },
    '/v1/cookie',
    'POST',
  );
  assert.match(cookie.headers.get('set-cookie')!, /^__Host-broadgate=.*Secure/);
  await using direct = await openTestFace({ routes: [], refusals: [] });
  assert.equal(await seen(direct, '203.0.113.9'), '127.0.0.1');
});

test('whoever passes by the declared proxy in clear is sent away before anything is looked up', async (t) => {
  const own = Object.values(networkInterfaces())
    .flat()
    .find((face) => face?.family === 'IPv4' && !face.internal);
  if (!own) return t.skip('this machine has no address but loopback');
  const listen = { host: '0.0.0.0', port: 0, trustedProxies: ['127.0.0.1'] };
  await using face = await openTestFace({ routes: [cookieRoute], refusals: [], listen });
  const answer = await fetch(`http://${own.address}:${face.face.port}/v1/address`, {
    headers: { 'x-forwarded-for': '203.0.113.9' },
  });
  assert.deepEqual([answer.status, ((await answer.json()) as { code: string }).code], [403, 'not_through_proxy']);
  const proxied = await fetch(`http://127.0.0.1:${face.face.port}/v1/address`, {
    headers: { 'x-forwarded-for': '203.0.113.9' },
  });
  assert.equal(proxied.status, 200);
});

test('over HTTP/2 a file is sent in ranges and its receipt says that it left', async () => {
  const bytes = Buffer.alloc(300_000, 7);
  const sent: object[] = [];
  const file = downloadRoute({
    path: '/v1/file',
    operationId: 'getFile',
    tag: 'T',
    summary: 'For tests.',
    who: 'anyone',
    refusals: [],
    mediaTypes: ['text/csv'],
    handle: async () => ({
      fileName: 'a.csv',
      contentType: 'text/csv',
      sizeBytes: bytes.length,
      etag: 'x',
      async *open({ start, end }) {
        for (let at = start; at < end; at += 65_536) yield bytes.subarray(at, Math.min(at + 65_536, end));
      },
      sent: (what) => void sent.push(what),
    }),
  });
  await using t = await openTls(createFakeClock(), [file]);
  const session = http2.connect(`https://127.0.0.1:${t.face.port}`, { rejectUnauthorized: false });
  const stream = session.request({ ':path': '/v1/file', range: 'bytes=100000-' });
  const [headers] = await once(stream, 'response');
  assert.deepEqual([headers[':status'], Buffer.concat(await stream.toArray()).length], [206, 200_000]);
  await eventually(() => sent.length > 0);
  assert.deepEqual(sent, [{ start: 100_000, sizeBytes: 200_000, isComplete: true }]);
  session.close();
});

test('behind a proxy a change with a cookie is compared with the name the browser used', async () => {
  const listen = { host: '127.0.0.1', port: 0, trustedProxies: ['127.0.0.1'] };
  await using t = await openTestFace({ routes: [cookieRoute], refusals: [], listen });
  const proxied = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'gate.test' };
  const ask = (origin: string) =>
    askFrom(t, { ...proxied, origin, cookie: '__Host-broadgate=x' }, '/v1/cookie', 'POST');
  assert.equal((await ask('https://gate.test')).status, 200);
  assert.equal((await ask('https://evil.test')).status, 403);
  assert.equal((await ask('http://gate.test')).status, 403);
});

test('closing takes nothing new, lets what runs end, and cuts what does not', async () => {
  const gate = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  await using t = await openTestFace({ routes: [slow(gate.promise, () => started.resolve())], refusals: [] });
  const running = t.ask('GET', '/v1/slow');
  await started.promise;
  const closing = t.face.close({ graceMs: 60_000 });
  await eventually(() =>
    t.ask('GET', '/v1/address').then(
      () => false,
      () => true,
    ),
  );
  gate.resolve();
  const answer = await running;
  assert.deepEqual([answer.status, answer.headers.get('connection')], [200, 'close']);
  await closing;
});

test('closing cuts a request that never ends when the grace is over', async () => {
  const clock = createFakeClock();
  const started = Promise.withResolvers<void>();
  const forever = new Promise<void>(() => undefined);
  await using t = await openTestFace({ routes: [slow(forever, () => started.resolve())], refusals: [], clock });
  const running = t.ask('GET', '/v1/slow').then(
    () => 'answered',
    () => 'cut',
  );
  await started.promise;
  const closing = t.face.close({ graceMs: 5000 });
  clock.advance(4999);
  assert.equal(await Promise.race([running, Promise.resolve('still running')]), 'still running');
  clock.advance(1);
  assert.equal(await running, 'cut');
  await closing;
});

if (cluster.isWorker) {
  const face = await openTestFace({ routes: [slow(Promise.resolve(), () => undefined)], refusals: [] });
  process.send!({ port: face.face.port });
} else {
  test('several workers share one port, and the others go on when one dies', async () => {
    cluster.setupPrimary({ exec: import.meta.filename, silent: true });
    const workers = [cluster.fork(), cluster.fork()];
    const ports = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0].port as number));
    assert.equal(new Set(ports).size, 1);
    const url = `http://127.0.0.1:${ports[0]}/v1/slow`;
    const ask = async (): Promise<number> => {
      const answer = await fetch(url, { headers: { connection: 'close' } });
      return ((await answer.json()) as { pid: number }).pid;
    };
    const pids = new Set<number>();
    await eventually(async () => pids.add(await ask()).size === 2);
    workers[0]!.process.kill('SIGKILL');
    await once(workers[0]!, 'exit');
    for (let n = 0; n < 5; n += 1) assert.equal(await ask(), workers[1]!.process.pid);
    workers[1]!.process.kill('SIGKILL');
    await once(workers[1]!, 'exit');
  });
}
