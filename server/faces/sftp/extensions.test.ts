// Requests that change names, and the extensions beyond version 3, as their documents say.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { client, flags, type Reply, str, u32, u64 } from '../../../test/fakes/sftp-client.ts';
import { createFakeTree } from '../../../test/fakes/sftp-mount.ts';
import { createPeer } from '../../../test/fakes/sftp-peer.ts';

const hash = (algorithm: string, data: Uint8Array): Buffer => createHash(algorithm).update(data).digest();
const status = { ok: 0, noFile: 2, failure: 4, unsupported: 8 };
const upload = flags.write | flags.create | flags.truncate;

test('rename, posix-rename, mkdir and rmdir do what their names say', async () => {
  const tree = createFakeTree();
  tree.put('/a', 'a');
  tree.put('/b', 'b');
  const peer = createPeer(tree);
  assert.equal(await peer.status(client.rename(1, '/a', '/b')), status.failure);
  assert.equal(await peer.status(client.extended(2, 'posix-rename@openssh.com', str('/a'), str('//b/'))), status.ok);
  assert.equal(tree.nodes.get('/b')?.bytes.toString(), 'a');
  assert.equal(await peer.status(client.mkdir(3, '/d')), status.ok);
  assert.equal(await peer.status(client.rename(4, '/b', '/d/b')), status.ok);
  assert.equal(await peer.status(client.path(15, 5, '/d')), status.failure);
  assert.equal(await peer.status(client.path(13, 6, 'd/./b')), status.ok);
  assert.equal(await peer.status(client.path(15, 7, '/x/../d')), status.ok);
  assert.deepEqual([...tree.nodes.keys()], ['/']);
});

test('extensions answer as their documents say', async () => {
  const tree = createFakeTree();
  const bytes = Buffer.alloc(3_000_000, 'abcdefg');
  tree.put('/big', bytes);
  tree.put('/small', 'small');
  const peer = createPeer(tree);
  const path = async (request: Buffer): Promise<string> => (await peer.ask(request)).names()[0]!.name;
  assert.equal(await path(client.path(16, 1, 'x/..//big')), '/big');
  assert.equal(await path(client.extended(1, 'expand-path@openssh.com', str('~/a'))), '/a');
  assert.equal(await path(client.extended(1, 'expand-path@openssh.com', str('~u1'))), '/');
  assert.equal(await path(client.extended(1, 'home-directory', str(''))), '/');
  assert.equal(await peer.status(client.extended(1, 'home-directory', str('u2'))), status.noFile);
  assert.equal((await peer.ask(client.extended(2, 'limits@openssh.com'))).u64(), 262144n);
  const space = await peer.ask(client.extended(3, 'space-available', str('/')));
  assert.equal(space.u64(), BigInt(tree.quotaBytes));
  assert.equal((await peer.ask(client.extended(3, 'statvfs@openssh.com', str('/')))).u64(), 4096n);
  const names = await peer.ask(
    client.extended(4, 'users-groups-by-id@openssh.com', str(Buffer.from('000003e80000000000000007', 'hex')), str('')),
  );
  assert.equal(names.string().toString('hex'), '0000000275310000000662726f6b657200000000');
  const check = (path: string, algorithms: string, start: number, length: number, block: number): Promise<Reply> =>
    peer.ask(client.extended(5, 'check-file-name', str(path), str(algorithms), u64(start), u64(length), u32(block)));
  const whole = await check('/small', 'md5,sha256', 0, 0, 0);
  assert.equal(whole.string().toString(), 'sha256');
  assert.deepEqual(whole.rest(), hash('sha256', Buffer.from('small')));
  const blocks = await check('/big', 'sha512', 1000, 2_500_000, 1_000_000);
  assert.equal(blocks.string().toString(), 'sha512');
  const cut = bytes.subarray(1000, 2_501_000);
  const expected = [0, 1, 2].map((index) => hash('sha512', cut.subarray(index * 1e6, (index + 1) * 1e6)));
  assert.deepEqual(blocks.rest(), Buffer.concat(expected));
  assert.equal((await check('/big', 'md5,crc32', 0, 0, 0)).status(), status.unsupported);
  assert.equal((await check('/big', 'sha256', 0, 0, 255)).status(), status.failure);
  assert.equal((await check('/big', 'sha256', 0, 0, 256)).status(), status.failure);
  const from = await peer.handle(client.open(6, '/big', flags.read));
  const to = await peer.handle(client.open(7, '/copy', upload | flags.read));
  peer.send(client.read(8, from, 0, 100_000), client.read(9, from, 100_000, 100_000));
  const copy = client.extended(10, 'copy-data', str(from), u64(7), u64(0), str(to), u64(1));
  assert.equal(await peer.status(copy), status.ok);
  const fields = [str(to), str('sha256'), u64(1), u64(0), u32(0)];
  const copied = await peer.ask(client.extended(11, 'check-file-handle', ...fields));
  copied.string();
  assert.deepEqual(copied.rest(), hash('sha256', bytes.subarray(7)));
  const self = client.extended(12, 'copy-data', str(to), u64(0), u64(0), str(to), u64(1));
  assert.equal(await peer.status(self), status.failure);
  assert.equal(await peer.status(client.extended(13, 'fsync@openssh.com', str(to))), status.ok);
  assert.deepEqual([tree.calls.sync, peer.faults], [1, []]);
});
