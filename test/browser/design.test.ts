// The design system in a real browser, under the policy of the portal: no barrier, no complaint, and a table that keeps up.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { eventually } from '../eventually.ts';
import { findBarriers, openBrowser, openPage, overflowPx, withBrowser } from './browser.ts';
import { openDesignPage } from './design-page.ts';

const site = withBrowser.skip ? undefined : await openDesignPage();
const browser = withBrowser.skip ? undefined : await openBrowser();
after(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

const open = async (query: string, width = 1280) => {
  const opened = await openPage(browser!, { viewport: { width, height: 900 } });
  await opened.page.goto(`${site!.url}?${query}`);
  await opened.page.getByRole('heading', { level: 1 }).waitFor();
  return opened;
};

// Playwright's own way to wait makes scripts from text in the page, which the policy refuses.
const until = (page: Page, expression: string) =>
  eventually(() => page.evaluate<boolean>(expression), { what: expression });

interface Focusing {
  readonly document: { readonly activeElement: unknown };
}
const isFocused = (locator: Locator): Promise<boolean> =>
  locator.evaluate((element) => (globalThis as unknown as Focusing).document.activeElement === element);

const isLong = process.env['BROADGATE_TEST_LONG'] === '1';
// Each language and each theme; all of them with one another only where there is time.
const modes = isLong
  ? ['en', 'ar'].flatMap((locale) => ['light', 'dark'].map((theme) => `locale=${locale}&theme=${theme}`))
  : ['locale=en&theme=light', 'locale=ar&theme=dark'];
// 200 % zoom lays out as half the window does; 320 px is 400 % of it.
const windows = [
  { name: '100 %', width: 1280 },
  { name: '200 %', width: 640 },
  { name: '320 px', width: 320 },
];

for (const mode of modes) {
  test(`every part is free of barriers and fits its window: ${mode}`, withBrowser, async () => {
    await using opened = await open(mode);
    for (const { name, width } of windows) {
      await opened.page.setViewportSize({ width, height: 900 });
      assert.deepEqual(await findBarriers(opened.page), [], name);
      assert.equal(await overflowPx(opened.page), 0, name);
    }
    assert.deepEqual(opened.complaints, []);
  });

  test(
    `what opens over the page is free of barriers, closes with Escape and gives the focus back: ${mode}`,
    withBrowser,
    async () => {
      await using opened = await open(mode);
      const { page, complaints } = opened;
      const openers = [
        page.getByRole('button', { name: 'Dialog', exact: true }),
        page.getByRole('button', { name: 'ConfirmDialog' }),
        page.locator('button[aria-haspopup="true"]').first(),
        page.locator('button[aria-haspopup="listbox"]').first(),
        page.locator('button[aria-haspopup="dialog"]').first(),
      ];
      for (const opener of openers) {
        await opener.focus();
        await page.keyboard.press('Enter');
        await page.locator('[role=dialog], [role=alertdialog], [role=menu], [role=listbox]').first().waitFor();
        assert.deepEqual(await findBarriers(page), []);
        await page.keyboard.press('Escape');
        await page
          .locator('[role=dialog], [role=alertdialog], [role=menu], [role=listbox]')
          .first()
          .waitFor({ state: 'detached' });
        assert.equal(await isFocused(opener), true);
      }
      await page.getByRole('button', { name: 'Toast: bad' }).click();
      await page.getByRole('alertdialog').waitFor();
      assert.deepEqual(await findBarriers(page), []);
      assert.deepEqual(complaints, []);
    },
  );
}

test('typing a date is announced without breaking the rule for trusted types', withBrowser, async () => {
  await using opened = await open('locale=en');
  const { page, complaints } = opened;
  const month = page.getByRole('spinbutton').first();
  await month.focus();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.type('0930');
  assert.match((await page.getByRole('spinbutton').nth(1).textContent()) ?? '', /30/);
  assert.deepEqual(complaints, []);
});

test('wider spacing of text clips nothing at 320 px', withBrowser, async () => {
  await using opened = await open('locale=en', 320);
  const { page } = opened;
  // WCAG 2.2 §1.4.12. A sheet made by script is no inline style, so the policy allows it.
  await page.evaluate(`(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important } p { margin-block-end: 2em !important }');
    document.adoptedStyleSheets = [sheet];
  })()`);
  assert.equal(await overflowPx(page), 0);
  const clipped = await page.evaluate(`Array.from(document.querySelectorAll('button, a, label, dd, h1, h2, p'))
    .filter((element) => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflow !== 'visible')
    .map((element) => element.textContent)`);
  assert.deepEqual(clipped, []);
});

test(
  'a file that a check refuses is said to be wrong, and its reason belongs to the place it was dropped on',
  withBrowser,
  async () => {
    await using opened = await open('locale=en');
    const { page } = opened;
    const drop = page.getByRole('group', { name: 'Name of the key' }).filter({ hasText: 'recognise' }).first();
    await drop
      .locator('input[type=file]')
      .setInputFiles({ name: 'id_ed25519', mimeType: 'text/plain', buffer: Buffer.from('x') });
    await drop.getByRole('alert').getByText('private key').waitFor();
    const described = await drop.evaluate((element) =>
      (element as unknown as { getAttribute(name: string): string }).getAttribute('aria-describedby'),
    );
    assert.match((await page.locator(`[id="${described}"]`).textContent()) ?? '', /private key/);
  },
);

test(
  'cards stand in for rows where there is no width, and further ones come as the reader scrolls',
  withBrowser,
  async () => {
    await using opened = await open('locale=en', 320);
    const { page } = opened;
    const cards = page.getByRole('list', { name: 'No statements yet' }).getByRole('listitem');
    const before = await cards.count();
    await cards.last().scrollIntoViewIfNeeded();
    await until(page, `document.querySelectorAll('ul[aria-label="No statements yet"] > li').length > ${before}`);
    assert.equal(await page.getByRole('grid').count(), 0);
  },
);

const grid = (page: Page) => page.getByRole('grid').first();
const focusedIs = (page: Page, role: string, row: number) =>
  until(
    page,
    `document.activeElement.closest('[role=${role}]')?.closest('[role=row]').getAttribute('aria-rowindex') === '${row}'`,
  );

test('the keyboard moves over rows and cells, in the direction of the writing', withBrowser, async () => {
  for (const [locale, into] of [
    ['en', 'ArrowRight'],
    ['ar', 'ArrowLeft'],
  ] as const) {
    await using opened = await open(`locale=${locale}`);
    const { page } = opened;
    await grid(page).getByRole('row').nth(1).focus();
    await page.keyboard.press('ArrowDown');
    await focusedIs(page, 'row', 3);
    // Past the box that selects the row.
    await page.keyboard.press(into);
    await page.keyboard.press(into);
    await focusedIs(page, 'rowheader', 3);
    await page.keyboard.press('PageDown');
    await page.keyboard.press('ArrowUp');
    assert.ok(
      Number(await page.evaluate(`document.activeElement.closest('[role=row]').getAttribute('aria-rowindex')`)) > 10,
    );
    await page.keyboard.press('Control+Home');
    await focusedIs(page, 'gridcell', 2);
    await page.keyboard.press('ArrowUp');
    await focusedIs(page, 'columnheader', 1);
    // The last row of what is loaded was not drawn before.
    await page.keyboard.press('Control+End');
    await focusedIs(page, 'gridcell', 201);
  }
});

test('Space selects a row, Enter acts on one where none is selected, and a head sorts', withBrowser, async () => {
  await using opened = await open('locale=en');
  const { page } = opened;
  const row = grid(page).getByRole('row').nth(2);
  await row.focus();
  assert.equal(await row.getAttribute('aria-selected'), 'true');
  await page.keyboard.press('Space');
  await until(page, `document.activeElement.getAttribute('aria-selected') === 'false'`);
  await page.keyboard.press('Enter');
  await page.getByRole('alertdialog').getByText('Daily statement 2').waitFor();
  const head = grid(page).getByRole('columnheader', { name: 'Period' });
  assert.equal(await head.getAttribute('aria-sort'), 'descending');
  await head.press('Enter');
  await until(page, `document.activeElement.getAttribute('aria-sort') === 'ascending'`);
});

interface Scrolled {
  readonly blank: number;
  readonly frames: number;
  readonly drawnMost: number;
  readonly last: string;
  readonly count: string;
}

const rows = isLong ? 100_000 : 20_000;

test(`a table grows to ${rows} rows page by page and never shows a blank row`, withBrowser, async (t) => {
  await using opened = await open(`locale=en&page=5000&rows=${rows}`);
  const { page, complaints } = opened;
  // A screen at a time first, then in leaps such as the scroll bar makes; each frame is looked at before the next.
  const seen = await page.evaluate<Scrolled>(`(async () => {
    const grid = document.querySelector('[role=grid]');
    grid.scrollIntoView();
    let blank = 0, frames = 0, drawnMost = 0, still = 0;
    while (still < 20 && frames < 1000) {
      const place = grid.scrollTop;
      grid.scrollTop += frames < 60 ? 500 : 40000;
      await new Promise(requestAnimationFrame);
      frames += 1;
      still = grid.scrollTop === place ? still + 1 : 0;
      const seen = grid.getBoundingClientRect();
      for (let y = seen.top + 60; y < Math.min(seen.bottom, innerHeight) - 5; y += 40) {
        const row = document.elementFromPoint(seen.left + seen.width / 3, y)?.closest('[role=row]');
        if (!row?.textContent.trim()) blank += 1;
      }
      drawnMost = Math.max(drawnMost, grid.querySelectorAll('[role=row]').length);
    }
    const last = Array.from(grid.querySelectorAll('[role=row]')).at(-1);
    return { blank, frames, drawnMost, last: last.getAttribute('aria-rowindex'), count: grid.getAttribute('aria-rowcount') };
  })()`);
  t.diagnostic(JSON.stringify(seen));
  assert.equal(seen.blank, 0);
  assert.equal(seen.last, `${rows + 1}`);
  assert.equal(seen.count, `${rows + 1}`);
  assert.ok(seen.drawnMost < 80, `${seen.drawnMost} rows were drawn at once`);
  assert.deepEqual(complaints, []);
});
