// The shape of the code is checked on the repository itself, and the checker on planted faults.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { findCycles, findFaults, type SourceFile } from './tidy.ts';

const root = path.join(import.meta.dirname, '..');
const folders = ['server', 'packages', 'cli', 'web', 'test', 'tools', 'bench'];

const readSources = (): SourceFile[] =>
  globSync(
    folders.map((folder) => `${folder}/**/*.{ts,tsx,css}`),
    { cwd: root, exclude: (name) => /(^|\/)(node_modules|dist)$/.test(name) },
  )
    .map((name) => name.split(path.sep).join('/'))
    .sort()
    .map((name) => ({ name, text: readFileSync(path.join(root, name), 'utf8') }));

test('the repository keeps the shape that ARCHITECTURE.md describes', () => {
  const files = readSources();
  assert.ok(files.length > 50, `only ${files.length} files were found: the check would pass on nothing`);
  const faults = findFaults(files).map((fault) => `${fault.file}:${fault.line} ${fault.says}`);
  assert.deepEqual(faults, []);
  assert.deepEqual(
    findCycles(files).map((chain) => chain.join(' -> ')),
    [],
  );
});

test('nothing in the repository names the machine it was written on', () => {
  const names = globSync('**/*.{ts,tsx,css,html,md,json,sql,sh,yml}', {
    cwd: root,
    exclude: (name) => /(^|\/)(node_modules|data|test-output|dist)$/.test(name),
  });
  assert.ok(names.length > 50);
  const marks = [['', 'work', 'main'].join('/'), ['', 'work', 'shared'].join('/'), ['', 'root', ''].join('/')];
  const found = names.filter((name) =>
    marks.some((mark) => readFileSync(path.join(root, name), 'utf8').includes(mark)),
  );
  assert.deepEqual(found, []);
});

const opening = '// What it is for.\n';
const planted: readonly { name: string; text: string; says: RegExp }[] = [
  { name: 'server/statements/utils.ts', text: '', says: /is named utils/ },
  { name: 'server/statements/BigFile.ts', text: '', says: /kebab-case/ },
  { name: 'server/statements/long.ts', text: '\n'.repeat(401), says: /lines; split/ },
  { name: 'server/identity/rules.ts', text: "import { Type } from 'typebox';", says: /nothing from outside/ },
  { name: 'server/identity/rules.ts', text: "import { find } from './store.ts';", says: /rules import the kernel/ },
  { name: 'server/kernel/sql.ts', text: "import { x } from '../identity/identity.ts';", says: /knows no broker/ },
  {
    name: 'server/faces/https/face.ts',
    text: "import { x } from '../../statements/store.ts';",
    says: /knows no domain/,
  },
  {
    name: 'server/messages/messages.ts',
    text: "import { x } from '../statements/statements.ts';",
    says: /does not reach/,
  },
  {
    name: 'server/statements/statements.ts',
    text: "import { x } from '../identity/store.ts';",
    says: /through its door/,
  },
  {
    name: 'server/statements/issuing.ts',
    text: "import { x } from '../faces/https/route.ts';",
    says: /only an adapter/,
  },
  { name: 'server/statements/issuing.ts', text: "import { x } from './https.ts';", says: /never sees a face/ },
  { name: 'server/statements/store.ts', text: "import { x } from './sftp.ts';", says: /rows only/ },
  { name: 'server/statements/issuing.ts', text: "import { x } from '../app.ts';", says: /composition root/ },
  { name: 'packages/ssh/ssh.ts', text: "import { x } from '../../server/kernel/clock.ts';", says: /nothing of ours/ },
  { name: 'packages/ssh/ssh.ts', text: "import { x } from 'pino';", says: /codec takes nothing/ },
  { name: 'cli/main.ts', text: "import { x } from '../server/app.ts';", says: /runs elsewhere/ },
  { name: 'web/portal/home/home.tsx', text: "import { x } from '../../../server/app.ts';", says: /only packages/ },
  { name: 'web/portal/home/home.tsx', text: "import { x } from 'node:fs';", says: /no node: modules/ },
  {
    name: 'web/portal/home/home.tsx',
    text: "import { me } from '@broadgate/contract/identity.ts';",
    says: /only types/,
  },
  { name: 'web/portal/home/Home.tsx', text: '', says: /kebab-case/ },
  { name: 'web/portal/home/home.tsx', text: 'const x = <p dangerouslySetInnerHTML={y} />;', says: /writes markup/ },
  { name: 'server/app.ts', text: "import { x } from '../web/portal/pages.ts';", says: /nothing of the browser/ },
  { name: 'server/statements/rule.ts', text: 'const at = Date.now();', says: /Clock or Random/ },
  { name: 'server/statements/rule.ts', text: 'const home = process.env.HOME;', says: /declare the setting/ },
  { name: 'server/statements/rule.ts', text: '// TODO: the feature', says: /leaves a TODO/ },
  { name: 'server/statements/rule.test.ts', text: "describe('x', () => {});", says: /full sentence/ },
  { name: 'server/statements/rule.test.ts', text: "test.only('x', () => {});", says: /one test only/ },
];

test('each planted fault is found, with what to do instead', () => {
  for (const { name, text, says } of planted) {
    const files = [{ name, text: opening + text }];
    const heard = findFaults(files).map((fault) => fault.says);
    assert.ok(
      heard.some((line) => says.test(line)),
      `${name} with ${text.trim().slice(0, 60)} passed: ${heard.join('; ')}`,
    );
  }
});

test('a file that does not open with what it is for is found', () => {
  const heard = findFaults([{ name: 'server/statements/rule.ts', text: 'export const one = 1;\n' }]);
  assert.match(heard[0]?.says ?? '', /does not open/);
});

test('a style sheet that names a side of the screen is found, and one that names a side of the text is not', () => {
  const heard = (line: string) =>
    findFaults([{ name: 'web/portal/design/button.module.css', text: `/* A button. */\n.button { ${line} }\n` }]);
  for (const line of [
    'margin-left: 1px;',
    'left: 0;',
    'text-align: right;',
    'border-top-left-radius: 2px;',
    'float: left;',
  ])
    assert.match(heard(line)[0]?.says ?? '', /side of the screen/, line);
  for (const line of [
    'margin-inline-start: 1px;',
    'inset-inline-end: 0;',
    'text-align: start;',
    'transform-origin: left;',
  ])
    assert.deepEqual(heard(line), [], line);
});

test('a cycle of imports is found', () => {
  const cycles = findCycles([
    { name: 'server/a/one.ts', text: `${opening}import { two } from './two.ts';` },
    { name: 'server/a/two.ts', text: `${opening}import { one } from './one.ts';` },
  ]);
  assert.deepEqual(cycles, [['server/a/one.ts', 'server/a/two.ts', 'server/a/one.ts']]);
});
