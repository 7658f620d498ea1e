// The signed daily list of what the broker placed in a client's repository, and its check: public keys only, no server needed.
import { createHash } from 'node:crypto';

/** One list. Each names the one before by its hash, so that nothing can be missing unnoticed. */
export interface Manifest {
  readonly format: 'broadgate-manifest-1';
  readonly clientId: string;
  /** 1 for the client's first list; each next one counts on. */
  readonly number: number;
  /** Calendar day in `zone`. */
  readonly day: string;
  readonly zone: string;
  /** False while the day goes on: the list is then written anew, under the same name. */
  readonly isFinal: boolean;
  readonly madeAt: string;
  readonly previous: { readonly number: number; readonly sha256: string } | null;
  readonly files: readonly ManifestFile[];
  /** What earlier lists name, or this one would, and is no longer there. */
  readonly gone: readonly ManifestGone[];
}

export interface ManifestFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly statementId: string;
  readonly placedAt: string;
}

export interface ManifestGone {
  readonly path: string;
  readonly sha256: string;
  readonly why: 'retention' | 'withdrawn';
  readonly deletedAt: string;
}

/** What the check is given: one list with its detached signature, as fetched. */
export interface SignedManifest {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
}

/** A file of the repository as the client holds it. */
export interface HeldFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export type ManifestFault =
  | { readonly fault: 'unreadable' | 'bad_signature'; readonly manifest: string }
  /** The list does not name the one before it, or one in between is missing. */
  | { readonly fault: 'chain_broken'; readonly manifest: string }
  | { readonly fault: 'file_missing' | 'file_differs'; readonly manifest: string; readonly path: string };

export interface ManifestVerdict {
  readonly isGood: boolean;
  readonly faults: readonly ManifestFault[];
  /** How many files were found as listed. */
  readonly filesGood: number;
  /** Files that are gone, and said to be. */
  readonly filesGone: number;
}

/** `manifest_20261124.json`, and its signature beside it. */
export const manifestName = (day: string): string => `manifest_${day.replaceAll('-', '')}.json`;

/** Files kept for 100 days may be gone by now; without a later list that says so only these are excused. */
const keptMs = 100 * 24 * 3_600_000;

/**
 * Checks lists of one client against each other, against the files held and against the broker's key.
 * The first list may begin anywhere: earlier ones were purged with their files.
 * Shape: `verify` says whether a detached signature over the bytes is good under the broker's public key. Units: ms since 1970.
 */
export function verifyManifests(asked: {
  readonly manifests: readonly SignedManifest[];
  readonly held: readonly HeldFile[];
  readonly verify: (bytes: Uint8Array, signature: Uint8Array) => boolean;
  readonly nowMs: number;
}): ManifestVerdict {
  const faults: ManifestFault[] = [];
  const lists: { name: string; sha256: string; list: Manifest }[] = [];
  for (const { name, bytes, signature } of asked.manifests) {
    if (!asked.verify(bytes, signature)) {
      faults.push({ fault: 'bad_signature', manifest: name });
      continue;
    }
    const list = readManifest(bytes);
    if (list === undefined) faults.push({ fault: 'unreadable', manifest: name });
    else lists.push({ name, sha256: createHash('sha256').update(bytes).digest('hex'), list });
  }
  lists.sort((a, b) => a.list.number - b.list.number);
  lists.forEach(({ name, list }, index) => {
    const before = lists[index - 1];
    if (before === undefined) return;
    const isNext = list.number === before.list.number + 1 && list.clientId === before.list.clientId;
    const isChained = list.previous?.number === before.list.number && list.previous.sha256 === before.sha256;
    if (!isNext || !isChained || !before.list.isFinal) faults.push({ fault: 'chain_broken', manifest: name });
  });

  const held = new Map(asked.held.map((file) => [file.path, file]));
  const gone = new Set(lists.flatMap(({ list }) => list.gone.map((file) => `${file.sha256} ${file.path}`)));
  let filesGood = 0;
  let filesGone = 0;
  for (const { name, list } of lists) {
    for (const file of list.files) {
      const found = held.get(file.path);
      if (found !== undefined) {
        if (found.sizeBytes === file.sizeBytes && found.sha256 === file.sha256) filesGood += 1;
        else faults.push({ fault: 'file_differs', manifest: name, path: file.path });
      } else if (gone.has(`${file.sha256} ${file.path}`) || Date.parse(file.placedAt) <= asked.nowMs - keptMs) {
        filesGone += 1;
      } else faults.push({ fault: 'file_missing', manifest: name, path: file.path });
    }
  }
  return { isGood: faults.length === 0, faults, filesGood, filesGone };
}

/** The list, or undefined when the bytes are none: whatever they hold. */
export function readManifest(bytes: Uint8Array): Manifest | undefined {
  try {
    const list = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<Manifest> | null;
    const isManifest =
      list?.format === 'broadgate-manifest-1' &&
      Number.isSafeInteger(list.number) &&
      typeof list.clientId === 'string' &&
      Array.isArray(list.files) &&
      Array.isArray(list.gone) &&
      list.files.every((file) => typeof file.path === 'string' && typeof file.sha256 === 'string') &&
      list.gone.every((file) => typeof file.path === 'string' && typeof file.sha256 === 'string');
    return isManifest ? (list as Manifest) : undefined;
  } catch {
    return undefined;
  }
}
