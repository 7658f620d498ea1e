// What peers make this process keep in memory, and who must go when it is too much: the heaviest, not the newest.

export interface LedgerLimits {
  /** All connections together. One that takes no answers holds a few tens of megabytes, so many of them would not fit. */
  readonly heldBytesMax: number;
  /** Signed-in connections of one owner: no owner can use up the places of all. */
  readonly ownerConnectionsMax: number;
}

export const defaultLedgerLimits: LedgerLimits = { heldBytesMax: 512 * 1024 * 1024, ownerConnectionsMax: 1000 };

export interface Holder {
  readonly owner: string;
  readonly heldBytes: number;
}

/**
 * Picks who must go so that the rest fits: again and again the largest connection of the owner who holds most in all.
 * One owner with many connections is thus cut before others with one each.
 */
export function pickHeaviest<Held extends Holder>(holders: Iterable<Held>, heldBytesMax: number): Held[] {
  const byOwner = new Map<string, { sum: number; readonly held: { readonly bytes: number; readonly one: Held }[] }>();
  let total = 0;
  for (const one of holders) {
    const bytes = one.heldBytes;
    const group = byOwner.get(one.owner) ?? { sum: 0, held: [] };
    byOwner.set(one.owner, group);
    group.held.push({ bytes, one });
    group.sum += bytes;
    total += bytes;
  }
  if (total <= heldBytesMax) return [];
  const picked: Held[] = [];
  for (const group of byOwner.values()) group.held.sort((a, b) => a.bytes - b.bytes);
  while (total > heldBytesMax) {
    const heaviest = [...byOwner.values()].reduce((most, group) => (group.sum > most.sum ? group : most));
    const largest = heaviest.held.pop();
    if (largest === undefined) break;
    heaviest.sum -= largest.bytes;
    total -= largest.bytes;
    picked.push(largest.one);
  }
  return picked;
}
