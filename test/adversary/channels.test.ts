// Channels and SFTP of a running server under attack, by a client that has signed in: windows, sizes, handles, odd requests.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { formatBoolean, formatByte, formatString, formatUint32 } from '../../packages/ssh/wire.ts';
import { client as packets, flags, packet, str, u32, u64 } from '../fakes/sftp-client.ts';
import { eventually } from '../eventually.ts';
import { once } from '../once.ts';
import { type Peer, readBanner, type SftpChannel } from './peer.ts';
import { openTarget } from './target.ts';

const target = await openTarget();
after(() => target[Symbol.asyncDispose]());
const mib = 1024 * 1024;
const kib = 1024;

const account = once(() => target.addAccount('mallory', ['127.0.0.1']));
const enter = async (): Promise<Peer> => target.enter(await account());

/** A file of 8 MiB for reading, uploaded once. */
const bigFile = once(async () => {
  using peer = await enter();
  const sftp = await peer.openSftp();
  const handle = await sftp.handle((id) => packets.open(id, '/big', flags.write | flags.create | flags.truncate));
  const piece = Buffer.alloc(128 * kib, 7);
  for (let at = 0; at < 8 * mib; at += piece.length) await sftp.begin((id) => packets.write(id, handle, at, piece));
  assert.equal(await sftp.status((id) => packets.close(id, handle)), 0);
  return '/big';
});

const openBig = async (sftp: SftpChannel): Promise<Buffer> => {
  const path = await bigFile();
  return sftp.handle((id) => packets.open(id, path, flags.read));
};

test('T1 and GHSA-4846-7xwg-pw5m: a channel whose packets may hold 0 bytes, or next to none, is refused and spins nobody', async () => {
  using peer = await enter();
  const before = await target.read();
  for (const packetBytes of [0, 1, 8, 1023]) assert.equal(await peer.openSession(1 << 20, packetBytes), undefined);
  const sftp = await peer.openSftp(1 << 20, 1024);
  const handle = await openBig(sftp);
  assert.equal((await sftp.ask((id) => packets.read(id, handle, 0, 64 * kib))).string().length, 64 * kib);
  assert.match(await readBanner(target.port), /^SSH-2.0-/);
  const { processorSeconds } = await target.read();
  assert.ok(processorSeconds - before.processorSeconds < 2);
});

test('T2, and the window fault of ssh2: data beyond the window or the packet size disconnects, the last byte does not', async () => {
  using packetTooLarge = await enter();
  const first = await packetTooLarge.openSftp();
  packetTooLarge.data(first.id, Buffer.alloc(128 * kib + 1));
  assert.equal((await packetTooLarge.ended()).farewell, 'protocol error');

  using peer = await enter();
  const sftp = await peer.openSftp(4096);
  const handle = await openBig(sftp);
  // The client takes no answers, so the server takes no more requests, and the window fills.
  for (let count = 0; count < 16; count += 1) await sftp.begin((id) => packets.read(id, handle, 0, 255 * kib));
  const left = Buffer.alloc(sftp.windowLeft);
  for (let at = 0; at + 14 <= left.length; at += 14) packets.path(17, 9, '/').copy(left, at);
  await sftp.send(left);
  assert.equal(sftp.windowLeft, 0);
  assert.notEqual(await peer.openSession(), undefined, 'a full window is no fault');
  peer.data(sftp.id, Buffer.alloc(1));
  assert.equal((await peer.ended()).farewell, 'protocol error');
});

test('T2: a WINDOW_ADJUST that takes the window past 2^32-1 disconnects, and one up to it does not', async () => {
  const adjust = (id: number, bytes: number): Buffer =>
    Buffer.concat([formatByte(93), formatUint32(id), formatUint32(bytes)]);
  using peer = await enter();
  const sftp = await peer.openSftp(0x7fff_ffff);
  peer.send(adjust(sftp.id, 0x7fff_ffff));
  assert.equal(await sftp.status((id) => packets.path(17, id, '/')), 0);
  peer.send(adjust(sftp.id, 0x7fff_ffff));
  assert.equal((await peer.ended()).farewell, 'protocol error');
});

test('T3 and ProFTPD 2026, zero window: peers that never open their window, or never read, cost bounded memory', async () => {
  await bigFile();
  const before = await target.read();
  const peers: Peer[] = [];
  for (let count = 0; count < 4; count += 1) {
    const isDeaf = count % 2 === 0;
    const peer = await enter();
    peers.push(peer);
    const channels = await Promise.all(Array.from({ length: 10 }, () => peer.openSftp(isDeaf ? 0x7fff_ffff : 4096)));
    const handles = await Promise.all(channels.map(openBig));
    if (isDeaf) peer.socket.pause();
    for (const [index, sftp] of channels.entries()) {
      const read = (id: number): Buffer => packets.read(id, handles[index]!, (id % 50) * 128 * kib, 255 * kib);
      await sftp.send(Buffer.concat(Array.from({ length: 200 }, (_, id) => read(1000 + id))));
    }
  }
  assert.match(await readBanner(target.port), /^SSH-2.0-/);
  const grownMib = ((await target.read()).residentBytes - before.residentBytes) / mib;
  assert.ok(grownMib < 4 * 80, `${Math.round(grownMib)} MiB for 40 channels with 8,000 reads of 255 KiB`);
  for (const peer of peers) peer.reset();
});

test('T6: on EOF every request is answered, then exit-status, EOF and CLOSE come, in that order and once', async () => {
  using peer = await enter();
  const session = (await peer.openSession())!;
  peer.request(session.id, 'subsystem', formatString('sftp'));
  await peer.next(99);
  const stats = Array.from({ length: 50 }, (_, index) => packets.path(17, index, '/'));
  peer.data(session.id, Buffer.concat([packets.init(), ...stats]));
  peer.send(formatByte(96), formatUint32(session.id));
  await peer.until(() => peer.find(97), 'CLOSE');
  const seen = peer.received.filter((payload) => payload[0]! >= 94 && payload[0]! <= 98).map((payload) => payload[0]!);
  assert.deepEqual(seen.slice(-3), [98, 96, 97]);
  assert.ok(seen.slice(0, -3).every((number) => number === 94));
  const size = peer.received
    .filter((payload) => payload[0] === 94)
    .reduce((sum, payload) => sum + payload.length - 9, 0);
  assert.ok(size > 50 * 20, 'the answers to all fifty are there');
});

test('T8: keys are renewed in the middle of a transfer each way, and data inside the exchange disconnects', async () => {
  using peer = await enter();
  const sftp = await peer.openSftp();
  const handle = await openBig(sftp);
  for (let round = 0; round < 5; round += 1) {
    const asked = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        sftp.begin((id) => packets.read(id, handle, index * 255 * kib, 255 * kib)),
      ),
    );
    await peer.exchangeKeys();
    for (const id of asked) assert.equal((await sftp.reply(id)).string().length, 255 * kib);
  }
  peer.send(peer.offer());
  peer.data(sftp.id, packets.path(17, 5, '/'));
  assert.equal((await peer.ended()).farewell, 'protocol error');
});

test('T10: 100 reads of 255 KiB through a window of 2 MiB are all answered, more than may be in flight', async () => {
  using peer = await enter();
  const sftp = await peer.openSftp(2 * mib);
  const handle = await openBig(sftp);
  const asked: number[] = [];
  for (let index = 0; index < 100; index += 1)
    asked.push(await sftp.begin((id) => packets.read(id, handle, index * 64 * kib, 255 * kib)));
  // The window is opened only by as much as came out whole.
  for (const id of asked) {
    assert.equal((await sftp.reply(id)).string().length, 255 * kib);
    peer.send(formatByte(93), formatUint32(sftp.id), formatUint32(256 * kib));
  }
});

test('T10: the eleventh channel and the 101st handle are refused, over all channels of a connection', async () => {
  using peer = await enter();
  const channels: SftpChannel[] = [];
  for (let count = 0; count < 10; count += 1) channels.push(await peer.openSftp());
  assert.equal(await peer.openSession(), undefined);
  const opendir = (id: number): Buffer => packets.path(11, id, '/');
  const handles: Buffer[] = [];
  for (let count = 0; count < 100; count += 1) handles.push(await channels[count % 10]!.handle(opendir));
  for (const sftp of channels) assert.notEqual(await sftp.status(opendir), 0);
  assert.equal(await channels[0]!.status((id) => packets.close(id, handles[0]!)), 0);
  assert.equal(await channels[5]!.status(opendir), 0);
  assert.notEqual(await channels[0]!.status(opendir), 0);
  // A channel that ends gives back what it had open, an open that fails what it had taken.
  peer.send(formatByte(97), formatUint32(channels[5]!.id));
  await peer.until(() => channels[5]!.isClosed || undefined, 'CLOSE');
  await eventually(async () => (await channels[0]!.status(opendir)) === 0);
  for (let count = 0; count < 30; count += 1)
    assert.notEqual(await channels[1]!.status((id) => packets.path(11, id, '/no-such-folder')), 0);
  assert.equal(await channels[1]!.status(opendir), 0);
});

test('a client that asks as much as it may does not make another wait behind all of it', async () => {
  const vera = await target.addAccount('vera');
  using bystander = await target.enter(vera);
  const calm = await bystander.openSftp();
  using peer = await enter();
  const busy = await Promise.all(Array.from({ length: 10 }, () => peer.openSftp()));
  for (let round = 0; round < 3; round += 1) {
    const asked = await Promise.all(
      busy.flatMap((sftp) =>
        Array.from(
          { length: 60 },
          async () => [sftp, await sftp.begin((id) => packets.path(17, id, '/none'))] as const,
        ),
      ),
    );
    // Behind the 600 on the wire; the server reads both connections.
    const answered = (): number => asked.filter(([sftp, id]) => sftp.replies.has(id)).length;
    await peer.until(() => answered() >= 20 || undefined, 'the first answers');
    const before = answered();
    assert.equal(await calm.status((id) => packets.path(17, id, '/')), 0);
    const between = answered() - before;
    assert.ok(between < 300, `${between} of 600 requests of another client were served first`);
    for (const [sftp, id] of asked) await sftp.reply(id);
  }
});

test('T11 and SFTPGo 2026, subsystem panic: malformed or unknown requests fail, and the connection serves on', async () => {
  using peer = await enter();
  const session = (await peer.openSession())!;
  const requests: readonly (readonly [string, Buffer])[] = [
    ['subsystem', Buffer.alloc(0)],
    ['subsystem', Buffer.from([0, 0, 0])],
    ['subsystem', formatUint32(0xffff_ffff)],
    ['subsystem', formatString('')],
    ['subsystem', formatString('s'.repeat(20_000))],
    ['subsystem', formatString('sftp\0')],
    ['subsystem', Buffer.concat([formatString('sftp'), Buffer.from('more')])],
    ['subsystem', formatString('netconf')],
    ['exec', formatString('id')],
    ['exec', Buffer.alloc(0)],
    ['shell', Buffer.alloc(0)],
    ['pty-req', formatString('xterm')],
    ['env', Buffer.concat([formatString('LD_PRELOAD'), formatString('/tmp/x.so')])],
    ['x11-req', Buffer.alloc(3)],
    ['auth-agent-req@openssh.com', Buffer.alloc(0)],
    ['window-change', Buffer.alloc(1)],
    ['signal', formatString('KILL')],
    ['', Buffer.alloc(0)],
  ];
  for (const [type, rest] of requests) {
    peer.request(session.id, type, rest);
    assert.equal((await peer.next(99, 100))[0], 100, type);
  }
  for (const type of ['x11', 'direct-tcpip', 'forwarded-tcpip', 'auth-agent@openssh.com', 'tun@openssh.com']) {
    peer.openChannel(77, 1 << 20, 1 << 15, type);
    assert.equal((await peer.next(91, 92))[0], 92, type);
  }
  for (const name of ['tcpip-forward', 'cancel-tcpip-forward', 'streamlocal-forward@openssh.com', 'no-such-thing']) {
    peer.send(formatByte(80), formatString(name), formatBoolean(true), formatString('0.0.0.0'), formatUint32(22));
    assert.equal((await peer.next(81, 82))[0], 82, name);
  }
  // A second subsystem on a channel that serves one already is refused as well.
  peer.request(session.id, 'subsystem', formatString('sftp'));
  assert.equal((await peer.next(99, 100))[0], 99);
  peer.request(session.id, 'subsystem', formatString('sftp'));
  assert.equal((await peer.next(99, 100))[0], 100);
  const sftp = await peer.openSftp();
  assert.equal(await sftp.status((id) => packets.path(17, id, '/')), 0);
});

test('T19 and CVE-2024-52801: a handle is unpredictable and means nothing on another channel or connection', async () => {
  using peer = await enter();
  using other = await enter();
  const [mine, beside, elsewhere] = [await peer.openSftp(), await peer.openSftp(), await other.openSftp()];
  const handles: Buffer[] = [];
  for (let count = 0; count < 50; count += 1) handles.push(await openBig(mine));
  for (const handle of handles) {
    assert.equal(Buffer.from(handle.toString(), 'base64url').length, 16);
    for (const thief of [beside, elsewhere]) {
      assert.notEqual(await thief.status((id) => packets.read(id, handle, 0, 1)), 0);
      assert.notEqual(await thief.status((id) => packets.close(id, handle)), 0);
    }
    assert.equal((await mine.ask((id) => packets.read(id, handle, 0, 1))).string().length, 1);
  }
  // 6,400 bits of which about half are set, and no two handles share a byte's value at a place more than chance allows.
  const bits = handles.map((handle) => Buffer.from(handle.toString(), 'base64url'));
  const ones = Buffer.concat(bits).reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
  assert.ok(Math.abs(ones - 3200) < 6 * 40, `${ones} of 6,400 bits are set`);
  const counting = [Buffer.from('0'), Buffer.alloc(4), Buffer.from('AAAAAAAAAAAAAAAAAAAAAA'), Buffer.alloc(256)];
  for (const guess of counting) assert.notEqual(await mine.status((id) => packets.close(id, guess)), 0);
});

test('§8: offsets beyond 2^53, reads past the end, gaps, closed handles and odd sizes are answered, and nothing breaks', async () => {
  using peer = await enter();
  const sftp = await peer.openSftp();
  const handle = await openBig(sftp);
  const eof = 1;
  assert.equal(await sftp.status((id) => packets.read(id, handle, 8 * mib, 1)), eof);
  assert.equal(await sftp.status((id) => packets.read(id, handle, 2 ** 52, 0xffff_ffff)), eof);
  assert.notEqual(await sftp.status((id) => packets.read(id, handle, 2n ** 63n, 1)), 0);
  assert.notEqual(await sftp.status((id) => packets.read(id, handle, 2n ** 64n - 1n, 0xffff_ffff)), 0);
  assert.equal((await sftp.ask((id) => packets.read(id, handle, 0, 0xffff_ffff))).string().length, 255 * kib);
  const upload = await sftp.handle((id) => packets.open(id, '/gap', flags.write | flags.create | flags.truncate));
  assert.notEqual(await sftp.status((id) => packets.write(id, upload, 2n ** 53n, Buffer.of(1))), 0);
  assert.notEqual(await sftp.status((id) => packets.write(id, upload, 2 ** 40, Buffer.of(1))), 0);
  assert.notEqual(
    await sftp.status((id) => packets.close(id, upload)),
    0,
    'a file with a refused part is not published',
  );
  assert.notEqual(await sftp.status((id) => packets.path(17, id, '/gap')), 0);
  assert.equal(await sftp.status((id) => packets.close(id, handle)), 0);
  for (const request of [packets.close, packets.fstat, packets.readdir])
    assert.notEqual(await sftp.status((id) => request(id, handle)), 0);
  assert.notEqual(await sftp.status((id) => packet(5, u32(id), str(handle), u64(0), u32(1))), 0);
});
