// A folder that a client lists: READDIR by READDIR from the mount's pages, in constant memory.
import { type NameEntry, nameEntryBytes } from '@broadgate/sftp';
import type { Allotment } from './allotment.ts';
import { showEntry } from './attributes.ts';
import type { Entry, SftpMount } from './mount.ts';

/** One NAME reply: PuTTY and libssh2 take at most 34,000 bytes for granted (draft §3). */
const replyBytesMax = 32_000;
const replyEntriesMax = 256;

export type Listing = ReturnType<typeof createListing>;

/** For whom entries are written, Units: s since the epoch, and where what is held of them is counted. */
interface ShownTo {
  readonly user: string;
  readonly nowAt: number;
  readonly allotment: Pick<Allotment, 'listedEntries'>;
}

/** Opens the list. Refuses at once what the mount refuses at its first page. */
export async function openListing(mount: SftpMount, path: string, shown: ShownTo): Promise<Listing> {
  const pages = mount.list(path)[Symbol.asyncIterator]();
  return createListing(pages, await pages.next(), shown);
}

function createListing(
  pages: AsyncIterator<readonly Entry[]>,
  first: IteratorResult<readonly Entry[], unknown>,
  { user, nowAt, allotment }: ShownTo,
) {
  let page: readonly Entry[] = first.done === true ? [] : first.value;
  let at = 0;
  let isOver = first.done === true;
  allotment.listedEntries += page.length;

  function turnTo(next: readonly Entry[]): void {
    allotment.listedEntries += next.length - page.length;
    [page, at] = [next, 0];
  }

  /** The next entry, looked at but not taken. */
  async function peek(): Promise<Entry | undefined> {
    while (at >= page.length && !isOver) {
      const next = await pages.next();
      if (next.done === true) isOver = true;
      else turnTo(next.value);
    }
    return page[at];
  }

  return {
    /** As many entries as one reply holds; none at the end of the folder, and ever after. */
    async next(): Promise<NameEntry[]> {
      const entries: NameEntry[] = [];
      let sizeBytes = 0;
      for (let entry = await peek(); entry !== undefined; entry = await peek()) {
        const shown = showEntry(entry, user, nowAt);
        sizeBytes += nameEntryBytes(shown);
        if (entries.length > 0 && sizeBytes > replyBytesMax) break;
        entries.push(shown);
        at++;
        // A short answer now is better than a wait for the next page.
        if (entries.length >= replyEntriesMax || at >= page.length) break;
      }
      return entries;
    },
    async close(): Promise<void> {
      if (!isOver) await pages.return?.();
      isOver = true;
      turnTo([]);
    },
  };
}
