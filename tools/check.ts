// `npm run check`: types, format, lint, dead code, shape, texts, and the docs that are printed from code. Stops at nothing: all faults at once.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');

const steps: readonly { name: string; command: readonly string[] }[] = [
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'portal types', command: ['tsc', '--noEmit', '-p', 'web/portal'] },
  { name: 'format', command: ['biome', 'format', '.'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'dead code', command: ['knip', '--no-progress'] },
  { name: 'shape', command: ['node', '--test', '--test-reporter=dot', 'test/tidy.test.ts'] },
  { name: 'texts', command: ['node', 'tools/languages.ts'] },
  { name: 'printed docs', command: ['node', 'tools/docs.ts', '--check'] },
];

// A checker that is given no file passes, so the sources are counted first.
const sources = globSync(['server/**/*.ts', 'packages/*/*.ts'], { cwd: root });
if (sources.length < 50) {
  console.error(`only ${sources.length} source files were found below ${root}: nothing would be checked`);
  process.exit(1);
}

let failed = 0;
for (const { name, command } of steps) {
  const startedMs = performance.now();
  const run = spawnSync(command[0]!, command.slice(1), { cwd: root, encoding: 'utf8' });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const passed = run.status === 0;
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  if (passed) continue;
  failed += 1;
  console.log(`${run.stdout}${run.stderr}${run.error ? `${run.error.message}\n` : ''}`);
}
process.exit(failed === 0 ? 0 : 1);
