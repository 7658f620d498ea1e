// `npm test`: brings the real clients, starts one database cluster for all files, runs them, and compares the acceptance table.
//   npm test                        everything
//   npm test -- FILE …              these files alone
//   npm test -- --without-clients   where the clients cannot be installed: their tests are skipped, and counted as skipped
//   npm run test:long               the long sweeps too
import { spawn, spawnSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startTestCluster } from '../test/database.ts';
import { formatAcceptance, readOutcomes, readRows } from './acceptance.ts';
import { installClients } from './clients.ts';

const root = path.join(import.meta.dirname, '..');
const output = path.join(root, 'test-output');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { long: { type: 'boolean' }, 'without-clients': { type: 'boolean' } },
});

const missing = values['without-clients'] ? [] : installClients();
if (missing.length > 0) {
  const rows = missing.map((row) => `  ${row.program} (Debian package ${row.package})`).join('\n');
  console.error(`These programs are missing:\n${rows}\nInstall them, or run: npm test -- --without-clients`);
  process.exit(1);
}

// Browsers open the built portal, and a server that is started as by default serves it.
const build = spawnSync(process.execPath, [path.join(root, 'tools/build-portal.ts'), '--if-changed'], {
  stdio: 'inherit',
});
if (build.status !== 0) process.exit(1);

const all = globSync(
  [
    'server/**/*.test.ts',
    'packages/**/*.test.ts',
    'cli/**/*.test.ts',
    'web/**/*.test.ts',
    'tools/**/*.test.ts',
    'bench/*.test.ts',
    'test/**/*.test.ts',
  ],
  {
    cwd: root,
    exclude: (name) => name.includes('node_modules'),
  },
).sort();
const files = positionals.length > 0 ? positionals : all;
if (files.length === 0) {
  console.error('no test file was found');
  process.exit(1);
}

mkdirSync(output, { recursive: true });
const outcomesFile = path.join(output, 'outcomes.jsonl');
const cluster = await startTestCluster();
const env = {
  ...process.env,
  BROADGATE_TEST_DATABASE_URL: cluster.url,
  BROADGATE_TEST_OUTPUT: output,
  // Hundreds of processes load the same sources.
  NODE_COMPILE_CACHE: path.join(root, 'node_modules/.cache/compile'),
  ...(values.long ? { BROADGATE_TEST_LONG: '1' } : {}),
  ...(values['without-clients'] ? { BROADGATE_TEST_WITHOUT_CLIENTS: '1' } : {}),
};
const reporters = ['spec', 'stdout', './tools/outcome-reporter.ts', outcomesFile];
const status = await new Promise<number>((done, failed) => {
  const run = spawn(
    process.execPath,
    [
      '--test',
      '--test-concurrency=3',
      `--test-timeout=${values.long ? 4 * 3_600_000 : 900_000}`,
      ...reporters.map((value, index) => `--test-reporter${index % 2 === 0 ? '' : '-destination'}=${value}`),
      ...files,
    ],
    { cwd: root, env, stdio: 'inherit' },
  );
  run.on('error', failed);
  run.on('exit', (code) => done(code ?? 1));
});
await cluster.close();

process.exit(positionals.length > 0 ? status : Math.max(status, compareAcceptance()));

/** Writes what this run proved, and fails where docs/reference/acceptance.md says something else. */
function compareAcceptance(): number {
  const rows = readRows(readFileSync(path.join(root, 'docs/acceptance.md'), 'utf8'));
  const printed = formatAcceptance(rows, readOutcomes(readFileSync(outcomesFile, 'utf8')));
  writeFileSync(path.join(output, 'acceptance.md'), printed);
  const kept = path.join(root, 'docs/reference/acceptance.md');
  const matches = globSync(kept).length > 0 && readFileSync(kept, 'utf8') === printed;
  if (!matches && !values['without-clients']) {
    console.error('docs/reference/acceptance.md differs from this run; look at it, then: npm run docs -- --acceptance');
    return 1;
  }
  return 0;
}
