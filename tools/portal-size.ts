// `npm run -s size`: what the sign-in page and the signed-in entry load, compressed, fonts apart; fails over the bars.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { renderDocument } from '../server/faces/https/documents.ts';
import { textsOf } from '../server/faces/https/document-texts.ts';
import { openPortalFiles } from '../server/faces/https/portal-files.ts';
import { createIdentityDocuments } from '../server/identity/pages-https.ts';

interface Chunk {
  readonly file: string;
  readonly css?: readonly string[];
  readonly imports?: readonly string[];
}

const dist = path.join(import.meta.dirname, '..', 'web/portal/dist');
if (!existsSync(path.join(dist, 'index.html'))) {
  console.error('The portal is not built. Run: npm run build');
  process.exit(2);
}
const manifest = JSON.parse(readFileSync(path.join(dist, '.vite/manifest.json'), 'utf8')) as Record<string, Chunk>;

/** Everything that opening these keys of the manifest loads, by name. */
function filesOf(keys: readonly string[]): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const seen = new Set<string>();
  const visit = (key: string): void => {
    const chunk = manifest[key];
    if (chunk === undefined || seen.has(key)) return;
    seen.add(key);
    for (const file of [chunk.file, ...(chunk.css ?? [])]) files.set(file, readFileSync(path.join(dist, file)));
    for (const next of chunk.imports ?? []) visit(next);
  };
  for (const key of keys) visit(key);
  return files;
}

/** The sign-in page as the server makes it, in the language with the longest texts for one of our alphabets. */
async function renderSignIn(): Promise<Buffer> {
  const files = await openPortalFiles(dist);
  const texts = textsOf('ru');
  const brand = { name: 'A broker with a name of usual length' };
  // A page that is only looked at asks nothing of identity.
  const route = createIdentityDocuments({ identity: undefined as never }).find(({ path: at }) => at === '/sign-in')!;
  const { html } = await route.handle({
    actor: undefined,
    address: '',
    params: {},
    query: new URLSearchParams(),
    form: new URLSearchParams(),
    texts,
    brand,
    render: (page) => renderDocument(page, { files, brand, texts, theme: undefined }),
  });
  return Buffer.from(html!);
}

const catalogue = (area: string): string => `../../packages/languages/catalogues/en/${area}.json`;
const entry = filesOf(['index.html', ...['frame', 'design', 'page'].map(catalogue)]);
entry.set('index.html', readFileSync(path.join(dist, 'index.html')));
const signIn = filesOf(['sign-in/sign-in.ts']);
signIn.set('/sign-in', await renderSignIn());

const pages: readonly { readonly name: string; readonly files: Map<string, Buffer>; readonly kilobytesMax: number }[] =
  [
    { name: 'sign-in page', files: signIn, kilobytesMax: 60 },
    { name: 'signed-in entry', files: entry, kilobytesMax: 200 },
  ];

let isOver = false;
for (const { name, files, kilobytesMax } of pages) {
  const rows = Array.from(files, ([file, bytes]) => ({ file, sizeBytes: gzipSync(bytes, { level: 9 }).length }));
  rows.sort((a, b) => b.sizeBytes - a.sizeBytes);
  const total = rows.reduce((sum, row) => sum + row.sizeBytes, 0);
  const isThisOver = total > kilobytesMax * 1000;
  isOver ||= isThisOver;
  console.log(`${name}: ${(total / 1000).toFixed(1)} kB of ${kilobytesMax} kB${isThisOver ? '  OVER' : ''}`);
  for (const row of rows) console.log(`  ${(row.sizeBytes / 1000).toFixed(1).padStart(6)} kB  ${row.file}`);
}
process.exit(isOver ? 1 : 0);
