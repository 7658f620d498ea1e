// `npm run bench`: measures rows beside their peers and prints them. It asserts nothing on time and fails only where a row cannot run.
//   npm run bench                    every row
//   npm run bench -- NAME …          these rows; a name without its end takes all that begin so
//   --quick                          smaller amounts, for development
//   --rounds N, --sides NAME,NAME    fewer or more rounds, and only some of the sides
//   --profile FOLDER                 profiles our processes in the first round, which then is not for quoting
//   --json FILE                      keeps the results; rows that are there already are replaced
//   --from FILE --page FILE          measures nothing: prints what a file of --json holds as a page
//   --list                           names the rows
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runRow } from './alternation.ts';
import { describeMachine, loadNow } from './machine.ts';
import { formatMachine, formatPage, formatRow, keepRows, type KeptRow, readKept } from './report.ts';
import type { Bench, Row } from './row.ts';
import { rows } from './rows.ts';
import { createShelf } from './shelf.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    sides: { type: 'string' },
    profile: { type: 'string' },
    json: { type: 'string' },
    from: { type: 'string' },
    page: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

/** Shape: in the order of `rows`. Refuses: a name that no row begins with. */
function chooseRows(names: readonly string[]): readonly Row[] {
  const unknown = names.find((name) => !rows.some((row) => row.name.startsWith(name)));
  if (unknown !== undefined) throw new Error(`no row begins with ${unknown}; --list names them`);
  return names.length === 0 ? rows : rows.filter((row) => names.some((name) => row.name.startsWith(name)));
}

async function measure(chosen: readonly Row[]): Promise<void> {
  const machine = describeMachine(path.join(import.meta.dirname, '..'));
  const sides = values.sides?.split(',');
  await using shelf = createShelf();
  // Stopped in the middle, it still stops its servers and removes its files.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void shelf[Symbol.asyncDispose]().finally(() => process.exit(1)));
  }
  const bench: Bench = {
    isQuick: values.quick,
    ...(values.profile !== undefined && { profileFolder: values.profile }),
    share: (name, open) => shelf.share(name, open),
    wants: (side) => sides === undefined || sides.includes(side),
    say: (text) => console.error(`  … ${text}`),
  };
  console.log(formatMachine(machine));
  console.log('');
  for (const row of chosen) {
    const loadAtStart = loadNow();
    const startedMs = performance.now();
    const rounds = values.rounds === undefined ? {} : { rounds: Number(values.rounds) };
    const result = await runRow(row, bench, rounds);
    const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
    const at = new Date().toISOString();
    const one: KeptRow = { ...result, at, seconds, loadAtStart, isQuick: values.quick, machine };
    console.log(formatRow(one));
    // At once, so that a row that fails later does not cost what was measured before.
    if (values.json !== undefined) keepRows(values.json, [one], orderOfRows);
  }
}

const orderOfRows = rows.map((row) => row.name);

if (values.list) {
  for (const { name, meaning } of rows) console.log(`${name.padEnd(28)} ${meaning}`);
} else if (values.from !== undefined && values.page !== undefined) {
  writeFileSync(values.page, formatPage(readKept(values.from)));
} else {
  await measure(chooseRows(positionals));
}
