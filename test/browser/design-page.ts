// The page of the design system, built as the portal is and served under the policy of the portal.
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { mkdtemp, rm } from 'node:fs/promises';
import { applicationHeaders } from '../../server/faces/https/page-headers.ts';

const portal = path.join(import.meta.dirname, '../../web/portal');
const nonce = 'nonceOfTheDesignPage';

const typeOf: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
  '.html': 'text/html; charset=utf-8',
};

export interface DesignPage extends AsyncDisposable {
  readonly url: string;
}

export async function openDesignPage(): Promise<DesignPage> {
  const { build } = await import('vite');
  const folder = await mkdtemp(path.join(os.tmpdir(), 'design-page-'));
  await build({
    configFile: path.join(portal, 'vite.config.ts'),
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true, rolldownOptions: { input: path.join(portal, 'design.html') } },
  });
  const files = new Map<string, Buffer>();
  const page = await readFile(path.join(folder, 'design.html'), 'utf8');
  files.set(
    '/design.html',
    Buffer.from(page.replace('<title>', `<meta property="csp-nonce" nonce="${nonce}"><title>`)),
  );

  const server = http.createServer((request, response) => {
    void answer(new URL(request.url ?? '/', 'http://own.invalid').pathname, response);
  });
  const answer = async (name: string, response: http.ServerResponse): Promise<void> => {
    const file = path.join(folder, path.posix.normalize(name));
    const bytes = files.get(name) ?? (await readFile(file).catch(() => undefined));
    // What a browser asks for by itself.
    if (name === '/favicon.ico') return void response.writeHead(204).end();
    if (bytes === undefined) return void response.writeHead(404).end();
    files.set(name, bytes);
    const type = typeOf[path.extname(name)] ?? 'application/octet-stream';
    response.writeHead(200, { ...applicationHeaders(nonce), 'content-type': type }).end(bytes);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/design.html`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
