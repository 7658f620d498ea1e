// Every way in which a page has to work: its colours, its zoom and its width, changed while it is open as people change them.
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { eventually } from '../eventually.ts';
import { findBarriers, overflowPx } from './browser.ts';
import { keepScreen } from './portal.ts';

type ColorScheme = 'light' | 'dark';

interface Mode {
  readonly name: string;
  readonly colorScheme: ColorScheme;
  readonly viewport: { readonly width: number; readonly height: number };
}

const usual = { width: 1440, height: 900 };

/** The languages that pages are checked in: one of each direction. */
export const directions = ['en', 'ar'] as const;

// 200 % zoom lays out as half the window does; 320 px is 400 % of 1280.
const modes: readonly Mode[] = [
  { name: 'light', colorScheme: 'light', viewport: usual },
  { name: 'dark', colorScheme: 'dark', viewport: usual },
  { name: 'wide', colorScheme: 'light', viewport: { width: 2560, height: 1200 } },
  { name: '200', colorScheme: 'light', viewport: { width: 640, height: 450 } },
  { name: '320', colorScheme: 'light', viewport: { width: 320, height: 700 } },
];

/** Nothing on the page says any more that it is being read. */
export const settled = (page: Page): Promise<boolean> =>
  eventually(async () => (await page.locator('main [role=progressbar]:not([aria-valuenow])').count()) === 0);

/** Opens places one after the other, checks each in every mode, and keeps its pictures as `name-mode`. */
export async function checkPlaces(
  page: Page,
  url: string,
  places: readonly { readonly place: string; readonly name: string }[],
  suffix = '',
): Promise<void> {
  for (const { place, name } of places) {
    await show(page, modes[0]!);
    await page.goto(`${url}${place}`);
    await page.locator('main h1').waitFor();
    for (const mode of modes) {
      await show(page, mode);
      await settled(page);
      const what = `${place} ${mode.name}`;
      assert.deepEqual(await findBarriers(page), [], what);
      assert.equal(await overflowPx(page), 0, what);
      await keepScreen(page, `${name}-${mode.name}${suffix}`);
    }
  }
}

async function show(page: Page, { colorScheme, viewport }: Mode): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize(viewport);
}
