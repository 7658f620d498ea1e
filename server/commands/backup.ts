// `backup` and `restore`: an installation into a folder and back, with the chains of proof checked on the way in.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { openParts } from '../app.ts';
import { callerFolder, type Settings } from '../config.ts';
import { blobFolder, clock, ids, masterKeyFile, openVaultOf, random, readMasterKeysOf } from '../foundations.ts';
import { createAudit } from '../kernel/audit.ts';
import { backup } from '../kernel/backup.ts';
import { formatInstant } from '../kernel/clock.ts';
import { openFileBlobs } from '../kernel/file-blobs.ts';
import { createLog } from '../kernel/log.ts';
import { restore } from '../kernel/restore.ts';
import { openDatabase } from '../kernel/sql.ts';
import { attachInstallation, openInstallation } from './installation.ts';
import { refusals } from './rules.ts';

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** Drawn over itself on a terminal, and nowhere else. */
function showProgress({ phase, done, total }: { phase: string; done: number; total: number }): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${done === total ? '' : `${phase} ${done} of ${total}`}`);
}

/** May run while the server serves. */
export async function runBackup(settings: Settings, given: string): Promise<number> {
  const folder = resolve(callerFolder(), given);
  await using installation = await attachInstallation(settings);
  const database = openDatabase({ url: installation.databaseUrl, statementTimeoutMs: 0 });
  try {
    const vault = await openVaultOf(settings, database);
    const blobs = await openFileBlobs({ folder: blobFolder(settings), keys: vault, ids, random });
    const audit = createAudit({ clock });
    const made = await backup({ database, blobs, vault, audit, clock, ids, folder, onProgress: showProgress });
    await blobs.close();
    const rows = made.tables.reduce((sum, table) => sum + table.rows, 0);
    print(`Backed up at ${formatInstant(made.createdAtMs)}: ${rows} rows and the files that they name, in ${folder}.`);
    print(
      settings.masterKey === undefined
        ? `It cannot be read without the master key. Keep a copy of ${masterKeyFile(settings)} apart from it.`
        : 'It cannot be read without the master key that this installation is given. Keep a copy of it apart.',
    );
    return 0;
  } finally {
    await database.close();
  }
}

/** A key that were made now would open nothing of a backup. Refuses: master_key_missing. */
function checkMasterKey(settings: Settings): void {
  const file = masterKeyFile(settings);
  if (settings.masterKey === undefined && !existsSync(file)) throw refusals.master_key_missing({ file });
}

/** Into an empty installation, with no server on it. */
export async function runRestore(settings: Settings, given: string): Promise<number> {
  checkMasterKey(settings);
  const folder = resolve(callerFolder(), given);
  await using installation = await openInstallation(settings);
  const database = openDatabase({ url: installation.databaseUrl, statementTimeoutMs: 0 });
  try {
    const masterKeys = await readMasterKeysOf(settings);
    const report = await restore({
      folder,
      database,
      openBlobs: (keys) => openFileBlobs({ folder: blobFolder(settings), keys, ids, random }),
      masterKeys,
      clock,
      ids,
      random,
      onProgress: showProgress,
    });
    print(
      `Restored the backup of ${formatInstant(report.manifest.createdAtMs)}: ${report.rows} rows, ${report.blobs} files.`,
    );
    print(
      report.audit.whole ? `The audit trail is whole: ${report.audit.head.index} rows.` : 'The audit trail is broken.',
    );
  } finally {
    await database.close();
  }
  return await verifyProof(settings, installation.databaseUrl);
}

/** Shape: 0 when every chain is whole, 1 otherwise. */
async function verifyProof(settings: Settings, databaseUrl: string): Promise<number> {
  await using parts = await openParts({ settings, databaseUrl }, createLog({ level: 'warn' }));
  const { deletions, manifests } = parts.statements;
  const log = await deletions.verify();
  print(
    log.whole
      ? `The log of deletions is whole: ${log.rows} rows.`
      : `The log of deletions breaks at row ${log.number}.`,
  );
  const lists = await manifests.verifyAll();
  for (const { manifest, fault, path } of lists.faults)
    print(`${manifest}: ${fault}${path === undefined ? '' : ` ${path}`}`);
  const whole = lists.faults.length === 0 ? 'whole' : 'not whole';
  print(`The manifests are ${whole}: ${lists.manifests} of ${lists.clients} clients.`);
  return log.whole && lists.faults.length === 0 ? 0 : 1;
}
