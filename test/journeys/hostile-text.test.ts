// Stored content of whoever may write: names, titles, reasons, comments and file names come back as data and never as a page.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { addClient, addOperator, type Caller, confirm, type RequestView, submit } from '../broker.ts';
import { openTempFolder, withClients } from '../clients.ts';
import { openInstallation } from '../installation.ts';
import { once } from '../once.ts';

const temp = openTempFolder();
const installation = await openInstallation({ env: { BROADGATE_PRIVATE_ADDRESSES: 'on' } });
after(async () => {
  await installation[Symbol.asyncDispose]();
  temp[Symbol.dispose]();
});

const markup = `"><img src=x onerror=alert(1)><script>alert('1')</script>{{7*7}}\${7*7}`;
// What turns the direction of text, ends a line, or is obeyed by a terminal.
const unseen = ['a\u202eb', 'a\u2066b', 'a\u0000b', 'a\u001b[31mb', 'a\nb', 'a\u2028b', 'a\u0085b'];
const tooLong = 'x'.repeat(10_000);

const people = once(async () => {
  const desk = (await addOperator(installation, 'ana', ['delivery', 'operations'])).caller;
  const client = await addClient(desk, 'maria', 'U2000001');
  return { desk, client };
});

/** What every answer that may hold a person's text must say to a browser. */
async function readSafely(caller: Caller, url: string): Promise<string> {
  const answer = await caller.call('GET', url, { headers: { accept: 'text/html,*/*' } });
  assert.equal(answer.status, 200, url);
  assert.match(answer.headers.get('content-type')!, /^application\/json/, url);
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', url);
  assert.match(answer.headers.get('content-security-policy')!, /default-src 'none'/, url);
  assert.equal(answer.headers.get('cache-control'), 'no-store', url);
  return answer.text();
}

test(
  'Markup in a name, a title, a reason, a comment or a contact comes back word for word, as JSON',
  withClients,
  async () => {
    const { desk, client } = await people();
    const { caller } = client;
    await desk.post('/v1/clients', { kind: 'person', name: markup, login: 'mallory', accountNumbers: ['U2000002'] });
    await desk.post('/v1/operators', { login: 'olga', name: markup, desks: ['service'] });
    await caller.post('/v1/tokens', { name: markup.slice(0, 64), expiresInDays: 1, password: client.password });
    await caller.put('/v1/delivery', { sftp: true, portal: true, contact: markup });

    const keyFile = path.join(temp.folder, 'key');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', markup, '-f', keyFile]);
    const request = await submit(client, { key: readFileSync(`${keyFile}.pub`, 'utf8'), addresses: ['127.0.0.1'] });
    await confirm(client, request);
    await desk.post<RequestView>(`/v1/delivery-desk/requests/${request.id}/decline`, { reason: markup });

    const query = new URLSearchParams({
      account: 'U2000001',
      kind: 'document',
      period: '2026-11-23',
      file: 'a.html',
      title: markup,
    });
    const { id } = await desk.upload<{ id: string }>(
      `/v1/delivery-desk/statements?${query.toString()}`,
      Buffer.from(`<!doctype html>${markup}`),
      'application/octet-stream',
    );
    const read: [Caller, string, string][] = [
      [desk, '/v1/clients?search=%22%3E%3Cimg', markup],
      [desk, '/v1/operators', markup],
      [caller, '/v1/sign-ins', markup.slice(0, 64)],
      [caller, '/v1/delivery', markup],
      [caller, '/v1/delivery/keys', markup],
      [caller, '/v1/delivery/requests', markup],
      [desk, '/v1/delivery-desk/requests', markup],
      [caller, '/v1/notices', markup],
      [caller, '/v1/statements', markup],
      [desk, `/v1/clients/${client.clientId}/delivery/view`, markup],
    ];
    for (const [who, url, expected] of read) {
      const texts: string[] = [];
      JSON.parse(await readSafely(who, url), (_, value: unknown) => {
        if (typeof value === 'string') texts.push(value);
        return value;
      });
      assert.ok(
        texts.some((text) => text.includes(expected)),
        `${url} gives it back`,
      );
    }

    // A page that somebody issued as a statement is saved, and never opened as one of ours.
    const file = await caller.call('GET', `/v1/statements/${id}/file`);
    assert.equal(file.headers.get('content-type'), 'application/octet-stream');
    assert.match(file.headers.get('content-disposition')!, /^attachment; /);
    assert.equal(file.headers.get('x-content-type-options'), 'nosniff');
    await desk.post(`/v1/delivery-desk/statements/${id}/withdraw`, { reason: markup });
    const trail = await readSafely(desk, `/v1/operations/audit?subject=statement:${id}`);
    assert.ok(trail.includes('onerror=alert(1)'));
  },
);

test(
  'A file that a client names with markup or a turned direction is listed as data and saved under a harmless name',
  withClients,
  async () => {
    const { client, desk } = await people();
    const { caller } = client;
    for (const name of [markup.replaceAll('/', '_'), 'invoice\u202efdp.exe']) {
      const at = new URLSearchParams({ path: `/${name}` }).toString();
      const put = await caller.call('PUT', `/v1/repository/file?${at}`, {
        bytes: Buffer.from('x'),
        headers: { 'content-type': 'application/octet-stream' },
      });
      if (!put.ok) {
        assert.equal(put.status, 400, await put.text());
        continue;
      }
      assert.ok((await readSafely(caller, '/v1/repository/entries?path=/')).length > 0);
      await readSafely(desk, '/v1/delivery-desk/uploads');
      const got = await caller.call('GET', `/v1/repository/file?${at}`);
      const disposition = got.headers.get('content-disposition')!;
      assert.match(disposition, /^attachment; filename="[^"\\/]+"(; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]+)?$/);
      assert.doesNotMatch(decodeURIComponent(disposition), /[\u202a-\u202e\u2066-\u2069]/);
      assert.equal(got.headers.get('content-type'), 'application/octet-stream');
    }
  },
);

test(
  'Characters that act unseen, and ten thousand of any, are refused in every field that others will read',
  withClients,
  async () => {
    const { desk, client } = await people();
    const { caller } = client;
    const fields: [Caller, string, string, (text: string) => object][] = [
      [
        desk,
        'POST',
        '/v1/clients',
        (name) => ({ kind: 'person', name, login: 'nobody', accountNumbers: ['U2000003'] }),
      ],
      [desk, 'POST', '/v1/operators', (name) => ({ login: 'nobody', name, desks: ['service'] })],
      [desk, 'POST', `/v1/clients/${client.clientId}/suspend`, (reason) => ({ reason })],
      [desk, 'POST', `/v1/clients/${client.clientId}/delivery/suspend`, (reason) => ({ reason })],
      [desk, 'POST', `/v1/delivery-desk/requests/${client.clientId}/decline`, (reason) => ({ reason })],
      [desk, 'POST', `/v1/delivery-desk/statements/${client.clientId}/withdraw`, (reason) => ({ reason })],
      [caller, 'PUT', '/v1/delivery', (contact) => ({ sftp: false, portal: true, contact })],
      [caller, 'POST', '/v1/tokens', (name) => ({ name, expiresInDays: 1, password: client.password })],
      [caller, 'PUT', '/v1/preferences', (timeZone) => ({ locale: null, timeZone, theme: 'dark' })],
    ];
    for (const [who, method, url, body] of fields) {
      for (const text of [...unseen, tooLong]) {
        const refused = await who.refused(method, url, { json: body(text) });
        assert.ok(
          ['request_invalid', 'time_zone_unknown'].includes(refused.code),
          `${method} ${url} ${JSON.stringify(text.slice(0, 12))}: ${refused.code}`,
        );
      }
    }
  },
);

test(
  'No address of the API answers with a page, whatever is asked for, but those that are pages',
  withClients,
  async () => {
    const { desk } = await people();
    for (const url of [
      `/v1/${encodeURIComponent(markup)}`,
      `/v1/refusals/${encodeURIComponent(markup)}`,
      '/v1/clients?search=%3Cscript%3E',
      `/v1/help/articles?q=${encodeURIComponent('<script>')}`,
    ]) {
      const answer = await desk.call('GET', url, { headers: { accept: 'text/html' } });
      assert.match(answer.headers.get('content-type')!, /json/, url);
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', url);
    }
  },
);
