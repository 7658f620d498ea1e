// Shows what of the settings is called unsafe or at fault, and that a machine without a database is told about, not broken.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { openTestDatabase } from '../test/database.ts';
import { effectiveSettings, readSettings } from './config.ts';
import { crontabEvery } from './housekeeping.ts';
import { examineDatabase, examineMachine, examineSettings } from './doctor.ts';

const examine = (environment: Record<string, string>) =>
  examineSettings(readSettings(environment), effectiveSettings(environment));

const key = '0f'.repeat(32);

test('each unsafe setting is named, and the safe one beside it is not', () => {
  const safe = { BROADGATE_SFTP_HOST_NAME: 'sftp.broker.example', BROADGATE_WORKERS: '2' };
  const cases: [Record<string, string>, number][] = [
    [{}, 0],
    [{ BROADGATE_APPROVAL: 'none' }, 1],
    [{ BROADGATE_APPROVAL: 'two' }, 0],
    [{ BROADGATE_PRIVATE_ADDRESSES: 'on' }, 1],
    [{ BROADGATE_WORKERS: '1' }, 1],
    [{ BROADGATE_TRUSTED_PROXIES: '127.0.0.1' }, -1],
    [{ BROADGATE_DATABASE_URL: 'postgres://db.example/broadgate' }, 1],
    [{ BROADGATE_DATABASE_URL: 'postgres://db.example/broadgate?sslmode=verify-full' }, 0],
    [{ BROADGATE_DATABASE_URL: 'postgres://localhost/broadgate' }, 0],
  ];
  const usual = examine(safe).length;
  for (const [changes, more] of cases) {
    assert.equal(examine({ ...safe, ...changes }).length, usual + more, JSON.stringify(changes));
  }
});

test('a master key in the environment is unsafe, and it is not quoted', () => {
  const findings = examine({ BROADGATE_MASTER_KEY: key });
  assert.ok(findings.some(({ level, text }) => level === 'unsafe' && text.includes('BROADGATE_MASTER_KEY_FILE')));
  assert.ok(!JSON.stringify(findings).includes(key));
});

test('a data folder that others may enter is unsafe, and one that is not there yet is a fault', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const levelsOf = async (dataDir: string): Promise<string[]> =>
    (await examineMachine(readSettings({ BROADGATE_DATA_DIR: dataDir }))).map(({ level }) => level);
  chmodSync(folder, 0o755);
  const open = await levelsOf(folder);
  chmodSync(folder, 0o700);
  const closed = await levelsOf(folder);
  assert.equal(
    open.filter((level) => level === 'unsafe').length,
    closed.filter((level) => level === 'unsafe').length + 1,
  );
  assert.ok((await levelsOf(join(folder, 'none'))).includes('fault'));
});

test('a database that does not answer is a finding and not a crash', async () => {
  const url = 'postgres://nobody@127.0.0.1:9/none';
  const findings = await examineDatabase(readSettings({}), url);
  assert.deepEqual(
    findings.map(({ level }) => level),
    ['fault'],
  );
});

test('a database of this release, opened by the master key of its folder, is well', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
  t.after(() => rmSync(folder, { recursive: true }));
  await using opened = await openTestDatabase();
  const findings = await examineDatabase(readSettings({ BROADGATE_DATA_DIR: folder }), opened.url);
  assert.deepEqual(new Set(findings.map(({ level }) => level)), new Set(['well']));
});

test('D-24: the purge runs as often as the setting says', () => {
  const cases: [string, string][] = [
    ['1', '*/1 * * * *'],
    ['15', '*/15 * * * *'],
    ['60', '7 */1 * * *'],
    ['360', '7 */6 * * *'],
    ['1440', '7 0 * * *'],
  ];
  for (const [minutes, line] of cases) {
    assert.equal(crontabEvery(readSettings({ BROADGATE_PURGE_MINUTES: minutes }).purgeMinutes), line);
  }
  for (const minutes of ['0', '7', '61', '100', '2880']) {
    assert.throws(() => readSettings({ BROADGATE_PURGE_MINUTES: minutes }));
  }
});
