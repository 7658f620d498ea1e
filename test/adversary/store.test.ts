// The store of a running server under attack through every face at once: paths, prefixes, quotas, lists, exports.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { issueStatement } from '../broker.ts';
import { eventually } from '../eventually.ts';
import { client as packets, flags, packet, str, u32, u64 } from '../fakes/sftp-client.ts';
import { once } from '../once.ts';
import { connectPeer, readBanner, type SftpChannel } from './peer.ts';
import { openTarget } from './target.ts';

const mib = 1024 * 1024;
const quotaMib = 24;
const target = await openTarget({ BROADGATE_QUOTA: `${quotaMib} MiB` });
after(() => target[Symbol.asyncDispose]());
const { port, desk } = target;

/** A client with one issued statement, and a folder and a file of its own. */
const world = once(async () => {
  const mallory = await target.addAccount('mallory', ['127.0.0.1']);
  const asked = { account: mallory.client.accountNumber, kind: 'daily', period: '2026-11-20', file: 'a.csv' };
  const statement = await issueStatement(desk, asked, 'what the broker says');
  const peer = await target.enter(mallory);
  const sftp = await peer.openSftp();
  assert.equal(await sftp.status((id) => packets.mkdir(id, '/own')), 0);
  assert.equal(await put(sftp, '/own/mine.txt', Buffer.from('mine')), 0);
  return { mallory, statement, peer, sftp };
});

/** Uploads in pieces of 128 KiB. Shape: the status of the CLOSE, or of the OPEN where that was refused. */
async function put(sftp: SftpChannel, where: string, bytes: Buffer): Promise<number> {
  const opened = await sftp.ask((id) => packets.open(id, where, flags.write | flags.create | flags.truncate));
  if (opened.type !== 102) return opened.status();
  const handle = opened.string();
  for (let at = 0; at < bytes.length; at += 131_072)
    await sftp.begin((id) => packets.write(id, handle, at, bytes.subarray(at, at + 131_072)));
  return sftp.status((id) => packets.close(id, handle));
}

/** What would change an entry, each in the words of SFTP. */
const changes = (where: string): Record<string, (id: number) => Buffer> => ({
  remove: (id) => packets.path(13, id, where),
  rmdir: (id) => packets.path(15, id, where),
  rename: (id) => packets.rename(id, where, '/own/taken'),
  'rename over it': (id) => packets.rename(id, '/own/mine.txt', where),
  'posix-rename over it': (id) => packets.extended(id, 'posix-rename@openssh.com', str('/own/mine.txt'), str(where)),
  overwrite: (id) => packets.open(id, where, flags.write | flags.create | flags.truncate),
  append: (id) => packets.open(id, where, flags.write | flags.append),
  'setstat size': (id) => packet(9, u32(id), str(where), u32(1), u64(0)),
  'setstat time': (id) => packet(9, u32(id), str(where), u32(8), u32(1), u32(1)),
  'lsetstat time': (id) => packets.extended(id, 'lsetstat@openssh.com', str(where), u32(8), u32(1), u32(1)),
  hardlink: (id) => packets.extended(id, 'hardlink@openssh.com', str(where), str('/own/taken')),
  symlink: (id) => packet(20, u32(id), str(where), str('/own/taken')),
});

test('CVE-2026-30914: every spelling of a protected path meets the same decision over SFTP and over HTTPS', async () => {
  const { mallory, statement, sftp } = await world();
  const { caller } = mallory.client;
  const before = await caller.list('/v1/repository/entries?path=%2F');
  const places = { [statement.name]: ['overwrite', 'remove'], manifests: ['remove', 'rmdir'] };
  for (const name of Object.keys(places)) {
    const spellings = [`/${name}`, name, `./${name}`, `//${name}`, `/./${name}/`, `/own/../${name}`, `/../../${name}`];
    for (const spelled of spellings) {
      for (const [change, build] of Object.entries(changes(spelled))) {
        assert.notEqual(await sftp.status(build), 0, `${change} of ${spelled}`);
      }
      const at = `path=${encodeURIComponent(spelled)}`;
      const overHttps = [
        await caller.refused('DELETE', `/v1/repository/file?${at}`),
        await caller.refused('DELETE', `/v1/repository/folder?${at}`),
        await caller.refused('POST', '/v1/repository/moves', { json: { from: spelled, to: '/own/taken' } }),
        await caller.refused('POST', '/v1/repository/moves', {
          json: { from: '/own/mine.txt', to: spelled, replace: true },
        }),
      ];
      // SFTP resolves "..", which its clients send; the API refuses it. Neither is a way around.
      const codes = spelled.includes('..')
        ? ['path_invalid']
        : ['statement_protected', 'path_is_folder', 'path_is_file', 'path_taken'];
      for (const { code } of overHttps) assert.ok(codes.includes(code), `${code} for ${spelled}`);
    }
  }
  assert.deepEqual(await caller.list('/v1/repository/entries?path=%2F'), before);
  // The same name in another normal form is the same entry, and in another case it is another.
  assert.equal(await put(sftp, '/own/caf\u00e9', Buffer.from('one')), 0);
  assert.equal(await put(sftp, '/own/cafe\u0301', Buffer.from('two')), 0);
  const names = await caller.list<{ name: string }>('/v1/repository/entries?path=%2Fown');
  assert.deepEqual(
    names.map(({ name }) => name),
    ['caf\u00e9', 'mine.txt'],
  );
});

test('CVE-2026-30915 and GHSA-h64p: nothing in a folder name is a placeholder, and a prefix ends at a folder', async () => {
  const { mallory, sftp } = await world();
  const { caller } = mallory.client;
  const literal = [
    '%username%',
    '%u',
    '${user}',
    '{{clientId}}',
    '~',
    '~root',
    '$HOME',
    '%2e%2e',
    '..%2f',
    '*',
    '[a-z]',
    ' ',
  ];
  assert.equal(await sftp.status((id) => packets.mkdir(id, '/names')), 0);
  for (const name of literal) assert.equal(await sftp.status((id) => packets.mkdir(id, `/names/${name}`)), 0, name);
  const made = await caller.list<{ name: string }>('/v1/repository/entries?path=%2Fnames');
  assert.deepEqual(made.map(({ name }) => name).toSorted(), literal.toSorted());
  for (const folder of ['/ab', '/ab/in', '/abc', '/manifest', '/manifests2', '/manifestsx'])
    assert.equal(await sftp.status((id) => packets.mkdir(id, folder)), 0, folder);
  assert.equal(await put(sftp, '/abc/stays', Buffer.from('x')), 0);
  assert.equal(await sftp.status((id) => packets.rename(id, '/ab', '/abcd')), 0);
  assert.notEqual(await sftp.status((id) => packets.rename(id, '/abc', '/abc/into/itself')), 0);
  assert.equal(await sftp.status((id) => packets.path(17, id, '/abc/stays')), 0);
  assert.equal(await sftp.status((id) => packets.path(17, id, '/abcd/in')), 0);
  assert.notEqual(await sftp.status((id) => packets.path(17, id, '/ab/in')), 0);
  assert.equal(await sftp.status((id) => packets.path(15, id, '/manifests2')), 0);
  assert.notEqual(await sftp.status((id) => packets.path(15, id, '/manifests')), 0);
});

test('ProFTPD 2026, SETSTAT past the filter: no request that sets attributes reaches what the broker put there', async () => {
  const { statement, mallory, sftp } = await world();
  const { caller } = mallory.client;
  const where = `/${statement.name}`;
  const before = await caller.get(`/v1/repository/entry?path=${encodeURIComponent(where)}`);
  const attributes = {
    size: [1, u64(0)],
    owner: [2, u32(0), u32(0)],
    mode: [4, u32(0o777)],
    times: [8, u32(1), u32(1)],
  } as const;
  for (const [what, [bits, ...values]] of Object.entries(attributes)) {
    const code = await sftp.status((id) => packet(9, u32(id), str(where), u32(bits), ...values));
    // A mode is agreed to and changes nothing, as for a client's own files: programs send it after every upload.
    if (what !== 'mode') assert.notEqual(code, 0, what);
    const handle = await sftp.handle((id) => packets.open(id, where, flags.read));
    assert.notEqual(await sftp.status((id) => packet(10, u32(id), str(handle), u32(bits), ...values)), 0, what);
    await sftp.status((id) => packets.close(id, handle));
    const onOpen = await sftp.status((id) =>
      packets.open(id, where, flags.read | flags.write, Buffer.concat([packet(0, u32(bits), ...values).subarray(5)])),
    );
    assert.notEqual(onOpen, 0, what);
  }
  assert.deepEqual(await caller.get(`/v1/repository/entry?path=${encodeURIComponent(where)}`), before);
});

test('SFTPGo 2026, address-list conflict: the narrowest entry decides, a block wins between equals, lists are not mixed', async () => {
  const wide = await target.addAccount('wide', ['127.0.4.0/24']);
  const narrow = await target.addAccount('narrow', ['127.0.4.7', '127.0.4.9']);
  // A right key from an address that is not listed is held in silence, so little patience is enough.
  const enters = (account: typeof wide, from: string): Promise<boolean> =>
    target.enter(account, from, { patienceMs: 2000 }).then(
      (peer) => (peer.socket.destroy(), true),
      () => false,
    );
  assert.deepEqual([await enters(wide, '127.0.4.7'), await enters(narrow, '127.0.4.7')], [true, true]);
  await using blocked = new AsyncDisposableStack();
  const block = async (network: string): Promise<void> => {
    const { id } = await desk.post<{ id: string }>('/v1/delivery-desk/blocks', { network });
    blocked.defer(async () => void (await desk.call('DELETE', `/v1/delivery-desk/blocks/${id}`)));
  };
  await block('127.0.4.0/24');
  // Its own list is no narrower than the block; that another client lists the address more narrowly is not its affair.
  await eventually(async () => !(await enters(wide, '127.0.4.7')));
  assert.equal(await enters(narrow, '127.0.4.7'), true);
  using live = await target.enter(narrow, '127.0.4.9');
  await block('127.0.4.9');
  await live.ended();
  await eventually(async () => {
    using silent = await connectPeer(port, { localAddress: '127.0.4.9' });
    // Whoever comes after it has been served from greeting to sign-in.
    assert.equal(await enters(narrow, '127.0.4.7'), true);
    return silent.serverLine === '' && silent.end === undefined;
  });
});

test('SFTPGo 2026, quota race: uploads at the same time cannot pass the quota together, over one face or two', async () => {
  const racer = await target.addAccount('racer', ['127.0.0.1']);
  const { caller } = racer.client;
  const bytes = Buffer.alloc(5 * mib, 1);
  const peers = await Promise.all(Array.from({ length: 4 }, () => target.enter(racer)));
  const outcomes = await Promise.all([
    ...peers.flatMap((peer, index) =>
      ['a', 'b'].map(async (name) => (await put(await peer.openSftp(), `/${index}${name}`, bytes)) === 0),
    ),
    ...['x', 'y'].map(
      async (name) =>
        (
          await caller.call('PUT', `/v1/repository/file?path=/${name}`, {
            bytes,
            headers: { 'content-type': 'application/octet-stream' },
          })
        ).ok,
    ),
  ]);
  const taken = outcomes.filter(Boolean).length;
  const { usedBytes } = await caller.get<{ usedBytes: number }>('/v1/repository/space');
  assert.ok(taken >= 1 && taken <= 4, `${taken} of ten uploads of 5 MiB fit into ${quotaMib} MiB`);
  assert.ok(usedBytes <= quotaMib * mib, `${usedBytes} bytes are used`);
  for (const peer of peers) peer.socket.destroy();
  // What did not fit holds nothing: all that fits can be uploaded again.
  using peer = await target.enter(racer);
  const sftp = await peer.openSftp();
  const left = (quotaMib - 5 * taken) * mib;
  await eventually(async () => (await put(sftp, '/rest', Buffer.alloc(left, 2))) === 0);
  assert.equal((await caller.get<{ usedBytes: number }>('/v1/repository/space')).usedBytes, quotaMib * mib);
  assert.notEqual(await put(sftp, '/one-more', Buffer.of(1)), 0);
});

test('SFTPGo 2026, CSV formula: no cell of an export begins one, whatever a run was fed with', async () => {
  const { mallory } = await world();
  const account = mallory.client.accountNumber;
  const evil = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', 'a;=1+1', '\uff1d1+1', '=HYPERLINK("http://x")'];
  const sha256 = createHash('sha256').update('x').digest('hex');
  const cell = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const rows = evil.flatMap((text) => [
    [cell(text), 'daily', '2026-11-20', 'x.pdf', sha256],
    [account, cell(text), '2026-11-20', 'x.pdf', sha256],
    [account, 'daily', cell(text), 'x.pdf', sha256],
    [account, 'daily', '2026-11-20', cell(`${text}.pdf`), sha256],
  ]);
  const csv = ['account,kind,period,file,sha256', ...rows.map((row) => row.join(','))].join('\n');
  const run = await desk.upload<{ id: string }>(
    '/v1/runs?reference=evil',
    tar({ 'run.csv': csv, 'x.pdf': 'x' }),
    'application/x-tar',
  );
  const answer = await desk.call('GET', `/v1/runs/${run.id}/outcomes.csv`);
  const text = await answer.text();
  assert.ok(text.split('\r\n').length > rows.length, text.slice(0, 500));
  // Read as a spreadsheet reads it, with a comma or with a semicolon between cells.
  for (const separator of [/,|\r\n/, /;|\r\n/]) {
    for (const one of text.split(separator))
      assert.doesNotMatch(one.replace(/^"/, ''), /^[\s]*[=+\-@\uff1d\uff0b\uff0d\uff20]/u);
  }
});

/** A tar of small files (POSIX.1-1988, ustar). */
function tar(files: Readonly<Record<string, string>>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, text]) => {
    const head = Buffer.alloc(512);
    const body = Buffer.alloc(Math.ceil(text.length / 512) * 512);
    body.write(text);
    head.write(name, 0);
    head.write('0000644\0' + '0000000\0'.repeat(2), 100);
    head.write(`${text.length.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0        0`, 124);
    head.write('ustar\x0000', 257);
    const sum = head.reduce((total, byte) => total + byte, 0);
    head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [head, body];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

test('a banner is still served after all of this', async () => {
  await world();
  assert.match(await readBanner(port), /^SSH-2.0-/);
});
