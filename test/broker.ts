// A broker at work over its own API: callers with a token, a delivery desk, clients, and a client taken through set-up.
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import type { Installation } from './installation.ts';

export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly params: Readonly<Record<string, unknown>>;
}

interface CallOptions {
  readonly json?: unknown;
  readonly bytes?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Caller = ReturnType<typeof createCaller>;

/** Someone who speaks HTTPS. Shape: `call` gives the raw answer, `get`/`post`/… the body of a good one. */
export function createCaller(url: string, token?: string) {
  async function call(method: string, path: string, options: CallOptions = {}): Promise<Response> {
    const isJson = options.json !== undefined;
    const body = isJson ? JSON.stringify(options.json) : (options.bytes as RequestInit['body']);
    return fetch(new URL(path, url), {
      method,
      ...(body === undefined ? {} : { body, duplex: 'half' }),
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(isJson ? { 'content-type': 'application/json' } : {}),
        ...options.headers,
      },
    } as RequestInit);
  }

  async function good<Body>(method: string, path: string, options?: CallOptions): Promise<Body> {
    const answer = await call(method, path, options);
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path} was answered ${answer.status}: ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as Body;
  }

  return {
    url,
    token,
    call,
    get: <Body>(path: string) => good<Body>('GET', path),
    post: <Body>(path: string, json?: unknown) =>
      good<Body>('POST', path, { json, headers: { 'idempotency-key': randomUUID() } }),
    put: <Body>(path: string, json: unknown) => good<Body>('PUT', path, { json }),
    upload: <Body>(path: string, bytes: Uint8Array | AsyncIterable<Uint8Array>, contentType: string) =>
      good<Body>('POST', path, { bytes, headers: { 'content-type': contentType, 'idempotency-key': randomUUID() } }),
    /** Every item of a list, page by page. */
    async list<Item>(path: string): Promise<Item[]> {
      const items: Item[] = [];
      const separator = path.includes('?') ? '&' : '?';
      for (let cursor: string | null = ''; cursor !== null; ) {
        const query: string = cursor === '' ? '' : `${separator}cursor=${encodeURIComponent(cursor)}`;
        const page: { items: Item[]; next: string | null } = await good('GET', `${path}${query}`);
        items.push(...page.items);
        cursor = page.next;
      }
      return items;
    },
    /** What the refusal says; fails where the call is not refused. */
    async refused(method: string, path: string, options?: CallOptions): Promise<Problem> {
      const answer = await call(method, path, options);
      const text = await answer.text();
      assert.ok(!answer.ok, `${method} ${path} was not refused: ${text}`);
      return JSON.parse(text) as Problem;
    },
  };
}

export interface Person {
  readonly login: string;
  readonly password: string;
  readonly caller: Caller;
}

export interface ClientPerson extends Person {
  readonly clientId: string;
  readonly accountNumber: string;
}

const passwordOf = (login: string): string => createHash('sha256').update(login).digest('base64url').slice(0, 24);

/** Sets a first password by an invitation and signs in for scripts. */
async function join(url: string, login: string, invitation: string): Promise<Person> {
  const password = passwordOf(login);
  const stranger = createCaller(url);
  await stranger.post('/v1/invitations/accept', { token: invitation, password });
  return { login, password, caller: await signIn(url, login, password) };
}

export async function signIn(url: string, login: string, password: string): Promise<Caller> {
  const { token } = await createCaller(url).post<{ token: string }>('/v1/sign-ins', {
    login,
    password,
    deliver: 'token',
  });
  return createCaller(url, token);
}

/** An operator made by the installation's own command, as on a first day. */
export async function addOperator(
  installation: Installation,
  login: string,
  desks: readonly string[],
): Promise<Person> {
  const words = desks.flatMap((desk) => ['--desk', desk]);
  const { status, output } = await installation.command('operator', 'add', '--login', login, '--name', login, ...words);
  assert.equal(status, 0, output);
  const invitation = /^ {2}(\S{20,})$/m.exec(output)?.[1];
  assert.ok(invitation, `no invitation was printed: ${output}`);
  return join(installation.url, login, invitation);
}

/** A client with one account, added by the desk over the API. */
export async function addClient(desk: Caller, login: string, accountNumber: string): Promise<ClientPerson> {
  const added = await desk.post<{ clientId: string; invitation: { token: string } }>('/v1/clients', {
    kind: 'person',
    name: `Client ${login}`,
    login,
    accountNumbers: [accountNumber],
  });
  const person = await join(desk.url, login, added.invitation.token);
  return { ...person, clientId: added.clientId, accountNumber };
}

export interface RequestView {
  readonly id: string;
  readonly state: string;
  readonly awaiting: readonly string[];
  readonly warning: string;
  readonly sshKeys: readonly { readonly id: string; readonly state: string; readonly fingerprint: string }[];
  readonly openPgpKeys: readonly { readonly id: string; readonly state: string; readonly fingerprint: string }[];
  readonly addresses: readonly { readonly id: string; readonly state: string; readonly network: string }[];
}

export interface Submission {
  readonly key?: string;
  readonly addresses?: readonly string[];
  readonly purpose?: 'replace' | 'add';
  readonly expiresAt?: string;
}

export const submit = (client: Person, submission: Submission): Promise<RequestView> =>
  client.caller.post<RequestView>('/v1/delivery/requests', submission);

/** The client says again, with its password, that what is shown is its own. */
export const confirm = (client: Person, request: RequestView): Promise<RequestView> =>
  client.caller.post<RequestView>(`/v1/delivery/requests/${request.id}/confirm`, {
    shown: request.awaiting,
    password: client.password,
  });

/** The desk takes a request and approves it. */
export async function approve(desk: Caller, request: RequestView): Promise<RequestView> {
  await desk.post(`/v1/delivery-desk/requests/${request.id}/take`);
  return desk.post<RequestView>(`/v1/delivery-desk/requests/${request.id}/approve`);
}

/** Intake, confirmation and approval in one go. */
export async function handIn(desk: Caller, client: Person, submission: Submission): Promise<RequestView> {
  return approve(desk, await confirm(client, await submit(client, submission)));
}

export interface LogIn {
  readonly userName: string;
  readonly password: string;
}

/** From nothing to a configured SFTP connection. */
export async function setUpSftp(
  desk: Caller,
  client: ClientPerson,
  submission: Submission & { readonly key: string },
): Promise<LogIn> {
  await client.caller.put('/v1/delivery', { sftp: true, portal: true });
  await handIn(desk, client, { addresses: ['127.0.0.1'], ...submission });
  const logIn = await desk.post<LogIn>(`/v1/clients/${client.clientId}/delivery/log-in`);
  await desk.post(`/v1/clients/${client.clientId}/delivery/configured`);
  return logIn;
}

/** Hands in a certificate and switches encryption on, as the client does after the notice. */
export async function setUpEncryption(desk: Caller, client: ClientPerson, certificate: string): Promise<RequestView> {
  const request = await handIn(desk, client, { key: certificate });
  await client.caller.put('/v1/delivery/encryption', { encryption: 'on' });
  return request;
}

export interface Issued {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface NewStatement {
  readonly account: string;
  readonly kind: string;
  /** A day, a month, a year, or two days with a slash between. */
  readonly period: string;
  /** Only its ending counts. */
  readonly file: string;
  readonly title?: string;
}

/** The desk issues one statement or document. */
export const issueStatement = (desk: Caller, asked: NewStatement, bytes: Uint8Array | string): Promise<Issued> =>
  desk.upload<Issued>(
    `/v1/delivery-desk/statements?${new URLSearchParams({ ...asked })}`,
    Buffer.from(bytes),
    'application/octet-stream',
  );
