// Where a client's connection may come from: its own list, silence for every other address, and a changed address.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { after, test } from 'node:test';
import { addClient, addOperator, type ClientPerson, handIn, setUpSftp } from '../broker.ts';
import { openTempFolder, withClients } from '../clients.ts';
import { eventually } from '../eventually.ts';
import { openFileZilla } from '../filezilla.ts';
import { openInstallation } from '../installation.ts';
import { once } from '../once.ts';
import { openSftp, sftp, type Target } from '../sftp-programs.ts';

const temp = openTempFolder();
const { folder } = temp;
const installation = await openInstallation({
  env: { BROADGATE_PRIVATE_ADDRESSES: 'on', BROADGATE_SFTP_ADDRESS: '0.0.0.0' },
});
after(async () => {
  await installation[Symbol.asyncDispose]();
  temp[Symbol.dispose]();
});
const desk = (await addOperator(installation, 'ana', ['delivery'])).caller;

interface RefusedConnection {
  readonly reason: string;
  readonly address: string | null;
  readonly clientId: string | null;
}

/** A client whose key is registered and whose list holds `addresses` alone. */
async function setUp(login: string, accountNumber: string, addresses: readonly string[]) {
  const client = await addClient(desk, login, accountNumber);
  const keyFile = path.join(folder, login);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', keyFile]);
  const logIn = await setUpSftp(desk, client, { key: readFileSync(`${keyFile}.pub`, 'utf8'), addresses });
  const target: Target = { port: installation.sftpPort, user: logIn.userName, keyFile };
  return { client, target };
}

/** OpenSSH from another address of this machine, which is all of 127.0.0.0/8. */
const from = (address: string, target: Target) =>
  sftp(target, ['pwd'], { args: ['-o', `BindAddress=${address}`, '-o', 'ConnectTimeout=5'], timeoutMs: 30_000 });

const maria = once(() => setUp('maria', 'U2000001', ['127.0.0.2']));

const addressesOf = (client: ClientPerson) =>
  client.caller.list<{ network: string; state: string }>('/v1/delivery/addresses');

test('SF-25: the address that a client gives at onboarding is put on its own list', withClients, async () => {
  const listed = await addressesOf((await maria()).client);
  assert.deepEqual(
    listed.map(({ network, state }) => ({ network, state })),
    [{ network: '127.0.0.2', state: 'active' }],
  );
  const ran = await from('127.0.0.2', (await maria()).target);
  assert.equal(ran.status, 0, ran.stderr);
});

test('SF-26: an address that is not listed gets silence, even with the right key', withClients, async () => {
  const ran = await from('127.0.0.3', (await maria()).target);
  assert.equal(ran.status, 255);
  assert.match(ran.stderr, /timed out/i);
  assert.doesNotMatch(ran.stderr, /refused|reset|denied/i);
  assert.ok(ran.lastedMs >= 4_900, `it took ${ran.lastedMs} ms`);
  const recorded = await eventually(async () =>
    (await desk.list<RefusedConnection>('/v1/delivery/refusals')).find((one) => one.address === '127.0.0.3'),
  );
  assert.equal(recorded.reason, 'address_not_listed');
});

test('SF-26: not one byte comes before the peer has left', withClients, async () => {
  const socket = connect({ port: installation.sftpPort, host: '127.0.0.1', localAddress: '127.0.0.4' });
  let heard = 0;
  let isOver = false;
  socket.on('data', (bytes) => (heard += bytes.length));
  for (const event of ['end', 'error', 'close'] as const) socket.on(event, () => (isOver = true));
  socket.write('SSH-2.0-probe\r\n');
  await eventually(async () =>
    (await desk.list<RefusedConnection>('/v1/delivery/refusals')).some((one) => one.address === '127.0.0.4'),
  );
  assert.equal(heard, 0);
  assert.equal(isOver, false, 'the socket was closed, which a client would see as a refusal');
  socket.destroy();
});

test('SF-26: FileZilla as it comes reports a time-out', withClients, async () => {
  await using filezilla = await openFileZilla({ host: '127.0.0.1', ...(await maria()).target });
  await eventually(
    async () =>
      (await desk.list<RefusedConnection>('/v1/delivery/refusals')).some((one) => one.address === '127.0.0.1'),
    { timeoutMs: 20_000 },
  );
  const said = await filezilla.readLog(/time.?out|timed out/i, 40_000);
  assert.doesNotMatch(said, /refused|denied/i);
});

test(
  'SF-X9: a client that uses the portal from the refused address reads that refusal, another client does not',
  withClients,
  async () => {
    const { client, target } = await setUp('pia', 'U2000009', ['127.0.0.5']);
    // Her portal sign-ins come from 127.0.0.1, which is on no list.
    assert.equal((await from('127.0.0.1', target)).status, 255);
    const told = await eventually(async () =>
      (await client.caller.list<RefusedConnection>('/v1/delivery/refusals')).find((one) => one.address === '127.0.0.1'),
    );
    assert.equal(told.reason, 'address_not_listed');
    assert.equal((await from('127.0.0.6', target)).status, 255);
    await eventually(async () =>
      (await desk.list<RefusedConnection>('/v1/delivery/refusals')).some((one) => one.address === '127.0.0.6'),
    );
    const own = await client.caller.list<RefusedConnection>('/v1/delivery/refusals');
    assert.ok(!own.some((one) => one.address === '127.0.0.6'), 'an address that is nobody’s was shown to a client');
  },
);

test(
  'SF-26: an address of another client alone is held without a further byte once the name is known',
  withClients,
  async () => {
    const other = await setUp('oto', 'U2000026', ['127.0.0.7']);
    const ran = await sftp((await maria()).target, ['pwd'], {
      args: ['-o', 'BindAddress=127.0.0.7', '-o', 'ConnectTimeout=5'],
      timeoutMs: 8_000,
    });
    assert.equal(ran.status, -1, 'the program was answered though its address is another client’s');
    assert.equal((await from('127.0.0.7', other.target)).status, 0);
  },
);

test('SF-27: a changed address is handed in, listed, and connects', withClients, async () => {
  const { client, target } = await maria();
  assert.equal((await from('127.0.0.8', target)).status, 255);
  await handIn(desk, client, { addresses: ['127.0.0.8'] });
  const ran = await from('127.0.0.8', target);
  assert.equal(ran.status, 0, ran.stderr);
});

test('SF-X8: a range in CIDR form is listed and its addresses connect', withClients, async () => {
  const { client, target } = await maria();
  await handIn(desk, client, { addresses: ['127.0.64.0/24'] });
  assert.equal((await from('127.0.64.200', target)).status, 0);
  assert.equal((await from('127.0.65.1', target)).status, 255);
  const tooWide = await client.caller.refused('POST', '/v1/delivery/addresses', {
    json: { addresses: ['127.0.0.0/8'] },
  });
  assert.equal(tooWide.status, 400);
});

test('an address that is taken off the list ends its open connections', withClients, async () => {
  const { client, target } = await setUp('rosa', 'U2000030', ['127.0.0.11']);
  const open = openSftp(target, ['-b', '127.0.0.11']);
  await eventually(async () =>
    (await client.caller.list<{ endedAt: string | null }>('/v1/delivery/connections')).some(
      (one) => one.endedAt === null,
    ),
  );
  const [entry] = await client.caller.list<{ id: string }>('/v1/delivery/addresses');
  await client.caller.post(`/v1/delivery/addresses/${entry!.id}/remove`, { reason: 'the office moved' });
  assert.ok(await open.ended, 'the connection went on');
});
