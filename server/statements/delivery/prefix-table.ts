// A table of networks that answers in a few steps which of them an address falls into most narrowly.
import { formatNetwork, maskTo, type Network, parseAddress, parseNetwork } from './address-rules.ts';

export type Effect = 'allow' | 'block';

export interface PrefixTable {
  /** The effect of the longest prefix that holds the address; 'block' wins between equals. undefined when none does. */
  find(address: string): Effect | undefined;
  readonly size: number;
  /** What is let in, as canonical networks, for exports. */
  allowed(): string[];
}

type Lengths = Map<number, Map<bigint, Effect>>;
type Entries = Iterable<{ readonly network: string; readonly effect: Effect }>;

/** Built once from a list and never changed: a changed list makes a new table. */
export function createPrefixTable(entries: Entries): PrefixTable {
  const families = createFamilies();
  return tableOf(families, addAll(families, entries));
}

/** The same from a list that comes in pages, so that a long one does not hold up what else the process does. */
export async function readPrefixTable(pages: AsyncIterable<Entries>): Promise<PrefixTable> {
  const families = createFamilies();
  let size = 0;
  for await (const entries of pages) size += addAll(families, entries);
  return tableOf(families, size);
}

const createFamilies = (): Record<4 | 6, Lengths> => ({ 4: new Map(), 6: new Map() });

function addAll(families: Record<4 | 6, Lengths>, entries: Entries): number {
  let added = 0;
  for (const { network: text, effect } of entries) {
    const network = parseNetwork(text);
    const lengths = families[network.family];
    const same = lengths.get(network.prefix) ?? new Map<bigint, Effect>();
    lengths.set(network.prefix, same);
    if (same.get(network.first) !== 'block') same.set(network.first, effect);
    added += 1;
  }
  return added;
}

function tableOf(families: Record<4 | 6, Lengths>, size: number): PrefixTable {
  // Longest first, so that the first hit decides between conflicting entries.
  const ordered = { 4: longestFirst(families[4]), 6: longestFirst(families[6]) };

  function findIn(network: Pick<Network, 'family' | 'first'>): Effect | undefined {
    for (const [prefix, same] of ordered[network.family]) {
      const effect = same.get(maskTo(network.family, network.first, prefix));
      if (effect !== undefined) return effect;
    }
    return undefined;
  }

  return {
    size,
    find(text) {
      const address = parseAddress(text);
      return address === undefined ? undefined : findIn({ family: address.family, first: address.value });
    },
    allowed() {
      const found: string[] = [];
      for (const family of [4, 6] as const) {
        for (const [prefix, same] of ordered[family]) {
          for (const [first, effect] of same) {
            if (effect === 'allow') found.push(formatNetwork({ family, first, prefix }));
          }
        }
      }
      return found.sort();
    },
  };
}

const longestFirst = (lengths: Lengths): [number, Map<bigint, Effect>][] => [...lengths].sort(([a], [b]) => b - a);
