// A client with a configured SFTP connection, and its repository seen from outside SFTP: by the API.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { addClient, type Caller, type ClientPerson, setUpSftp } from './broker.ts';
import type { Ran } from './clients.ts';
import type { Installation } from './installation.ts';
import { type KeyPair, makeKeyPair } from './key-pairs.ts';
import { psftp, sftp, type Target } from './sftp-programs.ts';

export interface Entry {
  readonly path: string;
  readonly name: string;
  readonly kind: 'file' | 'folder';
  readonly sizeBytes: number;
  readonly sha256: string | null;
  readonly isPartial: boolean;
}

const at = (where: string): string => `path=${encodeURIComponent(where)}`;

export type RepositoryClient = Awaited<ReturnType<typeof openRepositoryClient>>;

export interface Place {
  readonly installation: Installation;
  readonly desk: Caller;
  /** Where the client's keys and files are. */
  readonly folder: string;
}

/** Adds a client, makes it a pair unless one is given, and takes it through set-up. */
export async function openRepositoryClient(place: Place, login: string, accountNumber: string, pair?: KeyPair) {
  const client = await addClient(place.desk, login, accountNumber);
  return connectClient(place, client, pair ?? (await makeKeyPair(place.folder, login)));
}

/** Takes a client that is there already through set-up. */
export async function connectClient({ installation, desk, folder }: Place, client: ClientPerson, pair: KeyPair) {
  const { userName: user } = await setUpSftp(desk, client, { key: pair.publicKey });
  const target: Target = { port: installation.sftpPort, user, keyFile: pair.keyFile };
  const { hostKeys } = await client.caller.get<{ hostKeys: { fingerprint: string }[] }>('/v1/delivery/instructions');
  const hostKeyFingerprint = hostKeys[0]!.fingerprint;
  const entries = (where = '/'): Promise<Entry[]> => client.caller.list<Entry>(`/v1/repository/entries?${at(where)}`);
  let fetched = 0;
  return {
    client,
    pair,
    target,
    hostKeyFingerprint,
    putty: (commands: readonly string[]): Promise<Ran> =>
      psftp({ ...target, keyFile: pair.ppkFile }, commands, { folder, hostKeyFingerprint }),
    /** What a folder holds, as the API tells. */
    entries,
    names: async (where = '/'): Promise<string[]> => (await entries(where)).map((entry) => entry.name).toSorted(),
    entry: (where: string): Promise<Entry> => client.caller.get<Entry>(`/v1/repository/entry?${at(where)}`),
    /** The bytes at a path as the API gives them. */
    read: async (where: string): Promise<Buffer> => {
      const answer = await client.caller.call('GET', `/v1/repository/file?${at(where)}`);
      assert.equal(answer.status, 200);
      return Buffer.from(await answer.arrayBuffer());
    },
    /** The bytes of a file as OpenSSH fetches them. */
    fetch: async (where: string): Promise<Buffer> => {
      fetched += 1;
      const to = path.join(folder, `${client.login}-fetched-${fetched}`);
      const ran = await sftp(target, [`get "${where}" ${to}`]);
      assert.equal(ran.status, 0, ran.stderr);
      return readFileSync(to);
    },
  };
}
