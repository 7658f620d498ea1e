// Runs one fuzz target: first what is kept in test/corpus, then mutants of it, with every bound watched.
//
// `npm test` runs a fixed number of cases with a fixed seed. BROADGATE_TEST_LONG runs each target for ten minutes, or for
// BROADGATE_TEST_FUZZ_SECONDS; the seed is printed, and BROADGATE_TEST_SEED repeats it. An input that a target fails on is
// written below test-output/fuzz: move it to test/corpus/found/TARGET/ under a name that says what it shows, and it runs first.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createCoverage, startCoverage } from './coverage.ts';
import { createDice, type Dice } from './dice.ts';
import { mutate } from './mutate.ts';
import { createWatchdog } from './watchdog.ts';

const root = path.join(import.meta.dirname, '../..');
const corpusFolder = path.join(root, 'test/corpus');
const crashFolder = path.join(process.env['BROADGATE_TEST_OUTPUT'] ?? path.join(root, 'test-output'), 'fuzz');

const seconds = Number(process.env['BROADGATE_TEST_FUZZ_SECONDS'] ?? 600);
export const isLong = process.env['BROADGATE_TEST_LONG'] !== undefined;
const fixedSeed = '20261124';
export const fuzzSeed = process.env['BROADGATE_TEST_SEED'] ?? (isLong ? randomBytes(8).toString('hex') : fixedSeed);

if (isLong) startCoverage();

export interface Target {
  readonly name: string;
  /** Folders or files below test/corpus. */
  readonly corpus?: readonly string[];
  /** Inputs that code makes. */
  readonly seeds?: readonly Buffer[];
  readonly words?: readonly (Buffer | string)[];
  /** In `npm test`, corpus apart. */
  readonly cases: number;
  readonly bytesMax?: number;
  /** Of the main thread, for one call. */
  readonly cpuMsMax?: number;
  /** Changes an input where the general mutator would only break it. */
  readonly mutate?: (dice: Dice, input: Buffer, pool: readonly Buffer[]) => Buffer;
  /**
   * Decodes and checks. Throws where the decoder broke a promise. Shape: a word for how it ended; an input that ends in a
   * way not seen before joins the pool, and in a long run one that reaches new code.
   */
  run(input: Buffer, dice: Dice): string | Promise<string>;
}

/** Every input of the corpus folders, in the order of their names. */
export function readCorpus(...names: readonly string[]): Buffer[] {
  return names.flatMap((name) => {
    const place = path.join(corpusFolder, name);
    const files = readdirSync(place).sort();
    if (files.length === 0) throw new Error(`the corpus has nothing in ${name}`);
    return files.map((file) => readFileSync(path.join(place, file)));
  });
}

export const readKept = (name: string): Buffer => readFileSync(path.join(corpusFolder, name));

const slugOf = (name: string): string => name.replace(/[^a-z0-9]+/g, '-');

/** What this target once failed on; it runs first. */
function readFound(name: string): Buffer[] {
  const folder = `found/${slugOf(name)}`;
  return existsSync(path.join(corpusFolder, folder)) ? readCorpus(folder) : [];
}

const cpuMsMaxDefault = 100;
/** Ways to end that are told apart, and inputs of the pool. */
const endsMax = 4000;
/** What the pool may grow by. Units: bytes. */
const poolGrowthBytesMax = 8 * 1024 * 1024;
const lookEveryMs = 15_000;
/** What the heap may have grown by between the first and the last look. Units: bytes. */
const growthBytesMax = 64 * 1024 * 1024;

/** Runs the target and tells in the test's report how much was tried. */
export async function fuzz(test: TestContext, target: Target): Promise<void> {
  // A promise that never settles would end the process without a word; so the watchdog gets to see it.
  const alive = setInterval(() => undefined, 1000);
  try {
    await runTarget(test, target);
  } finally {
    clearInterval(alive);
  }
}

async function runTarget(test: TestContext, target: Target): Promise<void> {
  const { name, bytesMax = 64 * 1024, cpuMsMax = cpuMsMaxDefault } = target;
  const corpus = [...readFound(name), ...readCorpus(...(target.corpus ?? [])), ...(target.seeds ?? [])];
  const pool = corpus.length > 0 ? [...corpus] : [Buffer.from('0')];
  const words = (target.words ?? []).map((word) => Buffer.from(word as string));
  const ends = new Map<string, number>();
  using watchdog = createWatchdog(bytesMax, (hash) => crashPath(name, hash));
  let slowestMs = 0;
  let cases = 0;
  let poolGrowthBytes = 0;
  const coverage = isLong ? createCoverage() : undefined;

  async function tryOne(input: Buffer, diceSeed: string): Promise<string> {
    watchdog.begin(input);
    const startedMs = performance.now();
    const before = process.threadCpuUsage();
    const running = target.run(input, createDice(diceSeed));
    const end = typeof running === 'string' ? running : await running;
    watchdog.end();
    if (performance.now() - startedMs >= cpuMsMax) {
      const { user, system } = process.threadCpuUsage(before);
      const cpuMs = await fastest(target, input, diceSeed, (user + system) / 1000, cpuMsMax);
      if (cpuMs > cpuMsMax) throw new Error(`one call took ${cpuMs.toFixed(0)} ms of processor time`);
    }
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    return end;
  }

  async function step(input: Buffer, diceSeed: string): Promise<void> {
    cases++;
    let end: string;
    try {
      end = await tryOne(input, diceSeed);
    } catch (fault) {
      watchdog.end();
      const file = keepCrash(name, input);
      throw new Error(
        `${name}: case ${cases} of seed ${fuzzSeed} (dice ${diceSeed}) failed on ${file} ` +
          `(${input.length} bytes: ${input.subarray(0, 200).toString('hex')})`,
        { cause: fault },
      );
    }
    // Numbers in a word are no news.
    const kind = end.replace(/\b(0x)?[0-9a-f]*\d[0-9a-f]*\b/g, '#').slice(0, 120);
    if (ends.size >= endsMax && !ends.has(kind)) return;
    const times = (ends.get(kind) ?? 0) + 1;
    ends.set(kind, times);
    if (times === 1) grow(input);
    coverage?.note(input).forEach(grow);
  }

  function grow(input: Buffer): void {
    if (poolGrowthBytes > poolGrowthBytesMax || pool.length >= endsMax) return;
    pool.push(Buffer.from(input));
    poolGrowthBytes += input.length;
  }

  for (const [index, input] of corpus.entries()) await step(input, `corpus ${name} ${index}`);
  const memory = createMemoryWatch();
  let lookedAtMs = -lookEveryMs;
  const untilMs = performance.now() + seconds * 1000;
  const isOver = (): boolean => (isLong ? performance.now() >= untilMs : cases >= target.cases + corpus.length);
  for (let turn = 0; !isOver(); turn++) {
    const diceSeed = `${fuzzSeed} ${name} ${turn}`;
    const dice = createDice(`mutate ${diceSeed}`);
    const from = dice.pick(pool);
    const own = target.mutate !== undefined && !dice.isOneIn(3);
    const input = own ? target.mutate!(dice, from, pool) : mutate(dice, from, { pool, words, bytesMax });
    await step(input.subarray(0, bytesMax), diceSeed);
    // The event loop turns now and then: timers of others, and the signals that end a run.
    if (turn % 256 === 0) await new Promise((resolve) => setImmediate(resolve));
    if (turn % 256 === 0 && performance.now() - lookedAtMs > lookEveryMs) {
      await memory.look(name);
      lookedAtMs = performance.now();
    }
  }
  await memory.look(name);
  const common = [...ends].sort(([, a], [, b]) => b - a).slice(0, isLong ? 60 : 12);
  test.diagnostic(
    `${name}: seed ${fuzzSeed}, ${cases} cases, ${corpus.length} of them kept ones, ${ends.size} ends, ` +
      `slowest ${slowestMs.toFixed(1)} ms, heap ${memory.text()}` +
      (coverage ? `, pool ${pool.length}, pieces of code ${coverage.reached}` : ''),
  );
  test.diagnostic(`${name}: ${common.map(([end, count]) => `${end} ${count}`).join(', ')}`);
}

/** A busy machine, the compiler and the collector may make one call slow; only one that is always slow is. */
async function fastest(target: Target, input: Buffer, diceSeed: string, firstMs: number, enoughMs: number) {
  let bestMs = firstMs;
  for (let again = 0; again < 3 && bestMs > enoughMs; again++) {
    const before = process.threadCpuUsage();
    await target.run(input, createDice(diceSeed));
    const { user, system } = process.threadCpuUsage(before);
    bestMs = Math.min(bestMs, (user + system) / 1000);
  }
  return bestMs;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function createMemoryWatch() {
  let first: number | undefined;
  let last = 0;
  const mib = (bytes: number): string => (bytes / 1024 / 1024).toFixed(0);
  return {
    async look(name: string): Promise<void> {
      // Memory outside the heap is let go a turn after its owner is.
      for (let round = 0; round < 3; round++) {
        collectGarbage();
        await new Promise((resolve) => setImmediate(resolve));
      }
      const { heapUsed, external } = process.memoryUsage();
      last = heapUsed + external;
      first ??= last;
      if (last - first > growthBytesMax)
        throw new Error(`${name}: the heap grew from ${mib(first)} to ${mib(last)} MiB`);
    },
    text: () => `${mib(first ?? last)} to ${mib(last)} MiB`,
  };
}

const crashPath = (name: string, hash: string): string => path.join(crashFolder, `${slugOf(name)}-${hash}.bin`);

/** Writes the input for the corpus. Shape: the file's path. */
function keepCrash(name: string, input: Buffer): string {
  mkdirSync(crashFolder, { recursive: true });
  const file = crashPath(name, createHash('sha256').update(input).digest('hex').slice(0, 12));
  writeFileSync(file, input);
  return path.relative(root, file);
}
