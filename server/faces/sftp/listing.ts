// A folder that a client lists: READDIR by READDIR from the mount's pages, two of them in memory at most.
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

  /** The page after this one, asked for while the client still reads this one: it asks for one reply at a time. */
  let ahead: Promise<IteratorResult<readonly Entry[], unknown>> | undefined;

  function askAhead(): void {
    if (isOver || ahead !== undefined) return;
    ahead = pages.next();
    ahead.then(
      (next) => void (allotment.listedEntries += next.done === true ? 0 : next.value.length),
      // It is heard where the page is taken; until then it is no one's fault.
      () => undefined,
    );
  }

  function turnTo(next: readonly Entry[]): void {
    allotment.listedEntries -= page.length;
    [page, at] = [next, 0];
  }

  /** Makes the page at hand one that has an entry left, unless the folder is at its end. */
  async function turn(): Promise<void> {
    while (at >= page.length && !isOver) {
      askAhead();
      const next = await ahead!;
      ahead = undefined;
      if (next.done === true) isOver = true;
      else turnTo(next.value);
    }
  }

  return {
    /** As many entries as one reply holds; none at the end of the folder, and ever after. */
    async next(): Promise<NameEntry[]> {
      const entries: NameEntry[] = [];
      let sizeBytes = 0;
      await turn();
      // A short answer now is better than a wait for the next page.
      while (at < page.length && entries.length < replyEntriesMax) {
        const entry = page[at]!;
        const shown = showEntry(entry, user, nowAt);
        sizeBytes += nameEntryBytes(shown);
        if (entries.length > 0 && sizeBytes > replyBytesMax) break;
        entries.push(shown);
        at++;
      }
      askAhead();
      return entries;
    },
    async close(): Promise<void> {
      const next = await ahead?.catch(() => undefined);
      if (next !== undefined && next.done !== true) allotment.listedEntries -= next.value.length;
      ahead = undefined;
      if (!isOver) await pages.return?.();
      isOver = true;
      turnTo([]);
    },
  };
}
