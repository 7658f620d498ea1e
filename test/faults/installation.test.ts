// A whole installation whose processes are killed and whose disks fail while a desk and real SFTP clients work on it.
// What cannot be done to it from here is moving its clock, which is the machine's: the laboratory in one process does that.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { createSeededRandom, randomBelow } from '../../server/kernel/random.ts';
import { openTempFolder, withClients } from '../clients.ts';
import { eventually } from '../eventually.ts';
import { sftp } from '../sftp-programs.ts';
import { filesBelow, openSite, recoverAndJudge, type Site, targetOf, workThrough } from './installation-round.ts';
import { type SiteStrikeName, siteStrikeNames, siteStrikes } from './installation-strikes.ts';

const isLong = process.env['BROADGATE_TEST_LONG'] === '1';
const seed = process.env['BROADGATE_TEST_SEED'] ?? randomBytes(4).toString('hex');
const random = createSeededRandom(seed);
const roundsOfLong = 60;
/** What no other test does to a running server; the rest is drawn in the long run. */
const always: readonly SiteStrikeName[] = ['PostgreSQL is killed', 'the disk of the blobs is read-only'];
const names = isLong
  ? Array.from({ length: roundsOfLong }, () => siteStrikeNames[randomBelow(random, siteStrikeNames.length)]!)
  : always;

const temp = openTempFolder();
chmodSync(temp.folder, 0o755);
let opened: Promise<Site> | undefined;
const openOnce = (): Promise<Site> => (opened ??= openSite(temp.folder, random));
after(async () => {
  await (await opened)?.[Symbol.asyncDispose]();
  temp[Symbol.dispose]();
});

test(
  'an installation that is struck while it works serves again by itself, and has kept everything that it acknowledged',
  withClients,
  async (t) => {
    const site = await openOnce();
    t.diagnostic(`seed ${seed}; disks of its own: ${site.dataDisk === undefined ? 'no' : 'yes'}`);
    for (const name of names) {
      const begunMs = performance.now();
      const told = await workThrough(site, siteStrikes[name]);
      const struckMs = performance.now();
      await recoverAndJudge(site, told);
      const seconds = [struckMs - begunMs, performance.now() - struckMs].map((ms) => (ms / 1000).toFixed(1));
      t.diagnostic(`${name}: ${told.acknowledged} acknowledged, ${told.broken} broken off; ${seconds.join(' + ')} s`);
    }
  },
);

test(
  'a blob that rots is an error to its reader and stands in the log, and its neighbours are read',
  withClients,
  async () => {
    const site = await openOnce();
    const [client] = site.clients;
    const target = targetOf(site, client!);
    const local = (name: string): string => path.join(site.folder, name);
    const names = ['rotten', 'sound'];
    for (const name of names) writeFileSync(local(name), randomBytes(300_000));
    const put = await sftp(
      target,
      names.map((name) => `put ${local(name)} /${name}.bin`),
    );
    assert.equal(put.status, 0, put.stderr);
    await using parts = await site.installation.openParts();
    const [row] = await parts.sql<{
      blobId: string;
    }>`select blob_id as "blobId" from entries where path = '/rotten.bin'`;
    const file = filesBelow(site.blobFolder).find((name) => name.endsWith(row!.blobId))!;
    const bytes = readFileSync(file);
    const get = (name: string) => sftp(target, [`get /${name}.bin ${local('got')}`]);
    for (const rotten of [flipOne(bytes), bytes.subarray(0, bytes.length - 1), undefined]) {
      if (rotten === undefined) rmSync(file);
      else writeFileSync(file, rotten);
      assert.notEqual((await get('rotten')).status, 0);
      await eventually(() => site.installation.output().includes(row!.blobId), { what: 'a line in the log' });
      assert.equal((await get('sound')).status, 0);
      assert.ok(readFileSync(local('got')).equals(readFileSync(local('sound'))));
    }
    writeFileSync(file, bytes, { mode: 0o600 });
    assert.equal((await get('rotten')).status, 0);
    assert.equal((await sftp(target, ['rm /rotten.bin', 'rm /sound.bin'])).status, 0);
  },
);

function flipOne(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  changed[Math.floor(changed.length / 2)]! ^= 1;
  return changed;
}
