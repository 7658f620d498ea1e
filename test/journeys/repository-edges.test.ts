// The edges of a repository: another client's files, the quota, and paths and names that no honest program would send.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { addOperator, issueStatement } from '../broker.ts';
import { openTempFolder, withClients } from '../clients.ts';
import { eventually } from '../eventually.ts';
import { client as packets, flags, packet, str, u32, u64 } from '../fakes/sftp-client.ts';
import { openInstallation } from '../installation.ts';
import { once } from '../once.ts';
import { openRepositoryClient } from '../repository-client.ts';
import { openByHand } from '../sftp-by-hand.ts';
import { lftp, listNames, sftp } from '../sftp-programs.ts';

const mib = 1024 * 1024;
const quotaBytes = 32 * mib;
const temp = openTempFolder();
const { folder } = temp;
const installation = await openInstallation({
  env: { BROADGATE_PRIVATE_ADDRESSES: 'on', BROADGATE_QUOTA: '32 MiB' },
});
after(async () => {
  await installation[Symbol.asyncDispose]();
  temp[Symbol.dispose]();
});
const desk = (await addOperator(installation, 'ana', ['delivery'])).caller;
const place = { installation, desk, folder };
const local = (name: string): string => path.join(folder, name);

type Build = (id: number) => Buffer;

/** Every request of SFTP that names a path, for one path. Shape: those that a good path would grant. */
const requestsOn = (where: string | Uint8Array): Readonly<Record<string, Build>> => ({
  stat: (id) => packets.path(17, id, where),
  lstat: (id) => packets.path(7, id, where),
  read: (id) => packets.open(id, where, flags.read),
  append: (id) => packets.open(id, where, flags.write | flags.append),
  list: (id) => packets.path(11, id, where),
  cut: (id) => packet(9, u32(id), str(where), u32(1), u64(0)),
  check: (id) => packets.extended(id, 'check-file-name', str(where), str('sha256'), u64(0), u64(0), u32(0)),
  rename: (id) => packet(18, u32(id), str(where), str('/taken')),
  replace: (id) => packets.extended(id, 'posix-rename@openssh.com', str(where), str('/taken')),
  hardlink: (id) => packets.extended(id, 'hardlink@openssh.com', str(where), str('/taken')),
  symlink: (id) => packet(20, u32(id), str(where), str('/taken')),
  readlink: (id) => packets.path(19, id, where),
  rmdir: (id) => packets.path(15, id, where),
  remove: (id) => packets.path(13, id, where),
});
const noSuchFile = 2;

/** Sends requests together, as a busy client does. */
const askAll = (byHand: Awaited<ReturnType<typeof openByHand>>, requests: Readonly<Record<string, Build>>) =>
  Promise.all(Object.entries(requests).map(async ([name, build]) => [name, await byHand.status(build)] as const));

const neighbours = once(async () => {
  const vera = await openRepositoryClient(place, 'vera', 'U3100016');
  const otto = await openRepositoryClient(place, 'otto', 'U3100017');
  const asked = { account: vera.client.accountNumber, kind: 'daily', period: '2026-11-20', file: 'a.csv' };
  const statement = await issueStatement(desk, asked, 'what vera owns');
  await issueStatement(desk, { ...asked, account: otto.client.accountNumber }, 'what otto owns');
  writeFileSync(local('private.csv'), 'only for vera');
  const ran = await sftp(vera.target, ['mkdir box', `put ${local('private.csv')} box/private.csv`]);
  assert.equal(ran.status, 0, ran.stderr);
  return { vera, otto, statement };
});

test('SF-16: files of another client are not listed', withClients, async () => {
  const { vera, otto, statement } = await neighbours();
  const names = await listNames(otto.target);
  assert.equal(names.length, 3, 'its own statement, the signature beside it, and the manifests');
  assert.ok(!names.includes(statement.name) && !names.includes('box'));
  assert.ok((await listNames(vera.target)).includes(statement.name));
});

test('SF-16: no spelling of a path and no operation reaches a file of another client', withClients, async () => {
  const { vera, otto, statement } = await neighbours();
  const before = [...(await vera.entries()), ...(await vera.entries('/box'))];
  const homes = [vera.target.user, vera.client.clientId, vera.client.login, vera.client.accountNumber];
  const overlong = Buffer.from([0x2f, 0xc0, 0xae, 0xc0, 0xae, 0x2f]);
  using byHand = await openByHand(otto.target);
  for (const file of [statement.name, 'box/private.csv']) {
    const spellings: (string | Buffer)[] = [
      `/${file}`,
      file,
      `../${file}`,
      `/../../${file}`,
      `./.././/${file}`,
      `/${file}/`,
      `/${file.toUpperCase()}`,
      ...homes.flatMap((home) => [
        `../${home}/${file}`,
        `/${home}/${file}`,
        `/clients/${home}/${file}`,
        `~${home}/${file}`,
      ]),
      `/..%2f${homes[0]}%2f${file}`,
      `/%2e%2e/${homes[0]}/${file}`,
      `..\\${homes[0]}\\${file}`,
      // Full-width stops, which only a wrong normalisation turns into "..".
      `/\uff0e\uff0e/${homes[0]}/${file}`,
      path.join(installation.dataDir, file),
    ];
    for (const spelled of spellings) {
      const answered = await askAll(byHand, requestsOn(spelled));
      for (const [name, { code }] of answered) assert.notEqual(code, 0, `${name} of ${String(spelled)}`);
    }
    const { code } = await byHand.status(requestsOn(Buffer.concat([overlong, Buffer.from(file)]))['read']!);
    assert.notEqual(code, 0);
  }
  // The same requests by their owner are granted, so it is not the requests that are wrong.
  using byOwner = await openByHand(vera.target);
  for (const request of ['stat', 'lstat', 'read', 'check']) {
    assert.deepEqual(await byOwner.status(requestsOn('/box/private.csv')[request]!), { code: 0, text: '' }, request);
  }
  assert.deepEqual([...(await vera.entries()), ...(await vera.entries('/box'))], before);
  assert.equal((await vera.read('/box/private.csv')).toString(), 'only for vera');
});

test(
  'SF-16: a file of the same name is another file, and the API reaches nothing of another client either',
  withClients,
  async () => {
    const { vera, otto, statement } = await neighbours();
    writeFileSync(local('ottos.csv'), 'only for otto');
    const ran = await sftp(otto.target, ['mkdir box', `put ${local('ottos.csv')} box/private.csv`]);
    assert.equal(ran.status, 0, ran.stderr);
    assert.equal((await vera.read('/box/private.csv')).toString(), 'only for vera');
    assert.equal((await otto.read('/box/private.csv')).toString(), 'only for otto');
    const { caller } = otto.client;
    for (const part of ['', '/file', '/delivered', '/timeline']) {
      const refused = await caller.refused('GET', `/v1/statements/${statement.id}${part}`);
      assert.deepEqual([refused.status, refused.code], [404, 'statement_not_found'], part);
      assert.ok((await vera.client.caller.call('GET', `/v1/statements/${statement.id}${part}`)).ok, part);
    }
    const byPath = await caller.refused('GET', `/v1/repository/file?path=/${statement.name}`);
    assert.equal(byPath.code, 'path_not_found');
    const uploads = await desk.list<{ id: string }>(`/v1/delivery-desk/uploads?client=${vera.client.clientId}`);
    assert.equal(uploads.length, 1);
    assert.equal((await caller.refused('GET', `/v1/delivery-desk/uploads/${uploads[0]!.id}/file`)).status, 403);
    const receipts = await caller.list<{ path: string }>('/v1/receipts');
    assert.ok(receipts.every((receipt) => !receipt.path.includes(statement.name)));
  },
);

test(
  'paths with "..", NUL, 10,000 levels or no meaning are refused with what to do, and change nothing',
  withClients,
  async () => {
    const { client, target, entries, names } = await openRepositoryClient(place, 'mila', 'U3100018');
    writeFileSync(local('own.csv'), 'own');
    assert.equal((await sftp(target, [`put ${local('own.csv')} own.csv`])).status, 0);
    const before = await entries();
    const space = await client.caller.get('/v1/repository/space');
    const paths: Record<string, string | Buffer> = {
      'above the top': '../../../../../../etc/passwd',
      NUL: 'own.csv\0.pdf',
      '10,000 levels': 'a/'.repeat(10_000),
      '65 levels': 'a/'.repeat(65),
      'a name of 256 bytes': 'n'.repeat(256),
      'a line end': 'two\nlines',
      'a turned direction': 'statement\u202efdp.exe',
      'no UTF-8': Buffer.from([0x2f, 0xff, 0xfe]),
      'half a surrogate pair': Buffer.from([0x2f, 0xed, 0xa0, 0x80]),
    };
    using byHand = await openByHand(target);
    for (const [what, where] of Object.entries(paths)) {
      const asked: Record<string, Build> = {
        ...requestsOn(where),
        create: (id) => packets.open(id, where, flags.write | flags.create),
        mkdir: (id) => packet(14, u32(id), str(where), u32(0)),
        'rename to it': (id) => packet(18, u32(id), str('/own.csv'), str(where)),
      };
      for (const [name, { code, text }] of await askAll(byHand, asked)) {
        assert.notEqual(code, 0, `${name}: ${what}`);
        assert.ok(text.length > 20, `${name}: ${what} is answered "${text}"`);
      }
    }
    assert.equal((await byHand.status(requestsOn('/own.csv')['stat']!)).code, 0, 'the connection goes on');
    assert.equal((await byHand.status(requestsOn('../../own.csv')['stat']!)).code, 0, '".." stops at the top');
    assert.equal((await byHand.status(requestsOn('/etc/passwd')['stat']!)).code, noSuchFile);
    assert.deepEqual(await entries(), before);
    assert.deepEqual(await client.caller.get('/v1/repository/space'), space);
    assert.deepEqual(await names(), ['manifests', 'own.csv']);

    const overApi: [string, string][] = [
      ['/../own.csv', 'path_invalid'],
      ['/own.csv\0', 'request_invalid'],
      [`/${'a/'.repeat(65)}`, 'repository_path_too_deep'],
      [`/${'n'.repeat(256)}`, 'path_invalid'],
    ];
    for (const [where, code] of overApi) {
      const refused = await client.caller.refused('GET', `/v1/repository/entry?path=${encodeURIComponent(where)}`);
      assert.equal(refused.code, code, where.slice(0, 20));
    }
    const deep = await client.caller.refused('GET', `/v1/repository/entry?path=${'a/'.repeat(10_000)}`);
    assert.ok(deep.status >= 400 && deep.status < 500);
  },
);

test('an upload beyond the quota is refused, and nothing that was there is lost', withClients, async () => {
  const { client, target, names, read } = await openRepositoryClient(place, 'quentin', 'U3000023');
  const kept = randomBytes(mib);
  writeFileSync(local('kept.bin'), kept);
  writeFileSync(local('big.bin'), randomBytes(quotaBytes));
  assert.equal((await sftp(target, [`put ${local('kept.bin')} kept.bin`])).status, 0);
  const space = () => client.caller.get('/v1/repository/space');
  const before = await space();
  assert.deepEqual(before, { usedBytes: mib, quotaBytes, usedEntries: 1, quotaEntries: 100_000 });

  const byOpenSsh = await sftp(target, [`put ${local('big.bin')} big.bin`]);
  assert.notEqual(byOpenSsh.status, 0);
  const byLftp = await lftp(target, 'put big.bin', folder);
  assert.notEqual(byLftp.status, 0);
  // lftp shows what the server says: how much is allowed, in bytes.
  assert.match(byLftp.stderr, new RegExp(`${quotaBytes}`));

  assert.deepEqual(await names(), ['kept.bin', 'manifests'], 'half a file is not published');
  assert.deepEqual(await read('/kept.bin'), kept);
  // What was refused takes no room, once the server has seen that lftp is gone.
  await eventually(async () => isDeepStrictEqual(await space(), before));
  const smaller = await sftp(target, [`put ${local('kept.bin')} again.bin`]);
  assert.equal(smaller.status, 0, smaller.stderr);
});

test(
  'names in NFC, NFD and right-to-left scripts arrive, and two spellings of one name are one file',
  withClients,
  async () => {
    const { target, names, read } = await openRepositoryClient(place, 'nadia', 'U3000024');
    const env = { LC_ALL: 'C.UTF-8' };
    const composed = 'Überweisung_Zürich.csv';
    const decomposed = composed.normalize('NFD');
    const rightToLeft = ['דוח_שנתי.csv', 'كشف_الحساب.pdf'];
    assert.notEqual(composed, decomposed);
    writeFileSync(local(decomposed), 'from a Mac');
    writeFileSync(local('composed'), 'from Windows');
    for (const name of rightToLeft) writeFileSync(local(name), name);

    const put = await sftp(
      target,
      [decomposed, ...rightToLeft].map((name) => `put "${local(name)}" "${name}"`),
      { env },
    );
    assert.equal(put.status, 0, put.stderr);
    assert.deepEqual(await names(), [composed, 'manifests', ...rightToLeft].toSorted());
    const get = await sftp(
      target,
      [composed, decomposed].map((name, index) => `get "${name}" ${local(`spelled-${index}`)}`),
      { env },
    );
    assert.equal(get.status, 0, get.stderr);
    for (const index of [0, 1]) assert.equal(readFileSync(local(`spelled-${index}`), 'utf8'), 'from a Mac');
    assert.equal((await sftp(target, [`put ${local('composed')} "${composed}"`], { env })).status, 0);
    assert.equal((await read(`/${decomposed}`)).toString(), 'from Windows');
    assert.equal((await names()).length, 4);
    const mirrored = await lftp(target, 'mirror / scripts', folder);
    assert.equal(mirrored.status, 0, mirrored.stderr);
    for (const name of rightToLeft) assert.equal(readFileSync(local(`scripts/${name}`), 'utf8'), name);
  },
);

test(
  'a path of the server itself names nothing: no client program reads, writes or moves a file outside',
  withClients,
  async () => {
    const { target, putty, names } = await openRepositoryClient(place, 'zoe', 'U3000025');
    writeFileSync(local('canary'), 'stays');
    writeFileSync(local('evil'), 'evil');
    const outside = [
      local('canary'),
      `../../../../../..${local('canary')}`,
      path.join(installation.dataDir, 'run.json'),
    ];
    const before = [readdirSync(folder).length, readdirSync(installation.dataDir).toSorted()] as const;
    for (const place of outside) {
      for (const attempt of [`get ${place} ${local('stolen')}`, `put ${local('evil')} ${place}`, `rm ${place}`]) {
        assert.notEqual((await sftp(target, [attempt])).status, 0, attempt);
      }
    }
    assert.notEqual((await putty([`put ${local('evil')} own`, `mv own ${local('taken')}`])).status, 0);
    assert.notEqual((await putty([`mv ${local('canary')} taken`])).status, 0);
    assert.equal(readFileSync(local('canary'), 'utf8'), 'stays');
    assert.ok(!existsSync(local('stolen')) && !existsSync(local('taken')));
    const scripts = 2;
    assert.deepEqual([readdirSync(folder).length - scripts, readdirSync(installation.dataDir).toSorted()], before);
    assert.deepEqual(await names(), ['manifests', 'own']);
  },
);
