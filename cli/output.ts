// How the tool writes: tables in line, facts beside their labels, a progress bar on a terminal.
import { wantsColour } from './config.ts';

export const print = (text: string): void => void process.stdout.write(`${text}\n`);

const paint = (code: string, text: string): string =>
  wantsColour(process.stdout) ? `\u001b[${code}m${text}\u001b[0m` : text;
export const strong = (text: string): string => paint('1', text);
export const quiet = (text: string): string => paint('2', text);

/** Rows under their heads, every column as wide as it needs. */
export function formatTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, index) => Math.max(head.length, ...rows.map((row) => row[index]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, index) => (index === cells.length - 1 ? cell : cell.padEnd(widths[index]!))).join('  ');
  return [quiet(line(heads)), ...rows.map(line)].join('\n');
}

export function formatFacts(facts: readonly (readonly [label: string, value: string | undefined])[]): string {
  const shown = facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined);
  const width = Math.max(...shown.map(([label]) => label.length)) + 2;
  return shown.map(([label, value]) => `${quiet(label.padEnd(width))}${value}`).join('\n');
}

/** An instant in the reader's zone, to the second. */
export const formatTime = (instant: string | null | undefined): string => {
  if (instant === null || instant === undefined) return '';
  const local = Temporal.Instant.from(instant).toZonedDateTimeISO(Temporal.Now.timeZoneId());
  return local.toPlainDateTime().toString({ smallestUnit: 'second' }).replace('T', ' ');
};

export const formatSize = (sizeBytes: number): string => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = sizeBytes === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(sizeBytes) / 10));
  const value = sizeBytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[power]}`;
};

export interface ProgressBar {
  show(done: number, of: number, text: string): void;
  end(): void;
}

/** Drawn over itself on a terminal; anywhere else nothing is drawn. */
export function createProgressBar(stream: NodeJS.WriteStream = process.stderr): ProgressBar {
  const isDrawn = stream.isTTY;
  const width = 32;
  return {
    show(done, of, text) {
      if (!isDrawn) return;
      const part = of === 0 ? 1 : Math.min(1, done / of);
      const filled = Math.round(part * width);
      const bar = '\u2588'.repeat(filled) + '\u2591'.repeat(width - filled);
      const percent = `${Math.floor(part * 100)} %`.padStart(5);
      stream.write(`\r\u001b[K${bar} ${percent}  ${text}`);
    },
    end() {
      if (isDrawn) stream.write('\r\u001b[K');
    },
  };
}
