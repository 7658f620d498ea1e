// Shows how the tool speaks to a server and to its caller: tokens, repeats, refusals, exit codes, runs and proofs.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import {
  armorCertificate,
  exportCertificate,
  generateSigningKey,
  signDetached,
  type SigningKey,
} from '@broadgate/openpgp-writer';
import { extract } from 'tar-stream';
import { openTempFolder, run } from '../test/clients.ts';
import { type Answer, type Asked, openFakeServer } from './fake-server.ts';

const problem = (status: number, code: string): Answer => ({
  status,
  body: { type: 'x', title: 'x', status, detail: `The detail of ${code}.`, code, params: {}, instance: 'i' },
});

const me = {
  kind: 'client',
  id: 'c',
  login: 'clara',
  name: 'Clara',
  desks: [],
  accountNumbers: ['U1'],
  signInId: null,
};

/** Runs the tool in a folder that holds its token file and what it is given. */
function openTool(folder: string, url: string) {
  const env = { BROADGATE_URL: url, BROADGATE_TOKEN_FILE: join(folder, 'token.json'), INIT_CWD: folder, NO_COLOR: '1' };
  return async (words: readonly string[], input = '') => {
    const ran = await run(process.execPath, [join(import.meta.dirname, 'main.ts'), ...words], { env, input });
    return { status: ran.status, printed: ran.stdout.toString(), said: ran.stderr };
  };
}

const answerSignIn = ({ path }: Asked): Answer =>
  path === '/v1/sign-ins' ? { status: 201, body: { me, token: 'secret-token' } } : { status: 200, body: me };

test('a sign-in keeps its token in a file for its owner alone, and the password is in no argument', async () => {
  using temporary = openTempFolder();
  using server = await openFakeServer(answerSignIn);
  const tool = openTool(temporary.folder, server.url);
  const { status, printed } = await tool(['sign-in', '--login', 'clara'], 'my password\n');
  assert.equal(status, 0);
  assert.ok(!printed.includes('secret-token'));
  assert.equal(statSync(join(temporary.folder, 'token.json')).mode & 0o777, 0o600);
  assert.deepEqual(JSON.parse(server.asked[0]!.body.toString()), {
    login: 'clara',
    password: 'my password',
    deliver: 'token',
  });
  await tool(['who-am-i']);
  assert.equal(server.asked.at(-1)!.headers.authorization, 'Bearer secret-token');
});

test('an invitation is taken from a file, so that it need not stand among the arguments that everybody can read', async () => {
  using temporary = openTempFolder();
  using server = await openFakeServer(() => ({ status: 200, body: { login: 'ana', kind: 'operator' } }));
  const tool = openTool(temporary.folder, server.url);
  writeFileSync(join(temporary.folder, 'invitation'), 'one-time-token\n');
  const { status } = await tool(['accept', '--invitation-file', 'invitation'], 'a new password\n');
  assert.equal(status, 0);
  const sent = { token: 'one-time-token', password: 'a new password' };
  assert.deepEqual(JSON.parse(server.asked[0]!.body.toString()), sent);
});

test('a download lands in the folder where it was asked for, whatever name the server gives it', async () => {
  using temporary = openTempFolder();
  const bytes = Buffer.from('holdings');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  using server = await openFakeServer(({ path }) =>
    path.endsWith('/file')
      ? { status: 200, bytes }
      : { status: 200, body: { name: '../../escaped.csv', sha256, delivery: null, state: 'available' } },
  );
  const below = join(temporary.folder, 'a', 'b');
  mkdirSync(below, { recursive: true });
  const { status, printed } = await openTool(below, server.url)(['statements', 'get', 'x']);
  assert.deepEqual([status, printed.trim()], [0, join(below, 'escaped.csv')]);
});

test('a sign-in for one command ends with it, also when the command is refused', async () => {
  using temporary = openTempFolder();
  using server = await openFakeServer((asked) =>
    asked.method === 'GET' ? problem(403, 'delivery_forbidden') : answerSignIn(asked),
  );
  const { status } = await openTool(temporary.folder, server.url)(['why', '--login', 'clara'], 'my password\n');
  assert.equal(status, 1);
  const last = server.asked.at(-1)!;
  assert.deepEqual([last.method, last.path], ['DELETE', '/v1/sign-ins/current']);
  assert.equal(last.headers.authorization, 'Bearer secret-token');
});

test('a token is shown to no other server than the one that gave it', async () => {
  using temporary = openTempFolder();
  using server = await openFakeServer(answerSignIn);
  using other = await openFakeServer(() => problem(401, 'not_signed_in'));
  await openTool(temporary.folder, server.url)(['sign-in', '--login', 'clara'], 'my password\n');
  const { status } = await openTool(temporary.folder, other.url)(['who-am-i']);
  assert.equal(status, 1);
  assert.equal(other.asked[0]!.headers.authorization, undefined);
});

test('a refusal ends with code 1 and tells its text and code, a wrong call with 2, no server with 3', async () => {
  using temporary = openTempFolder();
  using server = await openFakeServer(() => problem(409, 'state_moved'));
  const tool = openTool(temporary.folder, server.url);
  const refused = await tool(['delivery', 'encryption', 'on']);
  assert.equal(refused.status, 1);
  assert.match(refused.said, /The detail of state_moved\. \[state_moved\]/);
  for (const words of [['delivery', 'encryption'], ['desk', 'decline', 'x'], ['no-such'], ['why', '--no-such']]) {
    assert.equal((await tool(words)).status, 2, words.join(' '));
  }
  assert.equal((await openTool(temporary.folder, 'http://127.0.0.1:9')(['why'])).status, 3);
});

test('a change whose answer was lost is sent again with the same key, so that it takes effect once', async () => {
  using temporary = openTempFolder();
  using server = await openFakeServer((_asked, times) =>
    times < 3 ? 'cut' : { status: 200, body: { encryption: 'on', sshKeys: [], openPgpKeys: [], warning: '' } },
  );
  const { status } = await openTool(temporary.folder, server.url)(['delivery', 'encryption', 'on']);
  assert.equal(status, 0);
  const keys = server.asked.map(({ headers }) => headers['idempotency-key']);
  assert.equal(keys.length, 3);
  assert.equal(new Set(keys).size, 1);
});

test('a list is read to its end, page by page', async () => {
  using temporary = openTempFolder();
  const notice = (id: string) => ({
    id,
    desk: null,
    kind: id,
    params: {},
    text: id,
    createdAt: '2026-11-24T09:00:00.000Z',
    readAt: null,
  });
  using server = await openFakeServer(({ path }) => ({
    status: 200,
    body: path.includes('cursor=more')
      ? { items: [notice('second')], next: null }
      : { items: [notice('first')], next: 'more' },
  }));
  const { printed } = await openTool(temporary.folder, server.url)(['notices', '--json']);
  assert.deepEqual(
    (JSON.parse(printed) as { id: string }[]).map(({ id }) => id),
    ['first', 'second'],
  );
});

async function readTar(body: Buffer): Promise<[name: string, content: string][]> {
  const entries: [string, string][] = [];
  const unpacked = extract();
  unpacked.end(body);
  for await (const entry of unpacked)
    entries.push([entry.header.name, await text(entry as unknown as AsyncIterable<string>)]);
  return entries;
}

test('a run sends its folder as a tar with run.csv first, watches it, and keeps the outcomes', async () => {
  using temporary = openTempFolder();
  const { folder } = temporary;
  mkdirSync(join(folder, 'run'));
  writeFileSync(join(folder, 'run/a.pdf'), 'x'.repeat(100_000));
  writeFileSync(join(folder, 'run/run.csv'), 'account,kind,period,file,sha256\n');
  const runOf = (state: string) => ({
    id: 'r1',
    reference: 'today',
    state,
    isDryRun: false,
    rows: { total: 1, done: 1, failed: 0, waiting: 0 },
  });
  using server = await openFakeServer(({ method, path }) => {
    if (path.endsWith('outcomes.csv')) return { status: 200, bytes: Buffer.from('row,outcome\n1,placed\n') };
    return method === 'POST' ? { status: 202, body: runOf('running') } : { status: 200, body: runOf('done') };
  });
  const tool = openTool(folder, server.url);
  const { status, said } = await tool(['desk', 'run', 'run', '--reference', 'today', '--outcomes', 'out.csv']);
  assert.equal(status, 0, said);
  const [sent] = server.asked;
  assert.equal(sent!.path, '/v1/runs?reference=today');
  const entries = await readTar(sent!.body);
  assert.deepEqual(
    entries.map(([name, content]) => [name, content.length]),
    [
      ['run.csv', 32],
      ['a.pdf', 100_000],
    ],
  );
  assert.equal(readFileSync(join(folder, 'out.csv'), 'utf8'), 'row,outcome\n1,placed\n');
});

/** A repository with one signed manifest, as a client would have fetched it. */
function writeRepository(folder: string, key: SigningKey): void {
  const file = {
    path: '/a.pdf',
    sizeBytes: 3,
    sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  };
  const list = {
    format: 'broadgate-manifest-1',
    clientId: 'c',
    number: 1,
    day: '2026-11-23',
    zone: 'America/New_York',
    isFinal: true,
    madeAt: '2026-11-24T05:00:00.000Z',
    previous: null,
    files: [{ ...file, statementId: 's', placedAt: new Date().toISOString() }],
    gone: [],
  };
  const data = Buffer.from(JSON.stringify(list));
  mkdirSync(join(folder, 'manifests'), { recursive: true });
  writeFileSync(join(folder, 'a.pdf'), 'abc');
  writeFileSync(join(folder, 'manifests/manifest_20261123.json'), data);
  writeFileSync(
    join(folder, 'manifests/manifest_20261123.json.sig'),
    signDetached({ signer: key, data, signedAtMs: Date.now() }),
  );
}

test('verify manifest needs no server, finds a changed file, and another key does not pass', async () => {
  using temporary = openTempFolder();
  const { folder } = temporary;
  const [ours, strange] = [0, 1].map(() =>
    generateSigningKey({ userId: 'B <b@b.example>', createdAtMs: Date.now() - 1000 }),
  );
  writeRepository(folder, ours!);
  writeFileSync(join(folder, 'ours.asc'), armorCertificate(exportCertificate(ours!)));
  writeFileSync(join(folder, 'strange.asc'), armorCertificate(exportCertificate(strange!)));
  const tool = openTool(folder, 'http://127.0.0.1:9');
  const words = ['verify', 'manifest', 'manifests/manifest_20261123.json', '--broker-key'];
  const good = await tool([...words, 'ours.asc']);
  assert.equal(good.status, 0, good.printed + good.said);
  assert.equal((await tool([...words, 'strange.asc'])).status, 1);
  writeFileSync(join(folder, 'a.pdf'), 'abd');
  const changed = JSON.parse((await tool([...words, 'ours.asc', '--json'])).printed) as { faults: { fault: string }[] };
  assert.deepEqual(
    changed.faults.map(({ fault }) => fault),
    ['file_differs'],
  );
});

test('EN-19: where a key is handed in, the tool warns not to send the private key', async () => {
  using temporary = openTempFolder();
  const { folder } = temporary;
  using server = await openFakeServer(() => problem(400, 'key_private'));
  writeFileSync(join(folder, 'key.pub'), 'ssh-ed25519 AAAA');
  const { said } = await openTool(folder, server.url)(['delivery', 'key', 'add', 'key.pub']);
  assert.match(said, /public key only.*private key/s);
  assert.match((await openTool(folder, server.url)(['delivery', 'key', 'add', '--help'])).printed, /private key/);
});
