// A round of the laboratory: people at work, strikes at seeded moments, recovery, judgement, and an empty table for the next.
import { createSeededRandom, type Random, randomBelow } from '../../server/kernel/random.ts';
import { demand } from './ledger.ts';
import { judge, judgeReceipts } from './judge.ts';
import { addClient, addDesk } from './people.ts';
import { recover } from './recovery.ts';
import { type StrikeName, strikeNames, strikeOften } from './strikes.ts';
import { beClient, beClockwork, beDesk, type Round } from './workload.ts';
import { openFaultWorld } from './world.ts';

const hourMs = 3_600_000;
/** Beyond the hundred days of what was placed while the clock stood two months ahead. */
const keptHours = 170 * 24;
const actsOfClient = 9;
const actsOfDesk = 8;
const strikesMax = 4;
/** Lines of a failed round that are shown. */
const toldMax = 120;

export interface Outcome {
  readonly seed: string;
  readonly struck: readonly StrikeName[];
  readonly acknowledged: number;
  readonly broken: number;
  readonly refused: number;
}

/** Opens a world with its people; rounds follow each other in it, each beginning with an empty store. */
export async function openLaboratory() {
  await using opened = new AsyncDisposableStack();
  const world = opened.use(await openFaultWorld());
  const life = await world.begin();
  const desk = await addDesk(life, 'ana');
  const clients = [
    await addClient(world, life, desk, { name: 'enc', isEncrypted: true }),
    await addClient(world, life, desk, { name: 'plain', isEncrypted: false }),
  ];
  await life.kill();
  let days = 0;
  const nextPeriod = (): string => {
    days += 1;
    return Temporal.PlainDate.from('2001-01-01').add({ days }).toString();
  };
  const rest = opened.move();
  return {
    world,
    desk,
    clients,
    /** Runs one round. Without names the seed says what strikes. */
    async run(seed: string, wanted?: readonly StrikeName[]): Promise<Outcome> {
      const random = createSeededRandom(seed);
      const round: Round = {
        ...{ seed, world, random, desk, clients, life: await world.begin(), nextPeriod },
        ...{
          statements: [],
          rotten: new Set(),
          oddities: [],
          told: [],
          counts: { acknowledged: 0, broken: 0, refused: 0 },
        },
      };
      const struck = wanted ?? drawStrikes(random);
      try {
        await workThrough(round, struck);
        await recover(round);
        await judge(round);
        for (const client of clients) await judgeReceipts(round, client);
        await leaveNothing(round);
      } catch (fault) {
        const told = round.told.slice(-toldMax).join('\n');
        const text = `seed ${seed}, struck by ${struck.join(', ')}: ${(fault as Error).message}\n${told}`;
        throw new Error(text, { cause: fault });
      } finally {
        await round.life.delivery.flushRefusals().catch(() => undefined);
        await round.life.kill();
      }
      return { seed, struck, ...round.counts };
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

const drawStrikes = (random: Random): StrikeName[] =>
  Array.from(
    { length: 1 + randomBelow(random, strikesMax) },
    () => strikeNames[randomBelow(random, strikeNames.length)]!,
  );

/** Everybody works while it strikes; the first promise that does not hold is thrown once all have ended. */
async function workThrough(round: Round, struck: readonly StrikeName[]): Promise<void> {
  const over = new AbortController();
  const clockwork = beClockwork(round, over.signal);
  const callers = round.clients.map((client) => beClient(round, client, actsOfClient));
  const ended = await Promise.allSettled([...callers, beDesk(round, actsOfDesk), strikeOften(round, struck)]);
  over.abort();
  await clockwork;
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
}

/** After a hundred days the purge takes all of it, and the store is empty. */
async function leaveNothing({ life, world, desk, clients }: Round): Promise<void> {
  world.clock.pass(keptHours * hourMs);
  await life.statements.retention.confirmClock(desk.actor);
  await life.statements.retention.purge();
  await life.statements.retention.sweepOrphans();
  const left: unknown[] = [];
  for await (const blob of life.blobs.list()) left.push(blob);
  demand(left.length === 0, `blobs were kept for more than a hundred days: ${JSON.stringify(left.slice(0, 2))}`);
  for (const client of clients) client.files.clear();
}
