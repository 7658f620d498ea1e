// Statements behind the SFTP face: delivery decides who comes in, and the repository is the tree that they find.
import type {
  Attributes,
  ConnectionFacts,
  Entry,
  ReadHandle,
  SftpGate,
  SftpMount,
  Space,
  WriteHandle,
} from '../faces/sftp/mount.ts';
import type { Delivery } from './delivery/delivery.ts';
import type { Ticket } from './delivery/gate.ts';
import { type Attributes as EntryAttributes, pageEntriesMax, type Repository } from './repository/repository.ts';
import type { UploadHandle } from './repository/uploads.ts';
import { refusals } from './repository/rules.ts';

type GateDoor = Pick<
  Delivery,
  'admit' | 'isKnown' | 'authenticate' | 'isTicketGood' | 'connectionOpened' | 'failed' | 'connectionEnded'
>;

export function createSftpGate(parts: { delivery: GateDoor; repository: Repository }): SftpGate<Ticket> {
  const { delivery, repository } = parts;
  return {
    admit: (address) => delivery.admit(address),
    isKnown: (address) => delivery.isKnown(address),
    authenticate: (attempt) => delivery.authenticate(attempt),
    ownerOf: (ticket) => ticket.actor.clientId,
    signedIn: (ticket, connection) => delivery.connectionOpened(ticket, connection),
    async open(ticket, connection: ConnectionFacts) {
      // The key or the address may have ended since the signature was judged.
      if (!(await delivery.isTicketGood(ticket, connection.address))) throw refusals.repository_not_yours();
      return createSftpMount({ repository, ticket });
    },
    failed: (failure) => delivery.failed(failure),
    ended: (summary) => delivery.connectionEnded(summary),
  };
}

/** The tree of the ticket's client. Paths arrive canonical; the repository spells them once more for every face alike. */
export function createSftpMount(parts: {
  repository: Repository;
  ticket: Pick<Ticket, 'actor' | 'fingerprint'>;
}): SftpMount {
  const { repository, ticket } = parts;
  const { actor } = ticket;
  /** Receipts on their way to the disk. A client waits for them at the end of its channel, not file by file. */
  const receipts = new Set<Promise<void>>();
  let failure: { readonly thrown: unknown } | undefined;

  /** Starts a receipt; those of files that are fetched one after the other then share a write to the disk. */
  async function leaveReceipt(written: Promise<void>): Promise<void> {
    const kept = written
      .catch((thrown: unknown) => void (failure ??= { thrown }))
      .finally(() => void receipts.delete(kept));
    receipts.add(kept);
    if (receipts.size >= receiptsWaitingMax) await Promise.race(receipts);
    checkReceipts();
  }

  /** Throws what kept a receipt from being written: a client whose fetches leave no trace fetches nothing more. */
  function checkReceipts(): void {
    if (failure !== undefined) throw failure.thrown;
  }

  return {
    stat: async (path) => shapeAttributes(await repository.stat(actor, path)),

    async *list(path): AsyncGenerator<readonly Entry[]> {
      let after: string | undefined;
      do {
        const page = await repository.list(actor, path, { after, limit: pageEntriesMax });
        if (page.entries.length > 0)
          yield page.entries.map((entry) => ({ name: entry.name, attributes: shapeAttributes(entry) }));
        after = page.next;
      } while (after !== undefined);
    },

    async openRead(path): Promise<ReadHandle> {
      checkReceipts();
      const reader = await repository.openRead(actor, path, { keyFingerprint: ticket.fingerprint });
      await reader.begin();
      const { file } = reader;
      return {
        attributes: {
          kind: 'file',
          sizeBytes: file.sizeBytes,
          modifiedAtMs: file.modifiedAtMs,
          isWritable: file.origin === 'client',
        },
        sha256: file.sha256,
        read: (offsetBytes, lengthBytes, into) => reader.read(offsetBytes, lengthBytes, into),
        close: (fetched) => leaveReceipt(reader.close(fetched)),
      };
    },

    async openWrite(path, how): Promise<WriteHandle> {
      return shapeHandle(await repository.openWrite(actor, path, how));
    },

    remove: (path) => repository.remove(actor, path),
    rename: (from, to, how) => repository.rename(actor, from, to, how),
    mkdir: (path) => repository.makeFolder(actor, path),
    rmdir: (path) => repository.removeFolder(actor, path),

    async setAttributes(path, change) {
      if (change.sizeBytes !== undefined) {
        const { isPartial } = await repository.stat(actor, path);
        const handle = await repository.openWrite(actor, path, { create: false, exclusive: false, truncate: false });
        try {
          await handle.truncate(change.sizeBytes);
        } catch (fault) {
          await handle.discard();
          throw fault;
        }
        if (change.modifiedAtMs !== undefined) handle.setModifiedAt(change.modifiedAtMs);
        // Cutting an unfinished upload does not make it a finished one.
        await (isPartial ? handle.abort() : handle.close());
        return;
      }
      await repository.setModified(actor, path, change.modifiedAtMs);
    },

    async space(): Promise<Space> {
      const quota = await repository.space(actor);
      return {
        totalBytes: quota.quotaBytes,
        freeBytes: Math.max(0, quota.quotaBytes - quota.usedBytes),
        totalFiles: quota.quotaEntries,
        freeFiles: Math.max(0, quota.quotaEntries - quota.usedEntries),
      };
    },

    // Handles are closed or aborted by the face before.
    async close() {
      await Promise.all(receipts);
      checkReceipts();
    },
  };
}

/** How many fetches of one channel may be without their receipt, should the server die. */
const receiptsWaitingMax = 16;

const shapeAttributes = (entry: EntryAttributes): Attributes => ({
  kind: entry.kind,
  sizeBytes: entry.sizeBytes,
  modifiedAtMs: entry.modifiedAtMs,
  // What the broker put there is read only; into its folders clients may put things (D-21).
  isWritable: entry.kind === 'folder' || entry.origin === 'client',
});

const shapeHandle = (handle: UploadHandle): WriteHandle => ({
  attributes: () => Promise.resolve({ kind: 'file', isWritable: true, ...handle.attributes() }),
  write: (offsetBytes, bytes) => handle.write(offsetBytes, bytes),
  read: (offsetBytes, lengthBytes) => handle.read(offsetBytes, lengthBytes),
  truncate: (sizeBytes) => handle.truncate(sizeBytes),
  setModifiedAt: (atMs) => handle.setModifiedAt(atMs),
  sync: () => handle.sync(),
  close: async () => void (await handle.close()),
  abort: () => handle.abort(),
  discard: () => handle.discard(),
});
