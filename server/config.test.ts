// Shows that settings are read strictly: all faults at once, secrets never quoted, misspelt names not passed over.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { effectiveSettings, readSettings, SettingFaults, settingRows, wantsColour } from './config.ts';

const faultsOf = (environment: Record<string, string>): Record<string, string> => {
  try {
    readSettings(environment);
    return {};
  } catch (fault) {
    assert.ok(fault instanceof SettingFaults);
    return Object.fromEntries(fault.faults.map(({ name, text }) => [name, text]));
  }
};

test('SF-01: without settings the SFTP server listens on port 32', () => {
  assert.equal(readSettings({}).sftpPort, 32);
});

test('every fault of the settings is reported at once', () => {
  const faults = faultsOf({
    BROADGATE_WORKERS: '0',
    BROADGATE_SFTP_PORT: '65536',
    BROADGATE_ZONE: 'Middle/Earth',
    BROADGATE_QUOTA: '5 GB',
    BROADGATE_APPROVAL: 'three',
  });
  assert.deepEqual(Object.keys(faults).sort(), [
    'BROADGATE_APPROVAL',
    'BROADGATE_QUOTA',
    'BROADGATE_SFTP_PORT',
    'BROADGATE_WORKERS',
    'BROADGATE_ZONE',
  ]);
});

test('a name that is no setting is a fault, since it would silently do nothing', () => {
  assert.deepEqual(Object.keys(faultsOf({ BROADGATE_SFTP_PROT: '32' })), ['BROADGATE_SFTP_PROT']);
});

test('variables of the command-line tool and of the tests are not settings of the server, and no fault', () => {
  assert.deepEqual(faultsOf({ BROADGATE_URL: 'http://localhost', BROADGATE_TEST_DATABASE_URL: 'x' }), {});
});

test('a secret comes from a file without the line end, and never from two places', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'settings-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'url');
  writeFileSync(file, 'postgres://me:hush@db:5432/broadgate\n');
  assert.equal(readSettings({ BROADGATE_DATABASE_URL_FILE: file }).databaseUrl, 'postgres://me:hush@db:5432/broadgate');
  const both = { BROADGATE_DATABASE_URL_FILE: file, BROADGATE_DATABASE_URL: 'postgres://db/broadgate' };
  assert.deepEqual(Object.keys(faultsOf(both)), ['BROADGATE_DATABASE_URL']);
  assert.deepEqual(Object.keys(faultsOf({ BROADGATE_DATABASE_URL_FILE: join(folder, 'none') })), [
    'BROADGATE_DATABASE_URL_FILE',
  ]);
});

test('a fault of a secret does not quote it, and what is in force is shown masked', () => {
  const faults = faultsOf({ BROADGATE_MASTER_KEY: 'my-very-secret-word' });
  assert.ok(!JSON.stringify(faults).includes('my-very-secret-word'));
  const shown = effectiveSettings({ BROADGATE_DATABASE_URL: 'postgres://me:hush@db/broadgate' });
  assert.ok(!JSON.stringify(shown).includes('hush'));
  assert.equal(shown.find((row) => row.name === 'BROADGATE_DATABASE_URL')?.from, 'environment');
});

test('a certificate without its key is a fault', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'settings-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'certificate.pem');
  writeFileSync(file, 'x');
  assert.deepEqual(Object.keys(faultsOf({ BROADGATE_TLS_CERTIFICATE_FILE: file })), ['BROADGATE_TLS_CERTIFICATE_FILE']);
});

test('values are read with their units', () => {
  const settings = readSettings({
    BROADGATE_QUOTA: '500 MiB',
    BROADGATE_HOLIDAYS: '2026-12-25, 2027-01-01',
    BROADGATE_TRUSTED_PROXIES: '10.0.0.0/8,::1',
    BROADGATE_SEVERAL_KEYS: 'on',
  });
  assert.equal(settings.quotaBytes, 500 * 2 ** 20);
  assert.deepEqual(settings.holidays, ['2026-12-25', '2027-01-01']);
  assert.deepEqual(settings.trustedProxies, ['10.0.0.0/8', '::1']);
  assert.equal(settings.severalKeys, true);
});

test('the printed table names each setting once, with a meaning', () => {
  const rows = settingRows();
  assert.equal(new Set(rows.map((row) => row.name)).size, rows.length);
  assert.ok(rows.every((row) => row.name.startsWith('BROADGATE_') && row.meaning.length > 10));
});

test('colour is for a terminal that wants it', () => {
  assert.equal(wantsColour({ isTTY: true }, {}), true);
  assert.equal(wantsColour({ isTTY: true }, { NO_COLOR: '1' }), false);
  assert.equal(wantsColour({ isTTY: true }, { TERM: 'dumb' }), false);
  assert.equal(wantsColour({}, {}), false);
});
