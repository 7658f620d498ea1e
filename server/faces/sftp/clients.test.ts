// The face under real clients: OpenSSH, PuTTY and lftp list, fetch, upload, resume, rename and remove.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { withClients } from '../../../test/clients.ts';
import { eventually } from '../../../test/eventually.ts';
import { openTestFace } from '../../../test/fakes/sftp-face.ts';

const mib = 1024 * 1024;

test(
  'OpenSSH sftp lists, uploads, fetches, renames, makes and removes folders, and ends at once',
  withClients,
  async () => {
    await using face = await openTestFace();
    face.tree.put('/statement.pdf', 'published', false);
    writeFileSync(path.join(face.folder, 'up.csv'), 'uploaded');
    const ran = await face.sftp([
      'ls -l',
      'mkdir in',
      'put up.csv in/up.csv',
      'rename in/up.csv in/renamed.csv',
      'get statement.pdf got.pdf',
      'get -p in/renamed.csv back.csv',
      'put -p up.csv in/kept.csv',
      'df',
      '-rm statement.pdf',
      'rm in/*',
      'rmdir in',
      'pwd',
    ]);
    assert.equal(ran.status, 0, ran.stderr);
    assert.match(ran.stdout.toString(), /-r--------.*broker.*statement\.pdf/);
    assert.equal(readFileSync(path.join(face.folder, 'got.pdf'), 'utf8'), 'published');
    assert.equal(readFileSync(path.join(face.folder, 'back.csv'), 'utf8'), 'uploaded');
    assert.deepEqual([...face.tree.nodes.keys()], ['/', '/statement.pdf']);
    await eventually(() => face.summaries.length === 1);
    const [summary] = face.summaries;
    assert.equal(summary?.endReason, 'peer_disconnected');
    assert.equal(summary?.clientSoftware?.startsWith('SSH-2.0-OpenSSH'), true);
    assert.deepEqual([summary?.fileBytesRead, summary?.fileBytesWritten], [17, 16]);
    assert.ok(ran.lastedMs < 5000, `took ${ran.lastedMs} ms`);
    assert.deepEqual(face.faults, []);
  },
);

test('64 MiB go through OpenSSH sftp each way and are the same bytes', withClients, async () => {
  await using face = await openTestFace();
  const bytes = randomBytes(64 * mib);
  writeFileSync(path.join(face.folder, 'big'), bytes);
  const put = await face.sftp(['put big /big']);
  assert.equal(put.status, 0, put.stderr);
  assert.ok(face.tree.nodes.get('/big')?.bytes.equals(bytes));
  const get = await face.sftp(['get /big back']);
  assert.equal(get.status, 0, get.stderr);
  assert.ok(readFileSync(path.join(face.folder, 'back')).equals(bytes));
  await eventually(() => face.tree.fetched.length === 1);
  assert.deepEqual(face.tree.fetched[0]?.fetched, {
    ranges: [{ startBytes: 0, endBytes: 64 * mib }],
    end: 'closed',
  });
});

test('2,000 small files go through OpenSSH sftp each way', withClients, async () => {
  await using face = await openTestFace();
  mkdirSync(path.join(face.folder, 'many'));
  for (let index = 0; index < 2000; index++) {
    writeFileSync(path.join(face.folder, 'many', `f${index}.csv`), randomBytes(index));
  }
  const ran = await face.sftp(['put -r many /many', 'get -r /many back'], { timeoutMs: 120_000 });
  assert.equal(ran.status, 0, ran.stderr);
  assert.equal(readdirSync(path.join(face.folder, 'back')).length, 2000);
  const hash = (folder: string): string => {
    const sum = createHash('sha256');
    for (const name of readdirSync(path.join(face.folder, folder)).sort()) {
      sum.update(`${name}\n`).update(readFileSync(path.join(face.folder, folder, name)));
    }
    return sum.digest('hex');
  };
  assert.equal(hash('back'), hash('many'));
});

test('OpenSSH sftp resumes a download and an upload where they were cut', withClients, async () => {
  await using face = await openTestFace();
  const bytes = randomBytes(3 * mib);
  face.tree.put('/down', bytes);
  face.tree.kept.set('/up', bytes.subarray(0, mib));
  face.tree.put('/up2', bytes.subarray(0, 2 * mib));
  writeFileSync(path.join(face.folder, 'down'), bytes.subarray(0, 1_000_000));
  writeFileSync(path.join(face.folder, 'up'), bytes);
  const ran = await face.sftp(['get -a /down down', 'put -a up /up', 'reput up /up2']);
  assert.equal(ran.status, 0, ran.stderr);
  assert.ok(readFileSync(path.join(face.folder, 'down')).equals(bytes));
  assert.ok(face.tree.nodes.get('/up')?.bytes.equals(bytes));
  assert.ok(face.tree.nodes.get('/up2')?.bytes.equals(bytes));
  assert.deepEqual(face.tree.fetched[0]?.fetched.ranges, [{ startBytes: 1_000_000, endBytes: 3 * mib }]);
});

test('PuTTY psftp lists, fetches, uploads and resumes both ways', withClients, async () => {
  await using face = await openTestFace();
  const bytes = randomBytes(2 * mib);
  face.tree.put('/down', bytes);
  face.tree.kept.set('/up', bytes.subarray(0, mib));
  writeFileSync(path.join(face.folder, 'up'), bytes);
  writeFileSync(path.join(face.folder, 'part'), bytes.subarray(0, 500_000));
  const ran = await face.psftp([
    'ls',
    'get /down whole',
    'reget /down part',
    'reput up /up',
    'put up /up2',
    'mkdir d',
    'mv up2 d/up2',
    'rm d/up2',
    'rmdir d',
  ]);
  assert.equal(ran.status, 0, ran.stdout.toString() + ran.stderr);
  assert.ok(readFileSync(path.join(face.folder, 'whole')).equals(bytes));
  assert.ok(readFileSync(path.join(face.folder, 'part')).equals(bytes));
  assert.ok(face.tree.nodes.get('/up')?.bytes.equals(bytes));
  assert.deepEqual([...face.tree.nodes.keys()].sort(), ['/', '/down', '/up']);
  assert.deepEqual(face.faults, []);
});

test('lftp mirrors a tree both ways and resumes', withClients, async () => {
  await using face = await openTestFace();
  const bytes = randomBytes(mib);
  face.tree.folder('/a');
  face.tree.put('/a/one', bytes);
  face.tree.put('/a/zwei_\u00fc.csv', 'zwei');
  face.tree.kept.set('/up', bytes.subarray(0, 400_000));
  writeFileSync(path.join(face.folder, 'up'), bytes);
  const ran = await face.lftp('mirror /a local; mirror -R local /b; put -c up -o /up; cls -l /; mv /b /c; rm -r /c');
  assert.equal(ran.status, 0, ran.stdout.toString() + ran.stderr);
  assert.ok(readFileSync(path.join(face.folder, 'local', 'one')).equals(bytes));
  assert.equal(readFileSync(path.join(face.folder, 'local', 'zwei_\u00fc.csv'), 'utf8'), 'zwei');
  assert.ok(face.tree.nodes.get('/up')?.bytes.equals(bytes));
  assert.equal(face.tree.nodes.has('/c'), false);
  assert.deepEqual(face.faults, []);
});

test('T11: exec, shell and any other subsystem are refused and the connection stays sane', withClients, async () => {
  await using face = await openTestFace();
  for (const args of [
    ['127.0.0.1', 'id'],
    ['-tt', '127.0.0.1'],
    ['-s', '127.0.0.1', 'netconf'],
  ]) {
    const ran = await face.ssh(args);
    assert.notEqual(ran.status, 0);
    assert.equal(ran.stdout.toString(), '');
  }
  assert.equal((await face.sftp(['ls'])).status, 0);
});

test('an upload whose client is killed is kept, not published, and can be resumed', withClients, async () => {
  await using face = await openTestFace();
  const bytes = randomBytes(8 * mib);
  writeFileSync(path.join(face.folder, 'big'), bytes);
  const killed = await face.sftp(['put big /big'], { args: ['-l', '20000'], timeoutMs: 1500 });
  assert.equal(killed.status, -1);
  await eventually(() => face.tree.kept.has('/big') && face.tree.open.writes === 0 && face.summaries.length === 1);
  assert.equal(face.tree.nodes.has('/big'), false);
  assert.equal((await face.sftp(['ls -l'])).stdout.toString().includes('big'), false);
  const resumed = await face.sftp(['reput big /big']);
  assert.equal(resumed.status, 0, resumed.stderr);
  assert.ok(face.tree.nodes.get('/big')?.bytes.equals(bytes));
  assert.deepEqual(face.tree.open, { reads: 0, writes: 0, lists: 0, mounts: 0 });
});
