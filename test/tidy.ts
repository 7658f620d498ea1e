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
const domains = ['identity', 'statements', 'messages', 'diagnostics', 'dealing'] as const;

// A domain reaches another only through its door, and only in these directions.
const reach: Readonly<Record<string, readonly string[]>> = {
  identity: [],
  messages: ['identity'],
  statements: ['identity', 'messages'],
  diagnostics: ['identity', 'messages'],
  dealing: ['identity', 'messages'],
};

/** Every fault in the files, in the order of the files. */
export function findFaults(files: readonly SourceFile[]): Fault[] {
  return files.flatMap((file) => [...checkText(file), ...checkImports(file)]);
}

const isTest = (name: string): boolean =>
  /(\.(test|contract|cluster|owner|worker)|-fixture)\.ts$/.test(name) || name.startsWith('test/');
const isOurs = (name: string): boolean => /^(server|packages|cli|bench|tools|test)\//.test(name);

function checkText(file: SourceFile): Fault[] {
  const faults: Fault[] = [];
  const lines = file.text.split('\n');
  const add = (line: number, says: string): void => void faults.push({ file: file.name, line, says });
  const stem = path.basename(file.name, '.ts');
  const product = isOurs(file.name) && !isTest(file.name);

  if (lines.length > linesMax + 1) add(linesMax, `has ${lines.length - 1} lines; split it by noun below ${linesMax}`);
  if (vagueNames.test(stem)) add(1, `is named ${stem}; name it for the noun or the protocol it holds`);
  if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)?$/.test(stem)) add(1, 'is not kebab-case; rename it');
  const opening = lines[0]?.startsWith('#!') ? lines[1] : lines[0];
  if (!/^(\/\/|\/\*\*?) ?\S/.test(opening ?? ''))
    add(1, 'does not open with what it is for; begin with one comment line');

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
}

function readImports(file: SourceFile): Import[] {
  const found: Import[] = [];
  const pattern =
    /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s+['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;
  for (const match of file.text.matchAll(pattern)) {
    const from = match[1] ?? match[2] ?? match[3] ?? '';
    found.push({ from, line: file.text.slice(0, match.index).split('\n').length });
  }
  return found;
}

function checkImports(file: SourceFile): Fault[] {
  if (!isOurs(file.name) || isTest(file.name)) return [];
  const faults: Fault[] = [];
  for (const { from, line } of readImports(file)) {
    const target = resolve(file.name, from);
    const says = target === undefined ? judgeOutside(file.name, from) : judgeInside(file.name, target);
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
  return undefined;
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

/** Why this import may not be, with what to do instead; undefined when it may. */
function judgeInside(importer: string, target: string): string | undefined {
  const [from, to] = [layerOf(importer), layerOf(target)];
  if (from === 'packages') return judgePackage(importer, target);
  if (from === 'kernel' && to !== 'kernel' && to !== 'packages')
    return 'the kernel knows no broker; pass what it needs as a part';
  if ((from === 'faces' || from === 'outlets') && !['kernel', 'packages', from].includes(to)) {
    return "a face or outlet knows no domain; declare an interface in the face and let the domain's adapter implement it";
  }
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
