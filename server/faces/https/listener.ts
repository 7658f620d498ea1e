// The socket under the HTTPS face: clear HTTP on loopback or behind a declared proxy, otherwise TLS with HTTP/2, and a close in order.
import { readFile, stat } from 'node:fs/promises';
import http from 'node:http';
import http2 from 'node:http2';
import type { Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { isLoopback, refusals } from './rules.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0 means any free port. */
  readonly port: number;
  readonly certificateFile?: string;
  readonly keyFile?: string;
  /** Addresses or CIDR ranges of reverse proxies whose X-Forwarded-* headers are believed. */
  readonly trustedProxies?: readonly string[];
  /** Units: ms between looks at the certificate files. */
  readonly reloadEveryMs?: number;
}

export type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => void;

export interface Listener {
  /** The server for Fastify's `serverFactory`. */
  create(handler: Handler): http.Server;
  readonly isTls: boolean;
  /** Reads the certificate files again now; the old certificate stays when the new one cannot be used. */
  reload(): Promise<void>;
  /** Ends idle connections at once and the others after `graceMs`. */
  drain(graceMs: number): void;
  close(): void;
}

// A header that takes longer than this, a connection silent for longer, or a request that never ends, is let go.
const headersTimeoutMs = 15_000;
// An operation may work for minutes without a byte on the wire, so silence is given more time than idleness.
const keepAliveTimeoutMs = 60_000;
const silentTimeoutMs = 300_000;
const requestTimeoutMs = 3_600_000;
const connectionsMax = 10_000;

/** Prepares the listener. Refuses: address_needs_tls, certificate_unusable. */
export async function openListener(
  options: ListenOptions,
  parts: { clock: Clock; onFault: (fault: unknown) => void },
): Promise<Listener> {
  const { certificateFile, keyFile, host } = options;
  const isTls = certificateFile !== undefined && keyFile !== undefined;
  if (!isTls && !isLoopback(host) && (options.trustedProxies ?? []).length === 0) {
    throw refusals.address_needs_tls({ host });
  }
  const pair = isTls ? await readPair(certificateFile, keyFile) : undefined;
  let secure: http2.Http2SecureServer | undefined;
  let timer: Timer | undefined;
  const sockets = new Set<Socket>();
  const sessions = new Set<http2.ServerHttp2Session>();
  let plain: http.Server | undefined;

  let seen = isTls ? await stampOf(certificateFile, keyFile) : '';
  async function reload(): Promise<void> {
    if (!isTls) return;
    const stamp = await stampOf(certificateFile, keyFile);
    secure?.setSecureContext(await readPair(certificateFile, keyFile));
    seen = stamp;
  }
  function watch(): void {
    timer = parts.clock.after(options.reloadEveryMs ?? 10_000, () => {
      // Looking at the files again works where notification does not: network folders and renewed symbolic links.
      (isTls ? stampOf(certificateFile, keyFile) : Promise.resolve(seen))
        .then((stamp) => (stamp === seen ? undefined : reload()))
        .catch(parts.onFault)
        .finally(watch);
    });
  }

  function cut(): void {
    for (const session of sessions) session.destroy();
    for (const socket of sockets) socket.destroy();
  }

  return {
    isTls,
    reload,
    create(handler) {
      if (pair) {
        secure = http2.createSecureServer(
          { ...pair, allowHTTP1: true, minVersion: 'TLSv1.2', settings: { maxConcurrentStreams: 100 } },
          handler as unknown as (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => void,
        );
        secure.setTimeout(silentTimeoutMs);
        secure.on('session', (session) => {
          sessions.add(session);
          session.once('close', () => sessions.delete(session));
          session.setTimeout(silentTimeoutMs, () => session.close());
        });
        watch();
      } else {
        plain = http.createServer(
          { headersTimeout: headersTimeoutMs, requestTimeout: requestTimeoutMs, keepAliveTimeout: keepAliveTimeoutMs },
          handler,
        );
        plain.setTimeout(silentTimeoutMs);
      }
      const server = (secure ?? plain)!;
      server.maxConnections = connectionsMax;
      server.on('connection', (socket: Socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      });
      return server as unknown as http.Server;
    },
    drain(graceMs) {
      timer?.close();
      plain?.closeIdleConnections();
      for (const session of sessions) session.close();
      if (graceMs === 0) cut();
      else parts.clock.after(graceMs, cut);
    },
    close() {
      timer?.close();
      cut();
    },
  };
}

async function readPair(certificateFile: string, keyFile: string): Promise<{ cert: Buffer; key: Buffer }> {
  try {
    const [cert, key] = await Promise.all([readFile(certificateFile), readFile(keyFile)]);
    // Fails where the two do not belong together, before the running certificate is touched.
    createSecureContext({ cert, key });
    return { cert, key };
  } catch (fault) {
    const reason = fault instanceof Error ? fault.message : 'unreadable';
    throw refusals.certificate_unusable({ certificateFile, keyFile, reason });
  }
}

async function stampOf(...files: string[]): Promise<string> {
  const facts = await Promise.all(files.map((file) => stat(file).catch(() => undefined)));
  return facts.map((fact) => (fact ? `${fact.ino}:${fact.mtimeMs}:${fact.size}` : 'gone')).join(' ');
}
