// The test database itself: what every other test relies on.
import assert from 'node:assert/strict';
import test from 'node:test';
import { openTestDatabase } from './database.ts';

test('Two test databases are migrated and know nothing of each other', async () => {
  await using first = await openTestDatabase();
  await using second = await openTestDatabase();
  await first.database.sql`insert into leases (name, fence, holder, taken_at_ms) values ('x', 1, 'y', 0)`;
  assert.equal((await first.database.sql`select 1 from leases`).length, 1);
  assert.equal((await second.database.sql`select 1 from leases`).length, 0);
  assert.notEqual(first.url, second.url);
});
