// A PostgreSQL that dies is started again at the same address, as long as somebody keeps it.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { eventually } from '../../test/eventually.ts';
import { createFakeClock, systemClock } from './clock.ts';
import { silentLog } from './log.ts';
import { openEmbeddedPostgres } from './postgres.ts';
import { keepRunning } from './postgres-keeper.ts';
import { openDatabase } from './sql.ts';

test('A PostgreSQL that is killed runs again at the same address, with everything that was committed', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'broadgate-keeper-'));
  try {
    await using postgres = await openEmbeddedPostgres({ dataDir, keep: { clock: systemClock, log: silentLog } });
    const database = openDatabase({ url: postgres.url, connectionsMax: 2 });
    await database.sql`create table kept (value integer)`;
    await database.sql`insert into kept values (7)`;
    const { pid } = postgres;
    process.kill(pid, 'SIGKILL');
    // Until it has noticed, a backend of the one that was killed may still answer.
    await eventually(() => postgres.pid !== pid, { timeoutMs: 60_000 });
    assert.deepEqual(await eventually(() => database.sql`select value from kept`), [{ value: 7 }]);
    await database.close();
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

test('A start that fails is tried again after a growing pause, and none is tried once it is let go', async () => {
  const clock = createFakeClock();
  let isRunning = false;
  let tries = 0;
  const keeper = keepRunning({
    clock,
    log: silentLog,
    isRunning: async () => isRunning,
    async start() {
      tries += 1;
      if (tries < 4) throw new Error('the disk is full');
      isRunning = true;
    },
  });
  const passing = async (byMs: number, wanted: number): Promise<void> => {
    await eventually(() => {
      if (tries < wanted) clock.advance(byMs);
      return tries === wanted;
    });
  };
  await passing(250, 1);
  const begunMs = clock.monotonicMs();
  await passing(50, 4);
  // 250, 500 and 1000 ms lie between the tries.
  assert.ok(clock.monotonicMs() - begunMs >= 1750);
  await keeper.close();
  isRunning = false;
  clock.advance(60_000);
  await new Promise(setImmediate);
  assert.equal(tries, 4);
});
