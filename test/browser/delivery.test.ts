// Delivery as a client sets it up in a real browser: from no key to the first decrypted statement, and what goes wrong on the way.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import type { FileChooser, Page } from 'playwright-core';
import { openGpgHome, openTempFolder, run } from '../clients.ts';
import { eventually } from '../eventually.ts';
import { findBarriers, openBrowser, openPage, type WatchedPage, withBrowser } from './browser.ts';
import { checkPlaces, directions, settled } from './modes.ts';
import { keepScreen, openPortal, type PortalPerson, signIn } from './portal.ts';

const portal = withBrowser.skip ? undefined : await openPortal();
const browser = withBrowser.skip ? undefined : await openBrowser();
const temp = openTempFolder();
after(async () => {
  await browser?.close();
  await portal?.[Symbol.asyncDispose]();
  temp[Symbol.dispose]();
});

type Options = Parameters<typeof openPage>[1];
const [fund, investor, newcomer] = portal?.clients ?? [];
const delivery = portal?.operators.find(({ desk }) => desk === 'delivery');

async function enter(where: string, person: PortalPerson, options: Options = {}): Promise<WatchedPage> {
  const visited = await openPage(browser!, { viewport: { width: 1440, height: 900 }, ...options });
  await signIn(visited.page, portal!.url, person, where);
  await settled(visited.page);
  return visited;
}

/** Opens the system's dialog with the keyboard and chooses a file in it. */
async function chooseFile(page: Page, file: Parameters<FileChooser['setFiles']>[0]): Promise<void> {
  const button = page.getByRole('button', { name: 'Choose a file' });
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), button.press('Enter')]);
  await chooser.setFiles(file);
}

async function makeSshKey(name: string, comment = name): Promise<string> {
  const file = path.join(temp.folder, name);
  const ran = await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file]);
  assert.equal(ran.status, 0, ran.stderr);
  return file;
}

async function answer<Body>(asked: Promise<Response>): Promise<Body> {
  const response = await asked;
  const text = await response.text();
  assert.ok(response.ok, text);
  return (text === '' ? undefined : JSON.parse(text)) as Body;
}

/** Approves whatever the client confirmed, and configures its connection where that is still to do. */
async function approveAll(clientId: string): Promise<void> {
  const ask = await portal!.ask(delivery!);
  const { items } = await answer<{ items: { id: string; kind: string }[] }>(
    ask('GET', `/v1/delivery-desk/requests?state=unfinished&clientId=${clientId}`),
  );
  for (const { id, kind } of items) {
    await answer(ask('POST', `/v1/delivery-desk/requests/${id}/approve`));
    if (kind !== 'set_up') continue;
    await answer(ask('POST', `/v1/clients/${clientId}/delivery/log-in`));
    await answer(ask('POST', `/v1/clients/${clientId}/delivery/configured`));
  }
}

test('from no key to the first decrypted statement takes at most 12 interactions', withBrowser, async () => {
  const begunMs = performance.now();
  const home = path.join(temp.folder, 'home');
  mkdirSync(path.join(home, '.ssh'), { recursive: true });
  using gpg = openGpgHome();
  await gpg.gpg(['--quick-generate-key', 'Juniper <office@juniper.example>', 'future-default', 'default', 'never']);
  const certificate = path.join(temp.folder, 'juniper.asc');
  writeFileSync(certificate, (await gpg.gpg(['--armor', '--export'])).stdout);
  const key = await makeSshKey('home/.ssh/statements', 'juniper');

  await using entered = await enter('/delivery', newcomer!);
  const { page, complaints } = entered;
  await keepScreen(page, 'delivery-empty');
  let interactions = 0;
  const act = async (done: Promise<unknown>): Promise<void> => {
    interactions += 1;
    await done;
  };

  await act(page.getByRole('switch', { name: /^Statements by SFTP/ }).press('Space'));
  await page.getByRole('button', { name: 'Use the one I am on now' }).waitFor();
  await act(chooseFile(page, `${key}.pub`));
  await page.getByText(/This key is good: /).waitFor();
  await act(chooseFile(page, certificate));
  await page.getByText('OpenPGP key', { exact: false }).first().waitFor();
  await act(page.getByRole('button', { name: 'Use the one I am on now' }).press('Enter'));
  // What is to be compared is what the client's own programs show.
  const shown = await run('ssh-keygen', ['-l', '-f', `${key}.pub`]);
  const fingerprint = /SHA256:\S+/.exec(shown.stdout.toString())![0];
  await page.getByRole('group', { name: 'SSH key' }).getByText(fingerprint).waitFor();
  await page.getByRole('group', { name: 'Address' }).getByText('127.0.0.1').waitFor();
  await page.getByRole('group', { name: 'OpenPGP key' }).waitFor();
  await settled(page);
  // What was read out of a pending button goes away by itself, after the button is none any more.
  await eventually(async () => (await page.locator('[data-live-announcer] [role=img]').count()) === 0);
  assert.deepEqual(await findBarriers(page), []);
  await keepScreen(page, 'delivery-confirm');
  await act(page.getByLabel('Your password (required)').fill(newcomer!.password));
  await act(page.keyboard.press('Enter'));
  await page.getByText('Waiting for approval', { exact: true }).waitFor();

  const ask = await portal!.ask(newcomer!);
  const { id: clientId } = await answer<{ id: string }>(ask('GET', '/v1/me'));
  await approveAll(clientId);
  // Nothing is pressed: the page hears of it by itself.
  await page.getByText('Configured', { exact: true }).first().waitFor();
  const encrypt = page.getByRole('switch', { name: /^Encrypt every statement/ });
  await eventually(() => encrypt.isEnabled());
  await act(encrypt.press('Space'));
  await eventually(async () => (await answer<{ encryption: string }>(ask('GET', '/v1/delivery'))).encryption === 'on');
  await act(page.getByRole('button', { name: 'Send me a test file' }).press('Enter'));
  await page.getByText('In your repository', { exact: true }).waitFor();
  await keepScreen(page, 'delivery-configured');
  await act(page.getByRole('link', { name: 'How to connect' }).press('Enter'));
  await page.getByRole('tab', { name: 'Linux', selected: true }).waitFor();
  await keepScreen(page, 'guide-configured');

  // The commands of the page, in a shell whose home is the client's own.
  const commandOf = (step: string): Promise<string> => page.getByRole('group', { name: step }).innerText();
  const type = async (command: string): Promise<void> => {
    const known = `-F none -o IdentitiesOnly=yes -o UserKnownHostsFile=${home}/.ssh/known_hosts -o StrictHostKeyChecking=yes`;
    const ran = await run('sh', ['-c', command.replace(/^sftp /, `sftp ${known} `)], {
      cwd: home,
      env: { HOME: home, PATH: process.env['PATH']! },
    });
    assert.equal(ran.status, 0, `${command}: ${ran.stderr}`);
  };
  await act(commandOf('Note the host key').then(type));
  await act(commandOf('Fetch everything').then(type));
  const [file] = globSync('statements/**/*.pgp', { cwd: home });
  assert.ok(file, 'a statement was fetched');
  const opened = await gpg.gpg(['--decrypt', path.join(home, file)]);
  const { items } = await answer<{ items: { sha256: string; kind: string }[] }>(ask('GET', '/v1/statements'));
  const { sha256 } = items.find(({ kind }) => kind === 'test')!;
  assert.equal(createHash('sha256').update(opened.stdout).digest('hex'), sha256);

  assert.ok(interactions <= 12, `${interactions} interactions`);
  assert.ok(performance.now() - begunMs < 180_000, 'within three minutes');
  // The receipt is there, and the connection.
  await page.getByRole('link', { name: 'Connections' }).press('Enter');
  await page.getByText('Whole', { exact: true }).first().waitFor();
  await keepScreen(page, 'log-first');
  assert.deepEqual(complaints, []);
});

test('a connection with a wrong key shows while it happens, with the reason and what to do', withBrowser, async () => {
  const ask = await portal!.ask(fund!);
  const { hostName, port, userName } = await answer<{ hostName: string; port: number; userName: string }>(
    ask('GET', '/v1/delivery/instructions'),
  );
  const key = await makeSshKey('strange');
  const offered = /SHA256:\S+/.exec((await run('ssh-keygen', ['-l', '-f', `${key}.pub`])).stdout.toString())![0];
  await using entered = await enter('/delivery/log', fund!);
  const { page, complaints } = entered;
  const log = page.getByRole('log', { name: 'Latest connections' });
  assert.equal(await log.getByText(offered).count(), 0);
  const begunMs = performance.now();
  await run('sftp', [
    ...['-F', 'none', '-b', '/dev/null', '-P', String(port), '-i', key, '-o', 'IdentitiesOnly=yes'],
    ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', `${userName}@${hostName}`],
  ]);
  await log.getByText(`The key ${offered} was offered, and it is not registered for you.`).waitFor();
  assert.ok(performance.now() - begunMs < 10_000);
  await log.getByText('What to do:').first().waitFor();
  assert.deepEqual(await findBarriers(page), []);
  await keepScreen(page, 'log-wrong-key');
  assert.deepEqual(complaints, []);
});

test('D-13: a private key, dropped or pasted, is caught in the page and never sent', withBrowser, async () => {
  const key = await makeSshKey('never-sent');
  const secret = readFileSync(key, 'utf8');
  await using entered = await enter('/delivery', investor!);
  const { page, complaints } = entered;
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.method() !== 'GET') sent.push(request.url());
  });
  await chooseFile(page, key);
  await page.getByText('That was your private key. It has not left this page.').waitFor();
  await page.reload();
  const field = page.getByLabel('Or paste it');
  await field.fill(secret);
  await page.getByText('That was your private key. It has not left this page.').waitFor();
  assert.equal(await field.inputValue(), '');
  assert.deepEqual(await findBarriers(page), []);
  await keepScreen(page, 'delivery-private-key');
  assert.ok(!(await page.content()).includes(secret.split('\n')[2]!));
  assert.deepEqual(sent, []);
  // What is no key at all is refused by the server, in plain words.
  await field.fill('this is no key');
  await page.getByRole('button', { name: 'Hand in this key' }).press('Enter');
  await page.getByText('This key cannot be used').waitFor();
  await keepScreen(page, 'delivery-key-refused');
  assert.deepEqual(
    complaints.filter((text) => !text.includes('400')),
    [],
  );
});

test('markup and direction marks in comments, names and contacts are shown as text', withBrowser, async () => {
  const hostile = '<img src=x onerror="document.title=1">';
  const key = await makeSshKey('hostile', `${hostile}\u202E`);
  await using entered = await enter('/delivery', fund!);
  const { page, complaints } = entered;
  await page.getByLabel('Whom we may ask').fill(hostile);
  await page.getByRole('button', { name: 'Save' }).press('Enter');
  await page.getByText('Saved.').waitFor();
  await chooseFile(page, `${key}.pub`);
  await page.getByText(/This key is good: /).waitFor();
  await page.getByRole('list', { name: 'Keys' }).getByText(hostile).first().waitFor();
  await page.goto(`${portal!.url}/delivery/files`);
  // A folder of its own, so that the file is in view.
  await page.getByLabel('New folder').fill('0');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: '0/', exact: true }).click();
  await page.getByText('This folder is empty').waitFor();
  const name = `${hostile}.txt`;
  await chooseFile(page, { name, mimeType: 'text/html', buffer: Buffer.from('<script>1</script>') });
  await page.getByRole('grid').getByText(name, { exact: true }).waitFor();
  await keepScreen(page, 'files-hostile');
  assert.equal(await page.locator('main img').count(), 0);
  assert.match(await page.title(), /^Files · /);
  await page.getByRole('button', { name: `Delete ${name}` }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete', exact: true }).press('Enter');
  await page.getByRole('grid').getByText(name, { exact: true }).waitFor({ state: 'detached' });
  assert.deepEqual(complaints, []);
});

for (const locale of directions) {
  test(
    `delivery is free of barriers, fits its window and complains of nothing in the modes of the portal: ${locale}`,
    withBrowser,
    async () => {
      await using entered = await enter('/delivery', fund!, { locale });
      const places = ['/delivery', '/delivery/guide', '/delivery/log', '/delivery/files'].map((place) => ({
        place,
        name: place.slice(1).replace('/', '-'),
      }));
      await checkPlaces(entered.page, portal!.url, locale, places);
      assert.deepEqual(entered.complaints, []);
    },
  );
}
