// `migrate`: brings the database to this release, as every start of the server does too.
import type { Settings } from '../config.ts';
import { migrate } from '../kernel/migrate.ts';
import { openDatabase } from '../kernel/sql.ts';
import { attachInstallation } from './installation.ts';

export async function runMigrate(settings: Settings): Promise<number> {
  await using installation = await attachInstallation(settings);
  const database = openDatabase({ url: installation.databaseUrl, connectionsMax: 2, answerTimeoutMs: 0 });
  try {
    const { applied } = await migrate(database);
    const lines = applied.map((name) => `applied ${name}`);
    process.stdout.write(`${lines.length === 0 ? 'The database is of this release.' : lines.join('\n')}\n`);
    return 0;
  } finally {
    await database.close();
  }
}
