// The portal of a demonstration broker for tests in a browser: served by the program itself, with its people and their passwords.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { openInstallation } from '../installation.ts';

const root = path.join(import.meta.dirname, '..', '..');
const screens = path.join(root, 'test-output/screens');

export interface PortalPerson {
  readonly login: string;
  readonly password: string;
}

export interface Portal extends AsyncDisposable {
  readonly url: string;
  /** The fund, which has everything set up; an investor; one who has just begun. */
  readonly clients: readonly (PortalPerson & { readonly accountNumber: string })[];
  readonly operators: readonly (PortalPerson & { readonly desk: string })[];
  /** Asks the API as somebody who is signed in elsewhere. */
  ask(person: PortalPerson): Promise<(method: string, path: string, body?: unknown) => Promise<Response>>;
}

/** Starts it. Shape: the portal is built first where its sources changed. */
export async function openPortal(env: Readonly<Record<string, string>> = {}): Promise<Portal> {
  const build = [path.join(root, 'tools/build-portal.ts'), '--if-changed'];
  const built = spawnSync(process.execPath, build, { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`the portal could not be built:\n${built.stdout}${built.stderr}`);
  const installation = await openInstallation({ command: 'demo', env: { BROADGATE_PORTAL: 'on', ...env } });
  const people = JSON.parse(readFileSync(path.join(installation.dataDir, 'demo/people.json'), 'utf8')) as Pick<
    Portal,
    'clients' | 'operators'
  >;
  return {
    url: installation.url,
    clients: people.clients,
    operators: people.operators,
    async ask({ login, password }) {
      const json = { 'content-type': 'application/json' };
      const signedIn = await fetch(`${installation.url}/v1/sign-ins`, {
        method: 'POST',
        headers: json,
        body: JSON.stringify({ login, password, deliver: 'token' }),
      });
      const { token } = (await signedIn.json()) as { token: string };
      return (method, where, body) =>
        fetch(`${installation.url}${where}`, {
          method,
          headers: { authorization: `Bearer ${token}`, 'idempotency-key': crypto.randomUUID(), ...(body ? json : {}) },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
    },
    async [Symbol.asyncDispose]() {
      await installation.stop();
      await installation[Symbol.asyncDispose]();
    },
  };
}

/** Signs in by the form, with the keyboard alone, and waits for the page that the form leads to. */
export async function signIn(page: Page, url: string, person: PortalPerson, where = '/'): Promise<void> {
  await page.goto(`${url}${where}`);
  await page.locator('#login').waitFor();
  await page.keyboard.type(person.login);
  await page.keyboard.press('Tab');
  await page.keyboard.type(person.password);
  await page.keyboard.press('Enter');
  await page.locator('main h1').waitFor();
}

/** Keeps a picture for people to look at. */
export async function keepScreen(page: Page, name: string): Promise<void> {
  mkdirSync(screens, { recursive: true });
  await page.evaluate<boolean>('document.fonts.ready.then(() => true)');
  await page.screenshot({ path: path.join(screens, `${name}.png`), fullPage: true });
}
