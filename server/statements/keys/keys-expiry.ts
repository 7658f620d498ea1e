// Keys come to their end: warnings 60, 30 and 7 days before, and the end itself, told to the client and the delivery desk (D-26).
import type { NoticeKind } from '@broadgate/contract/notices.ts';
import { type Actor, systemActor } from '../../kernel/actor.ts';
import { type Clock, dateInZone } from '../../kernel/clock.ts';
import type { Database, Sql } from '../../kernel/sql.ts';
import type { Messages } from '../../messages/messages.ts';
import { checkDesk } from '../delivery/permission-rules.ts';
import { dueWarning, warningDays } from '../delivery/rules.ts';
import { lockElection } from '../delivery/store.ts';
import { moveOf, type Transitions } from '../delivery/transitions.ts';
import { type EndingKey, findEnding, listEnding, updateWarnedDays } from './keys-store.ts';

type Ending = Omit<EndingKey, 'place'>;

const expiry = systemActor('expiry');
const dayMs = 86_400_000;
const keysAtOnce = 200;

export function createKeyExpiry(parts: {
  database: Database;
  clock: Clock;
  messages: Pick<Messages, 'notify'>;
  transitions: Transitions;
  settings: { readonly zone: string };
}) {
  const { database, clock, messages, transitions } = parts;

  /** The client and the delivery desk are told the same (D-26). */
  async function tell(sql: Sql, key: Ending, what: { kind: NoticeKind; text: string; atMs: number }): Promise<void> {
    const params = {
      keyId: key.keyId,
      sort: key.sort,
      fingerprint: key.fingerprint,
      endsOn: dateInZone(key.expiresAtMs, parts.settings.zone),
    };
    await messages.notify(sql, { clientId: key.clientId, params, ...what });
    await messages.notify(sql, { desk: 'delivery', params: { ...params, clientId: key.clientId }, ...what });
  }

  async function end(sql: Sql, key: Ending, atMs: number): Promise<void> {
    const item = { id: key.keyId, clientId: key.clientId };
    const change = { atMs, reason: 'expired' };
    if (key.sort === 'ssh') await transitions.sshKey(sql, expiry, item, { from: 'active', to: 'expired' }, change);
    else await transitions.certificate(sql, expiry, item, moveOf('certificate', key.state, 'expired'), change);
    const text =
      key.sort === 'ssh'
        ? `The SSH key ${key.fingerprint} has expired and opens nothing any more. Hand in a new one.`
        : `The OpenPGP key ${key.fingerprint} has expired. Reports wait in the portal until you hand in a new one.`;
    await tell(sql, key, { kind: key.sort === 'ssh' ? 'ssh_key_expired' : 'certificate_expired', text, atMs });
  }

  async function warn(sql: Sql, key: Ending, days: number, atMs: number): Promise<void> {
    if (key.state === 'enabled') {
      const item = { id: key.keyId, clientId: key.clientId };
      await transitions.certificate(sql, expiry, item, { from: 'enabled', to: 'expiring' }, { atMs });
    }
    await updateWarnedDays(sql, key, days);
    const on = dateInZone(key.expiresAtMs, parts.settings.zone);
    const what = key.sort === 'ssh' ? 'SSH' : 'OpenPGP';
    await tell(sql, key, {
      kind: key.sort === 'ssh' ? 'ssh_key_expiring' : 'certificate_expiring',
      text: `The ${what} key ${key.fingerprint} expires on ${on}. Hand in its successor before then.`,
      atMs,
    });
  }

  /** Looks at a key again with its client locked, since another process may run at the same time. */
  async function judge(sql: Sql, keyId: string, atMs: number): Promise<'warned' | 'ended' | undefined> {
    const seen = await findEnding(sql, keyId);
    if (seen === undefined) return undefined;
    await lockElection(sql, seen.clientId, atMs);
    const key = await findEnding(sql, keyId);
    if (key === undefined) return undefined;
    const { expiresAtMs } = key;
    const days = dueWarning({ expiresAtMs, warnedDays: key.warnedDays ?? undefined, nowMs: atMs });
    if (expiresAtMs <= atMs) await end(sql, key, atMs);
    else if (days !== undefined) await warn(sql, key, days, atMs);
    else return undefined;
    return expiresAtMs <= atMs ? 'ended' : 'warned';
  }

  return {
    /** One run over every key that ends within 60 days; safe to repeat. Shape: how many were warned of and ended. */
    async warnOfExpiry(): Promise<{ warned: number; ended: number }> {
      const atMs = clock.nowMs();
      const done = { warned: 0, ended: 0 };
      const horizonMs = atMs + warningDays[0] * dayMs;
      // Most keys that end soon were warned of already: they are passed over where they lie, not one by one.
      const unsaid = [0, ...warningDays].map((days) => ({ days, beforeMs: atMs + days * dayMs }));
      for (let after: string | undefined; ; ) {
        const keys = await listEnding(database.sql, horizonMs, { after, limit: keysAtOnce }, unsaid);
        for (const key of keys) {
          const did = await database.transaction((sql) => judge(sql, key.keyId, atMs));
          if (did !== undefined) done[did] += 1;
        }
        if (keys.length < keysAtOnce) return done;
        after = keys.at(-1)!.place;
      }
    },

    /** The desk's board: keys that end within the days, soonest first. */
    async listEndingKeys(
      actor: Actor,
      withinDays: number,
      page: { after: string | undefined; limit: number },
    ): Promise<{ items: EndingKey[]; next: string | undefined }> {
      checkDesk(actor);
      const beforeMs = clock.nowMs() + withinDays * dayMs;
      const rows = await listEnding(database.sql, beforeMs, { after: page.after, limit: page.limit + 1 });
      const items = rows.slice(0, page.limit);
      return { items, next: rows.length > page.limit ? items.at(-1)?.place : undefined };
    },
  };
}
