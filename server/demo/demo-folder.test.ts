// Shows which data folders the demo takes, and that what it writes is for its owner alone.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { Refusal } from '../kernel/refusal.ts';
import { demoFiles, markSeeding, openDemoFolder, writeFacts } from './demo-folder.ts';

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'demo-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('an empty folder, and one that is not there yet, is taken for a fresh demo', async (t) => {
  const folder = makeFolder(t);
  assert.equal(await openDemoFolder(folder), undefined);
  assert.equal(await openDemoFolder(join(folder, 'later')), undefined);
});

test('a folder that holds anything else is refused and left as it is', async (t) => {
  const folder = makeFolder(t);
  mkdirSync(join(folder, 'postgres'));
  writeFileSync(join(folder, 'master.key'), 'x');
  await assert.rejects(
    openDemoFolder(folder),
    (fault: unknown) => fault instanceof Refusal && fault.code === 'demo_folder_foreign',
  );
});

test('a folder whose seeding was cut off is known, and so is one that was seeded', async (t) => {
  const folder = makeFolder(t);
  const files = demoFiles(folder);
  await markSeeding(files);
  assert.equal((await openDemoFolder(folder))?.state, 'seeding');
  await writeFacts(files, { state: 'seeded', people: [], sftpUser: 'd1', statementName: '/a' });
  assert.equal((await openDemoFolder(folder))?.state, 'seeded');
});

test('the folder of the demo material is closed to others, and so are its files', async (t) => {
  const files = demoFiles(makeFolder(t));
  await markSeeding(files);
  assert.equal(statSync(files.folder).mode & 0o777, 0o700);
  assert.equal(statSync(files.facts).mode & 0o777, 0o600);
});
