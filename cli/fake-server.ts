// A small HTTP server for the tool's tests: answers what it is told and keeps what it was asked.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** 'cut' closes the connection without an answer. */
export type Answer = { readonly status: number; readonly body?: unknown; readonly bytes?: Buffer } | 'cut';

export async function openFakeServer(answer: (asked: Asked, times: number) => Answer) {
  const asked: Asked[] = [];
  const server = http.createServer((request, response) => {
    void buffer(request).then((body) => {
      const { method = '', url: path = '', headers } = request;
      const one = { method, path, headers, body };
      asked.push(one);
      const given = answer(one, asked.filter((other) => other.path === path).length);
      if (given === 'cut') return request.socket.destroy();
      response.statusCode = given.status;
      response.setHeader('content-type', given.status < 400 ? 'application/json' : 'application/problem+json');
      response.end(given.bytes ?? (given.body === undefined ? '' : JSON.stringify(given.body)));
      return undefined;
    });
  });
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
