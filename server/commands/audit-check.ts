// `verify audit`: recomputes the chain of the audit trail, and compares it with heads that were written down earlier.
import type { Settings } from '../config.ts';
import { createAudit, type AuditHead } from '../kernel/audit.ts';
import { systemClock } from '../kernel/clock.ts';
import { openDatabase } from '../kernel/sql.ts';
import { attachInstallation } from './installation.ts';
import { Misuse } from './misuse.ts';

/** Shape: 0 when the chain is whole, 1 when it is not. */
export async function verifyAudit(settings: Settings, noted: readonly string[]): Promise<number> {
  const heads = noted.map(parseHead);
  await using installation = await attachInstallation(settings);
  const database = openDatabase({ url: installation.databaseUrl, connectionsMax: 2, statementTimeoutMs: 0 });
  try {
    const verdict = await createAudit({ clock: systemClock }).verify(database.sql, heads);
    if (!verdict.whole) {
      const row = verdict.sequence === undefined ? '' : ` (row ${verdict.sequence})`;
      process.stderr.write(`The audit trail is broken at ${verdict.index}${row}: ${verdict.reason}.\n`);
      return 1;
    }
    const { head, unsealed } = verdict;
    process.stdout.write(`The audit trail is whole: ${head.index} rows sealed, ${unsealed} not sealed yet.\n`);
    process.stdout.write(
      `Note this head elsewhere; later it proves that nothing was cut off: ${head.index}:${head.hash}\n`,
    );
    return 0;
  } finally {
    await database.close();
  }
}

function parseHead(text: string): AuditHead {
  const [, index, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (index === undefined || hash === undefined) throw new Misuse(`"${text}" is no head; it looks like 120:9f86d0….`);
  return { index: Number(index), hash };
}
