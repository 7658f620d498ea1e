// SFTP on a channel that is only memory: order, limits, ends, and what each request comes to.
import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { eventually } from '../../../test/eventually.ts';
import { client, flags, packet, str, u32, u64 } from '../../../test/fakes/sftp-client.ts';
import { createFakeTree } from '../../../test/fakes/sftp-mount.ts';
import { createPeer } from '../../../test/fakes/sftp-peer.ts';

const status = { ok: 0, eof: 1, noFile: 2, denied: 3, failure: 4, bad: 5, unsupported: 8 };
const upload = flags.write | flags.create | flags.truncate;

test('a file is uploaded, appears at CLOSE and not before, and is read back with an end', async () => {
  const tree = createFakeTree();
  const peer = createPeer(tree);
  const handle = await peer.handle(client.open(1, '/a.csv', upload));
  assert.equal(await peer.status(client.write(2, handle, 0, Buffer.from('hello '))), status.ok);
  assert.equal(await peer.status(client.write(3, handle, 6, Buffer.from('world'))), status.ok);
  assert.equal(await peer.status(client.path(17, 4, '/a.csv')), status.noFile);
  assert.equal(await peer.status(client.close(5, handle)), status.ok);
  assert.equal(await peer.status(client.close(6, handle)), status.failure);
  const read = await peer.handle(client.open(7, '/a.csv', flags.read));
  assert.equal((await peer.ask(client.read(8, read, 0, 100))).string().toString(), 'hello world');
  assert.equal((await peer.ask(client.read(9, read, 6, 2))).string().toString(), 'wo');
  for (const offset of [11, 12, 2 ** 53 - 1])
    assert.equal(await peer.status(client.read(10, read, offset, 10)), status.eof);
  assert.equal(await peer.status(client.read(10, read, 2n ** 63n, 10)), status.failure);
  assert.equal(await peer.status(client.close(11, read)), status.ok);
  assert.equal(await peer.status(client.read(12, read, 0, 1)), status.failure);
  assert.deepEqual(tree.fetched[0], {
    path: '/a.csv',
    fetched: { ranges: [{ startBytes: 0, endBytes: 11 }], end: 'closed' },
  });
  assert.deepEqual([peer.counted.read, peer.counted.written, peer.faults], [13, 11, []]);
});

test('a file of no bytes is a file', async () => {
  const tree = createFakeTree();
  const peer = createPeer(tree);
  await peer.ask(client.close(2, await peer.handle(client.open(1, '/empty', upload))));
  const read = await peer.handle(client.open(3, '/empty', flags.read));
  assert.equal(await peer.status(client.read(4, read, 0, 10)), status.eof);
  assert.equal((await peer.ask(client.fstat(5, read))).attributes().size, 0);
});

test('T10: 64 reads of 255 KiB through a window of 2 MiB are all answered, in bounded memory', async () => {
  const tree = createFakeTree();
  const size = 255 * 1024;
  const bytes = Buffer.alloc(64 * size, 'pattern');
  tree.put('/big', bytes);
  const peer = createPeer(tree, { windowBytes: 0 });
  peer.open(2 * 1024 * 1024);
  const handle = await peer.handle(client.open(1, '/big', flags.read));
  peer.send(...Array.from({ length: 64 }, (_, index) => client.read(100 + index, handle, index * size, size)));
  const parts: Buffer[] = [];
  for (let turn = 0; turn < 200 && peer.seen.filter((reply) => reply.type === 103).length < 64; turn++) {
    peer.open(300_000);
    await setImmediate();
  }
  for (let index = 0; index < 64; index++) parts.push((await peer.reply(100 + index)).string());
  assert.ok(Buffer.concat(parts).equals(bytes));
  assert.ok(peer.counted.queuedBytesMax <= 10 * 1024 * 1024, `queued ${peer.counted.queuedBytesMax}`);
});

test('T10: no more than 64 requests and 8 MiB are taken while nothing is answered', async () => {
  const tree = createFakeTree();
  const gate = Promise.withResolvers<void>();
  const peer = createPeer(tree);
  const handle = await peer.handle(client.open(1, '/slow', upload));
  tree.gate = gate.promise;
  const large = Buffer.alloc(255 * 1024);
  const writes = Array.from({ length: 60 }, (_, index) =>
    client.write(100 + index, handle, index * large.length, large),
  );
  peer.send(...writes);
  const left = peer.counted.given - peer.counted.consumed;
  assert.ok(left >= writes[0]!.length * 26, `${left} bytes stay in the window`);
  gate.resolve();
  await peer.reply(159);
  assert.equal(peer.counted.given, peer.counted.consumed);
  assert.ok(tree.calls.write <= 30, `${tree.calls.write} writes of the mount for 60 of the client`);
  const hold = Promise.withResolvers<void>();
  tree.gate = hold.promise;
  const small = Array.from({ length: 100 }, (_, index) => client.write(300 + index, handle, index, Buffer.of(1)));
  peer.send(...small);
  assert.equal(peer.counted.given - peer.counted.consumed, small[0]!.length * 36);
  hold.resolve();
  await peer.reply(399);
});

test('requests on one handle are done in order and adjacent writes become one', async () => {
  const tree = createFakeTree();
  const peer = createPeer(tree);
  const handle = await peer.handle(client.open(1, '/f', upload | flags.read));
  const gate = Promise.withResolvers<void>();
  tree.gate = gate.promise;
  peer.send(
    client.write(2, handle, 0, Buffer.from('aa')),
    client.write(3, handle, 2, Buffer.from('bb')),
    client.write(4, handle, 4, Buffer.from('cc')),
    client.write(5, handle, 1, Buffer.from('X')),
    client.read(6, handle, 0, 10),
    client.fsetstat(7, handle, u32(1), u64(3)),
    client.fstat(8, handle),
    client.close(9, handle),
    client.path(17, 10, '/f'),
    client.path(13, 11, '/f'),
    client.path(17, 12, '/f'),
  );
  gate.resolve();
  assert.equal((await peer.reply(6)).string().toString(), 'aXbbcc');
  assert.equal((await peer.reply(8)).attributes().size, 3);
  assert.equal((await peer.reply(10)).attributes().size, 3);
  assert.equal((await peer.reply(11)).status(), status.ok);
  assert.equal((await peer.reply(12)).status(), status.noFile);
  assert.equal(tree.calls.write, 3);
});

test('a joined write that is refused answers each part as alone, and the file that lacks one is not published', async () => {
  const tree = createFakeTree();
  tree.quotaBytes = 4;
  const peer = createPeer(tree);
  const handle = await peer.handle(client.open(1, '/f', upload | flags.read));
  const gate = Promise.withResolvers<void>();
  tree.gate = gate.promise;
  peer.send(...[0, 1, 2].map((index) => client.write(2 + index, handle, index * 2, Buffer.from('xx'))));
  gate.resolve();
  const answers = [2, 3, 4].map(async (id) => (await peer.reply(id)).status());
  assert.deepEqual(await Promise.all(answers), [status.ok, status.ok, status.failure]);
  assert.equal((await peer.ask(client.read(5, handle, 0, 100))).string().toString(), 'xxxx');
  assert.equal(await peer.status(client.close(9, handle)), status.failure);
  assert.deepEqual([tree.nodes.has('/f'), tree.kept.has('/f'), tree.open.writes], [false, false, 0]);
});

test('with APPEND every write goes to the end, and without TRUNC an upload goes on where it was cut', async () => {
  const tree = createFakeTree();
  tree.put('/log', 'one,');
  tree.kept.set('/cut', Buffer.from('first half,'));
  const peer = createPeer(tree);
  const append = await peer.handle(client.open(1, '/log', flags.write | flags.append));
  peer.send(client.write(2, append, 0, Buffer.from('two,')), client.write(3, append, 0, Buffer.from('three')));
  await peer.ask(client.close(4, append));
  assert.equal(tree.nodes.get('/log')?.bytes.toString(), 'one,two,three');
  assert.equal((await peer.ask(client.path(17, 5, '/cut'))).attributes().size, 11);
  const resumed = await peer.handle(client.open(6, '/cut', flags.write));
  await peer.ask(client.write(7, resumed, 11, Buffer.from('second half')));
  await peer.ask(client.close(8, resumed));
  assert.equal(tree.nodes.get('/cut')?.bytes.toString(), 'first half,second half');
});

test('a folder of 100,000 entries is listed page by page and its list is closed early when the handle is', async () => {
  const tree = createFakeTree();
  tree.folder('/many');
  for (let index = 0; index < 100_000; index++) tree.put(`/many/statement_${index}.csv`, '', false);
  const peer = createPeer(tree);
  const handle = await peer.handle(client.path(11, 1, '/many'));
  const names = new Set<string>();
  let replyBytesMax = 0;
  for (;;) {
    const reply = await peer.ask(client.readdir(2, handle));
    if (reply.type === 101) break;
    for (const { name, longName, attributes } of reply.names()) {
      names.add(name);
      assert.ok(longName.startsWith('-r--------') && longName.endsWith(name) && attributes.mode === 0o100400);
    }
    replyBytesMax = Math.max(replyBytesMax, reply.rest().length);
  }
  assert.equal(names.size, 100_000);
  assert.equal(await peer.status(client.readdir(3, handle)), status.eof);
  assert.equal(await peer.status(client.close(4, handle)), status.ok);
  const second = await peer.handle(client.path(11, 5, '/many'));
  assert.equal(tree.open.lists, 1);
  await peer.ask(client.close(6, second));
  assert.equal(tree.open.lists, 0);
});

test('at most 100 handles are open, however fast they are asked for', async () => {
  const tree = createFakeTree();
  tree.put('/f', 'x');
  const peer = createPeer(tree);
  for (let batch = 0; batch < 3; batch++) {
    peer.send(...Array.from({ length: 50 }, (_, index) => client.open(batch * 50 + index, '/f', flags.read)));
  }
  await eventually(() => peer.seen.length === 151);
  const types = peer.seen.map((reply) => reply.type);
  assert.deepEqual(
    [types.filter((type) => type === 102).length, types.filter((type) => type === 101).length],
    [100, 50],
  );
  assert.equal(tree.open.reads, 100);
});

test('T19: handle ids are unpredictable and mean nothing on another channel', async () => {
  const tree = createFakeTree();
  tree.put('/f', 'x');
  const [one, other] = [createPeer(tree), createPeer(tree)];
  const handle = await one.handle(client.open(1, '/f', flags.read));
  assert.equal(handle.length, 22);
  assert.equal(await other.status(client.read(2, handle, 0, 1)), status.failure);
});

test('what the mount refuses is answered by its status, and a fault of ours by an incident number', async () => {
  const tree = createFakeTree();
  tree.put('/published.pdf', 'x', false);
  tree.put('/own', 'x');
  const peer = createPeer(tree);
  assert.equal(await peer.status(client.open(1, '/published.pdf', upload)), status.denied);
  assert.equal(await peer.status(client.path(13, 2, '/published.pdf')), status.denied);
  assert.equal(await peer.status(client.rename(3, '/published.pdf', '/x')), status.denied);
  assert.equal(await peer.status(client.setstat(4, '/published.pdf', u32(1), u64(0))), status.denied);
  assert.equal(await peer.status(client.setstat(4, '/published.pdf', u32(4), u32(0o777))), status.denied);
  assert.equal(await peer.status(client.setstat(5, '/own', u32(2), u32(1), u32(1))), status.unsupported);
  assert.equal(await peer.status(client.setstat(5, '/own', u32(4), u32(0o777))), status.ok);
  assert.equal(await peer.status(client.open(6, '/own', upload | flags.exclusive)), status.failure);
  assert.equal(await peer.status(client.open(6, '/own', flags.create)), status.failure);
  assert.equal(await peer.status(client.open(7, '/none', flags.read)), status.noFile);
  assert.equal(await peer.status(client.mkdir(8, '/own')), status.failure);
  assert.equal(await peer.status(client.path(19, 9, '/own')), status.unsupported);
  assert.equal(await peer.status(packet(20, u32(9), str('/a'), str('/b'))), status.unsupported);
  assert.equal(await peer.status(packet(77, u32(9))), status.unsupported);
  assert.equal(await peer.status(client.extended(9, 'hardlink@openssh.com', str('/a'), str('/b'))), status.unsupported);
  assert.equal(await peer.status(client.path(17, 10, '/a\0b')), status.failure);
  assert.equal(await peer.status(client.path(17, 10, '/a'.repeat(10_000))), status.failure);
  assert.equal(await peer.status(packet(4, u32(11), u32(99))), status.bad);
  assert.deepEqual(peer.faults, []);
  const fault = new Error('secret');
  tree.nextFault = fault;
  const reply = await peer.ask(client.path(17, 12, '/own'));
  assert.equal(reply.u32(), status.failure);
  assert.ok(reply.string().toString().includes('incident 1'));
  assert.deepEqual(peer.faults, [fault]);
});

test('T6: after EOF what was sent is answered, then everything is closed and the channel ends with status 0', async () => {
  const tree = createFakeTree();
  tree.put('/f', 'content');
  const peer = createPeer(tree);
  const [read, write] = [
    await peer.handle(client.open(1, '/f', flags.read)),
    await peer.handle(client.open(2, '/half', upload)),
  ];
  peer.send(client.write(3, write, 0, Buffer.from('half')), client.read(4, read, 0, 100), client.path(17, 5, '/f'));
  peer.channel.onEof();
  await peer.session.ended;
  assert.deepEqual(peer.log, ['exit 0', 'close']);
  assert.equal(peer.seen.length, 6);
  assert.deepEqual(tree.open, { reads: 0, writes: 0, lists: 0, mounts: 0 });
  assert.deepEqual([tree.nodes.has('/half'), tree.kept.get('/half')?.toString()], [false, 'half']);
  assert.deepEqual(tree.fetched[0]?.fetched, { ranges: [{ startBytes: 0, endBytes: 7 }], end: 'cut' });
});

test('T6: a lost channel aborts uploads, whatever waits, and leaves nothing open', async () => {
  const tree = createFakeTree();
  const peer = createPeer(tree);
  const handle = await peer.handle(client.open(1, '/half', upload));
  await peer.ask(client.path(11, 2, '/'));
  const gate = Promise.withResolvers<void>();
  tree.gate = gate.promise;
  peer.send(client.write(3, handle, 0, Buffer.from('half')), client.open(4, '/late', upload));
  peer.channel.onClosed();
  gate.resolve();
  await peer.session.ended;
  assert.deepEqual(tree.open, { reads: 0, writes: 0, lists: 0, mounts: 0 });
  assert.deepEqual([[...tree.kept.keys()].sort(), peer.log, peer.faults], [['/half', '/late'], [], []]);
});

test('a stream that is no SFTP ends with status 1', async () => {
  const streams = [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    client.path(17, 1, '/'),
    client.init(2),
    Buffer.concat([client.init(), client.init()]),
    Buffer.concat([client.init(), packet(4, u32(1), str('x'.repeat(300_000)))]),
    Buffer.concat([client.init(), packet(4)]),
    Buffer.concat([client.init(), Buffer.alloc(4)]),
  ];
  for (const stream of streams) {
    const tree = createFakeTree();
    const peer = createPeer(tree, { hello: stream });
    await peer.session.ended;
    assert.deepEqual([peer.log, tree.open.mounts], [['exit 1', 'close'], 0]);
  }
});

test('a mount that cannot be opened answers every request with its reason', async () => {
  const tree = createFakeTree();
  const peer = createPeer(tree, { openMount: () => Promise.reject(new Error('no mount')) });
  assert.equal(await peer.status(client.path(17, 1, '/')), status.failure);
  assert.equal(peer.seen[0]?.type, 2);
  peer.channel.onEof();
  await peer.session.ended;
  assert.deepEqual(peer.log, ['exit 0', 'close']);
});

test('a session that is to finish lets open transfers end, takes no new ones and then closes', async () => {
  const tree = createFakeTree();
  const peer = createPeer(tree);
  const handle = await peer.handle(client.open(1, '/f', upload));
  peer.session.finish();
  assert.equal(await peer.status(client.open(2, '/g', upload)), status.failure);
  assert.equal(await peer.status(client.write(3, handle, 0, Buffer.from('done'))), status.ok);
  assert.deepEqual(peer.log, []);
  assert.equal(await peer.status(client.close(4, handle)), status.ok);
  await peer.session.ended;
  assert.deepEqual([peer.log, tree.nodes.get('/f')?.bytes.toString()], [['exit 0', 'close'], 'done']);
});
