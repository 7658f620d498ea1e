// Looks an installation over: which settings are in force, what of them is unsafe, and what is not well.
import { X509Certificate } from 'node:crypto';
import { readFile, stat, statfs } from 'node:fs/promises';
import { isLoopback } from './faces/https/rules.ts';
import { clock, masterKeyFile, openVaultOf } from './foundations.ts';
import type { EffectiveSetting, Settings } from './config.ts';
import { createAudit } from './kernel/audit.ts';
import { isMigrated } from './kernel/migrate.ts';
import { createOutbox } from './kernel/outbox.ts';
import { openDatabase } from './kernel/sql.ts';
import { ids } from './foundations.ts';

export interface Finding {
  readonly level: 'well' | 'unsafe' | 'fault';
  readonly text: string;
}

const well = (text: string): Finding => ({ level: 'well', text });
const unsafe = (text: string): Finding => ({ level: 'unsafe', text });
const fault = (text: string): Finding => ({ level: 'fault', text });

const hostOf = (url: string): string => URL.parse(url)?.hostname ?? '';
const dayMs = 86_400_000;

/** What the settings themselves say, without looking at anything. */
export function examineSettings(settings: Settings, effective: readonly EffectiveSetting[]): Finding[] {
  const fromOf = (name: string): string | undefined => effective.find((row) => row.name === name)?.from;
  const findings: Finding[] = [];
  if (fromOf('BROADGATE_MASTER_KEY') === 'environment') {
    findings.push(
      unsafe('The master key stands in the environment, where others may read it: use BROADGATE_MASTER_KEY_FILE.'),
    );
  }
  if (settings.masterKey === undefined) {
    findings.push(
      unsafe('The master key lies in the data folder: whoever copies the folder can read everything in it.'),
    );
  }
  const { databaseUrl } = settings;
  if (
    databaseUrl !== undefined &&
    !isLocalHost(hostOf(databaseUrl)) &&
    !/sslmode=(verify-full|verify-ca)/.test(databaseUrl)
  ) {
    findings.push(
      unsafe('The database is on another machine and its certificate is not checked: add sslmode=verify-full.'),
    );
  }
  if (settings.approval === 'none')
    findings.push(unsafe('Keys and addresses take effect without anybody of the desk.'));
  if (settings.privateAddresses) findings.push(unsafe('Clients may list private and loopback addresses.'));
  if (settings.tlsCertificateFile === undefined && !isLoopback(settings.httpsAddress)) {
    findings.push(unsafe('The API speaks clear HTTP to its proxy: keep the way between them closed to others.'));
  }
  if (settings.tlsCertificateFile === undefined && settings.trustedProxies.length === 0) {
    findings.push(
      unsafe(
        'The API serves this machine alone. A proxy on it must be named in BROADGATE_TRUSTED_PROXIES, or every caller looks local.',
      ),
    );
  }
  if (fromOf('BROADGATE_SFTP_HOST_NAME') === 'default') {
    findings.push(fault('Clients are told to enter "localhost": set BROADGATE_SFTP_HOST_NAME.'));
  }
  if (settings.workers === 1) findings.push(unsafe('There is one worker: while it is replaced nobody is served.'));
  return findings;
}

const isLocalHost = (host: string): boolean => host === '' || host === 'localhost' || isLoopback(host);

/** What can be seen on the machine. */
export async function examineMachine(settings: Settings): Promise<Finding[]> {
  const findings = [...(await examineFolder(settings)), ...(await examineCertificate(settings))];
  if (process.getuid?.() === 0 && settings.runAs === undefined) {
    findings.push(unsafe('This runs as root; serve refuses that unless BROADGATE_RUN_AS names a user.'));
  }
  return findings;
}

async function examineFolder(settings: Settings): Promise<Finding[]> {
  const findings: Finding[] = [];
  const folder = await stat(settings.dataDir).catch(() => undefined);
  if (!folder) return [fault(`The data folder ${settings.dataDir} is not there yet; the first start makes it.`)];
  if ((folder.mode & 0o077) !== 0) findings.push(unsafe(`Others may enter ${settings.dataDir}: chmod 700 it.`));
  const keyFile = await stat(masterKeyFile(settings)).catch(() => undefined);
  if (keyFile && (keyFile.mode & 0o077) !== 0)
    findings.push(unsafe(`Others may read ${masterKeyFile(settings)}: chmod 600 it.`));
  const { bavail, bsize } = await statfs(settings.dataDir);
  const freeGiB = (bavail * bsize) / 2 ** 30;
  findings.push((freeGiB < 2 ? fault : well)(`${freeGiB.toFixed(1)} GiB are free for ${settings.dataDir}.`));
  return findings;
}

async function examineCertificate({ tlsCertificateFile }: Settings): Promise<Finding[]> {
  if (tlsCertificateFile === undefined) return [];
  try {
    const { validToDate } = new X509Certificate(await readFile(tlsCertificateFile));
    const days = Math.floor((validToDate.getTime() - clock.nowMs()) / dayMs);
    if (days < 0) return [fault('The certificate of the API has expired.')];
    return [(days < 14 ? unsafe : well)(`The certificate of the API is valid for ${days} more days.`)];
  } catch (reason) {
    return [fault(`The certificate of the API cannot be read: ${(reason as Error).message}.`)];
  }
}

/** What the database says. Shape: findings even when it cannot be reached. */
export async function examineDatabase(settings: Settings, databaseUrl: string): Promise<Finding[]> {
  const database = openDatabase({ url: databaseUrl, connectionsMax: 2 });
  const { sql } = database;
  try {
    const [row] = await sql<{ version: string; atMs: number }>`
      select current_setting('server_version') as version, (extract(epoch from clock_timestamp()) * 1000)::bigint as "atMs"`;
    const findings = [well(`PostgreSQL ${row!.version} answers.`)];
    const skewMs = Math.abs(row!.atMs - clock.nowMs());
    if (skewMs > 2000)
      findings.push(fault(`The clocks of the database and of this machine differ by ${Math.round(skewMs / 1000)} s.`));
    if (!(await isMigrated(sql)))
      return [...findings, fault('The database is not of this release: run migrate, or start the server.')];
    await openVaultOf(settings, database);
    findings.push(well('The master key opens the keys in the database.'));
    const { pending, dead } = await createOutbox({ clock, ids }).count(sql);
    findings.push((dead > 0 ? fault : well)(`${pending} events wait for their consequences, ${dead} were given up.`));
    const { index } = await createAudit({ clock }).findHead(sql);
    findings.push(well(`${index} rows of the audit trail are sealed; verify audit recomputes them.`));
    return findings;
  } catch (reason) {
    return [fault(`The database: ${(reason as Error).message}.`)];
  } finally {
    await database.close();
  }
}
