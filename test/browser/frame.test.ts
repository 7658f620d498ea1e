// The frame of the portal as people meet it in a real browser: coming in, finding the way, being told, and being asked for the password again.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { eventually } from '../eventually.ts';
import { findBarriers, openBrowser, openPage, type WatchedPage, withBrowser } from './browser.ts';
import { checkPlaces, directions } from './modes.ts';
import { keepScreen, openPortal, type PortalPerson, signIn } from './portal.ts';

const portal = withBrowser.skip ? undefined : await openPortal();
const browser = withBrowser.skip ? undefined : await openBrowser();
after(async () => {
  await browser?.close();
  await portal?.[Symbol.asyncDispose]();
});

type Options = Parameters<typeof openPage>[1];

const visit = (options: Options = {}): Promise<WatchedPage> =>
  openPage(browser!, { viewport: { width: 1280, height: 900 }, ...options });

async function enter(
  where = '/',
  options: Options = {},
  person: PortalPerson = portal!.clients[0]!,
): Promise<WatchedPage> {
  const visited = await visit(options);
  await signIn(visited.page, portal!.url, person, where);
  return visited;
}

const focused = (page: Page): Promise<string> =>
  page.evaluate<string>('`${document.activeElement.tagName} ${document.activeElement.textContent}`');

test(
  'somebody without a sign-in is led to it and from there, by keyboard alone, to the page they asked for',
  withBrowser,
  async () => {
    await using visited = await visit();
    const { page, complaints } = visited;
    await page.goto(`${portal!.url}/security?from=a-mail`);
    assert.match(page.url(), /\/sign-in\?next=/);
    assert.deepEqual(await findBarriers(page), []);
    await keepScreen(page, 'sign-in');
    await page.keyboard.type(portal!.clients[0]!.login);
    await page.keyboard.press('Tab');
    await page.keyboard.type('not the password');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    assert.deepEqual(await findBarriers(page), []);
    await keepScreen(page, 'sign-in-refused');
    // The login stays, and the focus is where the person goes on.
    await page.keyboard.type(portal!.clients[0]!.password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Security' }).waitFor();
    assert.equal(new URL(page.url()).pathname, '/security');
    assert.equal(await page.title(), 'Security · Harbour & Vale');
    // A refused form is answered with its status, which a browser notes.
    assert.deepEqual(
      complaints.filter((text) => !text.includes('401')),
      [],
    );
  },
);

test('the sign-in form works where no script runs', withBrowser, async () => {
  await using visited = await visit({ javaScriptEnabled: false });
  const { page } = visited;
  const { login, password } = portal!.clients[0]!;
  await page.goto(`${portal!.url}/sign-in`);
  await page.locator('#login').fill(login);
  await page.locator('#password').fill(password);
  await page.locator('button.main').click();
  assert.equal(new URL(page.url()).pathname, '/');
  assert.equal(
    (await visited.page.context().cookies()).some(({ name }) => name === 'broadgate'),
    true,
  );
});

test(
  'a page that is opened moves the focus to its heading and names the tab; back and forward lead there again',
  withBrowser,
  async () => {
    await using entered = await enter();
    const { page, complaints } = entered;
    await page.getByRole('link', { name: 'Security' }).click();
    await page.getByRole('heading', { level: 1, name: 'Security' }).waitFor();
    await eventually(async () => (await focused(page)) === 'H1 Security');
    assert.equal(await page.title(), 'Security · Harbour & Vale');
    await page.getByRole('link', { name: 'Settings' }).click();
    await eventually(async () => (await focused(page)) === 'H1 Settings');
    await page.goBack();
    await eventually(async () => (await focused(page)) === 'H1 Security');
    await page.goForward();
    await eventually(async () => (await focused(page)) === 'H1 Settings');
    await page.goto(`${portal!.url}/no-such-page`);
    await page.getByRole('heading', { level: 1, name: 'There is no such page' }).waitFor();
    // The page of an address that has none comes with the status 404.
    assert.deepEqual(
      complaints.filter((text) => !text.includes('404')),
      [],
    );
  },
);

test('the way past the head to the content is the first thing that Tab finds', withBrowser, async () => {
  await using entered = await enter();
  const { page } = entered;
  await page.reload();
  await page.locator('main h1').waitFor();
  await page.keyboard.press('Tab');
  assert.match(await focused(page), /^A Skip to the content/);
  await page.keyboard.press('Enter');
  assert.match(await focused(page), /^MAIN/);
});

test(
  'a sign-in that ends while something is typed asks for the password over the page, and what was typed stays',
  withBrowser,
  async () => {
    await using entered = await enter('/security');
    const { page } = entered;
    const ask = await portal!.ask(portal!.clients[0]!);
    const typed = 'half of a new password';
    await page.getByLabel('New password (required)', { exact: true }).fill(typed);
    const { items } = (await (await ask('GET', '/v1/sign-ins?limit=200')).json()) as {
      items: { id: string; sort: string; isCurrent: boolean; endedAt: string | null }[];
    };
    for (const { id } of items.filter(({ isCurrent, endedAt }) => !isCurrent && endedAt === null)) {
      await ask('DELETE', `/v1/sign-ins/${id}`);
    }
    // Nothing is pressed: the page hears of it by itself.
    const dialog = page.getByRole('alertdialog', { name: 'Your sign-in has ended' });
    await dialog.waitFor();
    assert.deepEqual(await findBarriers(page), []);
    await keepScreen(page, 'sign-in-ended');
    await page.keyboard.press('Escape');
    assert.equal(await dialog.isVisible(), true);
    await dialog.getByLabel('Password').fill('not the password');
    await page.keyboard.press('Enter');
    await dialog.getByText('The login or the password is not right.').waitFor();
    await dialog.getByLabel('Password').fill(portal!.clients[0]!.password);
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    assert.equal(await page.getByLabel('New password (required)', { exact: true }).inputValue(), typed);
  },
);

test(
  'the user menu has the head and shoulders at the top, and signs out; the way back then shows nothing',
  withBrowser,
  async () => {
    await using entered = await enter();
    const { page, complaints } = entered;
    const button = page.getByRole('button', { name: /^Menu of / });
    const box = (await button.boundingBox())!;
    assert.ok(box.y < 80 && box.x + box.width > 1100, `it stands at ${box.x}, ${box.y}`);
    await button.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menu').waitFor();
    assert.deepEqual(await findBarriers(page), []);
    await keepScreen(page, 'user-menu');
    await page.getByRole('menuitem', { name: 'Sign out' }).press('Enter');
    await page.getByRole('status').getByText('You are signed out.').waitFor();
    await page.goBack();
    await page.waitForURL(/\/sign-in/);
    assert.deepEqual(complaints, []);
  },
);

test('notices are counted on the bell, and marking them read is known at once', withBrowser, async () => {
  await using entered = await enter('/', {}, portal!.clients[1]!);
  const { page, complaints } = entered;
  await page.getByRole('button', { name: /^Notices, \d+ new$/ }).press('Enter');
  await page.getByRole('dialog', { name: 'Notices' }).waitFor();
  await eventually(async () => (await page.getByRole('dialog').getByRole('listitem').count()) > 0);
  assert.deepEqual(await findBarriers(page), []);
  await keepScreen(page, 'notices');
  await page.getByRole('button', { name: 'Mark all as read' }).press('Enter');
  await page.getByRole('button', { name: 'Mark all as read' }).waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Notices, none new' }).waitFor();
  assert.deepEqual(complaints, []);
});

test(
  'a language, a theme and a time zone show at once and are there at the next sign-in, on another device',
  withBrowser,
  async () => {
    await using entered = await enter('/settings', {}, portal!.clients[2]!);
    const { page, complaints } = entered;
    await page.getByRole('radio', { name: 'As on this device' }).focus();
    await page.keyboard.press('ArrowUp');
    await page.locator('html[data-theme=dark]').waitFor();
    await page.getByRole('button', { name: /^Language: / }).press('Enter');
    await page.getByRole('menuitem', { name: 'العربية' }).press('Enter');
    await page.locator('html[lang=ar][dir=rtl][data-theme=dark]').waitFor();
    await using second = await enter('/', {}, portal!.clients[2]!);
    await second.page.locator('html[lang=ar][dir=rtl][data-theme=dark]').waitFor();
    await keepScreen(second.page, 'home-ar-dark');
    assert.deepEqual([...complaints, ...second.complaints], []);
  },
);

test('a server that cannot be reached is said to be, until it can', withBrowser, async () => {
  await using entered = await enter();
  const { page } = entered;
  await page.context().setOffline(true);
  await page.getByText('The server cannot be reached.').waitFor();
  await keepScreen(page, 'offline');
  await page.context().setOffline(false);
  await page.getByText('The server cannot be reached.').waitFor({ state: 'detached' });
});

for (const locale of directions) {
  test(
    `the first pages are free of barriers, fit their window and complain of nothing in the modes of the portal: ${locale}`,
    withBrowser,
    async () => {
      await using entered = await enter('/', { locale });
      const places = [
        { place: '/', name: 'home' },
        { place: '/security', name: 'security' },
        { place: '/settings', name: 'settings' },
      ];
      await checkPlaces(entered.page, portal!.url, locale, places);
      assert.deepEqual(entered.complaints, []);
    },
  );
}

test('an operator of the delivery desk finds what waits on the first page', withBrowser, async () => {
  const operator = portal!.operators.find(({ desk }) => desk === 'delivery')!;
  await using entered = await enter('/', {}, operator);
  const { page, complaints } = entered;
  await page.getByRole('heading', { name: 'Requests that wait' }).waitFor();
  assert.deepEqual(await findBarriers(page), []);
  await keepScreen(page, 'home-desk');
  assert.deepEqual(complaints, []);
});
