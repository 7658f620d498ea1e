// The npm package `russh` as a client of the matrix: takes account, steps and choice as JSON, prints the names that it lists.
import { mkdir, open, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  KeyPair,
  OPEN_APPEND,
  OPEN_CREATE,
  OPEN_READ,
  OPEN_TRUNCATE,
  OPEN_WRITE,
  type SFTP,
  SSHClient,
  SshTransport,
} from 'russh';
import type { Account, Choice, Step } from './client-program.ts';

const blockBytes = 256 * 1024;
const { account, steps, choice } = JSON.parse(process.argv[2]!) as {
  account: Account;
  steps: readonly Step[];
  choice: Choice;
};

async function get(sftp: SFTP, remote: string, local: string): Promise<void> {
  const there = await sftp.open(remote, OPEN_READ);
  const here = await open(local, 'w');
  for (;;) {
    const block = await there.read(blockBytes);
    if (block.length === 0) break;
    await here.writeFile(block);
  }
  await here.close();
  await there.shutdown();
}

async function put(sftp: SFTP, local: string, remote: string, offset = 0): Promise<void> {
  const there = await sftp.open(remote, OPEN_WRITE | (offset > 0 ? OPEN_APPEND : OPEN_CREATE | OPEN_TRUNCATE));
  const here = await open(local);
  const block = Buffer.alloc(blockBytes);
  for (let at = offset; ; ) {
    const { bytesRead } = await here.read(block, 0, blockBytes, at);
    if (bytesRead === 0) break;
    await there.writeAll(block.subarray(0, bytesRead));
    at += bytesRead;
  }
  await here.close();
  await there.shutdown();
}

const namesOf = async (sftp: SFTP, remote: string): Promise<string[]> =>
  (await sftp.readDirectory(remote)).map((entry) => entry.name);

async function take(sftp: SFTP, step: Step): Promise<void> {
  switch (step.verb) {
    case 'list':
      return console.log((await namesOf(sftp, step.remote)).join('\n'));
    case 'get':
      return get(sftp, step.remote, step.local);
    case 'put':
      return put(sftp, step.local, step.remote);
    case 'resumePut':
      return put(sftp, step.local, step.remote, (await sftp.stat(step.remote)).size);
    case 'getFolder':
      await mkdir(step.local);
      for (const name of await namesOf(sftp, step.remote)) {
        await get(sftp, `${step.remote}/${name}`, path.join(step.local, name));
      }
      return;
    case 'putFolder':
      await sftp.createDirectory(step.remote);
      for (const name of await readdir(step.local)) {
        await put(sftp, path.join(step.local, name), `${step.remote}/${name}`);
      }
      return;
    case 'rename':
      return sftp.rename(step.remote, step.to);
    case 'resumeGet':
      throw new Error('the npm package cannot seek in a file');
  }
}

const preferred = {
  ...(choice.keyExchange !== undefined && { kex: [choice.keyExchange] }),
  ...(choice.cipher !== undefined && { ciphers: [choice.cipher] }),
  ...(choice.mac !== undefined && { mac: [choice.mac] }),
  ...(choice.hostKey !== undefined && { key: [choice.hostKey] }),
};
const transport = await SshTransport.newSocket(`127.0.0.1:${account.port}`);
const client = await SSHClient.connect(transport, async () => true, { preferred });
const key = await KeyPair.parse(await readFile(account.keyFile, 'utf8'));
const signedIn = await client.authenticateWithKeyPair(account.user, key, null);
if (!('openSessionChannel' in signedIn)) {
  console.error('the key was refused');
  process.exit(1);
}
const sftp = await signedIn.activateSFTP(await signedIn.openSessionChannel());
for (const step of steps) await take(sftp, step);
await sftp.close();
await signedIn.disconnect();
process.exit(0);
