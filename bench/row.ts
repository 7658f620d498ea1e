// What a row of the benchmark is: sides that do the same work, what is measured of them, and the bars it is held to.

export type Better = 'higher' | 'lower' | 'neither';

/** One figure that sides give. Shape: `better` says which way it is good, so that a ratio above 1 is ours; `neither` makes none. */
export interface Measure {
  readonly name: string;
  readonly unit: string;
  readonly better: Better;
  readonly bars?: readonly Bar[];
}

/** A bar is met by the median, and only where nothing of ours failed. */
export type Bar =
  | { readonly kind: 'ratio'; readonly against: string; readonly min: number }
  | { readonly kind: 'at-least' | 'at-most'; readonly value: number };

/** What one run of a side gave. A measure that is left out was not measured on this side. */
export interface Sample {
  readonly values: Readonly<Record<string, number>>;
  /** How many things were tried: transfers, files, sign-ins. */
  readonly attempts: number;
  readonly failures: number;
}

export interface Side {
  readonly name: string;
  readonly version: string;
  /** Fewer rounds than the row, for a peer that is slow and decides no bar. */
  readonly rounds?: number;
  /** Does the work once. Round 0 is the warm-up, whose figures are not kept. */
  run(round: number): Promise<Sample>;
}

export interface OpenRow extends Partial<AsyncDisposable> {
  /** Ours first. */
  readonly sides: readonly Side[];
}

/** What rows are opened with. */
export interface Bench {
  /** Smaller amounts, for development: its figures are not for quoting. */
  readonly isQuick: boolean;
  /** Opens a thing once for all rows that ask for it by this name; it is closed at the end of the whole run. */
  share<Thing extends AsyncDisposable>(name: string, open: () => Promise<Thing>): Promise<Thing>;
  /** Names of the sides that are asked for; undefined means all. */
  readonly wants: (side: string) => boolean;
  /** Where profiles of our processes go, if they are asked for. */
  readonly profileFolder?: string;
  /** One line about what is being prepared. */
  say(text: string): void;
}

export interface Row {
  readonly name: string;
  /** One sentence: what is done. */
  readonly meaning: string;
  /** What a reader must know to judge the figures. */
  readonly notes?: readonly string[];
  /** The first is the one that matters most. */
  readonly measures: readonly Measure[];
  /** Rounds after the warm-up. */
  readonly rounds: number;
  open(bench: Bench): Promise<OpenRow>;
}
