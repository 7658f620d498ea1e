// A client's way in by keys: made with PuTTY's tools as the guide says, handed in, refused, replaced, lost and made again.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import {
  addClient,
  addOperator,
  approve,
  type ClientPerson,
  confirm,
  handIn,
  type LogIn,
  setUpSftp,
  submit,
} from '../broker.ts';
import { openTempFolder, run, withClients } from '../clients.ts';
import { eventually } from '../eventually.ts';
import { openInstallation } from '../installation.ts';
import { once } from '../once.ts';
import { listNames, openSftp, plainSsh, plink, psftp, sftp, type Target } from '../sftp-programs.ts';

const temp = openTempFolder();
const { folder } = temp;
const installation = await openInstallation({
  env: { BROADGATE_PRIVATE_ADDRESSES: 'on', BROADGATE_SFTP_HOST_NAME: 'delivery.example.com' },
});
after(async () => {
  await installation[Symbol.asyncDispose]();
  temp[Symbol.dispose]();
});
const desk = (await addOperator(installation, 'ana', ['delivery'])).caller;

interface Instructions {
  readonly hostName: string;
  readonly port: number;
  readonly userName: string | null;
  readonly hostKeys: readonly { readonly fingerprint: string }[];
  readonly fileZillaSites: string;
}
interface RefusedConnection {
  readonly reason: string;
  readonly cause: string;
  readonly whatToDo: string;
  readonly address: string | null;
  readonly detail: Readonly<Record<string, string>>;
  readonly registeredFingerprints: readonly string[];
}

/** A pair made as the guide prints it, in a folder of its own, without a passphrase unless one is given. */
async function puttyPair(name: string, passphrase = ''): Promise<{ ppk: string; publicKey: string; openSsh: string }> {
  const home = path.join(folder, name);
  mkdirSync(home);
  const passphraseFile = path.join(home, 'passphrase');
  writeFileSync(passphraseFile, passphrase);
  const made = await run(
    'puttygen',
    ['-t', 'rsa', '-b', '2048', '-o', 'privatekey.ppk', '--new-passphrase', passphraseFile],
    { cwd: home },
  );
  assert.equal(made.status, 0, made.stderr);
  const exported = await run('puttygen', ['-L', 'privatekey.ppk', '-o', 'public.key'], { cwd: home });
  assert.equal(exported.status, 0, exported.stderr);
  const openSsh = path.join(home, 'openssh');
  await run(
    'puttygen',
    [
      'privatekey.ppk',
      '-O',
      'private-openssh',
      '-o',
      openSsh,
      '--old-passphrase',
      passphraseFile,
      '--new-passphrase',
      passphraseFile,
    ],
    { cwd: home },
  );
  return {
    ppk: path.join(home, 'privatekey.ppk'),
    publicKey: readFileSync(path.join(home, 'public.key'), 'utf8'),
    openSsh,
  };
}

const refusalsOf = (client: ClientPerson) => client.caller.list<RefusedConnection>('/v1/delivery/refusals');
const instructionsOf = (client: ClientPerson) => client.caller.get<Instructions>('/v1/delivery/instructions');

const maria = once(setUpMaria);

/** The client of the guide, with all that the tests of her first pair look at. */
async function setUpMaria() {
  const client = await addClient(desk, 'maria', 'U1000001');
  const pair = await puttyPair('maria');
  await client.caller.put('/v1/delivery', { sftp: true, portal: true });
  const submitted = await submit(client, { key: pair.publicKey, addresses: ['127.0.0.1'] });
  const approved = await approve(desk, await confirm(client, submitted));
  const logIn = await desk.post<LogIn>(`/v1/clients/${client.clientId}/delivery/log-in`);
  const target: Target = { port: installation.sftpPort, user: logIn.userName, keyFile: pair.openSsh };
  const savedSite: Target = { ...target, keyFile: pair.ppk };
  const { hostKeys } = await instructionsOf(client);
  const hostKeyFingerprint = hostKeys[0]!.fingerprint;
  const early = await plink(savedSite, folder, hostKeyFingerprint);
  const noticesBefore = await client.caller.list<{ kind: string }>('/v1/notices');
  await desk.post(`/v1/clients/${client.clientId}/delivery/configured`);
  const noticesAfter = await client.caller.list<{ kind: string }>('/v1/notices');
  return {
    client,
    pair,
    submitted,
    approved,
    logIn,
    target,
    savedSite,
    hostKeyFingerprint,
    early,
    noticesBefore,
    noticesAfter,
  };
}

test('SF-02: the portal shows exactly the host name that the operator set', withClients, async () => {
  const { hostName, port, fileZillaSites } = await instructionsOf((await maria()).client);
  assert.equal(hostName, 'delivery.example.com');
  assert.equal(port, installation.sftpPort);
  assert.ok(fileZillaSites.includes('<Host>delivery.example.com</Host>'));
});

test('SF-03: a 2048-bit RSA pair made with puttygen authenticates', withClients, async () => {
  const { savedSite, hostKeyFingerprint } = await maria();
  const ran = await psftp(savedSite, ['pwd', 'ls'], { folder, hostKeyFingerprint });
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(ran.stdout.toString(), /Remote working directory is \//);
});

test('SF-04: the file that puttygen -L writes is registered unchanged', withClients, async () => {
  assert.equal((await maria()).submitted.sshKeys.length, 1);
  assert.match((await maria()).submitted.sshKeys[0]!.fingerprint, /^SHA256:/);
});

test('SF-05: user name and key file open a connection without any other credential', withClients, async () => {
  const ran = await sftp((await maria()).target, ['pwd'], { args: ['-o', 'PreferredAuthentications=publickey'] });
  assert.equal(ran.status, 0, ran.stderr);
});

test('SF-06: the user name is issued by the broker and no form takes one from the client', withClients, async () => {
  const { client, logIn } = await maria();
  assert.match(logIn.userName, /^[a-z0-9-]{13,}$/, '64 random bits are 13 characters at least');
  for (const [method, where, json] of [
    ['PUT', '/v1/delivery', { sftp: true, portal: true, userName: 'maria' }],
    ['POST', '/v1/delivery/requests', { addresses: ['127.0.0.1'], userName: 'maria' }],
  ] as const) {
    const problem = await client.caller.refused(method, where, { json });
    assert.equal(problem.status, 400);
  }
  const issued = await client.caller.refused('POST', `/v1/clients/${client.clientId}/delivery/log-in`);
  assert.ok([403, 404].includes(issued.status));
  assert.equal((await instructionsOf(client)).userName, logIn.userName);
});

test('SF-07: a key with a passphrase works and the passphrase reaches the server in nothing', withClients, async () => {
  const passphrase = 'plum-orchard-7719-passphrase';
  const client = await addClient(desk, 'pia', 'U1000007');
  const pair = await puttyPair('pia', passphrase);
  const logIn = await setUpSftp(desk, client, { key: pair.publicKey });
  const askPass = path.join(folder, 'askpass');
  writeFileSync(askPass, `#!/bin/sh\necho ${passphrase}\n`, { mode: 0o700 });
  const target = { port: installation.sftpPort, user: logIn.userName, keyFile: pair.openSsh };
  const ran = await run('ssh', [...plainSsh(target), '-s', 'sftp'], {
    env: { SSH_ASKPASS: askPass, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':0' },
  });
  assert.equal(ran.status, 0, ran.stderr);
  const found = await run('grep', ['-rlaF', passphrase, installation.dataDir]);
  assert.equal(found.stdout.toString(), '');
  assert.ok(!installation.output().includes(passphrase));
});

test(
  'SF-13: before the desk has configured the connection the submitted key does not log on',
  withClients,
  async () => {
    const { early, client } = await maria();
    assert.notEqual(early.status, 0);
    assert.match(early.stderr + early.stdout.toString(), /Server refused our key|No supported authentication|denied/i);
    const reasons = (await refusalsOf(client)).map((one) => one.reason);
    assert.ok(reasons.includes('not_configured'), reasons.join(', '));
  },
);

test('SF-12: the client is notified when the desk has configured the connection', withClients, async () => {
  const kinds = (notices: readonly { kind: string }[]): string[] => notices.map((notice) => notice.kind);
  assert.ok(!kinds((await maria()).noticesBefore).includes('connection_configured'));
  assert.ok(kinds((await maria()).noticesAfter).includes('connection_configured'));
});

test('SF-14: a site saved before the notice connects afterwards without any change', withClients, async () => {
  const { savedSite, hostKeyFingerprint } = await maria();
  const ran = await psftp(savedSite, ['ls'], { folder, hostKeyFingerprint });
  assert.equal(ran.status, 0, ran.stderr);
});

test('SF-19: an unknown user name ends in an authentication failure', withClients, async () => {
  const ran = await sftp({ ...(await maria()).target, user: 'nobody-of-this-name' }, ['pwd']);
  assert.equal(ran.status, 255);
  assert.match(ran.stderr, /Permission denied \(publickey\)/);
});

test('SF-20: the desk issues user name and password, and other details open nothing', withClients, async () => {
  const { logIn, client, target, pair } = await maria();
  assert.ok(logIn.userName.length > 12 && logIn.password.length >= 12);
  const other = await addClient(desk, 'oto', 'U1000020');
  const otherPair = await puttyPair('oto');
  const otherLogIn = await setUpSftp(desk, other, { key: otherPair.publicKey });
  for (const mixed of [
    { ...target, user: otherLogIn.userName },
    { ...target, keyFile: otherPair.openSsh },
    { ...target, user: client.login },
  ]) {
    assert.notEqual((await sftp(mixed, ['pwd'])).status, 0);
  }
  assert.equal((await sftp({ ...target, user: otherLogIn.userName, keyFile: otherPair.openSsh }, ['pwd'])).status, 0);
  assert.ok(pair.openSsh);
});

test('SF-21: the right password does not log on to SFTP without the key', withClients, async () => {
  const { logIn, client } = await maria();
  const askPass = path.join(folder, 'ask-issued');
  writeFileSync(askPass, `#!/bin/sh\necho '${logIn.password}'\n`, { mode: 0o700 });
  const ran = await run(
    'sftp',
    [
      ...[
        '-F',
        '/dev/null',
        '-P',
        `${installation.sftpPort}`,
        '-o',
        'PubkeyAuthentication=no',
        '-o',
        'StrictHostKeyChecking=no',
      ],
      ...['-o', 'UserKnownHostsFile=/dev/null', '-o', 'PreferredAuthentications=password,keyboard-interactive'],
      `${logIn.userName}@127.0.0.1`,
    ],
    { env: { SSH_ASKPASS: askPass, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':0' } },
  );
  assert.equal(ran.status, 255);
  assert.match(ran.stderr, /Permission denied \(publickey\)/);
  const offered = await plink(
    { ...(await maria()).savedSite, keyFile: '/dev/null' },
    folder,
    (await maria()).hostKeyFingerprint,
    '-pw',
    logIn.password,
  );
  assert.notEqual(offered.status, 0);
  await refusalsOf(client);
});

test(
  'SF-22: a key that is not the registered one is refused as "Server refused our key", and the client reads why',
  withClients,
  async () => {
    const { client, savedSite, hostKeyFingerprint, approved } = await maria();
    const stranger = await puttyPair('stranger');
    const ran = await plink({ ...savedSite, keyFile: stranger.ppk }, folder, hostKeyFingerprint);
    assert.notEqual(ran.status, 0);
    assert.match(ran.stderr, /Server refused our key/);
    const printed = await run('ssh-keygen', ['-lf', '-'], { input: stranger.publicKey });
    const offered = printed.stdout.toString().split(' ')[1];
    const told = await eventually(async () =>
      (await refusalsOf(client)).find((one) => one.detail['fingerprint'] === offered),
    );
    assert.equal(told.reason, 'key_not_registered');
    assert.ok(told.registeredFingerprints.includes(approved.sshKeys[0]!.fingerprint));
    assert.ok(told.cause.length > 10 && told.whatToDo.length > 10);
  },
);

const replaced = once(replaceOnce);

/** One replacement, looked at by the tests after it: the old key's open connection is watched while the new one takes over. */
async function replaceOnce() {
  const client = await addClient(desk, 'rosa', 'U1000023');
  const oldPair = await puttyPair('rosa-old');
  const newPair = await puttyPair('rosa-new');
  const logIn = await setUpSftp(desk, client, { key: oldPair.publicKey });
  const target = { port: installation.sftpPort, user: logIn.userName };
  const before = await sftp({ ...target, keyFile: oldPair.openSsh }, ['pwd']);
  const open = openSftp({ ...target, keyFile: oldPair.openSsh });
  await eventually(async () => {
    const connections = await client.caller.list<{ endedAt: string | null }>('/v1/delivery/connections');
    return connections.some((one) => one.endedAt === null);
  });
  await handIn(desk, client, { key: newPair.publicKey });
  return { client, logIn, target, oldPair, newPair, before, openEnded: await open.ended };
}

test('SF-23: a new pair replaces the old one, and the new key works', withClients, async () => {
  assert.equal((await replaced()).before.status, 0);
  const ran = await sftp({ ...(await replaced()).target, keyFile: (await replaced()).newPair.openSsh }, ['pwd']);
  assert.equal(ran.status, 0, ran.stderr);
});

test('SF-24: after the replacement the old key fails and its open connection has ended', withClients, async () => {
  const { target, oldPair, openEnded, client } = await replaced();
  const ran = await sftp({ ...target, keyFile: oldPair.openSsh }, ['pwd']);
  assert.equal(ran.status, 255);
  assert.ok(openEnded, 'the connection opened with the old key went on');
  const told = await eventually(async () => (await refusalsOf(client)).find((one) => one.reason === 'key_replaced'));
  assert.ok(told.cause.length > 10);
});

test('SF-08: a lost passphrase ends in a new key under the same user name', withClients, async () => {
  const client = await addClient(desk, 'lena', 'U1000008');
  const logIn = await setUpSftp(desk, client, { key: (await puttyPair('lena-old', 'forgotten')).publicKey });
  const pair = await puttyPair('lena-new');
  await handIn(desk, client, { key: pair.publicKey });
  const ran = await sftp({ port: installation.sftpPort, user: logIn.userName, keyFile: pair.openSsh }, ['pwd']);
  assert.equal(ran.status, 0, ran.stderr);
  assert.equal((await instructionsOf(client)).userName, logIn.userName);
});

test(
  'SF-29: a client who still meets time-outs hands in a new key by the same intake, as a replacement',
  withClients,
  async () => {
    const client = await addClient(desk, 'tara', 'U1000029');
    const logIn = await setUpSftp(desk, client, { key: (await puttyPair('tara-old')).publicKey });
    const pair = await puttyPair('tara-new');
    const request = await handIn(desk, client, { key: pair.publicKey, addresses: ['127.0.0.12'] });
    assert.equal(request.state, 'done');
    const target = { port: installation.sftpPort, user: logIn.userName, keyFile: pair.openSsh };
    assert.deepEqual(await listNames(target), []);
  },
);

test('SF-10: a submission with a private key is refused and none of it is kept', withClients, async () => {
  const client = await addClient(desk, 'nora', 'U1000010');
  await client.caller.put('/v1/delivery', { sftp: true, portal: true });
  const pair = await puttyPair('nora');
  const secrets = [readFileSync(pair.ppk), readFileSync(pair.openSsh)];
  for (const secret of secrets) {
    const byForm = await client.caller.refused('POST', '/v1/delivery/requests', { json: { key: secret.toString() } });
    assert.equal(byForm.code, 'key_private');
    const byFile = await client.caller.refused('POST', '/v1/delivery/keys', {
      bytes: secret,
      headers: { 'content-type': 'text/plain' },
    });
    assert.equal(byFile.code, 'key_private');
    const marks = secret
      .toString()
      .split(/\r?\n/)
      .filter((line) => /^[A-Za-z0-9+/=]{40,}$/.test(line))
      .slice(-6);
    assert.ok(marks.length > 3);
    for (const mark of marks) {
      const found = await run('grep', ['-rlaF', mark, installation.dataDir]);
      // The public half of a .ppk is public and may be anywhere.
      if (!pair.publicKey.includes(mark)) assert.equal(found.stdout.toString(), '', mark);
      assert.ok(!installation.output().includes(mark) || pair.publicKey.includes(mark));
    }
  }
});

test('SF-30: one intake takes key, address and re-key, and its article describes it', withClients, async () => {
  const client = await addClient(desk, 'ivo', 'U1000030');
  await client.caller.put('/v1/delivery', { sftp: true, portal: true });
  const kinds: string[] = [];
  for (const submission of [
    { key: (await puttyPair('ivo-1')).publicKey, addresses: ['127.0.0.1'] },
    { addresses: ['127.0.0.9'] },
    { key: (await puttyPair('ivo-2')).publicKey },
  ]) {
    const { kind } = (await handIn(desk, client, submission)) as unknown as { kind: string };
    kinds.push(kind);
    if (kinds.length > 1) continue;
    await desk.post(`/v1/clients/${client.clientId}/delivery/log-in`);
    await desk.post(`/v1/clients/${client.clientId}/delivery/configured`);
  }
  assert.deepEqual(kinds, ['set_up', 'new_address', 're_key']);
  const article = readFileSync(path.join(import.meta.dirname, '../../docs/articles/en/KB3842.md'), 'utf8');
  for (const word of [/public key/i, /address/i, /replace/i, /never.*private key|private key.*never/i]) {
    assert.match(article, word);
  }
});
