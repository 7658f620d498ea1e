// A browser for tests: Debian's Chromium without a head, and pages that fail a test when they complain.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Skips where the clients are not installed on purpose; a missing browser fails otherwise. */
export const withBrowser = { skip: process.env['BROADGATE_TEST_WITHOUT_CLIENTS'] ? 'without clients' : false };

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  /** What the page complained of: errors of scripts, of the console, and of its policy. */
  readonly complaints: readonly string[];
}

export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  // From the start: where nobody listens, the browser opens its own dialog, and a listener that is added later may be late.
  page.on('filechooser', () => {});
  page.on('pageerror', (fault) => complaints.push(fault.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}

/** What axe finds wrong with the page as it stands: rule, place. */
export async function findBarriers(page: Page): Promise<string[]> {
  // The policy of the page forbids scripts from text; the debugger's way in is not the page's.
  const session = await page.context().newCDPSession(page);
  const run = async (expression: string): Promise<unknown> => {
    const answer = await session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    assert.equal(answer.exceptionDetails, undefined, JSON.stringify(answer.exceptionDetails));
    return answer.result.value;
  };
  await run(`window.axe ?? (() => { ${axeSource} })(); 0`);
  // What React Aria reads out stays for some seconds and may name a button that is gone by then; nobody can come upon it.
  const found =
    await run(`axe.run({ exclude: ['[data-live-announcer]'] }, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ' ' + target + ' ' + failureSummary)))`);
  await session.detach();
  return found as string[];
}

/** By how many pixels the page is wider than the window. */
export const overflowPx = (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
