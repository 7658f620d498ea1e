// What the tests of the desks stand on: a portal with a browser, people who are signed in, and requests that clients handed in.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import type { Page } from 'playwright-core';
import { openBrowser, openPage, type WatchedPage, withBrowser } from './browser.ts';
import { openPortal, type Portal, type PortalPerson, signIn } from './portal.ts';

export type Options = Parameters<typeof openPage>[1];
type Ask = Awaited<ReturnType<Portal['ask']>>;

export async function openDesks() {
  const portal = withBrowser.skip ? undefined : await openPortal();
  const browser = withBrowser.skip ? undefined : await openBrowser();
  const operatorOf = (desk: string, index = 0): PortalPerson =>
    portal!.operators.filter((operator) => operator.desk === desk)[index]!;
  return {
    get portal(): Portal {
      return portal!;
    },
    operatorOf,

    /** Signs a person in and opens a page. */
    async enter(where: string, options: Options = {}, person = operatorOf('delivery')): Promise<WatchedPage> {
      const visited = await openPage(browser!, { viewport: { width: 1440, height: 900 }, ...options });
      await signIn(visited.page, portal!.url, person, where);
      return visited;
    },

    async [Symbol.asyncDispose]() {
      await browser?.close();
      await portal?.[Symbol.asyncDispose]();
    },
  };
}

export async function json<Answer>(answer: Response): Promise<Answer> {
  assert.ok(answer.ok, `${answer.url}: ${answer.status} ${answer.ok ? '' : await answer.clone().text()}`);
  return (await answer.json()) as Answer;
}

interface RequestAnswer {
  readonly id: string;
  readonly clientId: string;
  readonly awaiting: readonly string[];
}

/** A new public key as an OpenSSH line. */
export function makePublicKey(comment: string): string {
  const { publicKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url');
  const word = Buffer.from('ssh-ed25519');
  const sized = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  return `ssh-ed25519 ${Buffer.concat([sized(word), sized(raw)]).toString('base64')} ${comment}`;
}

/** The client hands in and confirms. Shape: what waits for the desk. */
export async function handIn(
  ask: Ask,
  { password }: PortalPerson,
  submission: { key?: string; purpose?: 'replace' | 'add'; addresses?: string[] },
): Promise<RequestAnswer> {
  const request = await json<RequestAnswer>(await ask('POST', '/v1/delivery/requests', submission));
  const shown = { shown: request.awaiting, password };
  return json<RequestAnswer>(await ask('POST', `/v1/delivery/requests/${request.id}/confirm`, shown));
}

/** Presses a key until something has the focus, as a person who looks at the page does. */
export async function pressUntil(page: Page, key: string, selector: string, timesMax = 60): Promise<void> {
  for (let times = 0; times < timesMax; times += 1) {
    if (await page.evaluate<boolean>(`document.activeElement?.matches(${JSON.stringify(selector)}) ?? false`)) return;
    await page.keyboard.press(key);
  }
  assert.fail(`${key} never led to ${selector}`);
}

/** What has the focus, in words. */
export const focusedText = (page: Page): Promise<string> =>
  page.evaluate<string>('document.activeElement?.textContent ?? ""');
