// Placing: a statement that is for the repository gets its delivered form and appears there in one step, or goes on waiting.
//
// A statement with encryption on is never placed in clear (D-26): without a usable certificate, or when encrypting fails,
// it waits in the portal, and is placed once a new certificate is enabled; its 100 days count from then (D-24). Making the
// form takes a while, so the client's choice is looked at again, and held, in the transaction that publishes it.
import { systemActor } from '../../kernel/actor.ts';
import type { Audit } from '../../kernel/audit.ts';
import type { BlobStore } from '../../kernel/blobs.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
import { createSemaphore } from '../../kernel/limits.ts';
import type { Log } from '../../kernel/log.ts';
import { isDoubtful, Outage } from '../../kernel/refusal.ts';
import type { Outbox } from '../../kernel/outbox.ts';
import type { Database, Sql } from '../../kernel/sql.ts';
import type { Messages } from '../../messages/messages.ts';
import type { Delivery } from '../delivery/delivery.ts';
import { holdElections } from '../delivery/store.ts';
import { events } from '../events.ts';
import { keptMs } from '../proof/rules.ts';
import type { Repository } from '../repository/repository.ts';
import { joinPath } from '../repository/rules.ts';
import { insertEntries, type NewEntry } from '../repository/store.ts';
import { type WaitsFor, wayOf } from './rules.ts';
import type { Certificate, SealedForm, Sealing } from './sealing.ts';
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
      await tellWaiting(sql, row.clientId, [row.id], waitsFor);
    });
    return { outcome: 'waits', waitsFor };
  }

  async function tellWaiting(
    sql: Sql,
    clientId: string,
    statementIds: readonly string[],
    waitsFor: WaitsFor,
  ): Promise<void> {
    if (waitsFor === 'connection' || (await store.hasWaiting(sql, clientId, waitsFor, statementIds))) return;
    const notice = { kind: 'statements_waiting', params: {}, atMs: clock.nowMs() };
    await messages.notify(sql, { ...notice, clientId });
    await messages.notify(sql, { ...notice, desk: 'delivery', params: { clientId, waitsFor } });
  }

  /** Makes the delivered form, or says what the statement waits for. */
  async function seal(row: store.StatementRow, certificates: readonly Certificate[]): Promise<SealedForm | Outcome> {
    try {
      const plain = { blobId: row.blobId!, sizeBytes: row.sizeBytes, sha256: row.sha256 };
      return await sealing.seal(plain, row.name, certificates);
    } catch (fault) {
      // Workers that are busy or stopping say nothing about this certificate: whoever asked tries again.
      if (fault instanceof Outage) throw fault;
      log.fault('a statement could not be sealed and waits', fault, { statementId: row.id });
      return wait(row, 'encryption');
    }
  }

  /** Of these clients, those whose choice is another one than the form was made for: encryption switched on, a key ended. */
  async function findChanged(sql: Sql, sealed: readonly Sealed[]): Promise<Set<string>> {
    const made = new Map(sealed.map(({ row, form }) => [row.clientId, form.certificates]));
    await holdElections(sql, [...made.keys()]);
    const changed = new Set<string>();
    for (const [clientId, certificates] of made) {
      const { now, way } = await wayNow(sql, clientId);
      const wanted = way.way === 'encrypted' ? now.certificates : way.way === 'plain' ? [] : undefined;
      if (wanted === undefined || idsOf(wanted) !== idsOf(certificates)) changed.add(clientId);
    }
    return changed;
  }

  /** Publishes sealed statements, entries and states and events in one transaction. Shape: one outcome each, in order. */
  async function place(sealed: readonly Sealed[]): Promise<(Outcome | typeof outdated)[]> {
    const placedAtMs = clock.nowMs();
    return database.transaction(async (sql) => {
      const changed = await findChanged(sql, sealed);
      const free = await store.lockWaiting(
        sql,
        sealed.flatMap(({ row }) => (changed.has(row.clientId) ? [] : row.id)),
      );
      const due = sealed.filter(({ row }) => free.has(row.id));
      await repository.prepare(sql, [...new Set(due.map(({ row }) => row.clientId))]);
      const files = due.map((item) => entriesOf(item, placedAtMs));
      const entries = files.flat();
      const inserted = await insertEntries(sql, entries);
      // Names that begin with a feed code are reserved, so this is our own fault, and nothing may be overwritten.
      const taken = entries.find((entry) => !inserted.has(`${entry.clientId} ${entry.path}`));
      if (taken !== undefined) throw new Error(`the name ${taken.name} is taken in the repository`);
      const forms = due.map((item, index) => formOf(item, files[index]![0]!.id));
      await store.updatePlaced(sql, forms, { placedAtMs, expiresAtMs: placedAtMs + keptMs });
      await record(sql, due, forms);
      return sealed.map((item) => {
        if (free.has(item.row.id)) return { outcome: 'placed', path: joinPath('/', nameOf(item)) };
        return changed.has(item.row.clientId) ? outdated : { outcome: 'done_before' };
      });
    });
  }

  /** A single statement stands by itself in the audit trail and in the outbox; a batch in one row of its run. */
  async function record(sql: Sql, due: readonly Sealed[], forms: readonly store.PlacedForm[]): Promise<void> {
    const actor = systemActor('placing');
    const details = forms.map(({ statementId, name, sha256, sizeBytes, isEncrypted }) => ({
      statementId,
      name,
      sha256,
      sizeBytes,
      isEncrypted,
    }));
    for (const [index, { row }] of due.entries()) {
      if (row.runId !== null) continue;
      const { statementId, ...detail } = details[index]!;
      await audit.append(sql, { actor, action: 'statement.placed', subject: `statement:${statementId}`, detail });
      const payload = { statementId, clientId: row.clientId, path: joinPath('/', detail.name), ...detail };
      await outbox.record(sql, { kind: events.statementPlaced, payload });
    }
    for (const runId of new Set(due.flatMap(({ row }) => row.runId ?? []))) {
      const placed = details.filter((_, index) => due[index]!.row.runId === runId);
      await audit.append(sql, { actor, action: 'statement.placed', subject: `run:${runId}`, detail: { placed } });
    }
  }

  function entriesOf(item: Sealed, placedAtMs: number): NewEntry[] {
    const { row, form } = item;
    const name = nameOf(item);
    const fixed = {
      clientId: row.clientId,
      parent: '/',
      kind: 'file',
      origin: 'broker',
      placedAtMs,
      modifiedAtMs: placedAtMs,
      statementId: row.id,
    } as const;
    const file = { id: ids.next(), path: joinPath('/', name), name, ...form.file, ...fixed };
    if (form.signature === undefined) return [file];
    return [
      file,
      { id: ids.next(), path: joinPath('/', `${name}.sig`), name: `${name}.sig`, ...form.signature, ...fixed },
    ];
  }

  /** Removes what was made for statements that another process placed first, or that could not be placed. */
  async function discard(sealed: readonly Sealed[]): Promise<void> {
    const made = sealed.flatMap(({ row, form }) =>
      [form.file.blobId, form.signature?.blobId].filter((blobId) => blobId !== undefined && blobId !== row.blobId),
    );
    await repository.release(made as string[]);
  }

  /** Places together; where one of several cannot be placed, the others are placed one by one. */
  async function placeAll(sealed: readonly Sealed[]): Promise<(Outcome | typeof outdated)[]> {
    if (sealed.length === 0) return [];
    try {
      const outcomes = await place(sealed);
      await discard(sealed.filter((_, index) => outcomes[index]!.outcome !== 'placed'));
      return outcomes;
    } catch (fault) {
      if (sealed.length === 1 || fault instanceof Outage) {
        if (!isDoubtful(fault)) await discard(sealed);
        throw fault;
      }
    }
    const outcomes: (Outcome | typeof outdated)[] = [];
    for (const item of sealed) {
      const [outcome] = await placeAll([item]).catch(async (fault: unknown) => {
        if (fault instanceof Outage) throw fault;
        log.fault('a statement could not be placed and waits', fault, { statementId: item.row.id });
        return [await wait(item.row, 'encryption')];
      });
      outcomes.push(outcome!);
    }
    return outcomes;
  }

  /** Brings waiting statements as far as they can go now; any of them may come any number of times. */
  async function deliverAll(statementIds: readonly string[], triesLeft = formsMax): Promise<Map<string, Outcome>> {
    const rows = await store.findStatements(database.sql, statementIds);
    const waiting = rows.filter(
      (row) => row.deliveryState === 'waiting' && row.withdrawnAtMs === null && row.blobId !== null,
    );
    const outcomes = new Map<string, Outcome>(
      statementIds.map((statementId) => [statementId, { outcome: 'done_before' }]),
    );
    const ways = new Map<string, ReturnType<typeof wayNow>>();
    const sealed: Sealed[] = [];
    let outage: Outage | undefined;
    const prepare = async (row: store.StatementRow): Promise<void> => {
      // One look a client and batch; the next batch looks again.
      const known = ways.get(row.clientId) ?? wayNow(database.sql, row.clientId);
      ways.set(row.clientId, known);
      const { now, way } = await known;
      if (way.way === 'wait') return void outcomes.set(row.id, await wait(row, way.waitsFor));
      if (way.way === 'portal') {
        await database.transaction((sql) => store.deleteWaiting(sql, row.id, clock.nowMs() + keptMs));
        return void outcomes.set(row.id, { outcome: 'portal' });
      }
      const form = await seal(row, way.way === 'encrypted' ? now.certificates : []);
      if ('outcome' in form) outcomes.set(row.id, form);
      else sealed.push({ row, form });
    };
    const busy = createSemaphore({ permits: sealedAtOnce, waitingMax: waiting.length });
    await Promise.all(
      waiting.map((row) =>
        busy
          .run(() => prepare(row))
          .catch((fault: unknown) => {
            if (!(fault instanceof Outage)) throw fault;
            outage = fault;
          }),
      ),
    ).catch(async (fault: unknown) => {
      await discard(sealed);
      throw fault;
    });
    const placed = await placeAll(sealed);
    const again: string[] = [];
    for (const [index, { row }] of sealed.entries()) {
      const outcome = placed[index]!;
      if (outcome.outcome !== 'outdated') outcomes.set(row.id, outcome);
      else if (triesLeft > 1) again.push(row.id);
      else outcomes.set(row.id, await wait(row, 'encryption'));
    }
    // What could be placed is placed; the rest is tried again by whoever asked.
    if (outage !== undefined) throw outage;
    if (again.length > 0) for (const entry of await deliverAll(again, triesLeft - 1)) outcomes.set(...entry);
    return outcomes;
  }

  return {
    wayNow,
    tellWaiting,
    deliverAll: (statementIds: readonly string[]) => deliverAll(statementIds),
    deliver: async (statementId: string): Promise<Outcome> => (await deliverAll([statementId])).get(statementId)!,

    /** Tries what waits, a bounded number in one call. Shape: how many were placed, and whether more is left to try. */
    async deliverWaiting(
      asked: { clientId?: string; limit?: number } = {},
    ): Promise<{ placed: number; isMore: boolean }> {
      const limit = asked.limit ?? 1000;
      let placed = 0;
      let afterId = '';
      for (let tried = 0; tried < limit; ) {
        const pageLimit = Math.min(pageStatements, limit - tried);
        const page = await store.listWaiting(database.sql, { clientId: asked.clientId, afterId, limit: pageLimit });
        if (page.length === 0) return { placed, isMore: false };
        afterId = page.at(-1)!;
        tried += page.length;
        const outcomes = await deliverAll(page);
        placed += [...outcomes.values()].filter((item) => item.outcome === 'placed').length;
      }
      return { placed, isMore: true };
    },
  };
}

const pageStatements = 50;
const sealedAtOnce = 12;
/** How often a form is made for a choice that changes meanwhile, before the statement waits. */
const formsMax = 3;

/** Nothing was published: the form is not the one that the client wants by now. */
const outdated = { outcome: 'outdated' } as const;

const idsOf = (certificates: readonly { readonly certificateId: string }[]): string =>
  certificates
    .map(({ certificateId }) => certificateId)
    .sort()
    .join();

interface Sealed {
  readonly row: store.StatementRow;
  readonly form: SealedForm;
}

const nameOf = ({ row, form }: Sealed): string => `${row.name}${form.suffix}`;

function formOf(item: Sealed, entryId: string): store.PlacedForm {
  const [certificate] = item.form.certificates;
  return {
    statementId: item.row.id,
    name: nameOf(item),
    entryId,
    isEncrypted: certificate !== undefined,
    certificateId: certificate?.certificateId ?? null,
    certificateFingerprint: certificate?.fingerprint ?? null,
    subkeyId: certificate?.subkeyId ?? null,
    sizeBytes: item.form.file.sizeBytes,
    sha256: item.form.file.sha256,
  };
}
