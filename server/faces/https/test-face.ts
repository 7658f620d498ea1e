// For tests of adapters: a face on a free loopback port with the given routes, where the test says which token is whose.
import { randomBytes } from 'node:crypto';
import type { Actor } from '../../kernel/actor.ts';
import { createFakeClock } from '../../kernel/clock.ts';
import { createIds } from '../../kernel/ids.ts';
import { createLog } from '../../kernel/log.ts';
import { systemRandom } from '../../kernel/random.ts';
import { type HttpsFace, type HttpsFaceParts, openHttpsFace } from './face.ts';

export interface TestFace extends AsyncDisposable {
  readonly face: HttpsFace;
  readonly url: string;
  /** Everything that was logged, one JSON text a line. */
  readonly logged: string[];
  /** One request; `token` is sent as a bearer token, `json` as the body. */
  ask(method: string, path: string, options?: AskOptions): Promise<TestAnswer>;
}

export interface AskOptions {
  readonly token?: string;
  readonly json?: unknown;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  readonly json: any;
}

/** Opens it. Shape: `actors` maps tokens of at least 20 characters to who they are. */
export async function openTestFace(
  parts: Pick<HttpsFaceParts, 'routes' | 'refusals'> & Partial<HttpsFaceParts>,
  actors: Readonly<Record<string, Actor>> = {},
): Promise<TestFace> {
  const clock = parts.clock ?? createFakeClock();
  const logged: string[] = [];
  const face = await openHttpsFace({
    clock,
    ids: createIds({ clock, random: systemRandom }),
    log: createLog({ level: 'debug', destination: { write: (line) => void logged.push(line) } }),
    findActor: async (token) => actors[token],
    cursorKey: randomBytes(32),
    listen: { host: '127.0.0.1', port: 0 },
    readiness: async () => ({ isReady: true, parts: {} }),
    ...parts,
  });
  const url = `http://127.0.0.1:${face.port}`;
  return {
    face,
    url,
    logged,
    async ask(method, path, options = {}) {
      const { token, json, body = json === undefined ? undefined : JSON.stringify(json) } = options;
      const headers = {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      };
      const answer = await fetch(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
      const text = await answer.text();
      const isJson = /json/.test(answer.headers.get('content-type') ?? '');
      return { status: answer.status, headers: answer.headers, text, json: isJson ? JSON.parse(text) : undefined };
    },
    [Symbol.asyncDispose]: () => face.close({ graceMs: 0 }),
  };
}
