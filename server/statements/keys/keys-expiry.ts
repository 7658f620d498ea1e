// Keys come to their end: warnings 60, 30 and 7 days before, and the end itself, told to the client and the delivery desk (D-26).
import { systemActor } from '../../kernel/actor.ts';
import { type Clock, dateInZone } from '../../kernel/clock.ts';
import type { Actor } from '../../kernel/actor.ts';
import type { Database, Sql } from '../../kernel/sql.ts';
import type { Messages } from '../../messages/messages.ts';
import { checkDesk } from '../delivery/permission-rules.ts';
import { dueWarning, warningDays } from '../delivery/rules.ts';
import { moveOf, type Transitions } from '../delivery/transitions.ts';
import { type EndingKey, listEnding, updateWarnedDays } from './keys-store.ts';

export type KeyExpiry = ReturnType<typeof createKeyExpiry>;

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

  async function tell(sql: Sql, key: EndingKey, what: { kind: string; text: string; atMs: number }): Promise<void> {
    const params = {
      keyId: key.keyId,
      sort: key.sort,
      fingerprint: key.fingerprint,
      endsOn: dateInZone(key.expiresAtMs, parts.settings.zone),
    };
    await messages.notify(sql, { clientId: key.clientId, params, ...what });
    await messages.notify(sql, { desk: 'delivery', params: { ...params, clientId: key.clientId }, ...what });
  }

  async function end(sql: Sql, key: EndingKey, atMs: number): Promise<void> {
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

  async function warn(sql: Sql, key: EndingKey, days: number, atMs: number): Promise<void> {
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

  return {
    /** One run over every key that ends within 60 days; safe to repeat. Shape: how many were warned of and ended. */
    async warnOfExpiry(): Promise<{ warned: number; ended: number }> {
      const atMs = clock.nowMs();
      const done = { warned: 0, ended: 0 };
      const horizonMs = atMs + warningDays[0] * dayMs;
      for (let after: string | undefined; ; ) {
        const keys = await listEnding(database.sql, horizonMs, { after, limit: keysAtOnce });
        for (const key of keys) {
          const warnedDays = key.warnedDays ?? undefined;
          const days = dueWarning({ expiresAtMs: key.expiresAtMs, warnedDays, nowMs: atMs });
          if (key.expiresAtMs <= atMs) {
            await database.transaction((sql) => end(sql, key, atMs));
            done.ended += 1;
          } else if (days !== undefined) {
            await database.transaction((sql) => warn(sql, key, days, atMs));
            done.warned += 1;
          }
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
