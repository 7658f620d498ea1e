// Hands the running demo to people and scripts: material files, people.json written last, and the first screen.
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { Ports } from '../commands/serve.ts';
import { wantsColour } from '../config.ts';
import type { HostKeyShown } from '../host-keys.ts';
import { type DemoFacts, type DemoFiles, writePrivate } from './demo-folder.ts';
import { brokerName, demoClients, demoOperators } from './people.ts';
import { formatScreen, quoteWord, type ScreenCommand, type ScreenPerson } from './screen.ts';

interface Demo {
  readonly files: DemoFiles;
  readonly ports: Ports;
  readonly facts: DemoFacts;
  readonly hostKeys: readonly HostKeyShown[];
  /** What to say about ports that were taken. */
  readonly moved: readonly string[];
}

const repositoryFolder = resolve(import.meta.dirname, '..', '..');

export async function handOut(demo: Demo): Promise<void> {
  const { files, ports, facts, hostKeys } = demo;
  const gnupgHome = await makeGnupgHome(files);
  const host = `[${ports.sftp.host}]:${ports.sftp.port}`;
  await writePrivate(files.knownHosts, hostKeys.map(({ line }) => `${host} ${line}\n`).join(''));
  const portalUrl = `http://${ports.https.host}:${ports.https.port}`;
  const { fingerprint } = hostKeys[0]!;
  process.stdout.write(
    formatScreen({
      broker: brokerName,
      portalUrl,
      sftpAddress: `${ports.sftp.host} port ${ports.sftp.port}, user ${facts.sftpUser}`,
      hostKeyFingerprint: fingerprint,
      people: listPeople(facts),
      commands: listCommands(demo, { portalUrl, gnupgHome }),
      peopleFile: files.people,
      moved: demo.moved,
      colour: wantsColour(process.stdout),
    }),
  );
  await writePrivate(files.people, `${JSON.stringify(describe(demo, portalUrl, fingerprint), null, 2)}\n`);
}

/** GnuPG's own sockets lie in its home, and a socket's path must be short (unix(7)): a deep data folder gets one elsewhere. */
async function makeGnupgHome(files: DemoFiles): Promise<string> {
  if (Buffer.byteLength(files.gnupgHome) > 80) return mkdtemp(join(tmpdir(), 'broadgate-gnupg-'));
  await mkdir(files.gnupgHome, { recursive: true, mode: 0o700 });
  return files.gnupgHome;
}

const passwordOf = (facts: DemoFacts, key: string): string => facts.people.find((one) => one.key === key)!.password;

/** What scripts read. */
function describe({ files, ports, facts }: Demo, portalUrl: string, hostKeyFingerprint: string): object {
  return {
    portalUrl,
    sftp: {
      host: ports.sftp.host,
      port: ports.sftp.port,
      user: facts.sftpUser,
      privateKeyFile: files.sshKey,
      hostKeyFingerprint,
    },
    openpgp: { privateKeyFile: files.openPgpKey, brokerPublicKeyFile: files.brokerCertificate },
    // The client that `sftp` and `openpgp` belong to comes first.
    clients: (['fund', 'investor', 'newcomer'] as const).map((key) => ({
      login: demoClients[key].login,
      password: passwordOf(facts, key),
      accountNumber: demoClients[key].portfolio.accountNumber,
    })),
    operators: demoOperators.map(({ login, desk }) => ({ login, password: passwordOf(facts, login), desk })),
  };
}

const listPeople = (facts: DemoFacts): ScreenPerson[] => [
  ...Object.entries(demoClients).map(([key, { name, role, login }]) => ({
    name,
    role,
    login,
    password: passwordOf(facts, key),
  })),
  ...demoOperators.map(({ name, role, login }) => ({ name, role, login, password: passwordOf(facts, login) })),
];

function listCommands(demo: Demo, parts: { portalUrl: string; gnupgHome: string }): ScreenCommand[] {
  const { files, ports, facts } = demo;
  const connect = (key: string): string[] => [
    'sftp',
    '-F none',
    `-P ${ports.sftp.port}`,
    `-i ${quoteWord(key)}`,
    '-o IdentitiesOnly=yes',
    `-o UserKnownHostsFile=${quoteWord(files.knownHosts)}`,
  ];
  const fetched = join(files.folder, basename(facts.statementName));
  const gpg = ['gpg', `--homedir ${quoteWord(parts.gnupgHome)}`];
  const address = `${facts.sftpUser}@${ports.sftp.host}`;
  return [
    {
      title: 'Fetch a statement',
      words: [...connect(files.sshKey), quoteWord(`${address}:${facts.statementName}`), quoteWord(`${files.folder}/`)],
    },
    {
      title: 'Open it: decrypts, and says whether the broker signed it',
      words: [
        ...gpg,
        '--batch --quiet --import',
        quoteWord(files.openPgpKey),
        quoteWord(files.brokerCertificate),
        '\n',
        ...gpg,
        '--trust-model always --yes',
        `--output ${quoteWord(fetched.replace(/\.pgp$/, ''))}`,
        `--decrypt ${quoteWord(fetched)}`,
      ],
    },
    {
      title: 'Be refused with a wrong key, then see why',
      words: [
        ...connect(files.strangeSshKey),
        address,
        '\n',
        `npm --prefix ${quoteWord(repositoryFolder)} run -s broadgate -- why`,
        `--url ${parts.portalUrl}`,
        `--login ${demoClients.fund.login}`,
        `--password-file ${quoteWord(files.passwordOf(demoClients.fund.login))}`,
      ],
    },
  ];
}
