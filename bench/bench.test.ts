// The framework's own arithmetic, on sides that say what they gave: nothing here is measured.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runRow } from './alternation.ts';
import { spreadOf } from './arithmetic.ts';
import { cpuSecondsOf, memoryBytesOf, treeOf } from './process-cost.ts';
import type { Bench, Row, Sample } from './row.ts';

const bench: Bench = {
  isQuick: true,
  share: (_name, open) => open(),
  wants: () => true,
  say: () => undefined,
};

interface Scripted {
  readonly name: string;
  /** What each run gives, the warm-up first. */
  readonly speeds: readonly (number | Error)[];
  readonly failures?: number;
  readonly rounds?: number;
}

/** A row whose sides give what they are told to; `order` takes down who ran when. */
function createRow(sides: readonly Scripted[], order: string[] = []): Row {
  return {
    name: 'scripted',
    meaning: 'Nothing is done',
    measures: [
      { name: 'speed', unit: 'MiB/s', better: 'higher', bars: [{ kind: 'ratio', against: 'peer', min: 1 }] },
      { name: 'cost', unit: 's', better: 'lower', bars: [{ kind: 'at-most', value: 1 }] },
    ],
    rounds: 3,
    open: async () => ({
      sides: sides.map(({ name, speeds, failures = 0, rounds }) => ({
        name,
        version: '1',
        ...(rounds !== undefined && { rounds }),
        async run(round): Promise<Sample> {
          order.push(name);
          const speed = speeds[round]!;
          if (speed instanceof Error) throw speed;
          return { values: { speed, cost: 1 / speed }, attempts: 10, failures };
        },
      })),
    }),
  };
}

test('a spread has the middle value, or the mean of the two in the middle', () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3, count: 3 });
  assert.deepEqual(spreadOf([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4, count: 4 });
  assert.deepEqual(spreadOf([7]), { median: 7, min: 7, max: 7, count: 1 });
  assert.equal(spreadOf([]), undefined);
});

test('sides take turns, the warm-up is not kept, and ratios are made pair by pair', async () => {
  const order: string[] = [];
  const ours = { name: 'ours', speeds: [1, 10, 40, 30] };
  const result = await runRow(createRow([ours, { name: 'peer', speeds: [1000, 5, 80, 10] }], order), bench);
  assert.deepEqual(order, ['ours', 'peer', 'ours', 'peer', 'ours', 'peer', 'ours', 'peer']);
  const [speed, cost] = result.measures;
  assert.deepEqual(speed!.values['ours'], { median: 30, min: 10, max: 40, count: 3 });
  // 10/5, 40/80 and 30/10: the ratio of the medians would be 3.
  assert.deepEqual(speed!.ratios['peer'], { median: 2, min: 0.5, max: 3, count: 3 });
  assert.equal(Math.round(cost!.ratios['peer']!.median * 100), 200, 'a cost that is half of the peer counts as twice');
  assert.deepEqual(
    result.measures.map(({ bars }) => bars[0]!.verdict),
    ['met', 'met'],
  );
});

test('failures are counted for both sides, and a bar is not met where something of ours failed', async () => {
  const fast = { name: 'ours', speeds: [9, 9, 9, 9], failures: 1 };
  const result = await runRow(createRow([fast, { name: 'peer', speeds: [1, 1, 1, 1], failures: 4 }]), bench);
  assert.deepEqual(
    result.sides.map(({ attempts, failures }) => [attempts, failures]),
    [
      [30, 3],
      [30, 12],
    ],
  );
  assert.equal(result.measures[0]!.bars[0]!.verdict, 'not met');
});

test('a peer that fails is reported so, and no ratio is made of it', async () => {
  const broken = new Error('connection refused');
  const peer = { name: 'peer', speeds: [broken, broken, broken, broken] };
  const { sides, measures } = await runRow(createRow([{ name: 'ours', speeds: [1, 2, 2, 2] }, peer]), bench);
  assert.deepEqual(sides[1], {
    name: 'peer',
    version: '1',
    attempts: 3,
    failures: 3,
    faults: Array.from({ length: 4 }, () => 'connection refused'),
  });
  assert.deepEqual(measures[0]!.ratios, {});
  assert.equal(measures[0]!.bars[0]!.verdict, 'not measured');
  assert.equal(measures[1]!.bars[0]!.verdict, 'met', 'what needs no peer is judged all the same');
});

test('one lost round costs its pair and no other, and a side may have fewer rounds', async () => {
  const sides = [
    { name: 'ours', speeds: [1, 4, 4, 4] },
    { name: 'peer', speeds: [1, 2, new Error('lost'), 1] },
    { name: 'slow', speeds: [1, 1], rounds: 1 },
  ];
  const { measures } = await runRow(createRow(sides), bench);
  assert.deepEqual(measures[0]!.ratios['peer'], { median: 3, min: 2, max: 4, count: 2 });
  assert.equal(measures[0]!.ratios['slow']!.count, 1);
});

test('what a process costs is read with what descends from it', () => {
  assert.ok(treeOf([process.pid]).includes(process.pid));
  assert.ok(cpuSecondsOf([process.pid]) > 0);
  assert.ok(memoryBytesOf([process.pid]) > 10 * 1024 * 1024);
  assert.equal(memoryBytesOf([2 ** 30]), 0, 'a process that is gone costs nothing');
});
