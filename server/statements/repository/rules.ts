// What may be done to a client's repository: names, paths, protection, quota. Pure decisions, the same for every face.
import type { Actor, ClientActor } from '../../kernel/actor.ts';
import { defineRefusals } from '../../kernel/refusal.ts';

export const refusals = defineRefusals({
  path_invalid: {
    kind: 'invalid',
    text: 'This path cannot be used: {reason}. Use folder and file names without control characters, parted by "/".',
  },
  repository_path_too_deep: {
    kind: 'invalid',
    text: 'This path is longer or deeper than the repository takes: at most {depth} folders and {bytes} bytes.',
  },
  path_not_found: { kind: 'not_found', text: 'There is no such file or folder in your repository.' },
  path_taken: { kind: 'conflict', text: 'A file or folder of that name is already there. Choose another name.' },
  path_is_folder: { kind: 'invalid', text: 'This is a folder, and the operation needs a file.' },
  path_is_file: { kind: 'invalid', text: 'This is a file, and the operation needs a folder.' },
  folder_not_empty: { kind: 'conflict', text: 'The folder is not empty. Delete what it holds first.' },
  folder_into_itself: { kind: 'invalid', text: 'A folder cannot be moved into itself.' },
  folder_too_large: {
    kind: 'too_large',
    text: 'The folder holds more than {entries} entries. Move its parts one by one.',
  },
  statement_protected: {
    kind: 'forbidden',
    text: 'The broker put this here, so it cannot be overwritten, renamed, moved or deleted. Copy it, or use another name.',
  },
  name_reserved: {
    kind: 'forbidden',
    text: 'Names that begin like this are kept for the broker in this folder. Use another name or another folder.',
  },
  quota_reached: {
    kind: 'too_large',
    text: 'Your uploads would take more than the {quotaBytes} bytes allowed ({usedBytes} are used). Delete some, then try again.',
  },
  quota_entries_reached: {
    kind: 'too_many',
    text: 'Your repository would hold more than the {quotaEntries} uploaded files and folders allowed. Delete some, then try again.',
  },
  upload_taken_over: {
    kind: 'conflict',
    text: 'Another connection went on with this upload or replaced it. Start again, or let the other one finish.',
  },
  upload_lost: {
    kind: 'conflict',
    text: 'The part of this file that was sent before is no longer whole. Send the file again from the front.',
  },
  upload_gap: {
    kind: 'invalid',
    text: 'This write would leave a gap of more than {bytes} bytes before it. Send the file from the front.',
  },
  uploads_too_many: {
    kind: 'too_many',
    text: 'More than {uploads} uploads are unfinished. Finish or delete some of them first.',
  },
  uploads_not_yours: { kind: 'forbidden', text: 'What clients uploaded is for the delivery desk.' },
  repository_not_yours: {
    kind: 'forbidden',
    text: 'Only a client works in its repository. Use the operations of your desk.',
  },
});

/** Limits of a path. Units: UTF-8 bytes, folders. A B-tree row of PostgreSQL takes no key longer than about 2,700 bytes. */
export const pathLimits = { bytes: 1024, nameBytes: 255, depth: 64 } as const;

/** Where the broker keeps its lists; made with the repository, so that nothing else can take the name. */
export const manifestFolder = '/manifests';

/** Largest run of zeros that one write may leave before it. Units: bytes. */
export const gapBytesMax = 16 * 1024 * 1024;

/** Unfinished uploads a client may have. */
export const uploadsMax = 200;

/** Entries that one rename of a folder may move: it is one transaction. */
export const movedEntriesMax = 100_000;

/**
 * The one spelling of a path, so that every spelling of it meets the same decision.
 * Shape: '/' or '/a/b', NFC. Refuses: path_invalid, repository_path_too_deep.
 */
export function canonicalPath(text: string): string {
  if (!text.isWellFormed()) throw refusals.path_invalid({ reason: 'it is not valid Unicode' });
  // Length is judged first: normalising is linear, but what follows need not see a megabyte.
  if (text.length > pathLimits.bytes * 4)
    throw refusals.repository_path_too_deep({ depth: pathLimits.depth, bytes: pathLimits.bytes });
  const names: string[] = [];
  for (const name of text.normalize('NFC').split('/')) {
    if (name === '' || name === '.') continue;
    // Nothing needs it, and what is refused cannot be spelled around.
    if (name === '..') throw refusals.path_invalid({ reason: 'it holds ".."' });
    checkName(name);
    names.push(name);
  }
  const path = `/${names.join('/')}`;
  if (names.length > pathLimits.depth || Buffer.byteLength(path) > pathLimits.bytes) {
    throw refusals.repository_path_too_deep({ depth: pathLimits.depth, bytes: pathLimits.bytes });
  }
  return path;
}

// Bidirectional controls and line separators make a name show as something that it is not.
const unsafeCharacters = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/u;

function checkName(name: string): void {
  if (unsafeCharacters.test(name)) throw refusals.path_invalid({ reason: 'it holds a control character' });
  if (Buffer.byteLength(name) > pathLimits.nameBytes) {
    throw refusals.path_invalid({ reason: `a name is longer than ${pathLimits.nameBytes} bytes` });
  }
}

/** The folder that holds a path; '/' for the root itself. */
export const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
export const joinPath = (folder: string, name: string): string => (folder === '/' ? `/${name}` : `${folder}/${name}`);

/** True when `path` lies below `folder`; a prefix counts only at a folder's boundary. */
export const isBelow = (path: string, folder: string): boolean =>
  folder === '/' ? path !== '/' : path.startsWith(`${folder}/`);

/** A tree is reached by its own client only, so no path can name another's. Refuses: repository_not_yours. */
export function checkClient(actor: Actor): ClientActor {
  if (actor.kind !== 'client') throw refusals.repository_not_yours();
  return actor;
}

/** D-21: what the broker put there stays as it is. Refuses: statement_protected. */
export function checkAlterable(entry: { readonly origin: 'broker' | 'client' }): void {
  if (entry.origin === 'broker') throw refusals.statement_protected();
}

/** What a name would be kept for: a manifest, or a statement of the feed that it begins with (D-27). */
export function reservationOf(path: string): 'manifest' | { readonly feedCode: string } | undefined {
  const [parent, name] = [parentOf(path), nameOf(path)];
  if (parent === manifestFolder && /^manifest_/i.test(name)) return 'manifest';
  const feedCode = parent === '/' ? /^([0-9a-z]{6})_[a-z][a-z0-9-]*_\d{8}[_.]/.exec(name)?.[1] : undefined;
  return feedCode === undefined ? undefined : { feedCode };
}

export interface Quota {
  readonly usedBytes: number;
  readonly usedEntries: number;
  readonly quotaBytes: number;
  readonly quotaEntries: number;
}

/** Refuses growth beyond the quota; what makes it smaller always passes. Refuses: quota_reached, quota_entries_reached. */
export function checkQuota(quota: Quota, growth: { readonly bytes: number; readonly entries: number }): void {
  if (growth.bytes > 0 && quota.usedBytes + growth.bytes > quota.quotaBytes) {
    throw refusals.quota_reached({ quotaBytes: quota.quotaBytes, usedBytes: quota.usedBytes });
  }
  if (growth.entries > 0 && quota.usedEntries + growth.entries > quota.quotaEntries) {
    throw refusals.quota_entries_reached({ quotaEntries: quota.quotaEntries });
  }
}

/** How much of the quota an upload asks for ahead, so that not every write asks. Units: bytes. */
export const reserveStepBytes = 8 * 1024 * 1024;

/** What an upload holds of the quota from its beginning, so that a small one need not ask again. Units: bytes. */
const firstReservationBytesMax = 1024 * 1024;

export const firstReservation = (quota: Quota): number =>
  Math.max(0, Math.min(firstReservationBytesMax, quota.quotaBytes - quota.usedBytes));

/**
 * The next reservation of an upload that needs `neededBytes` in all and holds `reservedBytes`.
 * Shape: a whole step more where the quota has room, else exactly what is needed. Refuses: quota_reached.
 */
export function nextReservation(quota: Quota, reservedBytes: number, neededBytes: number): number {
  const stepped = Math.ceil(neededBytes / reserveStepBytes) * reserveStepBytes;
  if (quota.usedBytes - reservedBytes + stepped <= quota.quotaBytes) return stepped;
  checkQuota(quota, { bytes: neededBytes - reservedBytes, entries: 0 });
  return neededBytes;
}
