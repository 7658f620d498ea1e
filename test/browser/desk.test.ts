// The delivery desk in a real browser: requests answered with the keyboard alone, and what follows from the answers.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { eventually } from '../eventually.ts';
import { findBarriers, overflowPx, withBrowser } from './browser.ts';
import { focusedText, handIn, json, makePublicKey, openDesks, pressUntil } from './desk-ground.ts';
import { keepScreen } from './portal.ts';

const desks = await openDesks();
after(() => desks[Symbol.asyncDispose]());

const hostile = '<img src=x onerror=alert(1)>';
const row = '[role=row][aria-rowindex]:not([aria-rowindex="1"])';

/** From the filter into the table, and down to the row that names the client. */
async function findRow(page: Page, name: string): Promise<void> {
  await pressUntil(page, 'Tab', row);
  for (let times = 0; times < 20 && !(await focusedText(page)).includes(name); times += 1) {
    await page.keyboard.press('ArrowDown');
  }
  assert.ok((await focusedText(page)).includes(name));
}

async function focusOn(page: Page, name: string): Promise<void> {
  await pressUntil(page, 'Tab', 'button');
  for (let times = 0; times < 40 && (await focusedText(page)) !== name; times += 1) await page.keyboard.press('Tab');
  assert.equal(await focusedText(page), name);
}

test(
  'EN-22: from the screen of the desk, with the keyboard alone, a key is refused with a reason, a set-up is approved, log-in details are issued, the connection is marked configured, an address is listed, and one is removed',
  withBrowser,
  async () => {
    const newcomer = desks.portal.clients[2]!;
    const ask = await desks.portal.ask(newcomer);
    await json(await ask('PUT', '/v1/delivery', { sftp: true, portal: true }));
    const first = await handIn(ask, newcomer, { key: makePublicKey(hostile), addresses: ['203.0.113.7'] });

    await using entered = await desks.enter('/desk/requests');
    const { page, complaints } = entered;
    await page.getByRole('grid').waitFor();
    assert.deepEqual(await findBarriers(page), []);
    await keepScreen(page, 'desk-queue');

    // Refused, with a reason that the client reads.
    await findRow(page, 'Juniper');
    await page.keyboard.press('d');
    await page.getByRole('dialog', { name: 'Decline: First set-up' }).waitFor();
    await pressUntil(page, 'Tab', '[aria-haspopup=listbox]');
    await page.keyboard.press('Enter');
    await page.getByRole('listbox').waitFor();
    await page.keyboard.press('Enter');
    await pressUntil(page, 'Tab', 'textarea');
    await page.keyboard.type('Please call us');
    await page.getByRole('dialog').getByText('We could not confirm that this key is yours').last().waitFor();
    assert.deepEqual(await findBarriers(page), []);
    await keepScreen(page, 'desk-decline');
    await focusOn(page, 'Decline');
    await page.keyboard.press('Enter');
    await page.getByText('No request waits for the desk').waitFor();
    await keepScreen(page, 'desk-queue-empty');
    const declined = await json<{ state: string; reason: string; reasonCode: string }>(
      await ask('GET', `/v1/delivery/requests/${first.id}`),
    );
    assert.equal(declined.state, 'refused');
    assert.equal(declined.reasonCode, 'key_unconfirmed');
    assert.match(declined.reason, /Please call us/);

    // The next one appears by itself, is approved, and the connection is set up.
    const second = await handIn(ask, newcomer, { key: makePublicKey('juniper'), addresses: ['203.0.113.7'] });
    await page.getByRole('grid').waitFor();
    await findRow(page, 'Juniper');
    await page.keyboard.press('a');
    await page.getByRole('alertdialog', { name: 'Approve: First set-up' }).waitFor();
    assert.deepEqual(await findBarriers(page), []);
    await keepScreen(page, 'desk-approve');
    await focusOn(page, 'Approve');
    await page.keyboard.press('Enter');
    await page.getByRole('alertdialog', { name: 'Approve: First set-up' }).waitFor({ state: 'detached' });
    await findRow(page, 'Juniper');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'First set-up' }).waitFor();
    await focusOn(page, 'Issue log-in details');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Log-in details' }).waitFor();
    assert.deepEqual(await findBarriers(page), []);
    await focusOn(page, 'I have noted them');
    await page.keyboard.press('Enter');
    await focusOn(page, 'Mark configured');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Mark configured' }).waitFor({ state: 'detached' });
    await keepScreen(page, 'desk-request-done');
    const delivery = await json<{ connection: { state: string; userName: string | null } }>(
      await ask('GET', '/v1/delivery'),
    );
    assert.equal(delivery.connection.state, 'configured');
    assert.notEqual(delivery.connection.userName, null);

    // A new address is listed, and taken off again.
    const third = await handIn(ask, newcomer, { addresses: ['198.51.100.20'] });
    assert.notEqual(third.id, second.id);
    await page.goto(`${desks.portal.url}/desk/requests`);
    await page.getByRole('grid').waitFor();
    await findRow(page, 'Juniper');
    await page.keyboard.press('a');
    await page.getByRole('alertdialog', { name: 'Approve: New address' }).waitFor();
    await focusOn(page, 'Approve');
    await page.keyboard.press('Enter');
    await page.getByText('No request waits for the desk').waitFor();
    const listed = async (): Promise<string[]> => {
      const { items } = await json<{ items: { network: string; state: string }[] }>(
        await ask('GET', '/v1/delivery/addresses'),
      );
      return items.filter(({ state }) => state === 'active').map(({ network }) => network);
    };
    assert.deepEqual((await listed()).sort(), ['198.51.100.20', '203.0.113.7']);
    await page.goto(`${desks.portal.url}/desk/requests/${third.id}`);
    await focusOn(page, 'Remove 198.51.100.20');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Remove 198.51.100.20' }).waitFor();
    await pressUntil(page, 'Tab', 'input');
    await page.keyboard.type('The office has moved');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await eventually(async () => (await listed()).join() === '203.0.113.7');
    assert.deepEqual(complaints, []);
  },
);

test('what a client wrote is shown to the desk as text, whatever it holds', withBrowser, async () => {
  const newcomer = desks.portal.clients[1]!;
  const ask = await desks.portal.ask(newcomer);
  await json(await ask('PUT', '/v1/delivery', { sftp: true, portal: true, contact: hostile }));
  const { id } = await handIn(ask, newcomer, { key: makePublicKey(hostile), addresses: ['203.0.113.99'] });
  await using entered = await desks.enter(`/desk/requests/${id}`);
  const { page, complaints } = entered;
  await page.getByText(hostile).first().waitFor();
  assert.equal(await page.locator('main img').count(), 0);
  assert.deepEqual(await findBarriers(page), []);
  await keepScreen(page, 'desk-request-hostile');

  const desk = await desks.portal.ask(desks.operatorOf('delivery'));
  const name = `<script>alert(2)</script> ${'long'.repeat(30)}`;
  const login = 'hostile';
  await json(await desk('POST', '/v1/clients', { kind: 'person', name, login, accountNumbers: ['H1'] }));
  await page.goto(`${desks.portal.url}/desk/clients`);
  await page.getByRole('searchbox').fill('H1');
  await page.getByRole('link', { name: /^<script>/ }).click();
  await page.getByRole('heading', { level: 1, name: /^<script>/ }).waitFor();
  assert.equal(await page.locator('main script').count(), 0);
  assert.equal(await overflowPx(page), 0);
  assert.deepEqual(await findBarriers(page), []);
  await keepScreen(page, 'desk-client-hostile');
  assert.deepEqual(complaints, []);
});
