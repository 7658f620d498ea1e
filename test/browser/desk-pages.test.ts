// The other pages of the desks in a real browser: a statement is issued and withdrawn, a run is followed, and every page in every mode.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { pack } from 'tar-stream';
import { eventually } from '../eventually.ts';
import { findBarriers, withBrowser } from './browser.ts';
import { focusedText, handIn, json, makePublicKey, openDesks, pressUntil } from './desk-ground.ts';
import { checkPlaces, directions } from './modes.ts';
import { keepScreen } from './portal.ts';

const desks = await openDesks();
after(() => desks[Symbol.asyncDispose]());

async function focusOn(page: Page, name: string): Promise<void> {
  for (let times = 0; times < 60 && (await focusedText(page)) !== name; times += 1) await page.keyboard.press('Tab');
  assert.equal(await focusedText(page), name);
}

interface Chosen {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** Opens the system's dialog with the keyboard and chooses a file in it. */
async function chooseFile(page: Page, file: Chosen): Promise<void> {
  await focusOn(page, 'Choose a file');
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('Enter')]);
  await chooser.setFiles(file);
}

async function packRun(accountNumber: string, files: readonly string[]): Promise<Buffer> {
  const archive = pack();
  const contents = files.map((name) => ({ name, bytes: Buffer.from(`<statement>${name}</statement>`) }));
  const rows = contents.map(({ name, bytes }, index) =>
    [accountNumber, 'daily', `2026-10-${String(index + 1).padStart(2, '0')}`, name, hash(bytes)].join(','),
  );
  archive.entry({ name: 'run.csv' }, ['account,kind,period,file,sha256', ...rows, ''].join('\n'));
  for (const { name, bytes } of contents) archive.entry({ name }, bytes);
  archive.finalize();
  const parts: Buffer[] = [];
  for await (const part of archive) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

test(
  'a statement is issued, its life is shown, and it is withdrawn with a reason, with the keyboard alone',
  withBrowser,
  async () => {
    const { accountNumber } = desks.portal.clients[1]!;
    await using entered = await desks.enter('/desk/statements/issue');
    const { page, complaints } = entered;
    await focusOn(page, 'Issue');
    await page.keyboard.press('Enter');
    // What is missing is said at its field.
    await page.getByText('Fill this in').first().waitFor();
    assert.deepEqual(await findBarriers(page), []);
    await keepScreen(page, 'desk-issue-missing');
    await page.getByRole('heading', { level: 1 }).focus();
    await pressUntil(page, 'Tab', 'main input[type=text]');
    await page.keyboard.type(accountNumber);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.type('2026-11-23');
    await page.keyboard.press('Tab');
    await page.keyboard.type('Correction of yesterday');
    await chooseFile(page, { name: 'correction.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7 x') });
    await focusOn(page, 'Issue');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Correction of yesterday' }).waitFor();
    await page.getByRole('list', { name: 'What happened to it' }).getByText('Issued').waitFor();
    assert.deepEqual(await findBarriers(page), []);
    await keepScreen(page, 'desk-statement');
    await focusOn(page, 'Withdraw');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Withdraw this statement' }).waitFor();
    await pressUntil(page, 'Tab', '[role=dialog] input');
    await page.keyboard.type('<b>Wrong</b> figures');
    await page.keyboard.press('Enter');
    await page.getByText('<b>Wrong</b> figures').first().waitFor();
    await keepScreen(page, 'desk-statement-withdrawn');
    assert.equal(await page.locator('main b').count(), 0);
    assert.deepEqual(complaints, []);
  },
);

test(
  'a run is checked first, its faults are told row by row, and a good one is followed to its end',
  withBrowser,
  async () => {
    const { accountNumber } = desks.portal.clients[1]!;
    await using entered = await desks.enter('/desk/runs');
    const { page, complaints } = entered;
    const send = async (reference: string, account: string): Promise<void> => {
      await pressUntil(page, 'Tab', 'main input[type=text]');
      await page.keyboard.type(reference);
      const buffer = await packRun(account, ['a.xml', 'b.xml', 'c.xml']);
      await chooseFile(page, { name: `${reference}.tar`, mimeType: 'application/x-tar', buffer });
    };
    await send('wrong-account', 'X0000000');
    await focusOn(page, 'Check');
    await page.keyboard.press('Enter');
    await page.getByText('Nothing was issued').first().waitFor();
    await page.getByText('X0000000').first().waitFor();
    assert.deepEqual(await findBarriers(page), []);
    await keepScreen(page, 'desk-run-refused');
    // The whole reason stands in the row's own dialog.
    await pressUntil(page, 'Tab', '[role=row]:not([aria-rowindex="1"])');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Row 1' }).getByText('X0000000').first().waitFor();
    assert.deepEqual(await findBarriers(page), []);
    await page.keyboard.press('Escape');

    await page.goto(`${desks.portal.url}/desk/runs`);
    await page.getByRole('grid').waitFor();
    await send('october', accountNumber);
    await pressUntil(page, 'Tab', 'input[type=checkbox]');
    await page.keyboard.press('Space');
    await focusOn(page, 'Issue all');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'october' }).waitFor();
    await page.getByText('3 of 3 rows').waitFor();
    await eventually(async () => (await page.getByRole('grid').getByText('Issued').count()) === 3);
    assert.deepEqual(await findBarriers(page), []);
    await keepScreen(page, 'desk-run-done');
    await focusOn(page, 'Outcomes as CSV');
    const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
    assert.match(download.suggestedFilename(), /\.csv$/);
    assert.deepEqual(complaints, []);
  },
);

const deskPlaces = [
  '/desk/requests',
  '/desk/clients',
  '/desk/addresses',
  '/desk/statements',
  '/desk/statements/issue',
  '/desk/runs',
  '/desk/keys',
  '/desk/uploads',
  '/desk/retention',
];
const operationsPlaces = ['/operations/health', '/operations/load', '/operations/jobs', '/operations/audit'];

/** A client with a request that waits, and the address of its pages. */
async function findPlaces(): Promise<string[]> {
  const person = desks.portal.clients[2]!;
  const ask = await desks.portal.ask(person);
  await json(await ask('PUT', '/v1/delivery', { sftp: true, portal: true }));
  const { items } = await json<{ items: { id: string; clientId: string; finishedAt: string | null }[] }>(
    await ask('GET', '/v1/delivery/requests'),
  );
  const waiting =
    items.find(({ finishedAt }) => finishedAt === null) ??
    (await handIn(ask, person, { key: makePublicKey('juniper'), addresses: ['203.0.113.7'] }));
  const desk = await desks.portal.ask(desks.operatorOf('delivery'));
  const issued = await json<{ items: { id: string; clientId: string }[] }>(
    await desk('GET', '/v1/delivery-desk/statements?limit=1'),
  );
  const runs = await json<{ items: { id: string }[] }>(await desk('GET', '/v1/runs?limit=1'));
  return [
    `/desk/requests/${waiting.id}`,
    `/desk/clients/${waiting.clientId}`,
    `/desk/statements/${issued.items[0]!.id}`,
    `/desk/runs/${runs.items[0]!.id}`,
  ];
}

const named = (places: readonly string[]) =>
  places.map((place) => ({
    place,
    name: place
      .replace(/[0-9a-f-]{36}/, 'one')
      .slice(1)
      .replaceAll('/', '-'),
  }));

for (const locale of directions) {
  test(
    `the pages of the desks are free of barriers and fit their window in the modes of the portal: ${locale}`,
    withBrowser,
    async () => {
      const { url } = desks.portal;
      await using atDesk = await desks.enter('/desk/requests', { locale });
      await checkPlaces(atDesk.page, url, locale, named([...deskPlaces, ...(await findPlaces())]));
      await using atOperations = await desks.enter('/operations/health', { locale }, desks.operatorOf('operations'));
      await checkPlaces(atOperations.page, url, locale, named(operationsPlaces));
      assert.deepEqual([...atDesk.complaints, ...atOperations.complaints], []);
    },
  );
}

test('each tab of a client is free of barriers', withBrowser, async () => {
  const desk = await desks.portal.ask(desks.operatorOf('delivery'));
  const found = await json<{ items: { id: string }[] }>(await desk('GET', '/v1/clients?search=Alder'));
  await using entered = await desks.enter(`/desk/clients/${found.items[0]!.id}`);
  const { page, complaints } = entered;
  const tabs = page.getByRole('tab');
  await tabs.first().waitFor();
  for (let index = 0; index < (await tabs.count()); index += 1) {
    await tabs.nth(index).click();
    assert.deepEqual(await findBarriers(page), []);
    await keepScreen(page, `desk-client-tab-${index}`);
  }
  await page.getByRole('button', { name: 'Check the manifests' }).click();
  await page.getByText('Signatures, chain and files are right').waitFor();
  assert.deepEqual(complaints, []);
});

test('a desk that cannot be reached keeps what was read, and says so', withBrowser, async () => {
  await using entered = await desks.enter('/desk/clients');
  const { page } = entered;
  await page.getByRole('grid').waitFor();
  await page.context().setOffline(true);
  await page.getByText('The server cannot be reached.').first().waitFor();
  assert.equal(await page.getByRole('grid').isVisible(), true);
  await keepScreen(page, 'desk-offline');
  await page.context().setOffline(false);
});

test('the chain of the audit trail is checked on its page, and a row tells its details', withBrowser, async () => {
  await using entered = await desks.enter('/operations/audit', {}, desks.operatorOf('operations'));
  const { page, complaints } = entered;
  await page.getByRole('grid').waitFor();
  await page.getByRole('button', { name: 'Check the chain' }).press('Enter');
  await page.getByText(/^The chain is whole/).waitFor();
  await page.getByRole('row').nth(1).press('Enter');
  await page.getByRole('dialog').waitFor();
  assert.deepEqual(await findBarriers(page), []);
  await keepScreen(page, 'operations-audit-row');
  assert.deepEqual(complaints, []);
});

test('what is not there, and what another desk looks after, is declined in words', withBrowser, async () => {
  const unknown = '00000000-0000-7000-8000-000000000000';
  await using entered = await desks.enter('/desk/requests');
  const { page } = entered;
  for (const place of ['requests', 'clients', 'statements', 'runs']) {
    await page.goto(`${desks.portal.url}/desk/${place}/${unknown}`);
    await page.getByRole('alert').first().waitFor();
    assert.deepEqual(await findBarriers(page), [], place);
    assert.equal((await page.getByRole('alert').first().textContent())?.includes('_'), false, place);
    await keepScreen(page, `desk-${place}-not-there`);
  }
  await page.goto(`${desks.portal.url}/operations/health`);
  await page.getByText('The machine is looked after by the operations desk.').waitFor();
  await keepScreen(page, 'operations-declined');
});
