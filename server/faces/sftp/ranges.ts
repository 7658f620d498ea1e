// Byte ranges of a file that went out to a peer, for receipts: few, in order, joined where they touch.

export interface Range {
  readonly startBytes: number;
  readonly endBytes: number;
}

/** More ranges than this join with their nearest neighbour, so that a receipt stays small whatever a peer reads. */
export const rangesMax = 64;

export function createRanges() {
  let ranges: Range[] = [];
  return {
    add(startBytes: number, endBytes: number): void {
      if (endBytes <= startBytes) return;
      const last = ranges.at(-1);
      // What a transfer does: each piece begins where the last one ended.
      if (last && startBytes >= last.startBytes && startBytes <= last.endBytes) {
        ranges[ranges.length - 1] = {
          startBytes: last.startBytes,
          endBytes: Math.max(last.endBytes, endBytes),
        };
        return;
      }
      ranges = join([...ranges, { startBytes, endBytes }].sort((a, b) => a.startBytes - b.startBytes));
      if (ranges.length > rangesMax) ranges = closeSmallestGap(ranges);
    },
    get list(): readonly Range[] {
      return ranges;
    },
  };
}

function join(sorted: readonly Range[]): Range[] {
  const joined: Range[] = [];
  for (const range of sorted) {
    const last = joined.at(-1);
    if (last && range.startBytes <= last.endBytes) {
      const endBytes = Math.max(last.endBytes, range.endBytes);
      joined[joined.length - 1] = { startBytes: last.startBytes, endBytes };
    } else joined.push(range);
  }
  return joined;
}

function closeSmallestGap(ranges: readonly Range[]): Range[] {
  let at = 1;
  const gap = (index: number): number => ranges[index]!.startBytes - ranges[index - 1]!.endBytes;
  for (let index = 2; index < ranges.length; index++) if (gap(index) < gap(at)) at = index;
  const joined = { startBytes: ranges[at - 1]!.startBytes, endBytes: ranges[at]!.endBytes };
  return [...ranges.slice(0, at - 1), joined, ...ranges.slice(at + 1)];
}
