// Every setting, declared once: name, meaning, unit, default, check, secret or not. The only file that reads process.env.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import * as value from './settings-values.ts';
import type { ReadValue } from './settings-values.ts';

interface SettingRow<Value> {
  /** The environment variable, BROADGATE_… */
  readonly name: string;
  readonly meaning: string;
  readonly read: ReadValue<Value>;
  /** The default as one would write it; undefined when the setting may be absent. */
  readonly default?: string;
  /** How the default is chosen, where it depends on the machine. */
  readonly defaultMeaning?: string;
  readonly unit?: string;
  /** A secret is masked everywhere and may come as NAME_FILE. */
  readonly isSecret?: boolean;
}

interface Optional {
  readonly default?: undefined;
}

const required = <Value>(row: SettingRow<Value> & { readonly default: string }) => row;
const optional = <Value>(row: SettingRow<Value> & Optional) => row;

const table = {
  // The machine
  dataDir: required({
    name: 'BROADGATE_DATA_DIR',
    meaning: 'Folder that holds everything this installation keeps: database, files, keys',
    default: './data',
    read: value.path,
  }),
  databaseUrl: optional({
    name: 'BROADGATE_DATABASE_URL',
    meaning: 'A PostgreSQL server of your own; without it one is started under the data folder',
    read: value.databaseUrl,
    isSecret: true,
  }),
  workers: required({
    name: 'BROADGATE_WORKERS',
    meaning: 'Worker processes that share the ports',
    default: String(Math.min(availableParallelism(), 64)),
    defaultMeaning: 'one a core',
    read: value.integer(1, 64),
  }),
  masterKey: optional({
    name: 'BROADGATE_MASTER_KEY',
    meaning: 'Key that wraps every other key at rest; without it one is made in the data folder',
    read: value.key256,
    isSecret: true,
  }),
  runAs: optional({
    name: 'BROADGATE_RUN_AS',
    meaning: 'User that the workers become when the server is started as root',
    read: value.text,
  }),
  logLevel: required({
    name: 'BROADGATE_LOG_LEVEL',
    meaning: 'Least important lines that are written to the log',
    default: 'info',
    read: value.oneOf('debug', 'info', 'warn', 'error', 'silent'),
  }),
  stopSeconds: required({
    name: 'BROADGATE_STOP_SECONDS',
    meaning: 'Longest wait for running transfers and jobs at stop, before they are cut',
    unit: 's',
    default: '20',
    read: value.integer(0, 600),
  }),
  // The broker
  brokerName: required({
    name: 'BROADGATE_BROKER_NAME',
    meaning: 'The broker, as statements, notices and labels name it',
    default: 'the broker',
    read: value.text,
  }),
  zone: required({
    name: 'BROADGATE_ZONE',
    meaning: 'Time zone of the business day',
    default: 'America/New_York',
    read: value.zone,
  }),
  holidays: required({
    name: 'BROADGATE_HOLIDAYS',
    meaning: 'Dates that are not business days, besides Saturdays and Sundays',
    default: '',
    read: value.list(value.date),
  }),
  // The HTTPS face
  httpsAddress: required({
    name: 'BROADGATE_HTTPS_ADDRESS',
    meaning: 'Address the API listens on; any but loopback needs a certificate or a trusted proxy',
    default: '127.0.0.1',
    read: value.address,
  }),
  httpsPort: required({
    name: 'BROADGATE_HTTPS_PORT',
    meaning: 'Port of the API; 0 means any',
    default: '8443',
    read: value.port,
  }),
  tlsCertificateFile: optional({
    name: 'BROADGATE_TLS_CERTIFICATE_FILE',
    meaning: 'Certificate chain in PEM; read again when it changes',
    read: value.readableFile,
  }),
  tlsKeyFile: optional({
    name: 'BROADGATE_TLS_KEY_FILE',
    meaning: 'Private key of that certificate in PEM',
    read: value.readableFile,
  }),
  trustedProxies: required({
    name: 'BROADGATE_TRUSTED_PROXIES',
    meaning: 'Proxies that end TLS before the API and whose X-Forwarded headers are believed',
    default: '',
    read: value.list(value.network),
  }),
  publicUrl: optional({
    name: 'BROADGATE_PUBLIC_URL',
    meaning: 'Address under which people reach the API, for the links that are printed',
    read: value.webAddress,
  }),
  // The SFTP face
  sftpAddress: required({
    name: 'BROADGATE_SFTP_ADDRESS',
    meaning: 'Address the SFTP server listens on; :: means all, IPv4 too',
    default: '::',
    read: value.address,
  }),
  sftpPort: required({
    name: 'BROADGATE_SFTP_PORT',
    meaning: 'Port of the SFTP server; 0 means any, and below 1024 needs a capability or root with BROADGATE_RUN_AS',
    default: '32',
    read: value.port,
  }),
  sftpHostName: required({
    name: 'BROADGATE_SFTP_HOST_NAME',
    meaning: 'The host name that clients are told to enter',
    default: 'localhost',
    read: value.hostName,
  }),
  sftpPublicPort: optional({
    name: 'BROADGATE_SFTP_PUBLIC_PORT',
    meaning: 'The port that clients are told to enter, where a mapping makes it another than the one listened on',
    read: value.integer(1, 65_535),
  }),
  sftpBanner: required({
    name: 'BROADGATE_SFTP_BANNER',
    meaning: 'Text shown to an SFTP client before it signs in; empty means none',
    default: '',
    read: value.text,
  }),
  proxyProtocolPeers: required({
    name: 'BROADGATE_PROXY_PROTOCOL_PEERS',
    meaning: 'Load balancers that send the PROXY protocol (version 1 or 2) before SSH',
    default: '',
    read: value.list(value.network),
  }),
  // Delivery
  approval: required({
    name: 'BROADGATE_APPROVAL',
    meaning: 'How many people of the delivery desk approve a key or an address (D-23)',
    default: 'one',
    read: value.oneOf('none', 'one', 'two'),
  }),
  severalKeys: required({
    name: 'BROADGATE_SEVERAL_KEYS',
    meaning: 'Whether a client may add a second SSH key with an expiry date beside the first (D-22)',
    default: 'off',
    read: value.onOff,
  }),
  encryptionRequired: required({
    name: 'BROADGATE_ENCRYPTION_REQUIRED',
    meaning: 'Whether SFTP delivery waits for an OpenPGP key (D-18)',
    default: 'off',
    read: value.onOff,
  }),
  quotaBytes: required({
    name: 'BROADGATE_QUOTA',
    meaning: 'What one client may keep in its folder by uploading',
    unit: 'bytes',
    default: '5 GiB',
    read: value.size,
  }),
  retentionMinutes: required({
    name: 'BROADGATE_RETENTION_MINUTES',
    meaning: 'Time between two purge runs of files older than 100 days (D-24)',
    unit: 'min',
    default: '60',
    read: value.integer(1, 1440),
  }),
  // Sign-in
  lockOutFailures: required({
    name: 'BROADGATE_LOCK_OUT_FAILURES',
    meaning: 'Failed sign-ins of one login from one source within 24 h that lock it (D-08)',
    default: '10',
    read: value.integer(3, 1000),
  }),
  lockOutHours: required({
    name: 'BROADGATE_LOCK_OUT_HOURS',
    meaning: 'How long that lock lasts (D-08)',
    unit: 'h',
    default: '24',
    read: value.integer(1, 168),
  }),
  invitationHours: required({
    name: 'BROADGATE_INVITATION_HOURS',
    meaning: 'How long a one-time link for a first or new password is valid',
    unit: 'h',
    default: '72',
    read: value.integer(1, 720),
  }),
  signInHours: required({
    name: 'BROADGATE_SIGN_IN_HOURS',
    meaning: 'How long a sign-in lasts',
    unit: 'h',
    default: '12',
    read: value.integer(1, 720),
  }),
};

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
      if (!(fault instanceof value.WantedValue)) throw fault;
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
