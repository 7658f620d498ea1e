// Several statements in one download: a ZIP written as it is sent, with a receipt for each of them.
import { createHash } from 'node:crypto';
import type { Actor } from '../../kernel/actor.ts';
import { writeZip, type ZipFile, zipSize } from '../../kernel/zip.ts';
import type { FileReader } from '../repository/reading.ts';
import type { Catalog, Statement } from './catalog.ts';
import { archiveLimits, archiveName, refusals } from './rules.ts';

export interface Archive {
  readonly sizeBytes: number;
  /** Hexadecimal; the same for the same statements. */
  readonly etag: string;
  stream(): AsyncIterable<Uint8Array>;
  /** Told whether all of it went out; resolves when every receipt is durable. */
  close(isComplete: boolean): Promise<void>;
}

interface Item {
  readonly reader: FileReader;
  sentBytes: number;
}

export function createArchives(parts: { catalog: Pick<Catalog, 'getStatement' | 'openPortalCopy'> }) {
  return {
    /** Refuses: statement_not_found, statement_expired, archive_too_large. */
    async openArchive(actor: Actor, statementIds: readonly string[]): Promise<Archive> {
      const ids = [...new Set(statementIds)];
      if (ids.length > archiveLimits.files) throw refusals.archive_too_large(archiveLimits);
      const chosen: { statement: Statement; reader: FileReader }[] = [];
      let sumBytes = 0;
      for (const id of ids) {
        const statement = await parts.catalog.getStatement(actor, id);
        sumBytes += statement.sizeBytes;
        if (sumBytes > archiveLimits.bytes) throw refusals.archive_too_large(archiveLimits);
        chosen.push({ statement, reader: await parts.catalog.openPortalCopy(actor, id) });
      }
      const items: Item[] = [];
      const taken = new Set<string>();
      const files = chosen.map(({ statement, reader }): ZipFile => {
        const name = archiveName(statement, taken);
        taken.add(name);
        return {
          name,
          sizeBytes: statement.sizeBytes,
          modifiedAtMs: statement.issuedAtMs,
          async *open() {
            const item = { reader, sentBytes: 0 };
            items.push(item);
            for await (const piece of reader.stream({ start: 0, end: statement.sizeBytes })) {
              yield piece;
              item.sentBytes += piece.length;
            }
          },
        };
      });
      const etag = createHash('sha256');
      for (const { statement } of chosen) etag.update(`${statement.statementId} ${statement.sha256}\n`);
      return {
        sizeBytes: zipSize(files),
        etag: etag.digest('hex'),
        stream: () => writeZip(files),
        async close(isComplete) {
          // Of a download that was cut nobody knows which of its last bytes arrived, so each of its receipts says so.
          for (const { reader, sentBytes } of items) {
            await reader.close({
              ranges: [{ startBytes: 0, endBytes: sentBytes }],
              end: isComplete ? 'closed' : 'cut',
            });
          }
        },
      };
    },
  };
}

export type Archives = ReturnType<typeof createArchives>;
