// What the matrix asks of every client program: the command that takes some steps, or the reason why it cannot take them.
import type { Ran } from '../clients.ts';

/** How a client reaches its repository. The three key files hold one key, each in the format of some programs. */
export interface Account {
  readonly port: number;
  readonly user: string;
  /** OpenSSH's format; its public half lies beside it with `.pub`. */
  readonly keyFile: string;
  readonly ppkFile: string;
  readonly dropbearFile: string;
  /** `SHA256:…` of each host key, Ed25519 first. */
  readonly hostKeyFingerprints: readonly string[];
  /** A folder that the program may take for its user's home. */
  readonly home: string;
}

/** One thing to do. Shape: `remote` paths begin with a slash, `local` ones are absolute; none holds a space. */
export type Step =
  | { readonly verb: 'list'; readonly remote: string }
  | { readonly verb: 'get' | 'resumeGet'; readonly remote: string; readonly local: string }
  | { readonly verb: 'put' | 'resumePut'; readonly remote: string; readonly local: string }
  /** Everything in a folder, which is not there yet on the other side. */
  | { readonly verb: 'getFolder' | 'putFolder'; readonly remote: string; readonly local: string }
  | { readonly verb: 'rename'; readonly remote: string; readonly to: string };

export type Verb = Step['verb'];

/** A program's own words for each verb. Shape: `other` is the local file, for `rename` the new name. */
export type Words = Readonly<Record<Verb, (remote: string, other: string) => string>>;

/** A step in a program's words. */
export function formatStep(words: Words, step: Step): string {
  const other = 'local' in step ? step.local : 'to' in step ? step.to : '';
  return words[step.verb](step.remote, other);
}

/** Beside the verbs: a file of 1 GiB, and new keys in mid-transfer by the server's wish and by its own. */
export type Deed = Verb | 'gibibyte' | 'rekeyByUs' | 'rekeyByIt';

export const slots = ['keyExchange', 'cipher', 'mac', 'hostKey'] as const;
export type Slot = (typeof slots)[number];

/** Algorithms that the program is told to use, and after how many bytes it shall renew keys. */
export interface Choice extends Partial<Record<Slot, string>> {
  readonly rekeyBytes?: number;
}

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Run after it was killed. */
  readonly cleanUp?: readonly string[];
}

export interface ClientProgram {
  /** As the page names it. */
  readonly name: string;
  /** One word for files and test names. */
  readonly id: string;
  /** The file without which it cannot run on this machine, and what is said then. */
  readonly needs?: { readonly file: string; readonly otherwise: string };
  /** What it does not have or does not manage, each with the reason. */
  readonly cannot: Readonly<Partial<Record<Deed, string>>>;
  /** What its user can tell it to use, by our names, or why there is no choice. */
  readonly chooses: Readonly<Record<Slot, readonly string[] | string>>;
  /** Every exchange is tried with every cipher, not each alone: for the program that starts fastest. */
  readonly triesPairs?: boolean;
  /** False for a program that takes one step a process. */
  readonly takesManySteps: boolean;
  readVersion(): Promise<string>;
  command(account: Account, steps: readonly Step[], choice: Choice): Command;
  /** The names that it printed for `list`. */
  readNames(ran: Ran): string[];
}

/** The lines of a program's standard output that hold something. */
export const linesOf = (ran: Ran): string[] =>
  ran.stdout
    .toString()
    .split(/\r?\n/)
    .filter((line) => line !== '');
