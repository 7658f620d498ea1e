// What the codec makes of whole packets, at both sides of every limit.
import assert from 'node:assert/strict';
import test from 'node:test';
import { client, packet, Reply, str, u32, u64 } from '../../test/fakes/sftp-client.ts';
import {
  announcedExtensions,
  createFrameReader,
  decodeName,
  formatAttributes,
  formatDataHead,
  formatHandle,
  formatHashes,
  formatLimits,
  formatLongName,
  formatNames,
  formatNamesById,
  formatStatus,
  formatVersion,
  formatVolume,
  limits,
  nameEntryBytes,
  parseRequest,
  type Request,
} from './sftp.ts';

const handle = Buffer.from('h'.repeat(22));

function parse(bytes: Buffer): Request {
  const frames = createFrameReader();
  frames.push(bytes);
  const first = frames.next();
  assert.ok(first, 'a whole packet was pushed');
  return parseRequest(first);
}

function open(bytes: Buffer): Reply {
  assert.equal(bytes.readUInt32BE(0), bytes.length - 4);
  return new Reply(bytes.subarray(4));
}

test('every request of version 3 is read back with the fields that the client wrote', () => {
  const text = handle.toString('latin1');
  const path = Buffer.from('/reports/ä.csv');
  const attributes = Buffer.concat([
    Buffer.from([0, 0, 0, 13]),
    Buffer.from('0000000000000400', 'hex'),
    Buffer.from('000081a4', 'hex'),
    Buffer.from('6564c3006564c301', 'hex'),
  ]);
  const read = { sizeBytes: 1024, mode: 0o100644, times: { accessedAt: 0x6564c300, modifiedAt: 0x6564c301 } };
  const cases: [Buffer, object][] = [
    [client.init(6), { kind: 'init', version: 6 }],
    [client.close(7, handle), { kind: 'close', id: 7, handle: text }],
    [client.read(8, handle, 2n ** 53n - 1n, 9), { kind: 'read', id: 8, handle: text, offset: 2 ** 53 - 1, length: 9 }],
    [client.fstat(9, handle), { kind: 'fstat', id: 9, handle: text }],
    [client.readdir(10, handle), { kind: 'readdir', id: 10, handle: text }],
    [client.path(17, 11, path), { kind: 'stat', id: 11, path }],
    [client.path(7, 11, path), { kind: 'lstat', id: 11, path }],
    [client.path(11, 11, path), { kind: 'opendir', id: 11, path }],
    [client.path(13, 11, path), { kind: 'remove', id: 11, path }],
    [client.path(15, 11, path), { kind: 'rmdir', id: 11, path }],
    [client.path(16, 11, path), { kind: 'realpath', id: 11, path }],
    [client.path(19, 11, path), { kind: 'readlink', id: 11, path }],
    [client.setstat(12, '/a', attributes), { kind: 'setstat', id: 12, path: Buffer.from('/a'), attributes: read }],
    [client.fsetstat(12, handle, attributes), { kind: 'fsetstat', id: 12, handle: text, attributes: read }],
    [client.mkdir(13, '/a'), { kind: 'mkdir', id: 13, path: Buffer.from('/a'), attributes: {} }],
    [client.rename(14, '/a', '/b'), { kind: 'rename', id: 14, from: Buffer.from('/a'), to: Buffer.from('/b') }],
    [packet(99, u32(15)), { kind: 'unknown', id: 15, type: 99 }],
    [
      client.open(16, '/a', 0b101010),
      {
        kind: 'open',
        id: 16,
        path: Buffer.from('/a'),
        mode: { read: false, write: true, append: false, create: true, truncate: false, exclusive: true },
        attributes: {},
      },
    ],
  ];
  for (const [bytes, request] of cases) assert.deepEqual(parse(bytes), request);
});

test('every announced extension is read, and one that is not announced keeps its name', () => {
  const [a, text] = [Buffer.from('/a'), handle.toString('latin1')];
  const range = { algorithms: ['md5', 'sha256'], start: 5, length: 6, blockBytes: 256 };
  const rangeFields = [str('md5,sha256'), u64(5), u64(6), u32(256)];
  const cases: [Buffer, object][] = [
    [client.extended(1, 'posix-rename@openssh.com', str('/a'), str('/a')), { kind: 'posix_rename', from: a, to: a }],
    [client.extended(1, 'statvfs@openssh.com', str('/a')), { kind: 'statvfs', path: a }],
    [client.extended(1, 'fstatvfs@openssh.com', str(handle)), { kind: 'fstatvfs', handle: text }],
    [client.extended(1, 'fsync@openssh.com', str(handle)), { kind: 'fsync', handle: text }],
    [client.extended(1, 'lsetstat@openssh.com', str('/a'), u32(0)), { kind: 'lsetstat', path: a, attributes: {} }],
    [client.extended(1, 'limits@openssh.com'), { kind: 'limits' }],
    [client.extended(1, 'expand-path@openssh.com', str('/a')), { kind: 'expand_path', path: a }],
    [
      client.extended(1, 'copy-data', str(handle), u64(1), u64(2), str(handle), u64(3)),
      { kind: 'copy_data', from: text, fromOffset: 1, length: 2, to: text, toOffset: 3 },
    ],
    [client.extended(1, 'home-directory', str('me')), { kind: 'home_directory', user: Buffer.from('me') }],
    [
      client.extended(1, 'users-groups-by-id@openssh.com', str(Buffer.from([0, 0, 0, 5])), str('')),
      { kind: 'names_by_id', uids: [5], gids: [] },
    ],
    [client.extended(1, 'check-file-name', str('/a'), ...rangeFields), { kind: 'check_file_name', path: a, ...range }],
    [
      client.extended(1, 'check-file-handle', str(handle), ...rangeFields),
      { kind: 'check_file_handle', handle: text, ...range },
    ],
    [client.extended(1, 'space-available', str('/a')), { kind: 'space_available', path: a }],
    [
      client.extended(1, 'hardlink@openssh.com', str('/a'), str('/b')),
      { kind: 'unknown_extension', name: 'hardlink@openssh.com' },
    ],
  ];
  for (const [bytes, request] of cases) assert.deepEqual(parse(bytes), { id: 1, ...request });
});

test('a write is given as views of what came from the channel, wherever the channel cut it', () => {
  const bytes = Buffer.from(Array.from({ length: 5000 }, (_, index) => index & 255));
  const whole = client.write(3, handle, 77, bytes);
  for (const cut of [1, 3, 4, 5, 30, 44, 45, 46, 1000, 4999, whole.length]) {
    const frames = createFrameReader();
    for (let at = 0; at < whole.length; at += cut) frames.push(whole.subarray(at, at + cut));
    const request = parseRequest(frames.next()!);
    assert.ok(request.kind === 'write');
    assert.deepEqual(
      [request.id, request.offset, request.payloadBytes, Buffer.concat(request.payload)],
      [3, 77, 5000, bytes],
    );
    assert.ok(cut < 1000 || request.payload.every((view) => view.buffer === whole.buffer));
    assert.equal(frames.waitingBytes, 0);
  }
});

test('a write ends where the length of its data says, whatever follows in the packet, as rclone sends it', () => {
  for (const [dataBytes, packetBytes] of [
    [2, 4],
    [5089, 32_768],
    [0, 70_000],
  ] as const) {
    const bytes = Buffer.from(Array.from({ length: packetBytes }, (_, index) => index & 255));
    const whole = packet(6, u32(5), str(handle), u64(9), u32(dataBytes), bytes);
    for (const cut of [1000, whole.length]) {
      const frames = createFrameReader();
      for (let at = 0; at < whole.length; at += cut) frames.push(whole.subarray(at, at + cut));
      const request = parseRequest(frames.next()!);
      assert.ok(request.kind === 'write');
      assert.equal(request.payloadBytes, dataBytes);
      assert.deepEqual(Buffer.concat(request.payload), bytes.subarray(0, dataBytes));
    }
  }
});

test('an offset of 2^53 − 1 is read and one more is out of range', () => {
  assert.equal(parse(client.read(1, handle, 2n ** 53n - 1n, 1)).kind, 'read');
  for (const offset of [2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
    assert.equal(parse(client.read(1, handle, offset, 1)).kind, 'out_of_range');
    assert.equal(parse(client.write(1, handle, offset, Buffer.of(1))).kind, 'out_of_range');
  }
  assert.equal(parse(client.write(1, handle, 2n ** 53n - 2n, Buffer.of(1))).kind, 'write');
  assert.equal(parse(client.write(1, handle, 2n ** 53n - 1n, Buffer.of(1))).kind, 'out_of_range');
});

test('a packet that says something else than its type allows is malformed and keeps the id to answer', () => {
  const cases: Buffer[] = [
    packet(4, u32(5)),
    packet(4, u32(5), u32(9), Buffer.from('short')),
    packet(4, u32(5), str(handle), Buffer.of(0)),
    packet(4, u32(5), str('h'.repeat(257))),
    packet(6, u32(5), str(handle), u64(0), u32(10), Buffer.from('short')),
    packet(6, u32(5), str('h'.repeat(300)), u64(0), str(Buffer.alloc(400))),
    packet(6, u32(5), str(handle), u64(0), str(Buffer.alloc(limits.writeBytes + 1))),
    packet(9, u32(5), str('/a'), u32(0x10)),
    packet(9, u32(5), str('/a'), u32(0x8000_0000), u32(0xffff_ffff)),
    client.extended(5, 'users-groups-by-id@openssh.com', str(Buffer.from([1, 2, 3])), str('')),
    client.extended(5, 'x'.repeat(129)),
  ];
  for (const bytes of cases) {
    const request = parse(bytes);
    assert.deepEqual([request.kind, 'id' in request && request.id], ['malformed', 5]);
  }
  assert.deepEqual(parse(packet(4, Buffer.of(1, 2))), {
    kind: 'malformed',
    id: undefined,
    why: 'the packet ends inside a field',
  });
  assert.equal(parse(client.write(5, handle, 0, Buffer.alloc(limits.writeBytes))).kind, 'write');
});

test('a packet of no bytes or of more than 256 KiB ends the stream', () => {
  for (const length of [0, limits.packetBytes + 1, 0xffff_ffff]) {
    const frames = createFrameReader();
    const head = Buffer.alloc(4);
    head.writeUInt32BE(length);
    frames.push(head);
    assert.equal(frames.next(), undefined);
    assert.ok(frames.fault);
    frames.push(Buffer.alloc(1000));
    assert.deepEqual([frames.next(), frames.waitingBytes], [undefined, 0]);
  }
  const frames = createFrameReader();
  frames.push(packet(99, Buffer.alloc(limits.packetBytes - 1)));
  assert.equal(frames.next()?.head.length, limits.packetBytes);
});

test('the version reply announces what is served and no links', () => {
  const reply = new Reply(formatVersion().subarray(4));
  assert.deepEqual([reply.type, reply.id], [2, 3]);
  const names: string[] = [];
  for (let rest = reply.rest(); rest.length > 0; rest = reply.rest()) {
    names.push(reply.string().toString());
    reply.string();
  }
  assert.deepEqual(
    names,
    announcedExtensions.map(([name]) => name),
  );
  assert.ok(names.includes('limits@openssh.com') && !names.some((name) => name.includes('link')));
});

test('replies are read back by a client as they were meant', () => {
  const status = open(formatStatus(4, 'noSuchFile', 'größer'));
  assert.deepEqual([status.type, status.id, status.u32(), status.string().toString()], [101, 4, 2, 'größer']);
  assert.deepEqual(open(formatHandle(5, 'abc')).string(), Buffer.from('abc'));
  const attributes = {
    sizeBytes: 2 ** 40,
    owner: { uid: 1, gid: 2 },
    mode: 0o100600,
    times: { accessedAt: 3, modifiedAt: 4 },
  };
  assert.deepEqual(open(formatAttributes(6, attributes)).attributes(), {
    size: 2 ** 40,
    uid: 1,
    gid: 2,
    mode: 0o100600,
    mtime: 4,
  });
  const entry = { name: 'é', longName: 'long é', attributes };
  const names = formatNames(7, [entry, entry]);
  assert.equal(names.length, 13 + 2 * nameEntryBytes(entry));
  assert.deepEqual(
    open(names)
      .names()
      .map(({ name }) => name),
    ['é', 'é'],
  );
  assert.deepEqual(
    Buffer.concat([formatDataHead(8, 3), Buffer.from('abc')]).toString('hex'),
    '0000000c670000000800000003616263',
  );
  const limitsReply = open(formatLimits(9));
  assert.deepEqual(
    [limitsReply.type, limitsReply.u64(), limitsReply.u64(), limitsReply.u64(), limitsReply.u64()],
    [201, 262144n, 261120n, 261120n, 100n],
  );
  const hashes = open(formatHashes(10, 'sha256', [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]));
  assert.deepEqual([hashes.string().toString(), hashes.rest().length], ['sha256', 64]);
  const volume = open(formatVolume(11, { totalBytes: 8192, freeBytes: 4097, totalFiles: 10, freeFiles: 9 }));
  assert.deepEqual(
    Array.from({ length: 11 }, () => Number(volume.u64())),
    [4096, 4096, 2, 1, 1, 10, 9, 9, 0, 2, 255],
  );
  const byId = open(formatNamesById(12, ['me', ''], ['g']));
  assert.deepEqual(
    [byId.string().toString('hex'), byId.string().toString('hex')],
    ['000000026d6500000000', '0000000167'],
  );
});

test('a long name shows the time within half a year and else the year', () => {
  const now = Date.UTC(2026, 10, 24, 12) / 1000;
  const line = (modifiedAt: number, mode = 0o100600): string =>
    formatLongName('a b', { sizeBytes: 12, mode, times: { accessedAt: 0, modifiedAt } }, 'you', 'you', now);
  assert.equal(line(now - 3600), '-rw-------    1 you      you            12 Nov 24 11:00 a b');
  assert.equal(line(Date.UTC(2025, 0, 2) / 1000), '-rw-------    1 you      you            12 Jan  2  2025 a b');
  assert.equal(line(now + 60, 0o040500), 'dr-x------    2 you      you            12 Nov 24  2026 a b');
});

test('names that are not well-formed UTF-8 have no text', () => {
  assert.equal(decodeName(Buffer.from('naïve')), 'naïve');
  assert.equal(decodeName(Buffer.from('efbbbf61', 'hex')), '\ufeffa');
  for (const bad of ['c0af', 'eda080', 'ff', 'e282', 'f4908080']) {
    assert.equal(decodeName(Buffer.from(bad, 'hex')), undefined);
  }
});
