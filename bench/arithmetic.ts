// The arithmetic of a comparison: medians with their spread, ratios pair by pair, and whether a bar is met.
import type { Bar, Better, Measure, Row, Sample } from './row.ts';

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

/** Shape: undefined where there is nothing to tell of. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined) return undefined;
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
  return { median, min, max, count: sorted.length };
}

/** One side's runs in order. A run that failed as a whole has no sample. */
export interface Runs {
  readonly name: string;
  readonly version: string;
  readonly samples: readonly (Sample | undefined)[];
  /** What the failed runs said. */
  readonly faults: readonly string[];
}

export interface SideResult {
  readonly name: string;
  readonly version: string;
  readonly attempts: number;
  readonly failures: number;
  readonly faults: readonly string[];
}

export interface BarResult {
  readonly text: string;
  readonly verdict: 'met' | 'not met' | 'not measured';
}

export interface MeasureResult {
  readonly name: string;
  readonly unit: string;
  readonly better: Better;
  /** By the side's name. */
  readonly values: Readonly<Record<string, Spread>>;
  /** Ours to each peer's, pair by pair, above 1 where ours is better. */
  readonly ratios: Readonly<Record<string, Spread>>;
  readonly bars: readonly BarResult[];
}

export interface RowResult {
  readonly name: string;
  readonly meaning: string;
  readonly notes: readonly string[];
  readonly sides: readonly SideResult[];
  readonly measures: readonly MeasureResult[];
}

/** Shape: the first of `runs` is ours. */
export function summarise(row: Pick<Row, 'name' | 'meaning' | 'notes' | 'measures'>, runs: readonly Runs[]): RowResult {
  const sides = runs.map(countSide);
  const hasOurFailures = (sides[0]?.failures ?? 1) > 0;
  return {
    name: row.name,
    meaning: row.meaning,
    notes: row.notes ?? [],
    sides,
    measures: row.measures.map((measure) => summariseMeasure(measure, runs, hasOurFailures)),
  };
}

function countSide({ name, version, samples, faults }: Runs): SideResult {
  const count = (of: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + (sample === undefined ? 1 : of(sample)), 0);
  return {
    name,
    version,
    attempts: count((sample) => sample.attempts),
    failures: count((sample) => sample.failures),
    faults,
  };
}

function summariseMeasure(measure: Measure, runs: readonly Runs[], hasOurFailures: boolean): MeasureResult {
  const { name, unit, better } = measure;
  const valuesOf = (side: Runs): (number | undefined)[] => side.samples.map((sample) => sample?.values[name]);
  const values: Record<string, Spread> = {};
  const ratios: Record<string, Spread> = {};
  const [ours, ...peers] = runs;
  for (const side of runs) {
    const spread = spreadOf(valuesOf(side).filter((value) => value !== undefined));
    if (spread !== undefined) values[side.name] = spread;
  }
  for (const peer of better === 'neither' ? [] : peers) {
    const own = valuesOf(ours!);
    const pairs = valuesOf(peer).flatMap((theirs, index) => {
      const mine = own[index];
      // What was too small to be measured makes no ratio.
      if (mine === undefined || theirs === undefined || mine <= 0 || theirs <= 0) return [];
      return [better === 'higher' ? mine / theirs : theirs / mine];
    });
    const spread = spreadOf(pairs);
    if (spread !== undefined) ratios[peer.name] = spread;
  }
  const judged = { values, ratios, ours: ours?.name ?? '', hasOurFailures };
  return { name, unit, better, values, ratios, bars: (measure.bars ?? []).map((bar) => judge(bar, measure, judged)) };
}

function judge(
  bar: Bar,
  measure: Measure,
  judged: Pick<MeasureResult, 'values' | 'ratios'> & { readonly ours: string; readonly hasOurFailures: boolean },
): BarResult {
  const isRatio = bar.kind === 'ratio';
  const median = (isRatio ? judged.ratios[bar.against] : judged.values[judged.ours])?.median;
  const text = isRatio
    ? `≥ ${Number(bar.min.toPrecision(3))} × ${bar.against}`
    : `${bar.kind === 'at-least' ? '≥' : '≤'} ${bar.value} ${measure.unit}`;
  if (median === undefined) return { text, verdict: 'not measured' };
  const reached = isRatio ? median >= bar.min : bar.kind === 'at-least' ? median >= bar.value : median <= bar.value;
  return { text, verdict: reached && !judged.hasOurFailures ? 'met' : 'not met' };
}
