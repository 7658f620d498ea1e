// `npm run docs`: prints docs/reference from the code. With --check it compares instead; --acceptance and --clients keep what the last test run printed.
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { settingRows } from '../server/config.ts';
import { type RefusalTable, refusalTable } from '../server/kernel/refusal.ts';
import type { Description } from './operation-types.ts';

const root = path.join(import.meta.dirname, '..');
const reference = path.join(root, 'docs/reference');

/** Markdown that stands in a table's cell. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function printSettings(): string {
  const rows = settingRows().map((row) =>
    [
      `\`${row.name}\``,
      cell(row.meaning),
      row.unit,
      row.default === '' ? '' : `\`${row.default}\``,
      row.isSecret ? 'yes' : '',
    ].join(' | '),
  );
  return page('Settings', 'server/config.ts', [
    'A setting is an environment variable. A secret may be given as the name of a file that holds it, with `_FILE` appended.',
    'All faults are reported together at start, and the program ends; `npm run -s broadgate -- doctor` prints what is in force.',
    '',
    '| Name | Meaning | Unit | Default | Secret |',
    '|---|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
  ]);
}

/** Loads every module of the server that declares refusals and gathers their tables. */
async function printRefusals(): Promise<string> {
  const names = globSync('server/**/*.ts', { cwd: root })
    .filter((name) => !name.endsWith('.test.ts') && name !== path.join('server', 'kernel', 'refusal.ts'))
    .sort()
    .filter((name) => readFileSync(path.join(root, name), 'utf8').includes('defineRefusals('));
  const rows: { code: string; kind: string; text: string; file: string }[] = [];
  for (const name of names) {
    const loaded = (await import(pathToFileURL(path.join(root, name)).href)) as Record<string, unknown>;
    for (const value of Object.values(loaded)) {
      const table = (value as { [refusalTable]?: RefusalTable } | null)?.[refusalTable];
      for (const [code, row] of Object.entries(table ?? {}))
        rows.push({ code, ...row, file: name.split(path.sep).join('/') });
    }
  }
  const twice = rows.filter((row, index) => rows.findIndex((other) => other.code === row.code) !== index);
  if (twice.length > 0) throw new Error(`a refusal code is declared twice: ${twice.map((row) => row.code).join(', ')}`);
  rows.sort((a, b) => (a.code < b.code ? -1 : 1));
  return page('Refusals', 'the `rules.ts` of each part', [
    'A code is public contract; its text is help and may change. A face maps the kind to its own status once.',
    '',
    '| Code | Kind | Text | Declared in |',
    '|---|---|---|---|',
    ...rows.map((row) => `| \`${row.code}\` | ${row.kind} | ${cell(row.text)} | ${row.file} |`),
  ]);
}

/** Reads each `events.ts`: a comment that says what is recorded, above the name it is recorded under. */
function printEvents(): string {
  const rows: string[] = [];
  for (const name of globSync('server/**/*events.ts', { cwd: root }).sort()) {
    const source = readFileSync(path.join(root, name), 'utf8');
    for (const [, meaning, event] of source.matchAll(/\/\*\* (.+?) \*\/\s+\w+: '([\w.]+)'/g)) {
      rows.push(`| \`${event}\` | ${cell(meaning!)} | ${name.split(path.sep).join('/')} |`);
    }
  }
  return page('Events', 'each `events.ts`', [
    'An event is written in the transaction of its cause; its consequences run from the outbox, after the commit.',
    '',
    '| Event | What is recorded | Declared in |',
    '|---|---|---|',
    ...rows.sort(),
  ]);
}

const page = (title: string, source: string, lines: readonly string[]): string =>
  [`# ${title}`, '', `Printed from ${source} by \`npm run docs\`.`, '', ...lines, ''].join('\n');

const { values } = parseArgs({
  options: { check: { type: 'boolean' }, acceptance: { type: 'boolean' }, clients: { type: 'boolean' } },
});

if (values.acceptance) {
  copyFileSync(path.join(root, 'test-output/acceptance.md'), path.join(reference, 'acceptance.md'));
  process.exit(0);
}

if (values.clients) {
  const { formatClientsPage } = await import('./clients-page.ts');
  const { readReports } = await import('../test/clients-matrix/reports.ts');
  const { ours } = await import('../test/clients-matrix/sweep.ts');
  writeFileSync(path.join(reference, 'clients.md'), formatClientsPage(readReports(), ours));
  process.exit(0);
}

const { printOpenApi } = await import('./openapi.ts');
const { readLanguageFacts } = await import('./language-facts.ts');
const { formatLanguages } = await import('./languages-page.ts');
const { printOperationTypes } = await import('./operation-types.ts');
const openApi = printOpenApi();
const pages: Readonly<Record<string, string>> = {
  'settings.md': printSettings(),
  'refusals.md': await printRefusals(),
  'events.md': printEvents(),
  'languages.md': page('Languages', '`packages/languages`', formatLanguages(readLanguageFacts())),
  'openapi.json': openApi,
  '../../web/portal/api/operations.ts': printOperationTypes(JSON.parse(openApi) as Description),
};

mkdirSync(reference, { recursive: true });
const stale: string[] = [];
for (const [name, text] of Object.entries(pages)) {
  const file = path.join(reference, name);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
  stale.push(name);
  if (!values.check) writeFileSync(file, text);
}
if (values.check && stale.length > 0) {
  console.error(`docs/reference/${stale.join(', ')}: the code says something else; run: npm run docs`);
  process.exit(1);
}
process.exit(0);
