// Addresses on file: what is listed, how an entry ends, the desk's blocks, and the list as a firewall can load it.
import type { Actor } from '../../kernel/actor.ts';
import type { Audit } from '../../kernel/audit.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
import { brokenConstraint, type Database } from '../../kernel/sql.ts';
import { formatNetwork, parseNetwork } from './address-rules.ts';
import {
  type AddressEntry,
  findEntry,
  insertBlock,
  listActiveNetworks,
  type ActiveNetwork,
  listEntries,
  moveEntry,
  notifyAllowListChanged,
} from './address-store.ts';
import { formatNftables } from './nftables.ts';
import { checkDesk, checkOwn } from './permission-rules.ts';
import { readPrefixTable } from './prefix-table.ts';
import { refusals } from './rules.ts';
import { lockElection } from './store.ts';
import { moveOf, type Transitions } from './transitions.ts';

export function createAddresses(parts: {
  database: Database;
  clock: Clock;
  ids: Ids;
  audit: Pick<Audit, 'append'>;
  transitions: Transitions;
}) {
  const { database, clock, transitions } = parts;

  const auditBlock = async (
    sql: Database['sql'],
    actor: Actor,
    action: string,
    entry: { id: string; network: string },
  ) =>
    await parts.audit.append(sql, {
      actor,
      action,
      subject: `address:${entry.id}`,
      detail: { network: entry.network },
    });

  /**
   * The allow-list as nftables sets, for operators who want the machine itself to drop strangers (brief: a program
   * cannot drop a SYN). Shape: text that `nft -f` loads.
   */
  async function formatSets(actor: Actor, port: number): Promise<string> {
    checkDesk(actor);
    const blocked: string[] = [];
    const pages = async function* (): AsyncGenerator<ActiveNetwork[]> {
      for await (const page of listActiveNetworks(database.sql)) {
        blocked.push(...page.filter((entry) => entry.effect === 'block').map(({ network }) => network));
        yield page;
      }
    };
    const networks = await readPrefixTable(pages());
    return formatNftables({ allowed: networks.allowed(), blocked, port });
  }

  const operations = {
    /** A client's own entries; the desk's list of a client's or of everyone's. Newest first. */
    async listAddresses(
      actor: Actor,
      filter: { clientId?: string | undefined; isLive: boolean },
      page: { after: string | undefined; limit: number },
    ): Promise<{ items: AddressEntry[]; next: string | undefined }> {
      if (actor.kind !== 'client') checkDesk(actor);
      const clientId = actor.kind === 'client' ? actor.clientId : filter.clientId;
      const { isLive } = filter;
      const wanted = { clientId, effect: 'allow', isLive, after: page.after, limit: page.limit + 1 } as const;
      const rows = await listEntries(database.sql, wanted);
      const items = rows.slice(0, page.limit);
      return { items, next: rows.length > page.limit ? items.at(-1)?.entryId : undefined };
    },

    /**
     * Takes an entry off the list, in force or waiting; connections from it end when this commits.
     * Refuses: delivery_not_found.
     */
    async removeAddress(actor: Actor, entryId: string, reason: string): Promise<void> {
      await database.transaction(async (sql) => {
        const atMs = clock.nowMs();
        const { clientId } = checkOwn(actor, await findEntry(sql, entryId));
        await lockElection(sql, clientId, atMs);
        const entry = (await findEntry(sql, entryId))!;
        if (entry.state === 'removed') throw refusals.delivery_not_found();
        const change = { atMs, reason: reason.trim().slice(0, 200) || 'removed' };
        const move = moveOf('address', entry.state, 'removed');
        await transitions.address(sql, actor, { id: entryId, clientId }, move, change);
        await notifyAllowListChanged(sql);
      });
    },

    /** The desk keeps a network out, whoever has listed it more widely. Refuses: delivery_forbidden, address_malformed. */
    async blockAddress(actor: Actor, written: string): Promise<AddressEntry> {
      checkDesk(actor);
      const network = formatNetwork(parseNetwork(written));
      return await database.transaction(async (sql) => {
        const entryId = parts.ids.next();
        try {
          await insertBlock(sql, { entryId, network, atMs: clock.nowMs() });
        } catch (fault) {
          if (brokenConstraint(fault) === 'address_entries_blocked')
            throw refusals.address_listed({ address: network });
          throw fault;
        }
        await auditBlock(sql, actor, 'address.blocked', { id: entryId, network });
        await notifyAllowListChanged(sql);
        return (await findEntry(sql, entryId))!;
      });
    },

    /** The desk's own blocks, newest first. Refuses: delivery_forbidden. */
    async listBlocks(actor: Actor, page: { after: string | undefined; limit: number }) {
      checkDesk(actor);
      const wanted = { effect: 'block', isLive: true, after: page.after, limit: page.limit + 1 } as const;
      const rows = await listEntries(database.sql, wanted);
      const items = rows.slice(0, page.limit);
      return { items, next: rows.length > page.limit ? items.at(-1)?.entryId : undefined };
    },

    /** Takes a block of the desk off again. Refuses: delivery_forbidden, delivery_not_found. */
    async unblockAddress(actor: Actor, entryId: string): Promise<void> {
      checkDesk(actor);
      await database.transaction(async (sql) => {
        const entry = await findEntry(sql, entryId);
        if (entry === undefined || entry.effect !== 'block') throw refusals.delivery_not_found();
        const change = { atMs: clock.nowMs(), reason: 'unblocked' };
        if (!(await moveEntry(sql, entryId, { from: 'active', to: 'removed' }, change)))
          throw refusals.delivery_not_found();
        await auditBlock(sql, actor, 'address.unblocked', { id: entryId, network: entry.network });
        await notifyAllowListChanged(sql);
      });
    },
  };
  return { formatSets, operations };
}
