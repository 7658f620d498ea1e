// Issuing: a file from the broker becomes a statement (or another document) of one account, readable in the portal at
// once, and placed in the client's repository where SFTP is elected.
//
// States: issued -> expired (100 days) or withdrawn. Invariants: a version is never overwritten and its number never used
// again; a request and a row of a run issue at most one statement; row, delivery and events are written in one transaction.
import { type Actor, isAtDesk } from '../../kernel/actor.ts';
import type { Audit } from '../../kernel/audit.ts';
import { wholeOf } from '../../kernel/blob-parts.ts';
import type { BlobPart, BlobStore } from '../../kernel/blobs.ts';
import { type Clock, dateInZone, formatInstant } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
import { enqueue } from '../../kernel/jobs.ts';
import { type Random, randomText } from '../../kernel/random.ts';
import { isDoubtful, Outage, Refusal } from '../../kernel/refusal.ts';
import type { Requests } from '../../kernel/requests.ts';
import type { Database, Sql } from '../../kernel/sql.ts';
import type { Identity } from '../../identity/identity.ts';
import type { Messages } from '../../messages/messages.ts';
import type { Deletions } from '../proof/deletions.ts';
import { keptMs } from '../proof/rules.ts';
import type { Repository } from '../repository/repository.ts';
import type { Placing } from './placing.ts';
import * as rules from './rules.ts';
import { refusals } from './rules.ts';
import * as store from './store.ts';

export interface NewStatement {
  readonly accountNumber: string;
  readonly kind: string;
  /** A day, a month, a year, or two days with a slash between. */
  readonly period: string;
  /** Only its ending counts: the name is made by D-27. */
  readonly fileName: string;
  /** What people call it, for documents whose kind does not say. */
  readonly title?: string | undefined;
}

export interface Issued {
  readonly statementId: string;
  readonly name: string;
  readonly version: number;
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface Account {
  readonly clientId: string;
  readonly accountId: string;
  readonly accountNumber: string;
}

/** A file that is checked and stored, and whose account is known. */
export interface ReadyStatement {
  readonly account: Account;
  readonly kind: string;
  readonly period: rules.Period;
  readonly extension: string;
  readonly title: string | undefined;
  readonly plain: BlobPart;
  readonly runId?: string;
}

export interface IssuingParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly blobs: BlobStore;
  readonly audit: Audit;
  readonly requests: Requests;
  readonly identity: Pick<Identity, 'findClientsByAccounts' | 'listAccounts'>;
  readonly messages: Pick<Messages, 'notify'>;
  readonly repository: Repository;
  readonly placing: Placing;
  readonly deletions: Deletions;
  readonly settings: { readonly brokerName: string; readonly timeZone: string };
}

export function createIssuing(parts: IssuingParts) {
  const { database, clock, random, ids, blobs, audit, requests } = parts;
  const { identity, messages, repository, placing, deletions, settings } = parts;

  /** The accounts of clients that are not closed, by number; those that there are. */
  async function findAccounts(sql: Sql, accountNumbers: readonly string[]): Promise<Map<string, Account>> {
    const found = await identity.findClientsByAccounts(sql, [...new Set(accountNumbers)]);
    return new Map(found.flatMap((row) => (row.state === 'closed' ? [] : [[row.accountNumber, row]])));
  }

  /** Refuses: account_unknown. */
  async function getAccount(sql: Sql, accountNumber: string): Promise<Account> {
    const account = (await findAccounts(sql, [accountNumber])).get(accountNumber);
    if (account === undefined) throw refusals.account_unknown({ accountNumber });
    return account;
  }

  /**
   * Writes statements with their deliveries, inside the caller's transaction. Shape: one answer each, in order; a refusal
   * concerns its own statement and leaves the others alone.
   */
  async function insertAll(sql: Sql, actor: Actor, batch: readonly ReadyStatement[]): Promise<(Issued | Refusal)[]> {
    const nowMs = clock.nowMs();
    const accountIds = [...new Set(batch.map((ready) => ready.account.accountId))];
    const fresh = accountIds.map((accountId) => ({ accountId, freshCode: randomText(random, rules.feedCodeLength) }));
    const feedCodes = await store.lockFeedCodes(sql, fresh);
    const versions = new Map<string, number>();
    for (const { last, ...series } of await store.listLastVersions(sql, batch.map(seriesOf)))
      versions.set(keyOf(series), last);
    const ways = await placing.waysNow(
      sql,
      batch.map(({ account }) => account.clientId),
    );
    const rows: store.NewStatement[] = [];
    const waiting: { statementId: string; clientId: string; waitsFor: rules.WaitsFor; nowMs: number }[] = [];
    const answers = batch.map((ready): Issued | Refusal => {
      const { account, kind, period, extension, plain } = ready;
      const series = seriesOf(ready);
      const version = (versions.get(keyOf(series)) ?? 0) + 1;
      if (version > rules.versionsMax) return refusals.statement_versions_too_many({ versions: rules.versionsMax });
      versions.set(keyOf(series), version);
      const feedCode = feedCodes.get(account.accountId)!;
      const name = rules.deliveredName({ feedCode, kind, periodTo: period.to, version, extension });
      const { way } = ways.get(account.clientId)!;
      const statementId = ids.next();
      rows.push({
        ...plain,
        id: statementId,
        clientId: account.clientId,
        accountNumber: account.accountNumber,
        ...series,
        periodFrom: period.from,
        version,
        name,
        title: ready.title ?? null,
        issuedAtMs: nowMs,
        // While it waits for its place its days do not count: they begin when it is placed (D-24).
        expiresAtMs: way.way === 'portal' ? nowMs + keptMs : null,
        runId: ready.runId ?? null,
      });
      const waitsFor = way.way === 'wait' ? way.waitsFor : 'encryption';
      if (way.way !== 'portal') waiting.push({ statementId, clientId: account.clientId, waitsFor, nowMs });
      return { statementId, name, version, sha256: plain.sha256, sizeBytes: plain.sizeBytes };
    });
    if (rows.length > 0) await store.insertStatements(sql, rows);
    if (waiting.length > 0) await store.insertWaiting(sql, waiting);
    for (const [clientId, { way }] of ways) {
      if (way.way !== 'wait') continue;
      const own = waiting.filter((row) => row.clientId === clientId).map((row) => row.statementId);
      if (own.length > 0) await placing.tellWaiting(sql, clientId, own, way.waitsFor);
    }
    await record(sql, actor, rows);
    return answers;
  }

  /** A single statement stands by itself in the audit trail, a batch in one row of its run. */
  async function record(sql: Sql, actor: Actor, rows: readonly store.NewStatement[]): Promise<void> {
    const action = 'statement.issued';
    const details = rows.map(({ id, accountId, name, sha256, sizeBytes }) => ({
      statementId: id,
      accountId,
      name,
      sha256,
      sizeBytes,
    }));
    const [first] = rows;
    if (first === undefined) return;
    if (first.runId !== null) {
      await audit.append(sql, { actor, action, subject: `run:${first.runId}`, detail: { issued: details } });
      return;
    }
    for (const { statementId, ...detail } of details) {
      await audit.append(sql, { actor, action, subject: `statement:${statementId}`, detail });
    }
  }

  /** One statement by itself. Refuses: statement_versions_too_many. */
  async function insert(sql: Sql, actor: Actor, ready: ReadyStatement): Promise<Issued> {
    const [answer] = await insertAll(sql, actor, [ready]);
    if (answer instanceof Refusal) throw answer;
    return answer!;
  }

  /** Places it now; what cannot be placed at this moment is tried again by the job, so the issue itself stands. */
  async function deliverNow(statementId: string): Promise<void> {
    try {
      await placing.deliver(statementId);
    } catch (fault) {
      if (!(fault instanceof Outage)) throw fault;
      await enqueue(database.sql, tasks.deliverOne, { statementId }, { key: `deliver:${statementId}` });
    }
  }

  /**
   * Runs the transaction that may name the blob; then the blob goes unless a row names it: a repeated request has its own
   * copy already, and a refused one needs none. After a commit that was not answered only the sweep can know.
   */
  async function naming<Result>(blobId: string, work: (sql: Sql) => Promise<Result>): Promise<Result> {
    let mayBeNamed = false;
    try {
      return await database.transaction(work);
    } catch (fault) {
      mayBeNamed = isDoubtful(fault);
      throw fault;
    } finally {
      if (!mayBeNamed) await repository.release([blobId]);
    }
  }

  async function keepPlain(
    bytes: AsyncIterable<Uint8Array> | Uint8Array,
    sha256: string | undefined,
  ): Promise<BlobPart> {
    const plain = wholeOf(await blobs.put(bytes instanceof Uint8Array ? bytes : limited(bytes)));
    try {
      if (plain.sizeBytes === 0) throw refusals.statement_empty();
      if (sha256 !== undefined && sha256.toLowerCase() !== plain.sha256) {
        throw refusals.statement_hash_differs({ found: plain.sha256, expected: sha256.toLowerCase() });
      }
    } catch (fault) {
      await blobs.remove(plain.blobId);
      throw fault;
    }
    return plain;
  }

  return {
    insertAll,
    findAccounts,

    /**
     * Issues one file. The same request id answers the same statement.
     * Refuses: issuing_not_yours, account_unknown, statement_kind_invalid, statement_period_invalid,
     * statement_extension_invalid, statement_empty, statement_too_large, statement_hash_differs, statement_versions_too_many.
     */
    async issueStatement(
      actor: Actor,
      asked: NewStatement & { readonly requestId?: string | undefined; readonly sha256?: string | undefined },
      bytes: AsyncIterable<Uint8Array> | Uint8Array,
    ): Promise<Issued> {
      checkDesk(actor);
      const kind = rules.checkKind(asked.kind);
      const period = rules.parsePeriod(asked.period);
      const extension = rules.extensionOf(asked.fileName);
      // The account is looked up before the bytes are taken, so that a wrong number costs nothing.
      const account = await getAccount(database.sql, asked.accountNumber);
      const plain = await keepPlain(bytes, asked.sha256);
      const input = {
        accountNumber: account.accountNumber,
        kind,
        ...period,
        extension,
        title: asked.title ?? null,
        sha256: plain.sha256,
      };
      const request = { actor, operation: 'issueStatement', requestId: asked.requestId, input };
      const ready = { account, kind, period, extension, title: asked.title, plain };
      const issued = await naming(plain.blobId, (sql) => requests.once(sql, request, () => insert(sql, actor, ready)));
      await deliverNow(issued.statementId);
      return issued;
    },

    /** Sends a test file through the real delivery. Refuses: test_file_not_possible, client_without_account. */
    async issueTestFile(
      actor: Actor,
      asked: { readonly clientId?: string; readonly requestId?: string | undefined },
    ): Promise<Issued> {
      const clientId = actor.kind === 'client' ? actor.clientId : asked.clientId;
      if (actor.kind !== 'client') checkDesk(actor);
      if (clientId === undefined) throw refusals.test_file_not_possible();
      const { way } = (await placing.waysNow(database.sql, [clientId])).get(clientId)!;
      if (way.way === 'portal' || (way.way === 'wait' && way.waitsFor === 'connection'))
        throw refusals.test_file_not_possible();
      const [first] = await identity.listAccounts(database.sql, clientId);
      if (first === undefined) throw refusals.client_without_account();
      const nowMs = clock.nowMs();
      const text = rules.testFileText(settings.brokerName, formatInstant(nowMs));
      const plain = wholeOf(await blobs.put(Buffer.from(text)));
      const day = dateInZone(nowMs, settings.timeZone);
      const ready = {
        account: { clientId, ...first },
        kind: 'test',
        period: { from: day, to: day },
        extension: 'txt',
        title: undefined,
        plain,
      };
      const request = { actor, operation: 'issueTestFile', requestId: asked.requestId, input: { clientId } };
      const issued = await naming(plain.blobId, (sql) => requests.once(sql, request, () => insert(sql, actor, ready)));
      await deliverNow(issued.statementId);
      return issued;
    },

    /**
     * Hides a wrongly issued statement everywhere and tells the client; receipts stay.
     * Refuses: issuing_not_yours, statement_not_found, statement_withdrawn_already.
     */
    async withdraw(actor: Actor, statementId: string, reason: string): Promise<void> {
      checkDesk(actor);
      const released = await database.transaction(async (sql) => {
        const row = await store.findStatement(sql, statementId);
        if (row === undefined) throw refusals.statement_not_found();
        const atMs = clock.nowMs();
        const withdrawn = { atMs, reason, keptUntilMs: atMs + keptMs };
        if (!(await store.updateWithdrawn(sql, statementId, withdrawn))) throw refusals.statement_withdrawn_already();
        const taken = await repository.takeAway(sql, statementId);
        await deletions.append(
          sql,
          taken.map((entry) => ({
            ...entry,
            what: 'file' as const,
            why: 'withdrawn' as const,
            statementId,
          })),
        );
        await audit.append(sql, {
          actor,
          action: 'statement.withdrawn',
          subject: `statement:${statementId}`,
          detail: { reason },
        });
        // A notice points and quotes nothing (D-29); the portal tells which statement it was.
        await messages.notify(sql, { clientId: row.clientId, kind: 'statement_withdrawn', params: {}, atMs });
        return taken.map((entry) => entry.blobId);
      });
      await repository.release(released);
    },

    /** What the job runner calls for one statement that could not be placed at once. */
    deliverOne: (statementId: string) => placing.deliver(statementId),
  };
}

const seriesOf = (ready: ReadyStatement): store.Series => ({
  accountId: ready.account.accountId,
  kind: ready.kind,
  periodTo: ready.period.to,
  extension: ready.extension,
});
const keyOf = (series: store.Series): string =>
  [series.accountId, series.kind, series.periodTo, series.extension].join(' ');

export type Issuing = ReturnType<typeof createIssuing>;

/** Names of jobs. */
export const tasks = {
  deliverOne: 'statements:deliver',
  deliverWaiting: 'statements:deliver_waiting',
  run: 'statements:run',
} as const;

/** Refuses: issuing_not_yours. */
export function checkDesk(actor: Actor): void {
  if (!isAtDesk(actor, 'delivery')) throw refusals.issuing_not_yours();
}

async function* limited(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of bytes) {
    sizeBytes += chunk.length;
    if (sizeBytes > rules.statementBytesMax) throw refusals.statement_too_large({ bytes: rules.statementBytesMax });
    yield chunk;
  }
}
