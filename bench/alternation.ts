// Runs one row: every side once to warm up, then all of them in turn, round after round, so that a slow minute hits them alike.
import { type RowResult, type Runs, summarise } from './arithmetic.ts';
import type { Bench, Row, Sample, Side } from './row.ts';

const faultLengthMax = 400;

/** A run that throws is counted as failed, is printed, and stops nothing. */
export async function runRow(row: Row, bench: Bench, asked: { readonly rounds?: number } = {}): Promise<RowResult> {
  const opened = await row.open(bench);
  try {
    const sides = opened.sides.filter((side) => bench.wants(side.name));
    const rounds = asked.rounds ?? row.rounds;
    const runs = sides.map((side) => ({ side, samples: [] as (Sample | undefined)[], faults: [] as string[] }));
    for (let round = 0; round <= rounds; round++) {
      for (const { side, samples, faults } of runs) {
        if (round > (side.rounds ?? rounds)) continue;
        const ran = await runOnce(side, round);
        if (ran.fault !== undefined) faults.push(ran.fault);
        if (round > 0) samples.push(ran.sample);
        bench.say(
          `${row.name} ${side.name} ${round === 0 ? 'warm-up' : `round ${round}`}: ${describe(row, round, ran)}`,
        );
      }
    }
    return summarise(
      row,
      runs.map(({ side, samples, faults }): Runs => ({ name: side.name, version: side.version, samples, faults })),
    );
  } finally {
    await opened[Symbol.asyncDispose]?.();
  }
}

interface Ran {
  readonly sample?: Sample;
  readonly fault?: string;
}

async function runOnce(side: Side, round: number): Promise<Ran> {
  try {
    return { sample: await side.run(round) };
  } catch (thrown) {
    return { fault: (thrown instanceof Error ? thrown.message : String(thrown)).slice(0, faultLengthMax) };
  }
}

function describe(row: Row, round: number, { sample, fault }: Ran): string {
  if (sample === undefined) return `failed: ${fault}`;
  if (round === 0) return 'done';
  const shown = row.measures.flatMap(({ name, unit }) => {
    const value = sample.values[name];
    return value === undefined ? [] : [`${name} ${value.toPrecision(4)} ${unit}`];
  });
  if (sample.failures > 0) shown.push(`${sample.failures} of ${sample.attempts} failed`);
  return shown.join(', ');
}
