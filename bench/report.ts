// How results are shown: a table on the terminal, a page in Markdown, and the JSON that later runs are merged into.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { MeasureResult, RowResult, SideResult, Spread } from './arithmetic.ts';
import type { Machine } from './machine.ts';

/** A row as it is kept, with what the machine was at that time. */
export interface KeptRow extends RowResult {
  readonly at: string;
  readonly seconds: number;
  readonly loadAtStart: number;
  readonly isQuick: boolean;
  readonly machine: Machine;
}

const precision = (value: number): string => {
  if (value === 0) return '0';
  if (Math.abs(value) >= 1000) return Math.round(value).toString();
  return value.toPrecision(3);
};

const showSpread = ({ median, min, max, count }: Spread, unit = ''): string => {
  const range = count > 1 ? ` (${precision(min)}–${precision(max)})` : '';
  return `${precision(median)}${unit === '' ? '' : ` ${unit}`}${range}`;
};

const showBars = (measure: MeasureResult): string =>
  measure.bars.map(({ text, verdict }) => `${text}: ${verdict}`).join('; ');

const showSide = ({ name, version, attempts, failures }: SideResult): string =>
  `${name} ${version}: ${failures} of ${attempts} failed`;

interface Line {
  readonly measure: string;
  readonly side: string;
  readonly value: string;
  readonly ratio: string;
  readonly bars: string;
}

/** One line a measure and side; ratios stand beside the peer that they compare with. */
function linesOf(row: RowResult): Line[] {
  return row.measures.flatMap((measure) =>
    row.sides
      .filter(({ name }) => measure.values[name] !== undefined)
      .map(({ name }, index) => {
        const ratio = measure.ratios[name];
        return {
          measure: index === 0 ? measure.name : '',
          side: name,
          value: showSpread(measure.values[name]!, measure.unit),
          ratio: ratio === undefined ? '' : `${showSpread(ratio)} ×`,
          bars: index === 0 ? showBars(measure) : '',
        };
      }),
  );
}

/** For the terminal. */
export function formatRow(row: KeptRow): string {
  const lines = linesOf(row);
  const width = (of: (line: Line) => string): number => Math.max(0, ...lines.map((line) => of(line).length));
  const widths = [width((line) => line.measure), width((line) => line.side), width((line) => line.value)];
  const table = lines.map(({ measure, side, value, ratio, bars }) =>
    `  ${measure.padEnd(widths[0]!)}  ${side.padEnd(widths[1]!)}  ${value.padEnd(widths[2]!)}  ${ratio.padEnd(24)}  ${bars}`.trimEnd(),
  );
  const faults = row.sides.flatMap(({ name, faults }) => faults.map((fault) => `  ${name} failed: ${fault}`));
  return [
    `${row.name}: ${row.meaning} (${Math.round(row.seconds)} s, load ${row.loadAtStart} at the start)`,
    ...table,
    ...row.sides.map((side) => `  ${showSide(side)}`),
    ...faults,
    '',
  ].join('\n');
}

export const formatMachine = (machine: Machine): string =>
  `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, ${machine.kernel}; Node ${machine.node}, OpenSSL ${machine.openssl}; ours at ${machine.ours}`;

export function readKept(file: string): KeptRow[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { rows: KeptRow[] }).rows : [];
}

/** Keeps rows in a file; a row that is there already is replaced, so that a long run can be done in parts. */
export function keepRows(file: string, rows: readonly KeptRow[], order: readonly string[]): KeptRow[] {
  const names = new Set(rows.map((row) => row.name));
  const all = [...readKept(file).filter((row) => !names.has(row.name)), ...rows];
  all.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  writeFileSync(file, `${JSON.stringify({ rows: all }, undefined, 2)}\n`);
  return all;
}

/** The page for `docs`. */
export function formatPage(rows: readonly KeptRow[]): string {
  const machines = [...new Set(rows.map((row) => formatMachine(row.machine)))];
  const loads = rows.map((row) => row.loadAtStart);
  return [
    '# Benchmarks',
    '',
    'Printed by `npm run bench -- --from RESULTS --page docs/benchmarks.md`; `bench/README.md` says how a row is measured and read.',
    'A value is the median (lowest–highest). A ratio compares ours with the peer of its line, pair by pair; above 1 ours is better.',
    '',
    ...machines.map((text) => `- ${text}`),
    `- Load at the start of a row: ${Math.min(...loads)} to ${Math.max(...loads)}`,
    '',
    ...rows.flatMap(pageOfRow),
  ].join('\n');
}

const pageOfRow = (row: KeptRow): string[] => [
  `## ${row.name}`,
  '',
  `${row.meaning}. ${row.sides.map(showSide).join('; ')}.`,
  ...(row.isQuick ? ['', 'A quick run: not for quoting.'] : []),
  ...(row.notes.length > 0 ? ['', row.notes.join(' ')] : []),
  '',
  '| Measure | Side | Value | Ratio | Bar |',
  '|---|---|---|---|---|',
  ...linesOf(row).map(
    ({ measure, side, value, ratio, bars }) => `| ${measure} | ${side} | ${value} | ${ratio} | ${bars} |`,
  ),
  '',
];
