// A listing in pages: one ahead of the client and never more, counted while it is held, and a page that fails is no end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openListing } from './listing.ts';
import type { Entry, SftpMount } from './mount.ts';

const pageEntries = 100;

const entryOf = (index: number): Entry => ({
  name: `statement-${String(index).padStart(4, '0')}`,
  attributes: { kind: 'file', sizeBytes: index, modifiedAtMs: 0, isWritable: false },
});

/** A mount with so many pages; `asked` takes down how many were, and page `failsAt` fails. */
function createPages(pages: number, failsAt = -1) {
  const asked = { pages: 0 };
  async function* list(): AsyncGenerator<readonly Entry[]> {
    for (let page = 0; page < pages; page++) {
      asked.pages++;
      if (page === failsAt) throw new Error('the database is away');
      yield Array.from({ length: pageEntries }, (_, index) => entryOf(page * pageEntries + index));
    }
  }
  return { asked, mount: { list } as unknown as SftpMount };
}

const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

test('a long listing asks for one page ahead and no more, gives every entry once, and holds nothing at its end', async () => {
  const { asked, mount } = createPages(5);
  const allotment = { listedEntries: 0 };
  const listing = await openListing(mount, '/', { user: 'u', nowAt: 0, allotment });
  const names: string[] = [];
  for (let page = 1; ; page++) {
    const entries = await listing.next();
    if (entries.length === 0) break;
    names.push(...entries.map((entry) => entry.name));
    await turn();
    assert.equal(asked.pages, Math.min(5, page + 1));
    assert.ok(allotment.listedEntries <= 2 * pageEntries, `${allotment.listedEntries} entries are held`);
  }
  assert.deepEqual(
    names,
    Array.from({ length: 5 * pageEntries }, (_, index) => entryOf(index).name),
  );
  await listing.close();
  assert.equal(allotment.listedEntries, 0);
});

test('a page that cannot be read fails every READDIR after it, so that half a folder never looks whole', async () => {
  const { mount } = createPages(3, 1);
  const allotment = { listedEntries: 0 };
  const listing = await openListing(mount, '/', { user: 'u', nowAt: 0, allotment });
  assert.equal((await listing.next()).length, pageEntries);
  await assert.rejects(listing.next());
  await assert.rejects(listing.next());
  await listing.close();
  assert.equal(allotment.listedEntries, 0);
});

test('a listing that is closed early lets go of the page that was asked for ahead', async () => {
  const { mount } = createPages(9);
  const allotment = { listedEntries: 0 };
  const listing = await openListing(mount, '/', { user: 'u', nowAt: 0, allotment });
  await listing.next();
  await listing.close();
  await turn();
  assert.equal(allotment.listedEntries, 0);
  assert.deepEqual(await listing.next(), []);
});
