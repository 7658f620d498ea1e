// Server-sent events: both versions of HTTP, heartbeats, readers that are too slow, a close in order, and a thousand readers.
import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import v8 from 'node:v8';
import vm from 'node:vm';
import { closed } from '@broadgate/contract';
import { Type } from 'typebox';
import { eventually } from '../../../test/eventually.ts';
import { createFakeClock, systemClock } from '../../kernel/clock.ts';
import type { EventSink } from './event-stream.ts';
import { streamRoute } from './route.ts';
import { certificates } from './test-certificates.ts';
import { openTestFace } from './test-face.ts';

const token = 'a'.repeat(43);
const actors = { [token]: { kind: 'client', clientId: 'ann', origin: { face: 'https' } } } as const;

/** A face with one stream, whose sinks the test writes to. */
async function open(parts: Partial<Parameters<typeof openTestFace>[0]> = {}) {
  const sinks = new Set<EventSink>();
  const asked: (string | undefined)[] = [];
  const stream = streamRoute({
    path: '/v1/events',
    operationId: 'followEvents',
    tag: 'T',
    summary: 'For tests.',
    who: 'signed_in',
    refusals: [],
    event: closed({ n: Type.Integer() }),
    async handle({ lastEventId }) {
      asked.push(lastEventId);
      return {
        begin(sink) {
          sinks.add(sink);
          return { close: () => void sinks.delete(sink) };
        },
      };
    },
  });
  const clock = createFakeClock();
  const face = await openTestFace({ routes: [stream], refusals: [], clock, ...parts }, actors);
  const sendAll = (event: Parameters<EventSink['send']>[0]): void => {
    for (const sink of sinks) sink.send(event);
  };
  return { ...face, clock, sinks, asked, sendAll };
}

const headers = { authorization: `Bearer ${token}` };

function listen(url: string, more: Record<string, string> = {}) {
  const state = { text: '', isOver: false, response: undefined as http.IncomingMessage | undefined };
  const request = http.get(`${url}/v1/events`, { headers: { ...headers, ...more }, agent: false }, (response) => {
    state.response = response;
    response.setEncoding('utf8').on('data', (chunk: string) => (state.text += chunk));
    response.on('close', () => (state.isOver = true)).on('error', () => undefined);
  });
  request.on('error', () => (state.isOver = true));
  return Object.assign(state, { leave: () => request.destroy() });
}

test('Events arrive over HTTP/1.1 as they are sent, with ids to resume from and a heartbeat between them', async () => {
  await using t = await open();
  const reader = listen(t.url, { 'last-event-id': 'e7' });
  await eventually(() => t.sinks.size === 1);
  t.sendAll({ id: 'e8', name: 'ready', data: {} });
  t.sendAll({ id: 'e9', data: { n: 1, text: 'two\nlines' } });
  await eventually(() => reader.text.includes('e9'));
  assert.equal(
    reader.text,
    'retry: 2000\n\nevent: ready\nid: e8\ndata: {}\n\nid: e9\ndata: {"n":1,"text":"two\\nlines"}\n\n',
  );
  assert.deepEqual(t.asked, ['e7']);
  assert.equal(reader.response!.headers['content-type'], 'text/event-stream; charset=utf-8');
  assert.equal(reader.response!.headers['cache-control'], 'no-store');
  assert.match(String(reader.response!.headers['content-security-policy']), /default-src 'none'/);
  t.clock.advance(25_000);
  await eventually(() => reader.text.endsWith('\n\n:\n\n'));
  reader.leave();
  await eventually(() => t.sinks.size === 0);
});

test('Nobody is answered with events before signing in', async () => {
  await using t = await open();
  const answer = await t.ask('GET', '/v1/events');
  assert.equal(answer.status, 401);
  assert.equal(answer.json.code, 'not_signed_in');
});

test('Events arrive over HTTP/2 beside other requests, and the stream ends with its source', async () => {
  await using folder = new AsyncDisposableStack();
  const at = await mkdtemp(path.join(tmpdir(), 'broadgate-events-'));
  folder.defer(() => rm(at, { recursive: true }));
  const [certificateFile, keyFile] = [path.join(at, 'cert.pem'), path.join(at, 'key.pem')];
  await writeFile(certificateFile, certificates.one.cert);
  await writeFile(keyFile, certificates.one.key);
  await using t = await open({ clock: systemClock, listen: { host: '127.0.0.1', port: 0, certificateFile, keyFile } });
  const session = http2.connect(`https://127.0.0.1:${t.face.port}`, { rejectUnauthorized: false });
  const streams = [1, 2, 3].map(() => session.request({ ':path': '/v1/events', ...headers }));
  const texts = streams.map(() => '');
  let ended = 0;
  streams.forEach((stream, index) => {
    stream.setEncoding('utf8').on('data', (chunk: string) => (texts[index] += chunk));
    stream.on('end', () => (ended += 1));
  });
  await eventually(() => t.sinks.size === 3);
  t.sendAll({ id: 'e1', data: { n: 1 } });
  await eventually(() => texts.every((text) => text.includes('id: e1')));
  for (const sink of t.sinks) sink.end();
  await eventually(() => ended === 3 && t.sinks.size === 0);
  session.close();
});

test('A reader that takes nothing is let go before much is kept for it', async () => {
  await using t = await open();
  const socket = net.connect(t.face.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  socket.pause();
  await eventually(() => t.sinks.size === 1);
  const other = listen(t.url);
  await eventually(() => t.sinks.size === 2);
  const data = { text: 'x'.repeat(32 * 1024) };
  await eventually(() => {
    // The kernel takes some megabytes for a reader before anything waits here.
    for (let index = 0; index < 4; index += 1) t.sendAll({ id: 'e', data });
    return t.sinks.size === 1;
  });
  assert.equal(other.isOver, false);
  socket.destroy();
});

test('Closing the face ends every stream at once', async () => {
  const t = await open();
  const readers = [listen(t.url), listen(t.url)];
  await eventually(() => t.sinks.size === 2);
  await t.face.close({ graceMs: 60_000 });
  await eventually(() => readers.every(({ isOver }) => isOver));
  assert.equal(t.sinks.size, 0);
});

test('A thousand readers are told thousands of changes with flat memory, and all hear the last', async () => {
  await using t = await open({ clock: systemClock });
  const tails = Array.from({ length: 1000 }, () => '');
  const sockets = tails.map((_, index) => {
    const socket = net.connect(t.face.port, '127.0.0.1').setEncoding('utf8');
    socket.write(`GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    return socket.on('data', (chunk: string) => (tails[index] = (tails[index] + chunk).slice(-60)));
  });
  await eventually(() => t.sinks.size === 1000, { timeoutMs: 30_000 });
  let sent = 0;
  const round = async (): Promise<void> => {
    sent += 1;
    t.sendAll({ id: `e${sent}`, data: { n: sent } });
    await eventually(() => tails.every((tail) => tail.includes(`id: e${sent}\n`)), { timeoutMs: 30_000 });
  };
  for (let warm = 0; warm < 5; warm += 1) await round();
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < 40; index += 1) await round();
  collect();
  const grownBytes = process.memoryUsage().heapUsed - before;
  // What forty thousand events left behind, both ends being in this process: less than a kilobyte a reader.
  assert.ok(grownBytes < 1_000_000, `${grownBytes} bytes`);
  for (const socket of sockets) socket.destroy();
  await eventually(() => t.sinks.size === 0);
});
