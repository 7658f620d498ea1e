// Rows: sign-ins, one after the other and fifty at once, by the program that clients use and by a client that costs little itself.
import { readFileSync } from 'node:fs';
import { parseHostKey } from '@broadgate/ssh';
import { connectPeer } from '../test/adversary/peer.ts';
import type { Measure, Row } from './row.ts';
import { runClient, sidesOf, type SftpWork } from './sftp-runs.ts';
import { type SftpServers, shareSftpServers } from './sftp-servers.ts';
import type { SftpServer } from './sftp-peers.ts';

const atOnce = 50;

/** One connection to a working SFTP session and back. */
type SignIn = (server: SftpServer) => Promise<void>;

// Left to itself the client agrees with OpenSSH's server on sntrup761, which ours does not offer: the work would not be the same.
const sameExchange = ['-o', 'KexAlgorithms=curve25519-sha256'];

const byOpenSsh: SignIn = async (server) => void (await runClient(server, sameExchange, ['pwd']));

/** Keys that `connectPeer` signs with, by file. */
const keys = new Map<string, ReturnType<typeof readKey>>();

export function readKey(file: string) {
  const { blob, privateKey } = parseHostKey(readFileSync(file, 'utf8'));
  return { algorithm: 'ssh-ed25519', blob, privateKey };
}

const byOurs: SignIn = async ({ target }) => {
  const key = keys.get(target.keyFile) ?? readKey(target.keyFile);
  keys.set(target.keyFile, key);
  using peer = await connectPeer(target.port);
  await peer.signIn({ user: target.user, key });
  await peer.openSftp();
};

const measuresOf = (ratioMin: number | undefined): readonly Measure[] => [
  {
    name: 'speed',
    unit: 'sign-ins/s',
    better: 'higher',
    bars: ratioMin === undefined ? [] : [{ kind: 'ratio', against: 'OpenSSH', min: ratioMin }],
  },
  { name: 'server processor time', unit: 'ms/sign-in', better: 'lower' },
];

const values: SftpWork['values'] = ({ seconds, cost, attempts }) => ({
  speed: attempts / seconds,
  'server processor time': (cost.cpuSeconds * 1000) / attempts,
});

interface Manner {
  readonly name: string;
  readonly meaning: string;
  readonly notes: readonly string[];
  readonly signIn: SignIn;
  readonly rounds: number;
  readonly ratioMin?: number;
  count(servers: SftpServers): number;
  /** How many at once. */
  readonly lanes: number;
}

function createRow({ name, meaning, notes, signIn, rounds, ratioMin, count, lanes }: Manner): Row {
  return {
    name,
    meaning,
    notes,
    measures: measuresOf(ratioMin),
    rounds,
    async open(bench) {
      const servers = await shareSftpServers(bench);
      const work: SftpWork = {
        name,
        async work(server, round) {
          const attempts = round === 0 ? 2 : count(servers);
          let left = attempts;
          let failures = 0;
          const lane = async (): Promise<void> => {
            while (left-- > 0) await signIn(server).catch(() => failures++);
          };
          await Promise.all(Array.from({ length: Math.min(lanes, attempts) }, lane));
          return { attempts, failures };
        },
        values,
      };
      return { sides: sidesOf(bench, servers, work, rounds) };
    },
  };
}

const program =
  'The client is OpenSSH sftp, told to use curve25519 with every server: it connects, signs in with Ed25519, opens SFTP, asks for its folder and ends; each sign-in is a program that starts.';
const light =
  'The client is a small one in the process that measures: curve25519 and aes128-gcm, one signed request, SFTP opened. It takes a fraction of what the program takes, so that the server is what is measured.';

export const signInRows: readonly Row[] = [
  createRow({
    name: 'sftp-sign-in-sequence',
    meaning: 'Sign in by OpenSSH, one after the other',
    notes: [program],
    signIn: byOpenSsh,
    rounds: 3,
    count: ({ sizes }) => sizes.signIns,
    lanes: 1,
  }),
  createRow({
    name: 'sftp-sign-in-parallel',
    meaning: 'Sign in 50 times at once by OpenSSH',
    notes: [program],
    signIn: byOpenSsh,
    rounds: 3,
    ratioMin: 5,
    count: () => atOnce,
    lanes: atOnce,
  }),
  createRow({
    name: 'sftp-sign-in-light',
    meaning: 'Sign in 200 times, 50 at once, by a small client',
    notes: [light],
    signIn: byOurs,
    rounds: 3,
    ratioMin: 5,
    count: () => 4 * atOnce,
    lanes: atOnce,
  }),
];
