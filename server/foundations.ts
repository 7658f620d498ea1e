// What the server and the commands beside it stand on alike: the clock, ids, identity, the vault, and where files lie.
import { join } from 'node:path';
import type { Settings } from './config.ts';
import { createIdentity, type Identity } from './identity/identity.ts';
import { createAudit } from './kernel/audit.ts';
import { systemClock } from './kernel/clock.ts';
import { createIds } from './kernel/ids.ts';
import { type MasterKeys, parseMasterKeys, readMasterKeys } from './kernel/master-key.ts';
import { systemRandom } from './kernel/random.ts';
import type { Database } from './kernel/sql.ts';
import { openVault, type Vault } from './kernel/vault.ts';

const hourMs = 3_600_000;
export const clock = systemClock;
export const random = systemRandom;
export const ids = createIds({ clock, random });

/** Identity alone, with the installation's settings: all that the commands for people need. */
export const createIdentityOf = (settings: Settings, database: Database): Identity =>
  createIdentity({
    database,
    clock,
    random,
    ids,
    audit: createAudit({ clock }),
    settings: {
      failuresMax: settings.lockOutFailures,
      failureWindowMs: settings.lockOutHours * hourMs,
      signInLifeMs: settings.signInHours * hourMs,
      invitationLifeMs: settings.invitationHours * hourMs,
    },
  });

/** The master key from the setting, or from the file that the first start made. */
export const readMasterKeysOf = async (settings: Settings): Promise<MasterKeys> =>
  settings.masterKey === undefined
    ? readMasterKeys(masterKeyFile(settings), random)
    : parseMasterKeys(settings.masterKey);

export const openVaultOf = async (settings: Settings, database: Database): Promise<Vault> =>
  openVault({ database, masterKeys: await readMasterKeysOf(settings), clock, ids, random });

export const masterKeyFile = (settings: Settings): string => join(settings.dataDir, 'master.key');
export const blobFolder = (settings: Settings): string => join(settings.dataDir, 'blobs');
