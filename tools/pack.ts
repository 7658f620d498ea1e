// Packs a package for publication: types are stripped to .js, because Node refuses .ts below node_modules.
//   npm run pack -- ssh [FOLDER]
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
}

/**
 * Writes the tarball of `packages/<name>` into a folder.
 * Shape: the tarball's path.
 */
export function pack(name: string, folder: string): string {
  const source = path.join(root, 'packages', name);
  const stage = mkdtempSync(path.join(tmpdir(), 'broadgate-pack-'));
  try {
    const manifest = JSON.parse(readFileSync(path.join(source, 'package.json'), 'utf8')) as Manifest;
    const files = globSync('**/*.ts', { cwd: source, exclude: (file) => file.includes('node_modules') });
    for (const file of files.filter((file) => !/(^|\/)test\/|\.test\.ts$/.test(file))) {
      const target = path.join(stage, file.replace(/\.ts$/, '.js'));
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(target, strip(readFileSync(path.join(source, file), 'utf8')));
    }
    const exports = Object.fromEntries(
      Object.entries(manifest.exports).map(([key, file]) => [key, file.replace(/\.ts$/, '.js')]),
    );
    writeFileSync(
      path.join(stage, 'package.json'),
      JSON.stringify({ ...manifest, exports, files: ['**/*.js'] }, null, 2),
    );
    cpSync(path.join(root, 'LICENSE'), path.join(stage, 'LICENSE'));
    const run = spawnSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: stage, encoding: 'utf8' });
    if (run.status !== 0) throw new Error(`npm pack of ${name} failed: ${run.stderr}`);
    return path.join(folder, run.stdout.trim().split('\n').at(-1)!);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

const strip = (text: string): string =>
  stripTypeScriptTypes(text, { mode: 'strip' }).replace(/((?:from|import)\s*\(?\s*['"]\.[^'"]*)\.ts(['"])/g, '$1.js$2');

if (import.meta.main) {
  const [name, folder] = process.argv.slice(2);
  if (name === undefined) {
    console.error('usage: npm run pack -- NAME [FOLDER]');
    process.exit(2);
  }
  console.log(pack(name, path.resolve(folder ?? '.')));
}
