// The table of commands: how each is called, what it is for, and where it is. Each is loaded only when it is asked for.
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { readSettings } from '../config.ts';
import { Misuse } from './misuse.ts';

export interface Command {
  /** The words that choose it. */
  readonly words: string;
  /** What follows the words, as the help shows it. */
  readonly takes: string;
  readonly meaning: string;
  /** Runs it with the arguments after its words. Shape: the exit code. */
  run(read: ReadArguments): Promise<number>;
}

/** Reads a command's options and `positionals` words beside them. Refuses: Misuse, with the way the command is called. */
export type ReadArguments = (options: ParseArgsOptionsConfig, positionals?: number) => Arguments;

export interface Arguments {
  readonly positionals: readonly string[];
  /** An option that the command cannot do without. */
  readonly needed: (name: string) => string;
  readonly optional: (name: string) => string | undefined;
  /** Every value of an option that may be given several times. */
  readonly several: (name: string) => string[];
  readonly isSet: (name: string) => boolean;
}

const text = { type: 'string' } as const;
const texts = { type: 'string', multiple: true } as const;
const flag = { type: 'boolean' } as const;

const people = () => import('./people.ts');

export const commands: readonly Command[] = [
  {
    words: 'serve',
    takes: '',
    meaning: 'serve an installation until Ctrl-C',
    async run(read) {
      read({});
      return (await import('./serve.ts')).runServe(readSettings());
    },
  },
  {
    words: 'demo',
    takes: '',
    meaning: 'serve a demo broker on loopback; an empty data folder is filled first',
    async run(read) {
      read({});
      return (await import('../demo/demo.ts')).runDemo();
    },
  },
  {
    words: 'migrate',
    takes: '',
    meaning: 'bring the database to this release',
    async run(read) {
      read({});
      return (await import('./migrate.ts')).runMigrate(readSettings());
    },
  },
  {
    words: 'operator add',
    takes: '--login LOGIN --name NAME --desk DESK [--desk DESK]',
    meaning: 'add an operator; prints a one-time invitation',
    async run(read) {
      const { needed, several } = read({ login: text, name: text, desk: texts });
      const asked = { login: needed('login'), name: needed('name'), desks: several('desk') };
      return (await people()).addOperator(readSettings(), asked);
    },
  },
  {
    words: 'operator list',
    takes: '',
    meaning: 'list operators with their desks',
    async run(read) {
      read({});
      return (await people()).listOperators(readSettings());
    },
  },
  {
    words: 'client add',
    takes:
      '--login LOGIN --name NAME --account NUMBER [--account NUMBER] [--email ADDRESS] [--locale TAG] [--institution]',
    meaning: 'add a client; prints a one-time invitation',
    async run(read) {
      const given = read({ login: text, name: text, account: texts, email: text, locale: text, institution: flag });
      return (await people()).addClient(readSettings(), {
        login: given.needed('login'),
        name: given.needed('name'),
        accounts: given.several('account'),
        email: given.optional('email'),
        locale: given.optional('locale'),
        kind: given.isSet('institution') ? 'institution' : 'person',
      });
    },
  },
  {
    words: 'client import',
    takes: 'FILE.csv',
    meaning: 'add every client of a file or none: kind,name,login,email,accounts,locale; prints invitations as CSV',
    async run(read) {
      const { positionals } = read({}, 1);
      return (await people()).importClients(readSettings(), positionals[0]!);
    },
  },
  {
    words: 'client list',
    takes: '',
    meaning: 'list clients with their accounts and logins',
    async run(read) {
      read({});
      return (await people()).listClients(readSettings());
    },
  },
  changeOfClient(
    'client suspend',
    'suspendClient',
    'end its sign-ins and connections now and let nobody in until it is resumed',
  ),
  changeOfClient('client resume', 'resumeClient', 'let a suspended client in again'),
  changeOfClient('client close', 'closeClient', 'end the relationship for good'),
  {
    words: 'client reset-password',
    takes: 'LOGIN',
    meaning: 'print an invitation to set a new password',
    async run(read) {
      const { positionals } = read({}, 1);
      return (await people()).resetPassword(readSettings(), positionals[0]!);
    },
  },
  {
    words: 'verify audit',
    takes: '[--noted INDEX:HASH]',
    meaning: 'recompute the chain of the audit trail',
    async run(read) {
      const { several } = read({ noted: texts });
      return (await import('./audit-check.ts')).verifyAudit(readSettings(), several('noted'));
    },
  },
  {
    words: 'backup',
    takes: 'FOLDER',
    meaning: 'write all rows and files into an empty folder; the server may run meanwhile',
    async run(read) {
      const { positionals } = read({}, 1);
      return (await import('./backup.ts')).runBackup(readSettings(), positionals[0]!);
    },
  },
  {
    words: 'restore',
    takes: 'FOLDER',
    meaning: 'restore a backup into an empty installation and check the chains of proof',
    async run(read) {
      const { positionals } = read({}, 1);
      return (await import('./backup.ts')).runRestore(readSettings(), positionals[0]!);
    },
  },
  {
    words: 'master-key rotate',
    takes: '',
    meaning: 'make a new master key and wrap every other key under it; stop the server first',
    async run(read) {
      read({});
      return (await import('./master-key.ts')).rotateMasterKey(readSettings());
    },
  },
  {
    words: 'host-key announce',
    takes: '',
    meaning: 'make the next SSH host keys; servers tell clients of them from their next start on',
    async run(read) {
      read({});
      return (await import('./host-key.ts')).announce(readSettings());
    },
  },
  {
    words: 'host-key rotate',
    takes: '',
    meaning: 'use the announced SSH host keys from the next start on, and forget those before',
    async run(read) {
      read({});
      return (await import('./host-key.ts')).rotate(readSettings());
    },
  },
  {
    words: 'doctor',
    takes: '',
    meaning: 'print the settings in force, what is unsafe, and what is not well',
    async run(read) {
      read({});
      return (await import('./doctor.ts')).runDoctor(readSettings());
    },
  },
  {
    words: 'keys check',
    takes: 'FILE',
    meaning: 'say whether a public key would be accepted, and why not',
    async run(read) {
      const { positionals } = read({}, 1);
      return (await import('./key-check.ts')).checkKeyFile(positionals[0]!);
    },
  },
];

function changeOfClient(
  words: string,
  change: 'suspendClient' | 'resumeClient' | 'closeClient',
  meaning: string,
): Command {
  return {
    words,
    takes: 'LOGIN|ACCOUNT --reason TEXT',
    meaning,
    async run(read) {
      const { positionals, needed } = read({ reason: text }, 1);
      return (await people()).changeClient(readSettings(), change, positionals[0]!, needed('reason'));
    },
  };
}

export const usageOf = (command: Command): string => `${command.words} ${command.takes}`.trim();

/** The command that the words choose, with what follows them. */
export function findCommand(words: readonly string[]): { command: Command; rest: readonly string[] } | undefined {
  for (const command of commands) {
    const own = command.words.split(' ');
    if (own.every((word, index) => words[index] === word)) return { command, rest: words.slice(own.length) };
  }
  return undefined;
}

/** Runs the command with what follows its words. Refuses: Misuse, and whatever the command refuses. */
export function runCommand(command: Command, rest: readonly string[]): Promise<number> {
  const misuse = (reason: string): Misuse => new Misuse(`${reason}\nUsage: ${usageOf(command)}`);
  return command.run((options, wanted = 0) => {
    const { values, positionals } = parse(rest, options, misuse);
    if (positionals.length !== wanted) {
      throw misuse(positionals.length < wanted ? 'Something is missing.' : `What is "${positionals[wanted]}"?`);
    }
    const optional = (name: string): string | undefined => {
      const value = values[name];
      return typeof value === 'string' ? value : undefined;
    };
    return {
      positionals,
      optional,
      needed(name) {
        const value = optional(name);
        if (value === undefined) throw misuse(`--${name} is missing.`);
        return value;
      },
      several: (name) => [values[name] ?? []].flat().filter((one) => typeof one === 'string'),
      isSet: (name) => values[name] === true,
    };
  });
}

function parse(rest: readonly string[], options: ParseArgsOptionsConfig, misuse: (reason: string) => Misuse) {
  try {
    return parseArgs({ args: [...rest], options, allowPositionals: true });
  } catch (fault) {
    throw misuse((fault as Error).message);
  }
}
