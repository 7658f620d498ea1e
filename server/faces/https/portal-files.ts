// The built portal as the face serves it: every file read once, with the forms it was compressed to when it was built.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { refusals } from './rules.ts';

/** A file below `/assets`; its name holds the hash of its bytes, so it never changes. */
export interface Asset {
  readonly contentType: string;
  readonly etag: string;
  readonly bytes: Buffer;
  /** Shape: by content coding, the smallest first. */
  readonly compressed: ReadonlyMap<'br' | 'gzip', Buffer>;
}

export interface PortalFiles {
  /** The one document of the application, with its places for language, theme, name and nonce still to be filled. */
  readonly index: string;
  readonly assets: ReadonlyMap<string, Asset>;
  /** Where the icon of the pages lies; undefined where the build has none. */
  readonly icon: string | undefined;
  /** Paths of the application's pages, with `:name` parameters. */
  readonly pages: readonly string[];
  /** What a document of the server's own links to, by the name of its source, e.g. `sign-in/sign-in.ts`. */
  linksOf(source: string): { readonly scripts: readonly string[]; readonly styles: readonly string[] };
}

interface Chunk {
  readonly file: string;
  readonly css?: readonly string[];
  readonly imports?: readonly string[];
}

const contentTypes: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};

/** Reads the folder that `npm run build` writes. Refuses: portal_not_built. */
export async function openPortalFiles(folder: string): Promise<PortalFiles> {
  const parts = ['index.html', 'pages.json', path.join('.vite', 'manifest.json')].map((name) =>
    path.join(folder, name),
  );
  if (!parts.every((file) => existsSync(file))) throw refusals.portal_not_built({ folder });
  const [index, pages, manifestText] = await Promise.all(parts.map((file) => readFile(file, 'utf8')));
  const manifest = JSON.parse(manifestText!) as Record<string, Chunk>;
  const assets = await readAssets(path.join(folder, 'assets'));
  const icon = assets.keys().find((name) => /^icon-[\w-]+\.svg$/.test(name));
  return {
    index: index!,
    assets,
    icon: icon && `/assets/${icon}`,
    pages: JSON.parse(pages!) as string[],
    linksOf(source) {
      const chunk = manifest[source];
      if (chunk === undefined) throw new Error(`the portal was built without ${source}`);
      const linked = [chunk, ...(chunk.imports ?? []).map((name) => manifest[name]!)];
      return {
        scripts: chunk.file.endsWith('.js') ? [`/${chunk.file}`] : [],
        styles: [...new Set(linked.flatMap(({ css = [] }) => css.map((file) => `/${file}`)))],
      };
    },
  };
}

async function readAssets(folder: string): Promise<Map<string, Asset>> {
  const names = await readdir(folder);
  const assets = new Map<string, Asset>();
  for (const name of names.filter((each) => !/\.(br|gz)$/.test(each))) {
    const bytes = await readFile(path.join(folder, name));
    const compressed = new Map<'br' | 'gzip', Buffer>();
    if (names.includes(`${name}.br`)) compressed.set('br', await readFile(path.join(folder, `${name}.br`)));
    if (names.includes(`${name}.gz`)) compressed.set('gzip', await readFile(path.join(folder, `${name}.gz`)));
    assets.set(name, {
      contentType: contentTypes[path.extname(name)] ?? 'application/octet-stream',
      etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 27)}"`,
      bytes,
      compressed,
    });
  }
  return assets;
}
