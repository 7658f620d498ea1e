// What the adversary attacks: a whole installation with one worker, clients whose keys are made here, and its own readings.
import { addClient, addOperator, type Caller, type ClientPerson, createCaller, setUpSftp } from '../broker.ts';
import { type Installation, openInstallation } from '../installation.ts';
import { createTestKey, type TestKey } from '../../packages/ssh/test/client-core.ts';
import { connectPeer, type Peer, type PeerOptions } from './peer.ts';

export interface Account {
  readonly client: ClientPerson;
  readonly user: string;
  readonly key: TestKey;
}

/** Opens it with an operator; one worker, so that what is attacked is what is measured. */
export async function openTarget(env: Readonly<Record<string, string>> = {}) {
  const installation: Installation = await openInstallation({
    env: { BROADGATE_PRIVATE_ADDRESSES: 'on', BROADGATE_WORKERS: '1', BROADGATE_LOG_LEVEL: 'warn', ...env },
  });
  const desk: Caller = (await addOperator(installation, 'ana', ['delivery'])).caller;
  const port = installation.sftpPort;
  let accounts = 0;
  return {
    installation,
    desk,
    port,
    /** Adds a client with a configured connection. `addresses`: where it may come from. */
    async addAccount(login: string, addresses: readonly string[] = ['127.0.0.1']): Promise<Account> {
      accounts += 1;
      const client = await addClient(desk, login, `U77000${accounts}`);
      const key = createTestKey();
      const { userName: user } = await setUpSftp(desk, client, {
        key: `${key.algorithm} ${key.blob.toString('base64')} ${login}\n`,
        addresses,
      });
      return { client, user, key };
    },
    /** A connection that is signed in. */
    async enter(account: Account, localAddress = '127.0.0.1', options: PeerOptions = {}): Promise<Peer> {
      const peer = await connectPeer(port, { localAddress, ...options });
      await peer.signIn(account);
      return peer;
    },
    read: () => readMetrics(installation.url),
    [Symbol.asyncDispose]: () => installation[Symbol.asyncDispose](),
  };
}

export interface Readings {
  /** Connections by state: signed_in, signing_in, held. */
  readonly connections: Readonly<Record<string, number>>;
  /** What keeps the worker's event loop alive, by kind: sockets, timers, open files. */
  readonly resources: Readonly<Record<string, number>>;
  readonly openFiles: number;
  /** Units: bytes. */
  readonly residentBytes: number;
  /** Longest turn of the event loop since the reading before. Units: ms. */
  readonly delayMsMax: number;
  /** Units: s of processor time since the start. */
  readonly processorSeconds: number;
}

/** What the worker tells of itself at /metrics. NOTE: a reading starts the next measurement of the longest turn. */
async function readMetrics(url: string): Promise<Readings> {
  const answer = await createCaller(url).call('GET', '/metrics');
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const values = lines.map((line) => {
    const [, name = '', label, value = ''] = /^(\w+)(?:\{\w+="([^"]*)"[^}]*\})? (\S+)$/.exec(line) ?? [];
    return { name, label, value: Number(value) };
  });
  const one = (name: string): number => values.find((row) => row.name === name)?.value ?? Number.NaN;
  const all = (name: string): Record<string, number> =>
    Object.fromEntries(values.filter((row) => row.name === name).map((row) => [row.label ?? '', row.value]));
  return {
    connections: all('broadgate_sftp_connections'),
    resources: all('nodejs_active_resources'),
    openFiles: one('process_open_fds'),
    residentBytes: one('process_resident_memory_bytes'),
    delayMsMax: one('nodejs_eventloop_lag_max_seconds') * 1000,
    processorSeconds: one('process_cpu_seconds_total'),
  };
}
