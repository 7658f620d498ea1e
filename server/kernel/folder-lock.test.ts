// The folder lock: one holder, by whatever path, gone with its process.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { eventually } from '../../test/eventually.ts';
import { lockFolder } from './folder-lock.ts';

async function makeFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'broadgate-lock-'));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

test('A folder has one holder, also when it is named by another path', async () => {
  await using place = await makeFolder();
  const alias = `${place.folder}-alias`;
  await symlink(place.folder, alias);
  const lock = await lockFolder(place.folder);
  await assert.rejects(lockFolder(alias), {
    code: 'folder_in_use',
    params: { folder: alias, pid: String(process.pid) },
  });
  await lock.close();
  await (await lockFolder(alias)).close();
  await rm(alias);
});

test('A holder that is killed lets go, and leaves nothing behind that could stop the next', async () => {
  await using place = await makeFolder();
  const child = fork(new URL('folder-lock.holder.ts', import.meta.url), [place.folder]);
  await once(child, 'message');
  await assert.rejects(lockFolder(place.folder), {
    code: 'folder_in_use',
    params: { folder: place.folder, pid: String(child.pid) },
  });
  child.kill('SIGKILL');
  const lock = await eventually(() => lockFolder(place.folder));
  await lock.close();
});

test('Of many that ask at once exactly one gets the folder', async () => {
  await using place = await makeFolder();
  const asked = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(place.folder)));
  const got = asked.filter((one) => one.status === 'fulfilled');
  assert.equal(got.length, 1);
  await got[0]!.value.close();
});
