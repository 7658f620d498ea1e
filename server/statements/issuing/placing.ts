// Placing: a statement that is for the repository gets its delivered form and appears there in one step, or goes on waiting.
//
// A statement with encryption on is never placed in clear (D-26): without a usable certificate, or when encrypting fails,
// it waits in the portal, and is placed once a new certificate is enabled; its 100 days count from then (D-24).
import { systemActor } from '../../kernel/actor.ts';
import type { Audit } from '../../kernel/audit.ts';
import type { BlobStore } from '../../kernel/blobs.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Log } from '../../kernel/log.ts';
import { Outage } from '../../kernel/refusal.ts';
import type { Outbox } from '../../kernel/outbox.ts';
import type { Database, Sql } from '../../kernel/sql.ts';
import type { Messages } from '../../messages/messages.ts';
import type { Delivery } from '../delivery/delivery.ts';
import { events } from '../events.ts';
import { keptMs } from '../proof/rules.ts';
import type { Repository } from '../repository/repository.ts';
import { joinPath } from '../repository/rules.ts';
import { insertEntry, type NewEntry } from '../repository/store.ts';
import { type WaitsFor, wayOf } from './rules.ts';
import type { SealedForm, Sealing } from './sealing.ts';
import * as store from './store.ts';

export type Placing = ReturnType<typeof createPlacing>;

/** What became of one attempt. */
export type Outcome =
  | { readonly outcome: 'placed'; readonly path: string }
  | { readonly outcome: 'waits'; readonly waitsFor: WaitsFor }
  | { readonly outcome: 'portal' | 'done_before' };

export function createPlacing(parts: {
  database: Database;
  clock: Clock;
  ids: Ids;
  blobs: BlobStore;
  audit: Audit;
  outbox: Outbox;
  log: Log;
  delivery: Pick<Delivery, 'deliveryFor'>;
  messages: Pick<Messages, 'notify'>;
  repository: Repository;
  sealing: Sealing;
}) {
  const { database, clock, ids, audit, outbox, log, delivery, messages, repository, sealing } = parts;

  async function wayNow(sql: Sql, clientId: string) {
    const now = await delivery.deliveryFor(sql, clientId);
    return { now, way: wayOf({ ...now, usableCertificates: now.certificates.length }) };
  }

  /** Records why a statement waits; the first one tells the client and the desk, the others would only repeat it. */
  async function wait(row: store.StatementRow, waitsFor: WaitsFor): Promise<Outcome> {
    await database.transaction(async (sql) => {
      if (!(await store.updateWaitsFor(sql, row.id, waitsFor))) return;
      await tellWaiting(sql, row.clientId, row.id, waitsFor);
    });
    return { outcome: 'waits', waitsFor };
  }

  async function tellWaiting(sql: Sql, clientId: string, statementId: string, waitsFor: WaitsFor): Promise<void> {
    if (waitsFor === 'connection' || (await store.countWaiting(sql, clientId, waitsFor, statementId)) > 0) return;
    const notice = { kind: 'statements_waiting', params: {}, atMs: clock.nowMs() };
    await messages.notify(sql, { ...notice, clientId });
    await messages.notify(sql, { ...notice, desk: 'delivery', params: { clientId, waitsFor } });
  }

  async function place(row: store.StatementRow, form: SealedForm): Promise<Outcome> {
    const placedAtMs = clock.nowMs();
    const name = `${row.name}${form.suffix}`;
    const path = joinPath('/', name);
    const { clientId } = row;
    const entryOf = (entryName: string, blob: SealedForm['file']): NewEntry => ({
      id: ids.next(),
      clientId,
      path: joinPath('/', entryName),
      parent: '/',
      name: entryName,
      kind: 'file',
      origin: 'broker',
      blobId: blob.blobId,
      sizeBytes: blob.sizeBytes,
      sha256: blob.sha256,
      placedAtMs,
      modifiedAtMs: placedAtMs,
      statementId: row.id,
    });
    const entry = entryOf(name, form.file);
    const [certificate] = form.certificates;
    return database.transaction(async (sql) => {
      if (!(await store.lockWaiting(sql, row.id))) return { outcome: 'done_before' };
      await repository.prepare(sql, clientId);
      const isPlaced =
        (await insertEntry(sql, entry)) &&
        (form.signature === undefined || (await insertEntry(sql, entryOf(`${name}.sig`, form.signature))));
      // Names that begin with a feed code are reserved, so this is our own fault, and nothing may be overwritten.
      if (!isPlaced) throw new Error(`the name ${name} is taken in the repository`);
      const placed: store.PlacedForm = {
        name,
        entryId: entry.id,
        isEncrypted: certificate !== undefined,
        certificateId: certificate?.certificateId ?? null,
        certificateFingerprint: certificate?.fingerprint ?? null,
        subkeyId: certificate?.subkeyId ?? null,
        sizeBytes: form.file.sizeBytes,
        sha256: form.file.sha256,
        placedAtMs,
      };
      await store.updatePlaced(sql, row.id, placed, placedAtMs + keptMs);
      const detail = { path, sha256: placed.sha256, sizeBytes: placed.sizeBytes, isEncrypted: placed.isEncrypted };
      await audit.append(sql, {
        actor: systemActor('placing'),
        action: 'statement.placed',
        subject: `statement:${row.id}`,
        detail,
      });
      // A run tells its end once, and not each of its thousands of files.
      if (row.runId === null) {
        const payload = { statementId: row.id, clientId, ...detail };
        await outbox.record(sql, { kind: events.statementPlaced, payload });
      }
      return { outcome: 'placed', path };
    });
  }

  /** Removes what was made for a statement that another process placed first, or that could not be placed. */
  async function discard(row: store.StatementRow, form: SealedForm): Promise<void> {
    const made = [form.file.blobId, ...(form.signature === undefined ? [] : [form.signature.blobId])];
    await repository.release(made.filter((blobId) => blobId !== row.blobId));
  }

  /** Brings one waiting statement as far as it can go now. It may be called any number of times. */
  async function deliver(statementId: string): Promise<Outcome> {
    const row = await store.findStatement(database.sql, statementId);
    if (row === undefined || row.deliveryState !== 'waiting' || row.withdrawnAtMs !== null || row.blobId === null) {
      return { outcome: 'done_before' };
    }
    const { now, way } = await wayNow(database.sql, row.clientId);
    if (way.way === 'wait') return wait(row, way.waitsFor);
    if (way.way === 'portal') {
      await database.transaction((sql) => store.deleteWaiting(sql, row.id, clock.nowMs() + keptMs));
      return { outcome: 'portal' };
    }
    let form: SealedForm;
    try {
      const plain = { blobId: row.blobId, sizeBytes: row.sizeBytes, sha256: row.sha256 };
      form = await sealing.seal(plain, row.name, way.way === 'encrypted' ? now.certificates : []);
    } catch (fault) {
      // Workers that are busy or stopping say nothing about this certificate: whoever asked tries again.
      if (fault instanceof Outage) throw fault;
      log.fault('a statement could not be sealed and waits', fault, { statementId });
      return wait(row, 'encryption');
    }
    const outcome = await place(row, form).catch(async (fault: unknown) => {
      await discard(row, form);
      throw fault;
    });
    if (outcome.outcome === 'done_before') await discard(row, form);
    return outcome;
  }

  /** Tries what waits, a bounded number in one call. Shape: how many were placed, and whether more is left to try. */
  async function deliverWaiting(
    asked: { clientId?: string; limit?: number } = {},
  ): Promise<{ placed: number; isMore: boolean }> {
    const limit = asked.limit ?? 1000;
    let placed = 0;
    let afterId = '';
    for (let tried = 0; tried < limit; ) {
      const page = await store.listWaiting(database.sql, {
        clientId: asked.clientId,
        afterId,
        limit: Math.min(50, limit - tried),
      });
      if (page.length === 0) return { placed, isMore: false };
      afterId = page.at(-1)!.statementId;
      tried += page.length;
      const outcomes = await Promise.all(page.map((item) => deliver(item.statementId)));
      placed += outcomes.filter((item) => item.outcome === 'placed').length;
    }
    return { placed, isMore: true };
  }

  return { deliver, deliverWaiting, wayNow, tellWaiting };
}
