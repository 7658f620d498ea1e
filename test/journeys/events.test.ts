// Live changes of a whole installation: a refused attempt and a good sign-in of a client's program reach its open page at once.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { addClient, addOperator, type Caller, setUpSftp } from '../broker.ts';
import { openTempFolder, withClients } from '../clients.ts';
import { eventually } from '../eventually.ts';
import { openInstallation } from '../installation.ts';
import { sftp } from '../sftp-programs.ts';

const temp = openTempFolder();
const installation = await openInstallation({
  env: { BROADGATE_PRIVATE_ADDRESSES: 'on', BROADGATE_SFTP_ADDRESS: '0.0.0.0', BROADGATE_WORKERS: '2' },
});
after(async () => {
  await installation[Symbol.asyncDispose]();
  temp[Symbol.dispose]();
});

/** Reads the stream as a page would, until it ends. */
function follow(caller: Caller, query = '') {
  const heard = { changes: [] as { kind: string; id: string | null }[], text: '', isOver: false };
  const abort = new AbortController();
  const reading = (async () => {
    const headers = { authorization: `Bearer ${caller.token}` };
    const answer = await fetch(`${caller.url}/v1/events${query}`, { headers, signal: abort.signal });
    assert.equal(answer.status, 200);
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      heard.text += chunk;
      heard.changes = [...heard.text.matchAll(/^data: (\{"kind".+\})$/gm)].map((match) => JSON.parse(match[1]!));
    }
  })();
  reading.catch(() => undefined).finally(() => (heard.isOver = true));
  return Object.assign(heard, { leave: () => abort.abort() });
}

const has = (heard: { changes: { kind: string }[] }, kind: string) => heard.changes.some((one) => one.kind === kind);

test(
  'A client sees its refused attempt, its connection and what it fetched as they happen, and nothing after signing out',
  withClients,
  async () => {
    const desk = (await addOperator(installation, 'ana', ['delivery'])).caller;
    const client = await addClient(desk, 'maria', 'U2000001');
    const keyFile = path.join(temp.folder, 'maria');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', keyFile]);
    const key = readFileSync(`${keyFile}.pub`, 'utf8');
    const { userName } = await setUpSftp(desk, client, { key, addresses: ['127.0.0.2'] });
    const target = { port: installation.sftpPort, user: userName, keyFile };
    const from = (address: string, commands: string[]) =>
      sftp(target, commands, { args: ['-o', `BindAddress=${address}`, '-o', 'ConnectTimeout=5'], timeoutMs: 30_000 });

    const page = follow(client.caller);
    const queue = follow(desk);
    await eventually(() => page.text.includes('event: ready') && queue.text.includes('event: ready'));

    // The portal is asked from 127.0.0.1, so an attempt from there is this client's, though no name was heard.
    const startedMs = performance.now();
    const attempt = from('127.0.0.1', ['pwd']);
    await eventually(() => has(page, 'refusal') && has(queue, 'refusal'), { timeoutMs: 4000 });
    assert.ok(performance.now() - startedMs < 4000);
    const refusals = await client.caller.list<{ reason: string }>('/v1/delivery/refusals');
    assert.equal(refusals[0]!.reason, 'address_not_listed');
    assert.equal((await attempt).status, 255);

    await client.caller.post('/v1/delivery/test-file');
    await eventually(() => has(page, 'statement'));
    const ran = await from('127.0.0.2', ['ls -1']);
    assert.equal(ran.status, 0, ran.stderr);
    await eventually(() => has(page, 'connection'));
    assert.doesNotMatch(page.text, /maria|U2000001|127\.0\.0|SHA256/, 'a stream holds kinds and ids, never content');

    const endedMs = performance.now();
    await client.caller.call('DELETE', '/v1/sign-ins/current');
    await eventually(() => page.isOver);
    assert.ok(performance.now() - endedMs < 1500);
    queue.leave();
  },
);
