// `host-key announce` and `host-key rotate`: a change of the SSH host keys that no client meets unprepared.
import type { Settings } from '../config.ts';
import { clock, openVaultOf } from '../foundations.ts';
import { announceHostKeys, openHostKeys, rotateHostKeys, showHostKey } from '../host-keys.ts';
import { consoleActor } from '../kernel/actor.ts';
import { createAudit } from '../kernel/audit.ts';
import { openDatabase, type Sql } from '../kernel/sql.ts';
import type { Vault } from '../kernel/vault.ts';
import { attachInstallation } from './installation.ts';

const restart = 'Restart the server for it to take effect.\n';

/** Announcing twice announces the same keys. */
export const announce = (settings: Settings): Promise<number> =>
  withKeys(settings, async (place) => {
    const keys = (await announceHostKeys(place)).map(showHostKey);
    const detail = Object.fromEntries(keys.map((key) => [key.algorithm, key.fingerprint]));
    await audit.append(place.sql, {
      actor: consoleActor,
      action: 'host_key.announce',
      subject: 'host_key:all',
      detail,
    });
    for (const key of keys) process.stdout.write(`${key.algorithm} ${key.fingerprint}\n`);
    process.stdout.write(`These will be the next host keys. Clients that sign in learn them meanwhile. ${restart}`);
    return 0;
  });

export const rotate = (settings: Settings): Promise<number> =>
  withKeys(settings, async (place) => {
    if (!(await rotateHostKeys(place))) {
      process.stderr.write(
        'No host keys were announced. Run `host-key announce` first, and give clients some weeks.\n',
      );
      return 1;
    }
    const keys = (await openHostKeys(place)).current.map(showHostKey);
    const detail = Object.fromEntries(keys.map((key) => [key.algorithm, key.fingerprint]));
    await audit.append(place.sql, { actor: consoleActor, action: 'host_key.rotate', subject: 'host_key:all', detail });
    process.stdout.write(`The announced host keys are the ones in use. ${restart}`);
    return 0;
  });

const audit = createAudit({ clock });

async function withKeys(
  settings: Settings,
  work: (place: { readonly sql: Sql; readonly vault: Vault }) => Promise<number>,
): Promise<number> {
  await using installation = await attachInstallation(settings);
  const database = openDatabase({ url: installation.databaseUrl, connectionsMax: 2 });
  try {
    const vault = await openVaultOf(settings, database);
    return await database.transaction((sql) => work({ sql, vault }));
  } finally {
    await database.close();
  }
}
