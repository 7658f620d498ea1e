// How the tree's attributes look to a client of version 3, and what of a client's attributes the tree is asked to change.
import { type FileAttributes, formatLongName, modeFile, modeFolder, type NameEntry } from '@broadgate/sftp';
import { refusals } from './answer.ts';
import type { AttributeChange, Attributes, Entry } from './mount.ts';

/** Numbers of the two owners there are: the client for what it may alter, the house for what it may only read. */
export const ownerIds = { house: 0, caller: 1000 } as const;
export const houseName = 'broker';

/** Permission bits follow from what the mount says: 0600 and 0700 where the caller may alter, else 0400 and 0500. */
export function showAttributes(attributes: Attributes): FileAttributes {
  const { kind, isWritable } = attributes;
  const owner = isWritable ? ownerIds.caller : ownerIds.house;
  // Version 3 has seconds in 32 bits, draft §5: later than 2106 is shown as 2106.
  const modifiedAt = Math.min(0xffff_ffff, Math.max(0, Math.floor(attributes.modifiedAtMs / 1000)));
  return {
    sizeBytes: attributes.sizeBytes,
    owner: { uid: owner, gid: owner },
    mode: (kind === 'folder' ? modeFolder | 0o500 : modeFile | 0o400) | (isWritable ? 0o200 : 0),
    times: { accessedAt: modifiedAt, modifiedAt },
  };
}

/** One line of a listing. Units: `nowAt` in seconds since the epoch. */
export function showEntry(entry: Entry, user: string, nowAt: number): NameEntry {
  const attributes = showAttributes(entry.attributes);
  const ownerName = entry.attributes.isWritable ? user : houseName;
  return {
    name: entry.name,
    longName: formatLongName(entry.name, attributes, ownerName, ownerName, nowAt),
    attributes,
  };
}

/**
 * What is left for the mount of a SETSTAT or FSETSTAT: permission bits are derived here, so setting them changes nothing.
 * Refuses: sftp_owner_not_offered.
 */
export function readChange(attributes: FileAttributes): AttributeChange {
  if (attributes.owner) throw refusals.sftp_owner_not_offered();
  return {
    ...(attributes.sizeBytes !== undefined && { sizeBytes: attributes.sizeBytes }),
    ...(attributes.times && { modifiedAtMs: attributes.times.modifiedAt * 1000 }),
  };
}
