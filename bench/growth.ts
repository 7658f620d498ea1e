// Rows that ask the same of a small installation and of large ones: what grows shows as a ratio below 1.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openParts } from '../server/app.ts';
import { readSettings } from '../server/config.ts';
import { silentLog } from '../server/kernel/log.ts';
import { openTestDatabase } from '../test/database.ts';
import { populate, type PopulationSize } from '../test/long-haul/population.ts';
import { type Asked, operations } from './growth-operations.ts';
import type { Bench, Measure, OpenRow, Row, Side } from './row.ts';

/** An operation is done so often in a run, and its median kept. */
const times = 15;
/** What a larger installation may take for one operation: twice the time of the smallest. */
const flat = 0.5;

const measuresAgainst = (smallest: string): Measure[] =>
  Object.keys(operations).map((name) => ({
    name,
    unit: 'ms',
    better: 'lower',
    bars: [{ kind: 'ratio', against: smallest, min: flat }],
  }));

const nameOf = ({ clients, statements }: PopulationSize): string => {
  const text = (count: number): string => count.toLocaleString('en');
  return `${text(clients)} clients, ${text(statements)} statements`;
};

async function openSide(size: PopulationSize, opened: AsyncDisposableStack, bench: Bench): Promise<Side> {
  bench.say(`filling ${nameOf(size)}`);
  const held = opened.use(await openTestDatabase());
  const people = await populate(held.url, size, Date.now());
  const dataDir = mkdtempSync(path.join(tmpdir(), 'broadgate-growth-'));
  opened.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const settings = readSettings({ BROADGATE_DATA_DIR: dataDir });
  const parts = opened.use(await openParts({ settings, databaseUrl: held.url }, silentLog));
  const institution = await people.client(0);
  const asked: Asked = { parts, institution, client: size.clients > 53 ? await people.client(53) : institution };
  return { name: nameOf(size), version: `${people.rows.toLocaleString('en')} rows`, run: () => measure(asked) };
}

async function measure(asked: Asked) {
  const values: Record<string, number> = {};
  for (const [name, operation] of Object.entries(operations)) {
    const took: number[] = [];
    for (let turn = 0; turn < times; turn += 1) {
      const startedMs = performance.now();
      await operation(asked);
      took.push(performance.now() - startedMs);
    }
    values[name] = took.toSorted((a, b) => a - b)[Math.floor(times / 2)]!;
  }
  return { values, attempts: Object.keys(operations).length * times, failures: 0 };
}

/** The largest first, as it is the one that is judged. */
async function open(bench: Bench, sizes: readonly PopulationSize[]): Promise<OpenRow> {
  await using opened = new AsyncDisposableStack();
  const sides: Side[] = [];
  for (const size of sizes) sides.push(await openSide(size, opened, bench));
  const rest = opened.move();
  return { sides, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}

const ofTen = (clients: number): PopulationSize => ({ clients, statements: clients * 10 });

const notes = [
  'Ten statements a client over 200 days, with their files, manifests, receipts, deletions and records, as rows without bytes.',
  'The database does not sync to disk here; every operation only reads, through the doors that the faces use.',
];

export const growthRows: readonly Row[] = [
  {
    name: 'growth-statements',
    meaning: 'What clients and the desk ask of 1,000 statements and of a hundred times as many',
    notes: [
      ...notes,
      'A million statements of 100,000 clients take half an hour to fill: docs/operating/scale.md has them.',
    ],
    measures: measuresAgainst(nameOf(ofTen(100))),
    rounds: 3,
    open: (bench) => open(bench, (bench.isQuick ? [1000, 100] : [10_000, 1000, 100]).map(ofTen)),
  },
  {
    name: 'growth-clients',
    meaning: 'The same of one client and of 10, 100 and 1,000',
    notes,
    // Without bars: one client has no queue and nobody else's rows, so there is nothing to be as quick as.
    measures: measuresAgainst(nameOf(ofTen(1))).map((measure) => ({ ...measure, bars: [] })),
    rounds: 3,
    open: (bench) => open(bench, (bench.isQuick ? [100, 1] : [1000, 100, 10, 1]).map(ofTen)),
  },
];
