// How the portal is built: hashed files below /assets, nothing inline, each page its own file, and each file compressed beside it.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';
import { languages } from '@broadgate/languages';

const compressible = /\.(js|css|svg|json|html)$/;
const sizeBytesMin = 512;

/** Writes `.br` and `.gz` beside what a server would otherwise compress at each request. */
function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    async writeBundle({ dir }) {
      const assets = path.join(dir!, 'assets');
      for (const name of await readdir(assets)) {
        if (!compressible.test(name)) continue;
        const bytes = await readFile(path.join(assets, name));
        if (bytes.length < sizeBytesMin) continue;
        const params = {
          [constants.BROTLI_PARAM_QUALITY]: 11,
          [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        };
        await writeFile(path.join(assets, `${name}.br`), await promisify(brotliCompress)(bytes, { params }));
        await writeFile(path.join(assets, `${name}.gz`), await promisify(gzip)(bytes, { level: 9 }));
      }
    },
  };
}

/** Writes the paths of all pages beside them, so that the server knows a page from an address that has none. */
function listPages(): Plugin {
  return {
    name: 'list-pages',
    apply: 'build',
    async writeBundle({ dir }) {
      // Read by Node itself: the declarations are plain data, and what they lead to is not opened.
      const file = pathToFileURL(path.join(import.meta.dirname, 'pages.ts')).href;
      const { pages } = (await import(file)) as { pages: readonly { readonly path: string }[] };
      const paths = pages.map((page) => page.path.replaceAll('$', ':'));
      await writeFile(path.join(dir!, 'pages.json'), `${JSON.stringify(paths)}\n`);
    },
  };
}

// Regions whose words for screen readers React Aria holds, one for each of our languages.
const spoken = new Set<string>(languages.map(({ region }) => region));

/** Leaves out what React Aria says in languages that the portal does not have: two thirds of its words. */
function ownLanguages(): Plugin {
  return {
    name: 'own-languages',
    enforce: 'pre',
    load(id) {
      const region = /react-(?:aria|stately)[\w-]*\/dist\/.*\/?intl\/.*\/([a-z]{2}-[A-Z]{2})\.mjs$/.exec(id)?.[1];
      return region === undefined || spoken.has(region) ? null : 'export default {};';
    },
  };
}

// In development everything but the application's own files is answered by a server that runs beside.
const behind = ['/v1', '/sign-in', '/invitation', '/brand', '/assets', '/help'];
const serverUrl = 'http://127.0.0.1:2080';

export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  plugins: [ownLanguages(), react(), precompress(), listPages()],
  server: { proxy: Object.fromEntries(behind.map((path) => [path, serverUrl])) },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // The policy of the pages allows no data: address for scripts and styles, and fonts are better cached alone.
    assetsInlineLimit: 0,
    // The policy allows only files of our own; the helper that Vite would write inline is not needed by these browsers.
    modulePreload: { polyfill: false },
    manifest: true,
    rolldownOptions: {
      checks: { pluginTimings: false },
      input: { index: 'index.html', 'sign-in': 'sign-in/sign-in.ts', help: 'help/help.ts' },
    },
    reportCompressedSize: false,
  },
});
