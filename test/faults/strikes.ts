// What breaks in a round: the database link, the disk, the process, the clock, a stored file. Each strike ends by itself.
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { randomBelow } from '../../server/kernel/random.ts';
import { eventually } from '../eventually.ts';
import type { Round } from './workload.ts';

const hourMs = 3_600_000;

const pause = (round: Round, delayMs: number): Promise<void> =>
  new Promise((over) => {
    round.world.clock.after(delayMs, over);
  });

/** Leaves things broken for a moment, never so long that nothing else happens in the round. */
async function during(round: Round, breakIt: () => void, mendIt: () => void): Promise<void> {
  breakIt();
  try {
    await pause(round, 30 + randomBelow(round.random, 250));
  } finally {
    mendIt();
  }
}

type Strike = (round: Round) => Promise<void>;

export const strikes = {
  'database connections cut': async ({ life }) => life.link.cut(),

  'database refuses': (round) => {
    const { link } = round.life;
    return during(round, link.refuse, link.heal);
  },

  'database silent': (round) => {
    const { link } = round.life;
    return during(round, link.silence, link.heal);
  },

  /** Longer than a statement may stay unanswered. */
  'database silent for long': async (round) => {
    const { link } = round.life;
    link.silence();
    await pause(round, 2000);
    link.heal();
  },

  /** The hardest one: whether it was committed shows only later. */
  'commits unanswered and late': async (round) => {
    const { link } = round.life;
    link.answerNoCommit(1 + randomBelow(round.random, 6), randomBelow(round.random, 120));
    await pause(round, 300);
    link.heal();
  },

  /** As a restart looks to those who are connected: the server says goodbye with 57P01. */
  'database ends every backend': async ({ world }) => {
    await world.sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`.catch(() => undefined);
  },

  'process killed': async (round) => {
    const [killed, next] = [round.life, await round.world.begin()];
    round.life = next;
    await killed.kill();
  },

  'disk full': async (round) => {
    const { disk } = round.world;
    if (disk !== undefined) await during(round, () => disk.fill(randomBelow(round.random, 200_000)), disk.empty);
  },

  'disk read-only': async (round) => {
    const { disk } = round.world;
    if (disk === undefined) return;
    // The kernel wants a moment in which no file is open for writing.
    const isFrozen = await eventually(disk.freeze, { timeoutMs: 400, pauseMsMax: 5 }).catch(() => false);
    if (isFrozen) await during(round, () => undefined, disk.thaw);
  },

  /** Far enough to make what was just written look like an orphan. */
  'clock jumps a day ahead': async ({ world }) => world.clock.jump(26 * hourMs),
  'clock jumps hours back': async ({ world }) => world.clock.jump(-6 * hourMs),

  /** Beyond what a pause explains, and back again. */
  'clock jumps two months ahead for a while': async (round) => {
    const { clock } = round.world;
    return during(
      round,
      () => clock.jump(60 * 24 * hourMs),
      () => clock.jump(-60 * 24 * hourMs),
    );
  },

  'a blob rots': async (round) => rot(round),
} satisfies Record<string, Strike>;

export type StrikeName = keyof typeof strikes;
export const strikeNames = Object.keys(strikes) as StrikeName[];

/** Blobs as they were before they rotted, by path; put back at the end of the round. */
const sound = new Map<string, Buffer>();

/** Flips a bit of a sealed file, cuts it, or takes it away. */
function rot(round: Round): void {
  const folder = path.join(round.world.blobFolder, 'sealed');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  if (files.length === 0) return;
  const victim = files[randomBelow(round.random, files.length)]!;
  const file = path.join(victim.parentPath, victim.name);
  const wasSound = !round.rotten.has(victim.name);
  try {
    const bytes = readFileSync(file);
    const kind = randomBelow(round.random, 3);
    const rotten = Buffer.from(kind === 0 ? bytes : bytes.subarray(0, randomBelow(round.random, bytes.length)));
    if (kind === 0) rotten[randomBelow(round.random, rotten.length)]! ^= 1 << randomBelow(round.random, 8);
    round.rotten.add(victim.name);
    // One that rots twice was sound before the first time.
    if (!sound.has(file)) sound.set(file, bytes);
    if (kind === 2) rmSync(file);
    else {
      writeFileSync(`${file}.rot`, rotten, { mode: 0o600 });
      renameSync(`${file}.rot`, file);
    }
  } catch (fault) {
    // It was removed meanwhile, or the disk takes nothing just now.
    if (!/^E(NOENT|NOSPC|ROFS)$/.test((fault as NodeJS.ErrnoException).code ?? '')) throw fault;
    if (wasSound) round.rotten.delete(victim.name);
  }
}

/** Puts back what rotted, unless it was removed for good. `isNamed` says whether a row still names the blob. */
export function mendRot(isNamed: (blobId: string) => boolean): void {
  for (const [file, bytes] of sound) {
    if (isNamed(path.basename(file))) writeFileSync(file, bytes, { mode: 0o600 });
  }
  sound.clear();
}

/** Strikes one after the other at moments drawn from the seed. Shape: what struck. */
export async function strikeOften(round: Round, names: readonly StrikeName[]): Promise<void> {
  for (const name of names) {
    await pause(round, randomBelow(round.random, 350));
    round.told.push(`--- ${name}`);
    await strikes[name](round);
    round.told.push(`--- ${name}: over`);
  }
}
