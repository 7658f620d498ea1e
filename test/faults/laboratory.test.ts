// Rounds of the laboratory, by seeds: a few in every test run, hundreds in the long one. One seed alone is repeated by
// BROADGATE_TEST_SEED; its acts and strikes are the same, their interleaving is the machine's.
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { openLaboratory } from './laboratory.ts';

const isLong = process.env['BROADGATE_TEST_LONG'] === '1';
const asked = process.env['BROADGATE_TEST_SEED'];
const base = randomBytes(4).toString('hex');
const rounds = isLong ? 400 : 4;
/** A world keeps its audit trail and its manifests, so that checking them takes longer from round to round. */
const roundsOfWorld = 25;

const seeds = asked === undefined ? Array.from({ length: rounds }, (_, index) => `${base}-${index}`) : [asked];

test('nothing that was acknowledged is lost, doubled or half there, whatever fails while clients and the desk work', async (t) => {
  const begunMs = performance.now();
  const total = { acknowledged: 0, broken: 0, refused: 0 };
  for (let from = 0; from < seeds.length; from += roundsOfWorld) {
    await using laboratory = await openLaboratory();
    if (from === 0 && laboratory.world.disk === undefined)
      t.diagnostic('no disk can be mounted here: disks do not fail');
    for (const seed of seeds.slice(from, from + roundsOfWorld)) {
      const { struck, acknowledged, broken, refused } = await laboratory.run(seed);
      total.acknowledged += acknowledged;
      total.broken += broken;
      total.refused += refused;
      t.diagnostic(`seed ${seed}: ${struck.join(', ')}; ${acknowledged} acknowledged, ${broken} broken off`);
    }
  }
  const seconds = ((performance.now() - begunMs) / 1000).toFixed(0);
  t.diagnostic(`${seeds.length} seeds in ${seconds} s: ${JSON.stringify(total)}`);
});
