// The shape of the code as rules over its files: who may import whom, names, sizes, and where time and settings are read.
import path from 'node:path';

/** A file of the repository. Shape: `name` is relative to its root, with forward slashes. */
export interface SourceFile {
  readonly name: string;
  readonly text: string;
}

export interface Fault {
  readonly file: string;
  readonly line: number;
  /** What is wrong and what to do instead. */
  readonly says: string;
}

const linesMax = 400;
const vagueNames = /^(utils?|helpers?|common|misc|shared|types?|constants?|manager|service|index)$/;
const domains = ['identity', 'statements', 'messages', 'help', 'operations', 'diagnostics', 'dealing'] as const;

// A domain reaches another only through its door, and only in these directions.
const reach: Readonly<Record<string, readonly string[]>> = {
  identity: [],
  messages: ['identity'],
  help: [],
  operations: [],
  statements: ['identity', 'messages'],
  diagnostics: ['identity', 'messages'],
  dealing: ['identity', 'messages'],
};

/** Every fault in the files, in the order of the files. */
export function findFaults(files: readonly SourceFile[]): Fault[] {
  return files.flatMap((file) => [...checkText(file), ...checkImports(file)]);
}

// Left and right change places where a language is written from right to left; the logical properties follow it.
const physical =
  /(^|[\s;{])((margin|padding|border|scroll-(margin|padding))-(left|right)|left|right|border-(top|bottom)-(left|right)-radius)[\w-]*\s*:|(text-align|float|clear)\s*:\s*(left|right)\b/;

const isTest = (name: string): boolean =>
  /(\.(test|contract|cluster|owner|worker)|-fixture)\.tsx?$/.test(name) || name.startsWith('test/');
const isOurs = (name: string): boolean => /^(server|packages|cli|web|bench|tools|test)\//.test(name);
/** What runs in a browser; beside it lie a few files that build and measure it, and its tests. */
const isBrowser = (name: string): boolean =>
  name.startsWith('web/') && !isTest(name) && !name.endsWith('/vite.config.ts');
/** Printed from the code, so that its length says nothing. */
const isPrinted = (file: SourceFile): boolean => file.text.startsWith('// Printed from ');

function checkText(file: SourceFile): Fault[] {
  const faults: Fault[] = [];
  const lines = file.text.split('\n');
  const add = (line: number, says: string): void => void faults.push({ file: file.name, line, says });
  const stem = path.basename(file.name).replace(/\.(tsx?|css)$/, '');
  const product = isOurs(file.name) && !isTest(file.name);

  if (lines.length > linesMax + 1 && !isPrinted(file))
    add(linesMax, `has ${lines.length - 1} lines; split it by noun below ${linesMax}`);
  if (vagueNames.test(stem)) add(1, `is named ${stem}; name it for the noun or the protocol it holds`);
  if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)?$/.test(stem)) add(1, 'is not kebab-case; rename it');
  const opening = lines[0]?.startsWith('#!') ? lines[1] : lines[0];
  if (!/^(\/\/|\/\*\*?) ?\S/.test(opening ?? ''))
    add(1, 'does not open with what it is for; begin with one comment line');

  if (file.name.endsWith('.css')) {
    lines.forEach((line, index) => {
      if (physical.test(line))
        add(index + 1, 'names a side of the screen; use the logical property, such as inline-start');
    });
    return faults;
  }
  // The checker and its planted faults name what they look for.
  if (/^test\/tidy(\.test)?\.ts$/.test(file.name)) return faults;
  lines.forEach((line, index) => {
    const at = index + 1;
    if (/\b(FIXME|XXX|HACK)\b/.test(line)) add(at, 'uses a tag other than NOTE and TODO');
    if (product && /\bTODO\b/.test(line)) add(at, 'leaves a TODO where a feature should be; build it or leave it out');
    const code = line.replace(/\/\/.*$/, '');
    if (product && /process\.env\b/.test(code) && !/^(server|cli)\/config\.ts$|^tools\//.test(file.name)) {
      add(at, 'reads process.env; declare the setting in config.ts and take it as a part');
    }
    if (isBrowser(file.name)) {
      if (/\bdangerouslySetInnerHTML\b|\.(inner|outer)HTML\b|\binsertAdjacentHTML\b/.test(code))
        add(at, 'writes markup from text; make elements instead');
    }
    const readsTime = /\bDate\.now\(|\bnew Date\(\s*\)|\bMath\.random\(|\bTemporal\.Now\b/.test(code);
    if (
      readsTime &&
      /^(server|packages)\//.test(file.name) &&
      !isTest(file.name) &&
      !file.name.startsWith('server/kernel/')
    ) {
      add(at, 'reads time or randomness itself; take a Clock or Random as a part');
    }
    if (file.name.endsWith('.test.ts')) {
      if (/\bdescribe\(/.test(code)) add(at, 'nests with describe; a test is one full sentence at the top level');
      if (/\b(test|it)\.only\(|\bonly: true\b/.test(code)) add(at, 'runs one test only; remove it');
    }
  });
  return faults;
}

interface Import {
  readonly line: number;
  readonly from: string;
  /** Nothing of it is left when the program runs. */
  readonly isType: boolean;
}

function readImports(file: SourceFile): Import[] {
  if (file.name.endsWith('.css')) return [];
  const found: Import[] = [];
  const pattern =
    /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s+['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;
  for (const match of file.text.matchAll(pattern)) {
    const from = match[1] ?? match[2] ?? match[3] ?? '';
    const isType = /^\s*(import|export)\s+type\s/.test(match[0]);
    found.push({ from, isType, line: file.text.slice(0, match.index).split('\n').length });
  }
  return found;
}

function checkImports(file: SourceFile): Fault[] {
  if (!isOurs(file.name) || isTest(file.name)) return [];
  const faults: Fault[] = [];
  for (const { from, line, isType } of readImports(file)) {
    const target = resolve(file.name, from);
    const says =
      target === undefined
        ? judgeOutside(file.name, from)
        : (judgeInside(file.name, target) ?? judgeWeight(file.name, target, isType));
    if (says !== undefined) faults.push({ file: file.name, line, says });
  }
  return faults;
}

/** The file of ours that an import names, or undefined when it comes from outside. */
function resolve(importer: string, from: string): string | undefined {
  if (from.startsWith('.')) return path.posix.join(path.posix.dirname(importer), from);
  const own = /^@broadgate\/([a-z-]+)(?:\/([a-z-]+\.ts))?$/.exec(from);
  return own ? `packages/${own[1]}/${own[2] ?? `${own[1]}.ts`}` : undefined;
}

function judgeOutside(importer: string, from: string): string | undefined {
  if (isRules(importer) && !from.startsWith('node:')) return 'rules take nothing from outside; decide on plain values';
  const isCodec = /^packages\/(ssh|sftp|ftp|fix|openpgp-writer)\//.test(importer);
  if (isCodec && !from.startsWith('node:')) return 'a codec takes nothing from outside but node:';
  if (isBrowser(importer) && from.startsWith('node:')) return 'a browser has no node: modules; do it on the server';
  return undefined;
}

/** What the schemas bring along would be half of what the portal loads. */
function judgeWeight(importer: string, target: string, isType: boolean): string | undefined {
  return isBrowser(importer) && target.startsWith('packages/contract/') && !isType
    ? 'the browser takes only types of the contract; write import type'
    : undefined;
}

const isRules = (name: string): boolean => /^server\/.*(^|\/|-)rules\.ts$/.test(name);
const isStore = (name: string): boolean => /^server\/.*(^|\/|-)store\.ts$/.test(name);
const isAdapter = (name: string): boolean => /^server\/[a-z]+\/(.*\/)?([a-z-]+-)?(https|sftp|ftp)\.ts$/.test(name);

function layerOf(name: string): string {
  const parts = name.split('/');
  if (parts[0] !== 'server') return parts[0] ?? '';
  const folder = parts.length > 2 ? parts[1]! : 'root';
  return (domains as readonly string[]).includes(folder) ? 'domain' : folder;
}

/** `web/portal/…` and `web/portal/…`. */
const sameProgram = (a: string, b: string): boolean => a.split('/', 2).join('/') === b.split('/', 2).join('/');

/** Why this import may not be, with what to do instead; undefined when it may. */
function judgeInside(importer: string, target: string): string | undefined {
  const [from, to] = [layerOf(importer), layerOf(target)];
  if (from === 'packages') return judgePackage(importer, target);
  if (from === 'kernel' && to !== 'kernel' && to !== 'packages')
    return 'the kernel knows no broker; pass what it needs as a part';
  if ((from === 'faces' || from === 'outlets') && !['kernel', 'packages', from].includes(to)) {
    return "a face or outlet knows no domain; declare an interface in the face and let the domain's adapter implement it";
  }
  if (from === 'web' && !isTest(importer) && to !== 'packages' && !sameProgram(importer, target))
    return 'web takes only packages and its own program; ask the server through /v1';
  if (from !== 'web' && to === 'web' && from !== 'tools' && !isTest(importer))
    return 'nothing of the browser runs here; move what both need into a package';
  if (from === 'cli' && target.startsWith('server/'))
    return "the client's tool runs elsewhere; speak HTTPS or start the server's command";
  if (from !== 'domain') return undefined;
  return judgeDomain(importer, target, to);
}

function judgePackage(importer: string, target: string): string | undefined {
  const own = importer.split('/').slice(0, 2).join('/');
  return target.startsWith(`${own}/`) ? undefined : 'a package imports nothing of ours; move what it needs into it';
}

function judgeDomain(importer: string, target: string, to: string): string | undefined {
  const own = importer.split('/')[1]!;
  if (isRules(importer) && to !== 'kernel' && !isRules(target))
    return 'rules import the kernel and nothing else; pass plain values in';
  if (to === 'faces' && !isAdapter(importer))
    return 'only an adapter (https.ts, sftp.ts, ftp.ts) knows a face; move this there';
  if (to === 'outlets') return 'a domain never calls an outlet; record an event and let the outbox send it';
  if (to === 'root') return 'nothing imports the composition root; take the part by name';
  if (to !== 'domain') return undefined;
  const other = target.split('/')[1]!;
  if (other !== own) {
    if (!reach[own]!.includes(other)) return `${own} does not reach ${other}; record an event instead`;
    if (target !== `server/${other}/${other}.ts`) return `reach ${other} through its door, server/${other}/${other}.ts`;
  }
  if (isStore(importer) && isAdapter(target)) return 'a store knows rows only; let the operation call it';
  if (!isAdapter(importer) && isAdapter(target))
    return 'an operation never sees a face; let the adapter call the operation';
  return undefined;
}

/** Import cycles between files of the server and the packages, each as the chain of its files. */
export function findCycles(files: readonly SourceFile[]): string[][] {
  const names = new Set(files.map((file) => file.name));
  const edges = new Map(
    files
      .filter((file) => !isTest(file.name))
      .map((file) => [file.name, valueImports(file).filter((target) => names.has(target))]),
  );
  const cycles: string[][] = [];
  const done = new Set<string>();
  const visit = (name: string, chain: readonly string[]): void => {
    if (chain.includes(name)) return void cycles.push([...chain.slice(chain.indexOf(name)), name]);
    if (done.has(name)) return;
    for (const next of edges.get(name) ?? []) visit(next, [...chain, name]);
    done.add(name);
  };
  for (const name of edges.keys()) visit(name, []);
  return cycles;
}

const valueImports = (file: SourceFile): string[] =>
  readImports({ ...file, text: file.text.replace(/^import type [^;]+;/gm, '') })
    .map(({ from }) => resolve(file.name, from))
    .filter((target) => target !== undefined);
