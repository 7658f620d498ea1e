// A folder that a client lists: READDIR by READDIR from the mount's pages, in constant memory.
import { type NameEntry, nameEntryBytes } from '@broadgate/sftp';
import { showEntry } from './attributes.ts';
import type { Entry, SftpMount } from './mount.ts';

/** One NAME reply: PuTTY and libssh2 take at most 34,000 bytes for granted (draft §3). */
const replyBytesMax = 32_000;
const replyEntriesMax = 256;

export type Listing = ReturnType<typeof createListing>;

/** Opens the list. Refuses at once what the mount refuses at its first page. */
export async function openListing(mount: SftpMount, path: string, user: string, nowAt: number): Promise<Listing> {
  const pages = mount.list(path)[Symbol.asyncIterator]();
  return createListing(pages, await pages.next(), user, nowAt);
}

function createListing(
  pages: AsyncIterator<readonly Entry[]>,
  first: IteratorResult<readonly Entry[], unknown>,
  user: string,
  nowAt: number,
) {
  let page: readonly Entry[] = first.done === true ? [] : first.value;
  let at = 0;
  let isOver = first.done === true;

  /** The next entry, looked at but not taken. */
  async function peek(): Promise<Entry | undefined> {
    while (at >= page.length && !isOver) {
      const next = await pages.next();
      if (next.done === true) isOver = true;
      else [page, at] = [next.value, 0];
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
      [page, at] = [[], 0];
    },
  };
}
