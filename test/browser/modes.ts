// Every way in which a page has to work: its colours, its zoom and its width, changed while it is open as people change them.
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { eventually } from '../eventually.ts';
import { findBarriers, overflowPx } from './browser.ts';
import { keepScreen } from './portal.ts';

/** The languages that pages are checked in: one of each direction. */
export const directions = ['en', 'ar'] as const;

type Direction = (typeof directions)[number];

const usual = { width: 1440, height: 900 };

// 200 % zoom lays out as half the window does; 320 px is 400 % of 1280.
const modes = {
  light: { colorScheme: 'light', viewport: usual },
  dark: { colorScheme: 'dark', viewport: usual },
  wide: { colorScheme: 'light', viewport: { width: 2560, height: 1200 } },
  '200': { colorScheme: 'light', viewport: { width: 640, height: 450 } },
  '200-dark': { colorScheme: 'dark', viewport: { width: 640, height: 450 } },
  '320': { colorScheme: 'light', viewport: { width: 320, height: 700 } },
  '320-dark': { colorScheme: 'dark', viewport: { width: 320, height: 700 } },
} as const;

type Mode = keyof typeof modes;

// Each colour, zoom, width and direction once on every page; all of them with one another where there is time.
const isLong = process.env['BROADGATE_TEST_LONG'] === '1';
const shown: Readonly<Record<Direction, readonly Mode[]>> = { en: ['light', '320-dark'], ar: ['200-dark'] };

/** Nothing on the page says any more that it is being read. */
export const settled = (page: Page): Promise<boolean> =>
  eventually(async () => (await page.locator('main [role=progressbar]:not([aria-valuenow])').count()) === 0);

/** Opens places one after the other, checks each in the modes of a language, and keeps its pictures as `name-locale-mode`. */
export async function checkPlaces(
  page: Page,
  url: string,
  locale: Direction,
  places: readonly { readonly place: string; readonly name: string }[],
): Promise<void> {
  const names = isLong ? (Object.keys(modes) as Mode[]) : shown[locale];
  for (const { place, name } of places) {
    await show(page, names[0]!);
    await page.goto(`${url}${place}`);
    await page.locator('main h1').waitFor();
    for (const mode of names) {
      await show(page, mode);
      await settled(page);
      const what = `${place} ${locale} ${mode}`;
      assert.deepEqual(await findBarriers(page), [], what);
      assert.equal(await overflowPx(page), 0, what);
      await keepScreen(page, `${name}-${locale}-${mode}`);
    }
  }
}

async function show(page: Page, mode: Mode): Promise<void> {
  const { colorScheme, viewport } = modes[mode];
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize(viewport);
}
