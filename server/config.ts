// Reads every setting that the table declares, and prints what is in force. The only file that reads process.env.
import { readFileSync } from 'node:fs';
import { type Optional, type SettingRow, table } from './settings-table.ts';
import { WantedValue } from './settings-values.ts';

type Table = typeof table;
type ValueOf<Row> = Row extends Optional & SettingRow<infer Value>
  ? Value | undefined
  : Row extends SettingRow<infer Value>
    ? Value
    : never;

/** The effective settings of this process; faces and domains are given single values of it, never the whole. */
export type Settings = { readonly [Name in keyof Table]: ValueOf<Table[Name]> };

export interface SettingFault {
  readonly name: string;
  readonly text: string;
}

/** Everything that is wrong with the settings, at once. */
export class SettingFaults extends Error {
  override readonly name = 'SettingFaults';
  readonly faults: readonly SettingFault[];

  constructor(faults: readonly SettingFault[]) {
    super(`the settings have ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}`);
    this.faults = faults;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables with our prefix that other programs of ours read: the command-line tool and the tests. */
const foreignNames = /^BROADGATE_(URL|TOKEN_FILE|TEST_\w+)$/;

/**
 * Reads and checks every setting.
 * Refuses: SettingFaults, with all faults together; a variable with our prefix that is no setting is one, since a
 * misspelt name would otherwise be a setting that silently does nothing.
 */
export function readSettings(environment: Environment = process.env): Settings {
  const faults: SettingFault[] = [];
  const settings: Record<string, unknown> = {};
  for (const [key, row] of Object.entries(table) as [keyof Table, SettingRow<unknown>][]) {
    const given = findText(row, environment, faults);
    const text = given ?? row.default;
    if (text === undefined) continue;
    try {
      settings[key] = row.read(text);
    } catch (fault) {
      if (!(fault instanceof WantedValue)) throw fault;
      const shown = row.isSecret === true ? '' : `, not "${text}"`;
      faults.push({ name: row.name, text: `must be ${fault.message}${shown}` });
    }
  }
  faults.push(...findUnknown(environment), ...checkTogether(settings as Partial<Settings>));
  if (faults.length > 0) throw new SettingFaults(faults);
  return settings as unknown as Settings;
}

function findText(row: SettingRow<unknown>, environment: Environment, faults: SettingFault[]): string | undefined {
  const given = environment[row.name];
  const file = row.isSecret === true ? environment[`${row.name}_FILE`] : undefined;
  if (file === undefined) return given;
  if (given !== undefined) {
    faults.push({ name: row.name, text: `is given twice: also as ${row.name}_FILE` });
    return undefined;
  }
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (fault) {
    faults.push({ name: `${row.name}_FILE`, text: `cannot be read: ${(fault as Error).message}` });
    return undefined;
  }
}

const allNames = new Set(
  Object.values(table).flatMap((row: SettingRow<unknown>) =>
    row.isSecret === true ? [row.name, `${row.name}_FILE`] : [row.name],
  ),
);

const findUnknown = (environment: Environment): SettingFault[] =>
  Object.keys(environment)
    .filter((name) => name.startsWith('BROADGATE_') && !allNames.has(name) && !foreignNames.test(name))
    .map((name) => ({ name, text: 'is not a setting; broadgate doctor lists them all' }));

/** What two settings must agree on. */
function checkTogether(settings: Partial<Settings>): SettingFault[] {
  const faults: SettingFault[] = [];
  if ((settings.tlsCertificateFile === undefined) !== (settings.tlsKeyFile === undefined)) {
    faults.push({ name: table.tlsCertificateFile.name, text: `and ${table.tlsKeyFile.name} belong together` });
  }
  return faults;
}

export interface PrintedSetting {
  readonly name: string;
  readonly meaning: string;
  readonly unit: string;
  readonly default: string;
  readonly isSecret: boolean;
}

/** The table for `docs/reference/settings.md`, without what depends on this machine. */
export const settingRows = (): PrintedSetting[] =>
  Object.values(table).map((row: SettingRow<unknown>) => ({
    name: row.name,
    meaning: row.meaning,
    unit: row.unit ?? '',
    default: row.defaultMeaning ?? row.default ?? '',
    isSecret: row.isSecret === true,
  }));

export interface EffectiveSetting {
  readonly name: string;
  /** Secrets are masked. */
  readonly shown: string;
  readonly from: 'default' | 'environment' | 'file';
  readonly meaning: string;
}

/** What `doctor` prints: every setting with the value in force. */
export function effectiveSettings(environment: Environment = process.env): EffectiveSetting[] {
  return Object.values(table).map((row: SettingRow<unknown>) => {
    const isFile = row.isSecret === true && environment[`${row.name}_FILE`] !== undefined;
    const given = environment[row.name];
    const from = isFile ? 'file' : given === undefined ? 'default' : 'environment';
    const masked = row.isSecret === true && from !== 'default';
    return { name: row.name, shown: masked ? '(secret)' : (given ?? row.default ?? ''), from, meaning: row.meaning };
  });
}

/** How the terminal wants to be written to: colour only where a person looks, and never against NO_COLOR (no-color.org). */
export const wantsColour = (stream: { readonly isTTY?: boolean }, environment: Environment = process.env): boolean =>
  stream.isTTY === true && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';

/** Our own environment with changes, for a program that we start. */
export const environmentWith = (changes: Environment): Record<string, string | undefined> => ({
  ...process.env,
  ...changes,
});

/** The folder that relative paths of a command's arguments start from: `npm run` changes it and says here what it was. */
export const callerFolder = (environment: Environment = process.env): string =>
  environment['INIT_CWD'] ?? process.cwd();
