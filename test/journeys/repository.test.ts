// A client's repository over the real port: what arrives in it, what it lists, what goes in and out, and what is protected.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { addClient, addOperator, issueStatement } from '../broker.ts';
import { openTempFolder, withClients } from '../clients.ts';
import { eventually } from '../eventually.ts';
import { openInstallation } from '../installation.ts';
import { makeKeyPair } from '../key-pairs.ts';
import { once } from '../once.ts';
import { connectClient, openRepositoryClient, type RepositoryClient } from '../repository-client.ts';
import { lftp, listNames, sftp, startUpload } from '../sftp-programs.ts';

const mib = 1024 * 1024;
const temp = openTempFolder();
const { folder } = temp;
const installation = await openInstallation({ env: { BROADGATE_PRIVATE_ADDRESSES: 'on' } });
after(async () => {
  await installation[Symbol.asyncDispose]();
  temp[Symbol.dispose]();
});
const desk = (await addOperator(installation, 'ana', ['delivery'])).caller;

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const local = (name: string): string => path.join(folder, name);

/** A file of random bytes on the client's machine. */
function write(name: string, sizeBytes: number): Buffer {
  const bytes = randomBytes(sizeBytes);
  writeFileSync(local(name), bytes);
  return bytes;
}

const place = { installation, desk, folder };

test(
  'SF-11: every report issued from the election on arrives, also one issued before the set-up',
  withClients,
  async () => {
    const client = await addClient(desk, 'elena', 'U3000011');
    const issue = (kind: string, period: string, file: string) =>
      issueStatement(desk, { account: client.accountNumber, kind, period, file }, `${kind} of ${period}`);
    const before = await issue('daily', '2026-11-02', 'a.csv');
    await client.caller.put('/v1/delivery', { sftp: true, portal: true });
    const waiting = [await issue('daily', '2026-11-03', 'b.csv'), await issue('confirmation', '2026-11-03', 'c.pdf')];
    const { target } = await connectClient(place, client, await makeKeyPair(folder, 'elena'));
    const later = [await issue('monthly', '2026-11', 'd.xml'), await issue('annual', '2026', 'e.pdf')];
    const expected = [...waiting, ...later].flatMap(({ name }) => [name, `${name}.sig`]);
    const found = await eventually(
      async () => {
        const names = await listNames(target);
        return names.length > expected.length ? names : undefined;
      },
      { timeoutMs: 30_000 },
    );
    assert.deepEqual(found.toSorted(), [...expected, 'manifests'].toSorted());
    assert.ok(!found.includes(before.name));
    const ran = await sftp(target, [`get ${waiting[0]!.name} ${local('elena.csv')}`]);
    assert.equal(ran.status, 0, ran.stderr);
    assert.equal(readFileSync(local('elena.csv'), 'utf8'), 'daily of 2026-11-03');
  },
);

const vera = once(setUpVera);

/** A client with two statements and an upload in a folder of its own. */
async function setUpVera() {
  const opened = await openRepositoryClient(place, 'vera', 'U3000015');
  const { client, target } = opened;
  const texts = { csv: 'Trades,Data,1\r\n', pdf: '%PDF-1.7 of vera' };
  const issued = [];
  for (const [ending, text] of Object.entries(texts)) {
    const asked = { account: client.accountNumber, kind: 'daily', period: '2026-11-20', file: `a.${ending}` };
    issued.push({ ...(await issueStatement(desk, asked, text)), text });
  }
  writeFileSync(local('instructions.csv'), 'buy,1');
  const ran = await sftp(target, ['mkdir out', `put ${local('instructions.csv')} out/instructions.csv`]);
  assert.equal(ran.status, 0, ran.stderr);
  return { ...opened, issued };
}

test('SF-15: the client sees listed exactly the files present in its own repository', withClients, async () => {
  const { target, putty, names, issued } = await vera();
  const expected = [...issued.flatMap(({ name }) => [name, `${name}.sig`]), 'manifests', 'out'].toSorted();
  assert.deepEqual((await listNames(target)).toSorted(), expected);
  assert.deepEqual(await listNames(target, 'out'), ['instructions.csv']);
  writeFileSync(local('passing.csv'), 'for a moment');
  assert.equal((await sftp(target, [`put ${local('passing.csv')} passing.csv`])).status, 0);
  assert.ok((await listNames(target)).includes('passing.csv'));
  assert.equal((await sftp(target, ['rm passing.csv'])).status, 0);
  assert.deepEqual((await listNames(target)).toSorted(), expected);
  assert.deepEqual(await names(), expected);
  // psftp shows sizes: its lines name the same files.
  const shown = (await putty(['ls'])).stdout.toString();
  const lines = shown.split(/\r?\n/).filter((line) => /^[d-]r/.test(line));
  assert.deepEqual(lines.map((line) => line.split(' ').at(-1)!).toSorted(), expected);
});

test('SF-18: OpenSSH sftp and lftp connect, list and read', withClients, async () => {
  const { target, issued } = await vera();
  const [statement] = issued;
  const { name, text } = statement!;
  const openSsh = await sftp(target, ['pwd', 'ls -l', `get ${name} ${local('by-openssh')}`]);
  assert.equal(openSsh.status, 0, openSsh.stderr);
  assert.ok(openSsh.stdout.toString().includes(name));
  assert.equal(readFileSync(local('by-openssh'), 'utf8'), text);
  const byLftp = await lftp(target, `cls -1; get ${name} -o by-lftp`, folder);
  assert.equal(byLftp.status, 0, byLftp.stderr);
  assert.ok(byLftp.stdout.toString().split('\n').includes(name));
  assert.equal(readFileSync(local('by-lftp'), 'utf8'), text);
});

test(
  'D-21: what the broker placed cannot be overwritten, renamed, moved or deleted by a client program',
  withClients,
  async () => {
    const { target, putty, entries, read, issued } = await vera();
    const { name, text } = issued[0]!;
    writeFileSync(local('forged.csv'), 'forged');
    const before = await entries();
    const attempts = [
      `put ${local('forged.csv')} ${name}`,
      `put ${local('forged.csv')} ${name}.sig`,
      `rm ${name}`,
      `rename ${name} other.csv`,
      `rename ${name} out/${name}`,
      `rename out/instructions.csv ${name}`,
      `chmod 600 ${name}`,
      'rename manifests mine',
      'rmdir manifests',
      `put ${local('forged.csv')} manifests/manifest_20261120.json`,
    ];
    for (const attempt of attempts) {
      const ran = await sftp(target, [attempt]);
      assert.notEqual(ran.status, 0, attempt);
      assert.match(ran.stderr, /[Pp]ermission denied/, `${attempt}: ${ran.stderr}`);
    }
    const byPutty = await putty([`put ${local('forged.csv')} ${name}`, `rm ${name}`, `mv ${name} other.csv`]);
    assert.notEqual(byPutty.status, 0);
    assert.deepEqual(await entries(), before);
    assert.equal((await read(`/${name}`)).toString(), text);
  },
);

test('D-21: a client changes, renames and deletes what it uploaded, anywhere in its folder', withClients, async () => {
  const { client, target, putty, names, read } = await vera();
  const first = write('own-1.bin', 70_000);
  const second = write('own-2.bin', 30_000);
  const ran = await sftp(target, [
    `put ${local('own-1.bin')} own.bin`,
    'mkdir box',
    'rename own.bin box/own.bin',
    `get box/own.bin ${local('own-back.bin')}`,
  ]);
  assert.equal(ran.status, 0, ran.stderr);
  assert.deepEqual(readFileSync(local('own-back.bin')), first);
  assert.equal((await putty([`put ${local('own-2.bin')} box/own.bin`])).status, 0);
  assert.deepEqual(await read('/box/own.bin'), second);
  const uploads = await desk.list<{ id: string; path: string; sha256: string }>(
    `/v1/delivery-desk/uploads?client=${client.clientId}`,
  );
  const upload = uploads.find((one) => one.path === '/box/own.bin');
  assert.equal(upload?.sha256, hashOf(second));
  const fetched = await desk.call('GET', `/v1/delivery-desk/uploads/${upload.id}/file`);
  assert.deepEqual(Buffer.from(await fetched.arrayBuffer()), second);
  assert.equal((await sftp(target, ['rm box/own.bin', 'rmdir box'])).status, 0);
  assert.ok(!(await names()).includes('box'));
});

/** An upload of 24 MiB by OpenSSH that is cut once the server has made 8 MiB of it durable. */
async function cutUpload({ target, entry, names }: RepositoryClient, name: string): Promise<Buffer> {
  const bytes = write(name, 24 * mib);
  const upload = startUpload(target, local(name), name, 4096);
  await eventually(async () => (await entry(`/${name}`)).sizeBytes >= 8 * mib, { timeoutMs: 60_000 });
  assert.equal(await upload.cut(), null, 'the upload was cut before its end');
  assert.equal((await entry(`/${name}`)).isPartial, true);
  assert.ok(!(await names()).includes(name), 'an unfinished upload is in no list');
  return bytes;
}

test('OpenSSH sftp goes on with a cut upload and a cut download where they stopped', withClients, async () => {
  const rosa = await openRepositoryClient(place, 'rosa', 'U3000021');
  const { client, target, entry } = rosa;
  const bytes = await cutUpload(rosa, 'long.bin');
  const put = await sftp(target, [`reput ${local('long.bin')} long.bin`]);
  assert.equal(put.status, 0, put.stderr);
  assert.equal((await entry('/long.bin')).sha256, hashOf(bytes));
  writeFileSync(local('long.part'), bytes.subarray(0, 9_000_000));
  const get = await sftp(target, [`reget long.bin ${local('long.part')}`]);
  assert.equal(get.status, 0, get.stderr);
  assert.equal(hashOf(readFileSync(local('long.part'))), hashOf(bytes));
  const fetched = await eventually(async () => {
    const receipts = await client.caller.list<{ path: string; sentBytes: number }>('/v1/receipts');
    return receipts.find((one) => one.path === '/long.bin');
  });
  assert.equal(fetched.sentBytes, 24 * mib - 9_000_000, 'only what was missing went over the wire');
  const connections = await client.caller.list<{ bytesIn: number | null }>('/v1/delivery/connections');
  const most = Math.max(...connections.map((one) => one.bytesIn ?? 0));
  assert.ok(most < 20 * mib, `the second upload did not begin at the front: ${most} bytes`);
});

test('PuTTY psftp goes on with a cut upload and a cut download where they stopped', withClients, async () => {
  const paul = await openRepositoryClient(place, 'paul', 'U3000022');
  const { putty, entry } = paul;
  const bytes = await cutUpload(paul, 'far.bin');
  const put = await putty([`reput ${local('far.bin')} far.bin`]);
  assert.equal(put.status, 0, put.stdout.toString() + put.stderr);
  assert.equal((await entry('/far.bin')).sha256, hashOf(bytes));
  writeFileSync(local('far.part'), bytes.subarray(0, 7_000_001));
  const get = await putty([`reget far.bin ${local('far.part')}`]);
  assert.equal(get.status, 0, get.stdout.toString() + get.stderr);
  assert.equal(hashOf(readFileSync(local('far.part'))), hashOf(bytes));
});
