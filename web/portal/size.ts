// `npm run -s size`: what the sign-in page and the signed-in entry load, compressed, fonts apart; fails over the bars.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

interface Chunk {
  readonly file: string;
  readonly css?: readonly string[];
  readonly imports?: readonly string[];
  readonly dynamicImports?: readonly string[];
}

const dist = path.join(import.meta.dirname, 'dist');
const manifestFile = path.join(dist, '.vite/manifest.json');
if (!existsSync(manifestFile)) {
  console.error('The portal is not built. Run: npm run build');
  process.exit(2);
}
const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as Record<string, Chunk>;

/** Everything that opening these keys of the manifest loads. */
function filesOf(keys: readonly string[]): Set<string> {
  const files = new Set<string>();
  const seen = new Set<string>();
  const visit = (key: string): void => {
    const chunk = manifest[key];
    if (chunk === undefined || seen.has(key)) return;
    seen.add(key);
    for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(file);
    for (const next of chunk.imports ?? []) visit(next);
  };
  for (const key of keys) visit(key);
  return files;
}

const sizeOf = (file: string): number => gzipSync(readFileSync(path.join(dist, file)), { level: 9 }).length;

const catalogue = (area: string): string => `../../packages/languages/catalogues/en/${area}.json`;
const portal = filesOf(['index.html', catalogue('frame'), catalogue('design'), catalogue('page')]);
portal.add('index.html');

const pages: readonly { readonly name: string; readonly files: Iterable<string>; readonly kilobytesMax: number }[] = [
  { name: 'signed-in entry', files: portal, kilobytesMax: 200 },
];

let isOver = false;
for (const { name, files, kilobytesMax } of pages) {
  const rows = Array.from(files, (file) => ({ file, sizeBytes: sizeOf(file) })).sort(
    (a, b) => b.sizeBytes - a.sizeBytes,
  );
  const total = rows.reduce((sum, row) => sum + row.sizeBytes, 0);
  const isThisOver = total > kilobytesMax * 1000;
  isOver ||= isThisOver;
  console.log(`${name}: ${(total / 1000).toFixed(1)} kB of ${kilobytesMax} kB${isThisOver ? '  OVER' : ''}`);
  for (const row of rows) console.log(`  ${(row.sizeBytes / 1000).toFixed(1).padStart(6)} kB  ${row.file}`);
}
process.exit(isOver ? 1 : 0);
