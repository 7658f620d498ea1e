// `master-key rotate`: a fresh master key over the old one, every data key wrapped anew, then the old one forgotten.
import type { Settings } from '../config.ts';
import { clock, ids, masterKeyFile, random, readMasterKeysOf } from '../foundations.ts';
import { addMasterKey, dropOldMasterKeys } from '../kernel/master-key.ts';
import { openDatabase } from '../kernel/sql.ts';
import { openVault } from '../kernel/vault.ts';
import { openInstallation } from './installation.ts';

/**
 * With no server on the installation, since a running one holds the old key. A key that comes from a setting is made by
 * its owner: the new one on the first line, the old one below it until this is done.
 */
export async function rotateMasterKey(settings: Settings): Promise<number> {
  const isGiven = settings.masterKey !== undefined;
  const file = masterKeyFile(settings);
  await using installation = await openInstallation(settings);
  const database = openDatabase({ url: installation.databaseUrl, connectionsMax: 2 });
  try {
    const masterKeys = isGiven ? await readMasterKeysOf(settings) : await addMasterKey(file, random);
    const vault = await openVault({ database, masterKeys, clock, ids, random });
    const wrapped = await vault.rewrap();
    if (!isGiven) await dropOldMasterKeys(file);
    const next = isGiven ? 'Remove the old key from the setting now' : `Copy ${file} to its safe place now`;
    process.stdout.write(`${wrapped} keys are wrapped under the new master key. ${next}.\n`);
    process.stdout.write('Backups made before need the old one, so keep that too.\n');
    return 0;
  } finally {
    await database.close();
  }
}
