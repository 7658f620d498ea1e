// Taking in a run: every file is stored (or only hashed), run.csv is read, and the whole is checked before anything is issued.
import { createHash, hash } from 'node:crypto';
import { putTogether, sharedBytesMax, wholeOf } from '../../kernel/blob-parts.ts';
import type { BlobStore } from '../../kernel/blobs.ts';
import { createSemaphore } from '../../kernel/limits.ts';
import { parseRunCsv } from './run-csv.ts';
import { type CsvRow, findRowFault, refusals, type RowFault, runCsvName, runLimits, seriesOf } from './run-rules.ts';
import type { RunFile } from './run-sources.ts';
import { refusals as issuingRefusals, statementBytesMax } from './rules.ts';
import type { LineRow, RunFileRow } from './runs-store.ts';

/** A run as it was received. */
export interface ReceivedRun {
  readonly csv: Buffer;
  readonly csvSha256: string;
  readonly files: ReadonlyMap<string, RunFileRow>;
}

/** A file up to this size is held in memory and stored with its neighbours; a larger one is stored as it comes. Units: bytes. */
const smallBytesMax = 1024 * 1024;
const filesTogetherMax = 200;
/** Groups of small files that are written while others are read. */
const storedAtOnce = 3;

export function createRunIntake(parts: { blobs: BlobStore }) {
  const { blobs } = parts;

  return {
    /**
     * Reads every file once. `kept` is told of files as they are stored; without it files are hashed and nothing is stored.
     * Refuses: run_csv_missing, run_file_repeated, run_too_large, statement_too_large, and what the source refuses.
     */
    async receive(
      files: AsyncIterable<RunFile>,
      kept: ((files: readonly RunFileRow[]) => Promise<void>) | undefined,
    ): Promise<ReceivedRun> {
      const found = new Map<string, RunFileRow>();
      const names = new Set<string>();
      const storing = createSemaphore({ permits: storedAtOnce, waitingMax: storedAtOnce });
      const pending = new Set<Promise<void>>();
      let fault: unknown;
      let csv: Buffer | undefined;
      let sizeBytes = 0;

      const keep = async (rows: readonly RunFileRow[]): Promise<void> => {
        await kept?.(rows);
        for (const row of rows) found.set(row.name, row);
      };
      const keepLarge = async (name: string, bytes: AsyncIterable<Uint8Array>): Promise<void> =>
        keep([kept === undefined ? await hashOf(name, bytes) : { name, ...wholeOf(await blobs.put(bytes)) }]);

      let small: { name: string; bytes: Buffer }[] = [];
      let smallBytes = 0;
      /** Stores the small files that were read until now, together and beside what goes on. */
      const keepSmall = async (): Promise<void> => {
        const files = small;
        small = [];
        smallBytes = 0;
        const work = storing
          .run(async () => {
            if (kept === undefined) return await keep(files.map(({ name, bytes }) => rowOf(name, bytes)));
            const stored = await putTogether(
              blobs,
              files.map((file) => file.bytes),
            );
            await keep(stored.map((part, index) => ({ ...part, name: files[index]!.name })));
          })
          .catch((thrown: unknown) => void (fault ??= thrown));
        pending.add(work);
        void work.then(() => pending.delete(work));
        if (pending.size > storedAtOnce) await Promise.race(pending);
      };

      try {
        for await (const file of files) {
          if (fault !== undefined) throw fault;
          if (names.has(file.name)) throw refusals.run_file_repeated({ file: file.name });
          names.add(file.name);
          if (names.size > runLimits.rows + 1)
            throw refusals.run_too_large({ rows: runLimits.rows, bytes: runLimits.bytes });
          const { head, rest } = await readHead(
            file.bytes,
            file.name === runCsvName ? runLimits.csvBytes : smallBytesMax,
          );
          sizeBytes += head.length;
          if (file.name === runCsvName) {
            if (rest !== undefined)
              throw refusals.run_csv_invalid({ reason: `it is larger than ${runLimits.csvBytes} bytes` });
            csv = head;
          } else if (rest === undefined) {
            if (smallBytes + head.length > sharedBytesMax) await keepSmall();
            small.push({ name: file.name, bytes: head });
            smallBytes += head.length;
            if (small.length >= filesTogetherMax) await keepSmall();
          } else
            await keepLarge(
              file.name,
              limited(head, rest, (bytes) => (sizeBytes += bytes)),
            );
          if (sizeBytes > runLimits.bytes)
            throw refusals.run_too_large({ rows: runLimits.rows, bytes: runLimits.bytes });
        }
        if (small.length > 0) await keepSmall();
      } finally {
        await Promise.all(pending);
      }
      if (fault !== undefined) throw fault;
      if (csv === undefined) throw refusals.run_csv_missing();
      return { csv, csvSha256: hash('sha256', csv), files: found };
    },
  };
}

/** The beginning of a file, and what follows when it is longer than that. */
async function readHead(bytes: AsyncIterable<Uint8Array>, lengthMax: number) {
  const iterator = bytes[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const next = await iterator.next();
    if (next.done) return { head: Buffer.concat(chunks), rest: undefined };
    chunks.push(next.value);
    length += next.value.length;
    if (length > lengthMax) return { head: Buffer.concat(chunks), rest: iterator };
  }
}

async function* limited(
  head: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  yield head;
  let length = head.length;
  for (;;) {
    const next = await rest.next();
    if (next.done) return;
    length += next.value.length;
    count(next.value.length);
    if (length > statementBytesMax) throw issuingRefusals.statement_too_large({ bytes: statementBytesMax });
    yield next.value;
  }
}

async function hashOf(name: string, bytes: AsyncIterable<Uint8Array>): Promise<RunFileRow> {
  const digest = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of bytes) {
    digest.update(chunk);
    sizeBytes += chunk.length;
  }
  return { name, blobId: null, blobOffset: 0, sizeBytes, sha256: digest.digest('hex') };
}

const rowOf = (name: string, bytes: Buffer): RunFileRow => ({
  name,
  blobId: null,
  blobOffset: 0,
  sizeBytes: bytes.length,
  sha256: hash('sha256', bytes),
});

/**
 * Judges every row and every file of a received run. `findAccounts` tells which of these a client has.
 * Shape: the lines to keep, faulty ones with their code; files that no row names come as lines after the last row.
 */
export async function checkRun(
  received: ReceivedRun,
  findAccounts: (accountNumbers: readonly string[]) => Promise<Pick<ReadonlyMap<string, unknown>, 'has'>>,
): Promise<{ lines: LineRow[]; rows: number; faults: number }> {
  const rows = parseRunCsv(received.csv);
  const accounts = await findAccounts(rows.map((row) => row.account));
  const series = new Map<string, number>();
  const named = new Set<string>();
  const lines: LineRow[] = [];

  const findFault = (row: CsvRow, rowNumber: number): RowFault | undefined => {
    named.add(row.file);
    const file = received.files.get(row.file.normalize('NFC'));
    const fault = findRowFault(row, file);
    if (fault !== undefined) return fault;
    if (file!.sizeBytes === 0) return asFault(issuingRefusals.statement_empty());
    const expected = row.sha256.toLowerCase();
    if (file!.sha256 !== expected)
      return asFault(issuingRefusals.statement_hash_differs({ found: file!.sha256, expected }));
    if (!accounts.has(row.account)) return asFault(issuingRefusals.account_unknown({ accountNumber: row.account }));
    const before = series.get(seriesOf(row));
    if (before !== undefined) return asFault(refusals.run_row_repeated({ row: before }));
    series.set(seriesOf(row), rowNumber);
    return undefined;
  };

  for (const [index, row] of rows.entries()) {
    const rowNumber = index + 1;
    const fault = findFault(row, rowNumber);
    const { account: accountNumber, file: fileName, ...rest } = row;
    const state = fault === undefined ? 'waiting' : 'refused';
    lines.push({ rowNumber, accountNumber, fileName: fileName.normalize('NFC'), ...rest, state, ...faultCells(fault) });
  }
  for (const name of received.files.keys()) {
    if (named.has(name)) continue;
    const line = { accountNumber: '', kind: '', period: '', fileName: name, sha256: '', state: 'refused' } as const;
    lines.push({
      rowNumber: lines.length + 1,
      ...line,
      ...faultCells(asFault(refusals.run_file_unlisted({ file: name }))),
    });
  }
  return { lines, rows: rows.length, faults: lines.filter((line) => line.state === 'refused').length };
}

const asFault = (refusal: { code: string; message: string }): RowFault => ({
  code: refusal.code,
  text: refusal.message,
});
const faultCells = (fault: RowFault | undefined) => ({ code: fault?.code ?? null, detail: fault?.text ?? null });
