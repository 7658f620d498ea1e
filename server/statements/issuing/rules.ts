// What may be issued and what it is called: kinds, periods, names (D-27), and whether and how it goes to the repository.
import { defineRefusals } from '../../kernel/refusal.ts';

export const refusals = defineRefusals({
  issuing_not_yours: { kind: 'forbidden', text: 'Statements are issued and withdrawn by the delivery desk.' },
  account_unknown: {
    kind: 'invalid',
    text: 'No client has the account {accountNumber}. Correct the number, or add the client.',
  },
  archive_too_large: {
    kind: 'too_large',
    text: 'At most {files} statements and {bytes} bytes go into one download. Choose fewer, or fetch them by SFTP.',
  },
  statement_kind_invalid: {
    kind: 'invalid',
    text: 'The kind "{given}" cannot be used. Use a short word such as daily, monthly, annual, confirmation or document: small letters, digits, hyphens.',
  },
  statement_period_invalid: {
    kind: 'invalid',
    text: 'The period "{given}" cannot be read. Write a day (2026-11-24), a month (2026-11), a year (2026), or two days with a slash between.',
  },
  statement_extension_invalid: {
    kind: 'invalid',
    text: 'The file name "{given}" cannot be used. It needs an ending of 1 to 8 small letters or digits, other than pgp, gpg, asc and sig.',
  },
  statement_empty: { kind: 'invalid', text: 'The file is empty. Issue the file that the client is to read.' },
  statement_too_large: {
    kind: 'too_large',
    text: 'The file is larger than the {bytes} bytes that one statement may have.',
  },
  statement_hash_differs: {
    kind: 'invalid',
    text: 'The file is not the one that its SHA-256 was taken of: {found} came, {expected} was announced. Send it again.',
  },
  statement_versions_too_many: {
    kind: 'too_many',
    text: 'This statement already has {versions} versions. Use another kind or period.',
  },
  statement_not_found: { kind: 'not_found', text: 'There is no such statement.' },
  statement_expired: { kind: 'not_found', text: 'This statement was kept for 100 days, and they are over.' },
  statement_not_delivered: {
    kind: 'conflict',
    text: 'This statement does not lie in the repository. Read it in the portal.',
  },
  statement_withdrawn_already: { kind: 'conflict', text: 'This statement was withdrawn before.' },
  test_file_not_possible: {
    kind: 'conflict',
    text: 'A test file goes through the real delivery, and none is configured yet. Elect SFTP and wait for the notice.',
  },
  client_without_account: { kind: 'conflict', text: 'The client has no account that a file could be named for.' },
});

/** Units: bytes. One statement or document. */
export const statementBytesMax = 2 * 1024 ** 3;
export const versionsMax = 99;

export interface Period {
  /** `YYYY-MM-DD`, both inclusive. */
  readonly from: string;
  readonly to: string;
}

/** Refuses: statement_period_invalid. */
export function parsePeriod(text: string): Period {
  const period = readPeriod(text.trim());
  if (period === undefined) throw refusals.statement_period_invalid({ given: text.slice(0, 40) });
  return period;
}

function readPeriod(text: string): Period | undefined {
  try {
    const options = { overflow: 'reject' } as const;
    if (/^\d{4}$/.test(text)) return { from: `${text}-01-01`, to: `${text}-12-31` };
    if (/^\d{4}-\d{2}$/.test(text)) {
      const month = Temporal.PlainYearMonth.from(text, options);
      return { from: `${text}-01`, to: month.toPlainDate({ day: month.daysInMonth }).toString() };
    }
    const [first, second = first] = text.split('/');
    if (!/^\d{4}-\d{2}-\d{2}(\/\d{4}-\d{2}-\d{2})?$/.test(text)) return undefined;
    const from = Temporal.PlainDate.from(first!, options);
    const to = Temporal.PlainDate.from(second!, options);
    return Temporal.PlainDate.compare(from, to) > 0 ? undefined : { from: from.toString(), to: to.toString() };
  } catch {
    // A day or month that the calendar does not have.
    return undefined;
  }
}

/** Refuses: statement_kind_invalid. Shape: the kind itself. */
export function checkKind(kind: string): string {
  if (!/^[a-z][a-z0-9-]{0,23}$/.test(kind)) throw refusals.statement_kind_invalid({ given: kind.slice(0, 40) });
  return kind;
}

const reservedExtensions = new Set(['pgp', 'gpg', 'asc', 'sig']);

/** The ending of a file name, small letters. Refuses: statement_extension_invalid. */
export function extensionOf(fileName: string): string {
  const extension = /\.([A-Za-z0-9]{1,8})$/.exec(fileName)?.[1]?.toLowerCase();
  if (extension === undefined || reservedExtensions.has(extension)) {
    throw refusals.statement_extension_invalid({ given: fileName.slice(0, 80) });
  }
  return extension;
}

/** Letters of a feed code: what names an account in files, so that no account number shows (D-27). */
export const feedCodeLength = 6;

/** D-27: `<feed>_<type>_<yyyymmdd>.<ext>`; a correction adds `_v2`, `_v3`. */
export function deliveredName(named: {
  readonly feedCode: string;
  readonly kind: string;
  readonly periodTo: string;
  readonly version: number;
  readonly extension: string;
}): string {
  const version = named.version > 1 ? `_v${named.version}` : '';
  return `${named.feedCode}_${named.kind}_${named.periodTo.replaceAll('-', '')}${version}.${named.extension}`;
}

export interface DeliveryNow {
  readonly sftp: boolean;
  readonly connectionState: string;
  readonly encryption: 'off' | 'on';
  /** How many certificates can be used now. */
  readonly usableCertificates: number;
}

export type Way =
  | { readonly way: 'portal' | 'plain' | 'encrypted' }
  | { readonly way: 'wait'; readonly waitsFor: WaitsFor };
export type WaitsFor = 'connection' | 'usable_key' | 'encryption';

/**
 * Where a statement goes beside the portal. With encryption on it is never placed in clear (D-26): it waits.
 * Elected but not configured waits as well, so that everything issued from the election on arrives (SF-11), in the form
 * that the client has chosen by then (EN-05).
 */
export function wayOf(now: DeliveryNow): Way {
  if (!now.sftp || now.connectionState === 'closed') return { way: 'portal' };
  if (!reachableStates.has(now.connectionState)) return { way: 'wait', waitsFor: 'connection' };
  if (now.encryption === 'off') return { way: 'plain' };
  return now.usableCertificates > 0 ? { way: 'encrypted' } : { way: 'wait', waitsFor: 'usable_key' };
}

const reachableStates = new Set(['configured', 'proven', 'suspended']);

/** The text of a test file: nothing of it is secret. */
export const testFileText = (brokerName: string, atText: string): string =>
  `This is a test file from ${brokerName}, made at ${atText}.\nIt came the same way as your statements do. If you can read it, your connection works.\n`;

/** What one download of several statements holds at most. */
export const archiveLimits = { files: 200, bytes: 1024 ** 3 } as const;

/**
 * The place of a statement in such a download: a folder an account, and a name that no other statement in it has. Whatever
 * the file was called, the name has no way out of the folder.
 */
export function archiveName(of: { accountNumber: string; name: string }, taken: ReadonlySet<string>): string {
  const safe = (text: string): string =>
    text
      .toWellFormed()
      .replace(/[\p{Cc}\p{Bidi_Control}<>:"/\\|?*]/gu, '_')
      .replace(/^\.+|[. ]+$/g, '_');
  const name = safe(of.name);
  const dot = name.lastIndexOf('.');
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  for (let copy = 1; ; copy += 1) {
    const suffix = copy === 1 ? '' : ` (${copy})`;
    const place = `${safe(of.accountNumber)}/${stem.slice(0, 200)}${suffix}${extension.slice(0, 20)}`;
    if (!taken.has(place)) return place;
  }
}
