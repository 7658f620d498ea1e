// FileZilla itself, under a virtual display, as a client uses it: a saved site with a key file, the listing, a file read.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { addOperator, issueStatement, setUpEncryption } from '../broker.ts';
import { openComputer, placeOf, profiles } from '../client-computer.ts';
import { openTempFolder, withClients } from '../clients.ts';
import { eventually } from '../eventually.ts';
import { openFileZilla } from '../filezilla.ts';
import { openInstallation } from '../installation.ts';
import { makePuttyPair } from '../key-pairs.ts';
import { openRepositoryClient } from '../repository-client.ts';

const temp = openTempFolder();
const { folder } = temp;
const pictures = process.env['BROADGATE_TEST_OUTPUT'] ?? folder;
mkdirSync(pictures, { recursive: true });
const installation = await openInstallation({ env: { BROADGATE_PRIVATE_ADDRESSES: 'on' } });
after(async () => {
  await installation[Symbol.asyncDispose]();
  temp[Symbol.dispose]();
});
const desk = (await addOperator(installation, 'ana', ['delivery'])).caller;

test(
  'SF-17, EN-11: FileZilla connects with a key file, lists the repository and reads a file byte for byte',
  withClients,
  async () => {
    const pair = await makePuttyPair(folder, 'fiona');
    const fiona = await openRepositoryClient({ installation, desk, folder }, 'fiona', 'U6000017', pair);
    using computer = await openComputer(installation);
    const fingerprint = computer.generate(profiles.curve25519, 'Fiona');
    await setUpEncryption(desk, fiona.client, computer.armored(fingerprint));
    const bytes = Buffer.from('Trades,Data,ABC,100\r\n'.repeat(20_000));
    const asked = { account: fiona.client.accountNumber, kind: 'daily', period: '2026-11-20', file: 'a.csv' };
    const { id, name } = await issueStatement(desk, asked, bytes);
    const { path: place } = await placeOf(fiona.client, id);
    const delivered = await fiona.read(place);

    const { port, user } = fiona.target;
    await using window = await openFileZilla({ host: '127.0.0.1', port, user, keyFile: pair.ppkFile });
    await window.acceptHostKey();
    await window.readLog(/Directory listing of "\/" successful/, 60_000);
    // Folders stand above files: "..", "manifests", the statement. What a row is asked for is the name that it shows.
    const arrived = path.join(window.downloads, `${name}.pgp`);
    await window.transferRow(2);
    await eventually(() => existsSync(arrived) && readFileSync(arrived).length === delivered.length, {
      timeoutMs: 60_000,
      what: `the file, of which there are ${readdirSync(window.downloads).join()}`,
    });
    const log = await window.readLog(/File transfer successful/, 30_000);
    assert.ok(log.includes(`Starting download of ${place}`), log);
    await window.screenshot(path.join(pictures, 'filezilla-repository.png'));
    assert.ok(readFileSync(arrived).equals(delivered));
    assert.ok(computer.open(readFileSync(arrived), fingerprint).equals(bytes));

    const receipts = await eventually(async () => {
      const found = await fiona.client.caller.list<{ face: string; path: string; isWhole: boolean }>('/v1/receipts');
      const bySftp = found.filter((one) => one.face === 'sftp' && one.path === place);
      return bySftp.length > 0 ? bySftp : undefined;
    });
    assert.deepEqual(
      receipts.map((one) => one.isWhole),
      [true],
    );
    const connections = await fiona.client.caller.list<{ clientSoftware: string | null }>('/v1/delivery/connections');
    assert.ok(connections.some((one) => /FileZilla/i.test(one.clientSoftware ?? '')));
  },
);
