// The step guide for SFTP from Linux, followed word for word: its commands are run as they are printed, against a real server.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import type { Block } from '@broadgate/contract/help.ts';
import { addClient, addOperator, createCaller, setUpSftp } from '../broker.ts';
import { openTempFolder, run, withClients } from '../clients.ts';
import { eventually } from '../eventually.ts';
import { openInstallation } from '../installation.ts';
import { once } from '../once.ts';

const temp = openTempFolder();
const installation = await openInstallation({
  env: { BROADGATE_PRIVATE_ADDRESSES: 'on', BROADGATE_SFTP_HOST_NAME: 'localhost' },
});
after(async () => {
  await installation[Symbol.asyncDispose]();
  temp[Symbol.dispose]();
});
const passphrase = 'three brown foxes';

interface Article {
  readonly blocks: readonly Block[];
}

const read = (number: string, locale: string): Promise<Article> =>
  createCaller(installation.url).get<Article>(`/v1/help/articles/${number}?locale=${locale}`);

/** The commands of a guide in their order. */
const commandsOf = ({ blocks }: Article): string[] =>
  blocks.flatMap((block) => {
    if (block.kind === 'code') return [block.text];
    return block.kind === 'list' ? block.items.flatMap(({ code }) => code ?? []) : [];
  });

const wordsOf = ({ blocks }: Article): string => JSON.stringify(blocks);

/** A shell of a computer of its own. Where the test is no administrator, `sudo` only says what would be done. */
const computer = once(async () => {
  const home = path.join(temp.folder, 'home');
  mkdirSync(path.join(home, 'bin'), { recursive: true });
  const isRoot = process.getuid?.() === 0;
  const sudo = isRoot ? 'exec "$@"' : 'shift; exec apt-get --simulate "$@"';
  writeFileSync(path.join(home, 'bin/sudo'), `#!/bin/sh\n${sudo}\n`, { mode: 0o755 });
  const driver = path.join(import.meta.dirname, '../typed-at-a-terminal.py');
  const env = { HOME: home, PATH: `${home}/bin:${process.env['PATH']}`, DEBIAN_FRONTEND: 'noninteractive' };
  return {
    home,
    type: (command: string, ...lines: string[]) =>
      run('python3', [driver, command, passphrase, ...lines], { cwd: home, env, timeoutMs: 120_000 }),
  };
});

const pair = once(async () => {
  const { home, type } = await computer();
  const commands = commandsOf(await read('KB3840', 'en'));
  assert.equal(commands.length, 3);
  for (const command of commands) {
    const ran = await type(command);
    assert.equal(ran.status, 0, `${command}: ${ran.stdout.toString()}`);
  }
  return {
    privateKey: path.join(home, 'privatekey.ppk'),
    publicKey: readFileSync(path.join(home, 'public.key'), 'utf8'),
  };
});

test(
  'HP-19: the three commands of the Linux guide run as printed, and it warns of the private key and the passphrase',
  withClients,
  async () => {
    const { privateKey, publicKey } = await pair();
    assert.match(publicKey, /^ssh-rsa /);
    assert.match(readFileSync(privateKey, 'utf8'), /^PuTTY-User-Key-File-/);
    assert.match(
      readFileSync(privateKey, 'utf8'),
      /Encryption: aes256-cbc/,
      'the private key is protected by the passphrase',
    );
    assert.ok(statSync(privateKey).size > 0);
    const words = wordsOf(await read('KB3840', 'en'));
    for (const needed of ['keep it safe', 'Do not send the private key']) assert.ok(words.includes(needed), needed);
    const portuguese = await read('KB3840', 'pt');
    assert.deepEqual(commandsOf(portuguese), commandsOf(await read('KB3840', 'en')));
    assert.ok(wordsOf(portuguese).includes('Não envie a chave privada'));
  },
);

test(
  'HP-01: whoever follows the step guide for SFTP from Linux ends with a listing of the own repository',
  withClients,
  async () => {
    const article = await read('KB3840', 'en');
    const headings = article.blocks.flatMap((block) =>
      block.kind === 'heading' ? block.runs.map(({ text }) => text) : [],
    );
    for (const part of ['Make the key pair', 'Hand in the public key', 'Make the site entry', 'Connect']) {
      assert.ok(headings.includes(part), part);
    }
    const site = article.blocks.find((block) => block.kind === 'table')!;
    const value = (field: string): string =>
      site.rows
        .find(([name]) => name![0]!.text === field)![1]!
        .map(({ text }) => text)
        .join('');
    assert.deepEqual(
      [value('Host'), value('Port'), value('Logon Type')],
      ['localhost', String(installation.sftpPort), 'Key file'],
    );

    const desk = (await addOperator(installation, 'ana', ['delivery'])).caller;
    const client = await addClient(desk, 'maria', 'U2000001');
    const { publicKey } = await pair();
    const { userName } = await setUpSftp(desk, client, { key: publicKey, addresses: ['127.0.0.1', '::1'] });
    await client.caller.post('/v1/delivery/test-file');
    await eventually(async () => (await client.caller.list('/v1/repository/entries?path=/')).length > 0);
    const { hostKeys } = await client.caller.get<{ hostKeys: { fingerprint: string }[] }>('/v1/delivery/instructions');
    const known = hostKeys.map(({ fingerprint }) => `-hostkey ${fingerprint}`).join(' ');
    const { type } = await computer();
    const ran = await type(
      `psftp -P ${value('Port')} -i ${value('Key file')} ${known} -l ${userName} 127.0.0.1`,
      'ls',
      'quit',
    );
    assert.equal(ran.status, 0, ran.stdout.toString());
    assert.match(ran.stdout.toString(), /TEST|test/);
  },
);

test('HP-04: the command of the error guide shows the fingerprint that the portal shows', withClients, async () => {
  await pair();
  const guide = await read('KB3841', 'en');
  const [command] = commandsOf(guide);
  const { type } = await computer();
  const ran = await type(command!);
  assert.equal(ran.status, 0, ran.stdout.toString());
  assert.match(ran.stdout.toString(), /SHA256:[A-Za-z0-9+/]{43}/);
});
