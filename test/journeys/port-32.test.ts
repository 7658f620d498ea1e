// A default installation in a network of its own: it answers on TCP port 32, and a client needs no other port.
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { addClient, addOperator, setUpSftp } from '../broker.ts';
import { openTempFolder, run, withClients } from '../clients.ts';
import { openInstallation } from '../installation.ts';
import { once } from '../once.ts';

// A user namespace gives an ordinary user a network of its own, and the right to its port 32, as a capability gives on a real machine.
const ownNetwork = ['unshare', '--user', '--map-user=1000', '--net', '--keep-caps', '--'];
const canIsolate = spawnSync(ownNetwork[0]!, [...ownNetwork.slice(1), 'ip', 'link', 'set', 'lo', 'up']).status === 0;
const options = {
  skip: canIsolate ? withClients.skip : 'this machine allows no network namespaces to its users',
};

const temp = openTempFolder();
const { folder } = temp;
const children: ChildProcess[] = [];
const closing: (() => Promise<void>)[] = [];
after(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const close of closing) await close();
  temp[Symbol.dispose]();
});

const bridge = path.join(import.meta.dirname, '../bridge.ts');

/** Starts a bridge. Shape: where it listens, a port or a path. */
async function startBridge(prefix: readonly string[], from: string, to: string): Promise<string> {
  const [file, ...words] = [...prefix, process.execPath, bridge, from, to];
  const child = spawn(file!, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return new Promise((done, failed) => {
    child.stdout.once('data', (bytes: Buffer) => done(bytes.toString().trim()));
    child.once('exit', () => failed(new Error(`the bridge from ${from} to ${to} did not start`)));
  });
}

const inside = (pid: number): string[] => [
  'nsenter',
  '-t',
  `${pid}`,
  '--user',
  '--net',
  '--preserve-credentials',
  '--',
];
const withLoopback = (prefix: readonly string[]): string[] => [
  ...prefix,
  'sh',
  '-c',
  'ip link set lo up && exec "$@"',
  'sh',
];

const world = once(async () => {
  const installation = await openInstallation({
    isDefault: true,
    // The only setting: a machine without a network has no public address that a client could list.
    env: { BROADGATE_PRIVATE_ADDRESSES: 'on' },
    prefix: withLoopback(ownNetwork),
    commandPrefix: inside,
  });
  closing.push(() => installation[Symbol.asyncDispose]());
  const server = inside(installation.pid);
  await startBridge(server, `unix:${folder}/api`, `tcp:${installation.httpsPort}`);
  const port = await startBridge([], 'tcp:0', `unix:${folder}/api`);
  const desk = (await addOperator({ ...installation, url: `http://127.0.0.1:${port}` }, 'ana', ['delivery'])).caller;
  const client = await addClient(desk, 'maria', 'U3200001');
  const keyFile = path.join(folder, 'key');
  execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-N', '', '-f', keyFile]);
  const { userName } = await setUpSftp(desk, client, { key: readFileSync(`${keyFile}.pub`, 'utf8') });
  return { installation, server, keyFile, userName };
});

const sftpWords = (keyFile: string, user: string): string[] => [
  ...[
    'sftp',
    '-F',
    '/dev/null',
    '-b',
    '-',
    '-P',
    '32',
    '-i',
    keyFile,
    '-o',
    'IdentitiesOnly=yes',
    '-o',
    'LogLevel=ERROR',
  ],
  ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'ConnectTimeout=10'],
  `${user}@127.0.0.1`,
];

test('SF-01: a default installation accepts SFTP connections on TCP port 32', options, async () => {
  const { installation, server, keyFile, userName } = await world();
  assert.equal(installation.sftpPort, 32);
  const [file, ...words] = [...server, ...sftpWords(keyFile, userName)];
  const ran = await run(file!, words, { input: 'pwd\n' });
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(ran.stdout.toString(), /Remote working directory: \//);
});

test('SF-28: sign-in, listing and transfer need no port but 32', options, async () => {
  const { server, keyFile, userName } = await world();
  // The client's network is empty but for port 32, which leads to the server's; whatever else it tried would be refused.
  await startBridge(server, `unix:${folder}/sftp`, 'tcp:32');
  const script = [
    `ip link set lo up`,
    `${process.execPath} ${bridge} tcp:32 unix:${folder}/sftp > ${folder}/listening & bridge=$!`,
    `until [ -s ${folder}/listening ]; do sleep 0.05; done`,
    `"$@"; status=$?; kill $bridge; exit $status`,
  ].join('\n');
  const [file, ...words] = [...ownNetwork, 'sh', '-c', script, 'sh', ...sftpWords(keyFile, userName)];
  const sent = path.join(folder, 'sent');
  writeFileSync(sent, randomBytes(300_000));
  const ran = await run(file!, words, { input: `put ${sent} there\nls -l\nget there ${folder}/back\n` });
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(ran.stdout.toString(), /300000 .* there/);
  assert.deepEqual(readFileSync(path.join(folder, 'back')), readFileSync(sent));
});
