// Raw bytes through the real port: uploads under their limit, downloads whole, in ranges, and cut off.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import test from 'node:test';
import { closed } from '@broadgate/contract';
import { Type } from 'typebox';
import { eventually } from '../../../test/eventually.ts';
import { downloadRoute, type Route, uploadRoute } from './route.ts';
import { openTestFace } from './test-face.ts';

const file = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));
const etag = createHash('sha256').update(file).digest('hex');

interface Watched {
  readonly sent: { start: number; sizeBytes: number; isComplete: boolean }[];
  opened: number;
}

const download = (watched: Watched, bytes: Buffer = file): Route =>
  downloadRoute({
    path: '/v1/files/:name',
    operationId: 'getFile',
    tag: 'Files',
    summary: 'For tests.',
    who: 'anyone',
    refusals: [],
    params: closed({ name: Type.String() }),
    mediaTypes: ['application/pdf'],
    handle: async ({ params }) => ({
      fileName: params.name,
      contentType: 'application/pdf',
      sizeBytes: bytes.length,
      etag,
      modifiedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
      async *open({ start, end }) {
        watched.opened += 1;
        for (let at = start; at < end; at += 65_536) {
          if (params.name === 'breaks' && at > start) throw new Error('the disk is gone');
          yield bytes.subarray(at, Math.min(end, at + 65_536));
        }
      },
      sent: (what) => void watched.sent.push(what),
    }),
  });

const upload = (limitBytes = 1000): Route =>
  uploadRoute({
    method: 'POST',
    path: '/v1/files',
    operationId: 'putFile',
    tag: 'Files',
    summary: 'For tests.',
    who: 'anyone',
    refusals: [],
    mediaTypes: ['application/octet-stream', 'application/x-tar'],
    bodyLimitBytes: limitBytes,
    answers: { 201: closed({ sizeBytes: Type.Integer(), sha256: Type.String(), declared: Type.Integer() }) },
    async handle({ upload: { chunks, sizeBytes } }) {
      const hash = createHash('sha256');
      let read = 0;
      for await (const chunk of chunks) {
        read += chunk.length;
        hash.update(chunk);
      }
      return { status: 201, body: { sizeBytes: read, sha256: hash.digest('hex'), declared: sizeBytes ?? -1 } };
    },
  });

const openWith = async (bytes?: Buffer) => {
  const watched: Watched = { sent: [], opened: 0 };
  const face = await openTestFace({ routes: [download(watched, bytes), upload()], refusals: [] });
  const get = async (headers: Record<string, string> = {}, method = 'GET', name = 'a.pdf') => {
    const answer = await fetch(`${face.url}/v1/files/${name}`, { method, headers });
    return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
  };
  return { face, watched, get, [Symbol.asyncDispose]: () => face[Symbol.asyncDispose]() };
};

test('a file is sent whole with its name, type, size and tag, and the receipt says that it left', async () => {
  await using t = await openWith();
  const answer = await t.get();
  assert.deepEqual([answer.status, answer.bytes.equals(file)], [200, true]);
  const { headers } = answer;
  assert.equal(headers.get('content-type'), 'application/pdf');
  assert.equal(headers.get('content-length'), '1000');
  assert.equal(headers.get('content-disposition'), 'attachment; filename="a.pdf"');
  assert.equal(headers.get('etag'), `"${etag}"`);
  assert.equal(headers.get('accept-ranges'), 'bytes');
  assert.equal(headers.get('last-modified'), 'Fri, 02 Jan 2026 03:04:05 GMT');
  await eventually(() => t.watched.sent.length > 0);
  assert.deepEqual(t.watched.sent, [{ start: 0, sizeBytes: 1000, isComplete: true }]);
});

test('a range is sent as that range, and the receipt names it', async () => {
  await using t = await openWith();
  for (const [range, start, end] of [
    ['bytes=0-99', 0, 100],
    ['bytes=990-', 990, 1000],
    ['bytes=-10', 990, 1000],
  ] as const) {
    const answer = await t.get({ range });
    assert.equal(answer.status, 206);
    assert.equal(answer.headers.get('content-range'), `bytes ${start}-${end - 1}/1000`);
    assert.ok(answer.bytes.equals(file.subarray(start, end)));
  }
  await eventually(() => t.watched.sent.length === 3);
  assert.deepEqual(t.watched.sent[0], { start: 0, sizeBytes: 100, isComplete: true });
});

test('a range outside the file is answered with its size, and reads nothing', async () => {
  await using t = await openWith();
  const answer = await t.get({ range: 'bytes=1000-' });
  assert.deepEqual([answer.status, answer.headers.get('content-range')], [416, 'bytes */1000']);
  const problem = JSON.parse(answer.bytes.toString());
  assert.deepEqual([problem.code, problem.status, problem.params], ['range_not_satisfiable', 416, { sizeBytes: 1000 }]);
  assert.equal(t.watched.opened, 0);
});

test('the size is asked for without reading a byte, and what did not change is not sent again', async () => {
  await using t = await openWith();
  const head = await t.get({}, 'HEAD');
  assert.deepEqual([head.status, head.headers.get('content-length'), head.bytes.length], [200, '1000', 0]);
  const unchanged = await t.get({ 'if-none-match': `"${etag}"` });
  assert.deepEqual([unchanged.status, unchanged.bytes.length], [304, 0]);
  assert.equal(t.watched.opened, 0);
});

test('a range of a file that changed since is answered with the whole file', async () => {
  await using t = await openWith();
  assert.equal((await t.get({ range: 'bytes=0-9', 'if-range': `"${etag}"` })).status, 206);
  const changed = await t.get({ range: 'bytes=0-9', 'if-range': '"another"' });
  assert.deepEqual([changed.status, changed.bytes.length], [200, 1000]);
});

test('an empty file is sent as an empty file', async () => {
  await using t = await openWith(Buffer.alloc(0));
  const answer = await t.get();
  assert.deepEqual([answer.status, answer.headers.get('content-length'), answer.bytes.length], [200, '0', 0]);
});

test('a file that breaks while it is sent ends in a broken connection and never looks complete', async () => {
  await using t = await openWith(Buffer.alloc(1_000_000, 7));
  await assert.rejects(t.get({}, 'GET', 'breaks'));
  await eventually(() => t.watched.sent.length > 0);
  assert.equal(t.watched.sent[0]!.isComplete, false);
});

test('a caller who leaves in the middle gets a receipt for what was read for it, not for the whole', async () => {
  await using t = await openWith(Buffer.alloc(200_000_000, 7));
  const socket = connect(t.face.face.port, '127.0.0.1');
  socket.write('GET /v1/files/big HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'data');
  socket.destroy();
  await eventually(() => t.watched.sent.length > 0);
  const [receipt] = t.watched.sent;
  assert.equal(receipt!.isComplete, false);
  assert.ok(receipt!.sizeBytes < 200_000_000, 'reading stops with the connection');
});

test('a raw body reaches the operation byte for byte, with or without its length', async () => {
  await using t = await openWith();
  const headers = { 'content-type': 'application/octet-stream' };
  const sized = await t.face.ask('POST', '/v1/files', { body: new Uint8Array(file), headers });
  assert.deepEqual([sized.status, sized.json], [201, { sizeBytes: 1000, sha256: etag, declared: 1000 }]);
  const outgoing = httpRequest(`${t.face.url}/v1/files`, { method: 'POST', headers });
  outgoing.write(file.subarray(0, 400));
  outgoing.end(file.subarray(400));
  const [incoming] = await once(outgoing, 'response');
  const text = Buffer.concat(await incoming.toArray()).toString();
  assert.deepEqual(JSON.parse(text), { sizeBytes: 1000, sha256: etag, declared: -1 });
});

test('a raw body over the limit is refused, by its length before it is read and without one while it is read', async () => {
  await using t = await openWith();
  const headers = { 'content-type': 'application/octet-stream' };
  const sized = await t.face.ask('POST', '/v1/files', { body: new Uint8Array(1001), headers });
  assert.deepEqual([sized.status, sized.json.code, sized.json.params], [413, 'body_too_large', { limitBytes: 1000 }]);
  assert.equal(sized.headers.get('connection'), 'close');
  const outgoing = httpRequest(`${t.face.url}/v1/files`, { method: 'POST', headers });
  outgoing.on('error', () => undefined);
  outgoing.write(Buffer.alloc(600));
  outgoing.write(Buffer.alloc(600));
  const [incoming] = await once(outgoing, 'response');
  assert.equal(incoming.statusCode, 413);
  outgoing.destroy();
});

test('a media type that an upload does not take is refused, and so is none', async () => {
  await using t = await openWith();
  for (const type of ['application/json', 'text/plain', 'x']) {
    const answer = await t.face.ask('POST', '/v1/files', { body: '{}', headers: { 'content-type': type } });
    assert.deepEqual([answer.status, answer.json.code], [415, 'media_type_not_taken'], type);
  }
  const nameless = await t.face.ask('POST', '/v1/files', { body: new Uint8Array(3) });
  assert.equal(nameless.status, 415);
});
