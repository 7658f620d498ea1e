// For tests: a portal as a build leaves it, small enough to read, in a folder of its own.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { openPortalFiles, type PortalFiles } from './portal-files.ts';

const index = `<!doctype html>
<html lang="en" dir="ltr">
  <head>
    <meta name="application-name" content="Broadgate" />
    <title>Broadgate</title>
    <script type="module" src="/assets/index-abc.js"></script>
  </head>
  <body></body>
</html>
`;

export const script = `console.log(${JSON.stringify('a portal '.repeat(100))});\n`;

/** Shape: the files as the face is given them, and the folder they were read from. */
export async function openPortalFixture(): Promise<
  Disposable & { readonly folder: string; readonly files: PortalFiles }
> {
  const folder = mkdtempSync(path.join(tmpdir(), 'broadgate-portal-'));
  mkdirSync(path.join(folder, 'assets'));
  mkdirSync(path.join(folder, '.vite'));
  const write = (name: string, bytes: string | Buffer): void => writeFileSync(path.join(folder, name), bytes);
  write('index.html', index);
  write('pages.json', JSON.stringify(['/', '/statements', '/statements/:statementId']));
  write('assets/index-abc.js', script);
  write('assets/index-abc.js.br', brotliCompressSync(script));
  write('assets/index-abc.js.gz', gzipSync(script));
  write('assets/sign-in-abc.css', 'body { margin: 0; }\n');
  write('assets/sign-in-abc.js', 'export {};\n');
  const looks = { file: 'assets/sign-in-abc.js', css: ['assets/sign-in-abc.css'] };
  const manifest = { 'sign-in/sign-in.ts': looks, 'help/help.ts': looks };
  write('.vite/manifest.json', JSON.stringify(manifest));
  const files = await openPortalFiles(folder);
  return { folder, files, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}
