// The open files and folders of one channel: unpredictable names, a limit that all channels of a connection share, and
// one queue of work for each.
import { limits } from '@broadgate/sftp';
import type { Random } from '../../kernel/random.ts';
import type { Allotment } from './allotment.ts';
import { refusals } from './answer.ts';
import type { Listing } from './listing.ts';
import type { Reading } from './reading.ts';
import { createWorkQueue, type WorkQueue } from './work-queue.ts';
import type { Writing } from './writing.ts';

export type OpenThing =
  | { readonly kind: 'reading'; readonly reading: Reading }
  | { readonly kind: 'writing'; readonly writing: Writing }
  | { readonly kind: 'listing'; readonly listing: Listing };

export interface Handle {
  /** Shape: 22 characters of base64url, from 128 random bits. */
  readonly id: string;
  readonly path: string;
  readonly thing: OpenThing;
  /** Requests on one handle are done in the order they came. */
  readonly queue: WorkQueue;
}

export type Handles = ReturnType<typeof createHandles>;

const handleIdBytes = 16;

export function createHandles(
  random: Random,
  allotment: Pick<Allotment, 'handles'>,
  handlesMax: number = limits.handles,
) {
  const open = new Map<string, Handle>();
  let opening = 0;

  function get(id: string): Handle {
    const handle = open.get(id);
    if (!handle) throw refusals.sftp_handle_unknown();
    return handle;
  }

  return {
    /**
     * Opens a thing under a fresh id; its place is taken before `work` begins, so that no burst exceeds the limit.
     * Refuses: sftp_too_many_handles.
     */
    async open(path: string, work: () => Promise<OpenThing>): Promise<Handle> {
      if (allotment.handles >= handlesMax) throw refusals.sftp_too_many_handles({ limit: handlesMax });
      allotment.handles++;
      opening++;
      try {
        const thing = await work();
        // A handle means something on its own channel only: each channel has its own table.
        const id = random.bytes(handleIdBytes).toString('base64url');
        const handle: Handle = { id, path, thing, queue: createWorkQueue() };
        open.set(id, handle);
        return handle;
      } catch (fault) {
        allotment.handles--;
        throw fault;
      } finally {
        opening--;
      }
    },
    /** Refuses: sftp_handle_unknown. */
    get,
    /** Takes it out of the table: from now on its id means nothing, while work that was queued goes on. */
    take(id: string): Handle {
      const handle = get(id);
      open.delete(id);
      allotment.handles--;
      return handle;
    },
    takeAll(): Handle[] {
      const all = [...open.values()];
      open.clear();
      allotment.handles -= all.length;
      return all;
    },
    get count(): number {
      return open.size + opening;
    },
  };
}
