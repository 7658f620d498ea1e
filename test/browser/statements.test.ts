// Statements as a client meets them in a real browser: found, read in the page, taken away one by one and together.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import type { Download } from 'playwright-core';
import { findBarriers, openBrowser, openPage, type WatchedPage, withBrowser } from './browser.ts';
import { checkPlaces, directions, settled } from './modes.ts';
import { keepScreen, openPortal, type PortalPerson, signIn } from './portal.ts';

const portal = withBrowser.skip ? undefined : await openPortal();
const browser = withBrowser.skip ? undefined : await openBrowser();
after(async () => {
  await browser?.close();
  await portal?.[Symbol.asyncDispose]();
});

type Options = Parameters<typeof openPage>[1];
const fund = portal?.clients[0];

async function enter(where: string, options: Options = {}, person: PortalPerson = fund!): Promise<WatchedPage> {
  const visited = await openPage(browser!, { viewport: { width: 1440, height: 900 }, ...options });
  await signIn(visited.page, portal!.url, person, where);
  await settled(visited.page);
  return visited;
}

interface Item {
  readonly id: string;
  readonly name: string;
  readonly sha256: string;
}

async function listed(): Promise<readonly Item[]> {
  const ask = await portal!.ask(fund!);
  return ((await (await ask('GET', '/v1/statements?limit=200')).json()) as { items: Item[] }).items;
}

const bytesOf = async (download: Download): Promise<Buffer> => readFile(await download.path());

test('a statement is found, opened and downloaded by keyboard alone', withBrowser, async () => {
  await using entered = await enter('/statements');
  const { page, complaints } = entered;
  const grid = page.getByRole('grid', { name: 'Statements' });
  await grid.waitFor();
  // The kind is chosen as in any list: open, go down, take it.
  await page.getByRole('button', { name: /Kind/ }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('option', { name: 'Daily activity statement' }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForURL(/kind=activity-daily/);
  await settled(page);
  await grid.getByRole('row').nth(1).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/statements\/[\da-f-]{36}$/);
  await page.getByRole('link', { name: 'Download', exact: true }).waitFor();
  const id = new URL(page.url()).pathname.split('/').at(-1);
  const item = (await listed()).find((one) => one.id === id)!;
  await page.getByRole('link', { name: 'Download', exact: true }).focus();
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
  assert.equal(download.suggestedFilename(), item.name);
  assert.equal(
    createHash('sha256')
      .update(await bytesOf(download))
      .digest('hex'),
    item.sha256,
  );
  // Reading it is on record, and the page hears of it by itself.
  await page.getByRole('list', { name: 'What happened to it' }).getByText('Fetched').first().waitFor();
  await page.goBack();
  await page.waitForURL(/\/statements\?kind=activity-daily$/);
  assert.deepEqual(complaints, []);
});

test('several statements are chosen and come as one ZIP', withBrowser, async () => {
  await using entered = await enter('/statements');
  const { page, complaints } = entered;
  await page.getByRole('grid', { name: 'Statements' }).getByRole('row').nth(1).focus();
  await page.keyboard.press('Space');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Space');
  const link = page.getByRole('link', { name: 'Download 2 statements as ZIP' });
  await link.waitFor();
  await keepScreen(page, 'statements-chosen');
  assert.deepEqual(await findBarriers(page), []);
  const [download] = await Promise.all([page.waitForEvent('download'), link.press('Enter')]);
  const zip = await bytesOf(download);
  assert.equal(zip.subarray(0, 4).toString('latin1'), 'PK\u0003\u0004');
  assert.deepEqual(complaints, []);
});

test('a PDF, a CSV file and an XML file are read in the page', withBrowser, async () => {
  const items = await listed();
  await using entered = await enter('/statements');
  const { page, complaints } = entered;
  for (const ending of ['pdf', 'csv', 'xml']) {
    const { id } = items.find(({ name }) => name.endsWith(`.${ending}`))!;
    await page.goto(`${portal!.url}/statements/${id}`);
    await page.getByRole('heading', { name: 'Preview' }).waitFor();
    if (ending === 'pdf') await page.locator('main iframe').waitFor();
    if (ending === 'csv') await page.getByRole('columnheader', { name: 'Field Name' }).first().waitFor();
    if (ending === 'xml') await page.locator('main summary').first().waitFor();
    await settled(page);
    assert.deepEqual(await findBarriers(page), [], ending);
    await keepScreen(page, `statement-${ending}`);
  }
  assert.deepEqual(complaints, []);
});

test(
  'a filter that nothing fits, a client without statements, and a statement that is not there are said to be so',
  withBrowser,
  async () => {
    await using entered = await enter('/statements?kind=confirmation');
    const { page } = entered;
    await page.getByText('No statement fits this filter').waitFor();
    await keepScreen(page, 'statements-none-found');
    await page.getByRole('main').getByRole('button', { name: 'Show all' }).last().click();
    await page.getByRole('grid', { name: 'Statements' }).waitFor();
    await page.goto(`${portal!.url}/statements/00000000-0000-4000-8000-000000000000`);
    await page.getByText('There is no such statement.').waitFor();
    assert.deepEqual(await findBarriers(page), []);
    await keepScreen(page, 'statement-refused');
  },
);

for (const locale of directions) {
  test(
    `statements are free of barriers, fit their window and complain of nothing in the modes of the portal: ${locale}`,
    withBrowser,
    async () => {
      const csv = (await listed()).find((item) => item.name.endsWith('.csv'))!;
      await using entered = await enter('/statements', { locale });
      const places = [
        { place: '/statements', name: 'statements' },
        { place: `/statements/${csv.id}`, name: 'statement' },
      ];
      await checkPlaces(entered.page, portal!.url, locale, places);
      assert.deepEqual(entered.complaints, []);
    },
  );
}
