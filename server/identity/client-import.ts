// A file of new clients: read whole, every row checked, every fault named with its row before anything is written.
import { parse } from 'csv-parse/sync';
import { Refusal } from '../kernel/refusal.ts';
import { checkNewClient, type NewClient, normalLogin, refusals } from './rules.ts';

export interface ImportRow {
  /** The line of the file, the header being 1. */
  readonly row: number;
  readonly client: NewClient;
}

export interface ImportFault {
  readonly row: number;
  readonly code: string;
  readonly text: string;
}

const columns = ['kind', 'name', 'login', 'email', 'accounts', 'locale'] as const;
const required = ['kind', 'name', 'login', 'accounts'] as const;
const rowsMax = 10_000;
const faultsShown = 100;

/**
 * Reads the file. Shape: a header with the columns kind, name, login, accounts and, if wanted, email and locale, in any
 * order; accounts are separated by semicolons. Refuses: import_malformed, import_too_large.
 */
export function parseImport(csv: string): ImportRow[] {
  let records: Record<string, string>[];
  try {
    records = parse(csv, {
      bom: true,
      trim: true,
      skip_empty_lines: true,
      columns: (header: string[]) => header.map((name) => name.toLowerCase()),
      max_record_size: 20_000,
    }) as unknown as Record<string, string>[];
  } catch (fault) {
    throw malformed(fault instanceof Error ? fault.message : 'not readable');
  }
  if (records.length > rowsMax) throw refusals.import_too_large({ rowsMax });
  const found = Object.keys(records[0] ?? {});
  const missing = required.filter((name) => !found.includes(name));
  const unknown = found.filter((name) => !(columns as readonly string[]).includes(name));
  if (records.length === 0) throw malformed('no rows');
  if (missing.length > 0) throw malformed(`missing: ${missing.join(', ')}`);
  if (unknown.length > 0) throw malformed(`unknown: ${unknown.join(', ').slice(0, 200)}`);
  return records.map((record, index) => ({
    row: index + 2,
    client: {
      kind: record['kind'] ?? '',
      name: record['name'] ?? '',
      login: record['login'] ?? '',
      accountNumbers: (record['accounts'] ?? '').split(';').map((number) => number.trim()),
      ...(record['email'] ? { email: record['email'] } : {}),
      ...(record['locale'] ? { locale: record['locale'] } : {}),
    },
  }));
}

const malformed = (reason: string): Refusal => refusals.import_malformed({ columns: columns.join(', '), reason });

/** Everything that speaks against the rows, in their order: their form, names met twice in the file, and names taken already. */
export function findImportFaults(
  rows: readonly ImportRow[],
  taken: { logins: ReadonlySet<string>; accountNumbers: ReadonlySet<string> },
): ImportFault[] {
  const logins = new Set(taken.logins);
  const accountNumbers = new Set(taken.accountNumbers);
  return rows.flatMap(({ row, client }) => {
    const faults: ImportFault[] = [];
    const note = (refusal: Refusal): void => void faults.push({ row, code: refusal.code, text: refusal.message });
    try {
      checkNewClient(client);
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      note(thrown);
    }
    const login = normalLogin(client.login);
    if (logins.has(login)) note(refusals.login_taken({ login }));
    logins.add(login);
    for (const accountNumber of client.accountNumbers) {
      if (accountNumbers.has(accountNumber)) note(refusals.account_taken({ accountNumber }));
      accountNumbers.add(accountNumber);
    }
    return faults;
  });
}

/** Refuses: import_rejected, with the first hundred faults as `row N: code: text`. */
export function checkImportFaults(faults: readonly ImportFault[]): void {
  if (faults.length === 0) return;
  const rows = faults.slice(0, faultsShown).map(({ row, code, text }) => `row ${row}: ${code}: ${text}`);
  throw refusals.import_rejected({ count: faults.length, rows });
}
