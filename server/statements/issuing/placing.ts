// Placing: a statement that is for the repository gets its delivered form and appears there in one step, or goes on waiting.
//
// A statement with encryption on is never placed in clear (D-26): without a usable certificate, or when encrypting fails,
// it waits in the portal, and is placed once a new certificate is enabled; its 100 days count from then (D-24). Making the
// form takes a while, so the client's choice is looked at again, and held, in the transaction that publishes it.
import { systemActor } from '../../kernel/actor.ts';
import type { Audit } from '../../kernel/audit.ts';
import { blobsOf, partOf } from '../../kernel/blob-parts.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
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
  audit: Audit;
  outbox: Outbox;
  log: Log;
  delivery: Pick<Delivery, 'deliveryFor'>;
  messages: Pick<Messages, 'notify'>;
  repository: Repository;
  sealing: Sealing;
}) {
  const { database, clock, ids, audit, outbox, log, delivery, messages, repository, sealing } = parts;

  /** Where the statements of these clients go now, by client. */
  async function waysNow(sql: Sql, clientIds: readonly string[]) {
    const terms = await delivery.deliveryFor(sql, [...new Set(clientIds)]);
    return new Map(
      [...terms].map(([clientId, now]) => [
        clientId,
        { now, way: wayOf({ ...now, usableCertificates: now.certificates.length }) },
      ]),
    );
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
    const notice = { kind: 'statements_waiting', params: {}, atMs: clock.nowMs() } as const;
    await messages.notify(sql, { ...notice, clientId });
    await messages.notify(sql, { ...notice, desk: 'delivery', params: { clientId, waitsFor } });
  }

  /** Of these clients, those whose choice is another one than the form was made for: encryption switched on, a key ended. */
  async function findChanged(sql: Sql, sealed: readonly Sealed[]): Promise<Set<string>> {
    const made = new Map(sealed.map(({ row, form }) => [row.clientId, form.certificates]));
    await holdElections(sql, [...made.keys()]);
    const changed = new Set<string>();
    const ways = await waysNow(sql, [...made.keys()]);
    for (const [clientId, certificates] of made) {
      const { now, way } = ways.get(clientId)!;
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
    const file = { ...form.file, id: ids.next(), path: joinPath('/', name), name, ...fixed };
    if (form.signature === undefined) return [file];
    return [
      file,
      { ...form.signature, id: ids.next(), path: joinPath('/', `${name}.sig`), name: `${name}.sig`, ...fixed },
    ];
  }

  /** Removes what was made and no row names: for statements that another process placed first, or that were not placed. */
  async function discard(sealed: readonly Sealed[]): Promise<void> {
    await repository.release(blobsOf(sealed.map(({ form }) => form.signature ?? form.file)));
  }

  /**
   * Places together; where one of several cannot be placed, the others are placed one by one. What was made and is not
   * placed is removed at the very end, because statements of a batch share blobs.
   */
  async function placeAll(sealed: readonly Sealed[]): Promise<(Outcome | typeof outdated)[]> {
    if (sealed.length === 0) return [];
    let mayBeNamed = false;
    try {
      const outcomes = await place(sealed).catch((fault: unknown) => {
        if (fault instanceof Outage || sealed.length === 1) throw fault;
        return placeEach(sealed);
      });
      mayBeNamed = outcomes.every(({ outcome }) => outcome === 'placed');
      return outcomes;
    } catch (fault) {
      mayBeNamed = isDoubtful(fault);
      throw fault;
    } finally {
      if (!mayBeNamed) await discard(sealed);
    }
  }

  async function placeEach(sealed: readonly Sealed[]): Promise<(Outcome | typeof outdated)[]> {
    const outcomes: (Outcome | typeof outdated)[] = [];
    for (const item of sealed) {
      const [outcome] = await place([item]).catch(async (fault: unknown) => {
        if (fault instanceof Outage) throw fault;
        log.fault('a statement could not be placed and waits', fault, { statementId: item.row.id });
        return [await wait(item.row, 'encryption')];
      });
      outcomes.push(outcome!);
    }
    return outcomes;
  }

  /** Makes the delivered forms. Shape: those that were made, and those at fault; workers that are busy or stopping, or a full disk, say nothing about a statement: whoever asked tries it again. */
  async function seal(due: readonly { row: store.StatementRow; certificates: readonly Certificate[] }[]) {
    const results = await sealing.sealAll(
      due.map(({ row, certificates }) => ({
        plain: partOf(row),
        fileName: row.name,
        certificates,
      })),
    );
    const sealed: Sealed[] = [];
    const failed: { row: store.StatementRow; fault: unknown }[] = [];
    let outage: Outage | undefined;
    for (const [index, { row }] of due.entries()) {
      const result = results[index]!;
      if (result.status === 'fulfilled') sealed.push({ row, form: result.value });
      else if (result.reason instanceof Outage) outage = result.reason;
      else failed.push({ row, fault: result.reason });
    }
    return { sealed, failed, outage };
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
    const ways = await waysNow(
      database.sql,
      waiting.map((row) => row.clientId),
    );
    const due: { row: store.StatementRow; certificates: readonly Certificate[] }[] = [];
    for (const row of waiting) {
      const { now, way } = ways.get(row.clientId)!;
      if (way.way === 'wait') outcomes.set(row.id, await wait(row, way.waitsFor));
      else if (way.way === 'portal') {
        await database.transaction((sql) => store.deleteWaiting(sql, row.id, clock.nowMs() + keptMs));
        outcomes.set(row.id, { outcome: 'portal' });
      } else due.push({ row, certificates: way.way === 'encrypted' ? now.certificates : [] });
    }
    const { sealed, failed, outage } = await seal(due);
    for (const { row, fault } of failed) {
      log.fault('a statement could not be sealed and waits', fault, { statementId: row.id });
      outcomes.set(row.id, await wait(row, 'encryption'));
    }
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
    waysNow,
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
