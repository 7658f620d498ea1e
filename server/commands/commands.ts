// The table of commands: how each is called, what it is for, and where it is. Each is loaded only when it is asked for.
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { readSettings } from '../config.ts';

/** The command was called in a way that it does not know; the text says how it is called. */
export class Misuse extends Error {}

export interface Command {
  /** The words that choose it. */
  readonly words: readonly string[];
  readonly usage: string;
  readonly meaning: string;
  /** Runs it with the arguments after its words. Shape: the exit code. */
  run(rest: readonly string[]): Promise<number>;
}

export const commands: readonly Command[] = [
  {
    words: ['serve'],
    usage: 'serve',
    meaning: 'serve an installation until Ctrl-C',
    run: async () => (await import('./serve.ts')).runServe(readSettings()),
  },
  {
    words: ['demo'],
    usage: 'demo',
    meaning: 'serve a demo broker on loopback',
    run: async () => (await import('../demo/demo.ts')).runDemo(),
  },
  {
    words: ['migrate'],
    usage: 'migrate',
    meaning: 'bring the database to this release',
    run: async () => (await import('./migrate.ts')).runMigrate(readSettings()),
  },
];

/** The command that the words choose, with what follows them. */
export function findCommand(words: readonly string[]): { command: Command; rest: readonly string[] } | undefined {
  for (const command of commands) {
    if (command.words.every((word, index) => words[index] === word)) {
      return { command, rest: words.slice(command.words.length) };
    }
  }
  return undefined;
}

/** Reads a command's options. Refuses: Misuse, with the way it is called. */
export function readOptions<Options extends ParseArgsOptionsConfig>(
  usage: string,
  rest: readonly string[],
  options: Options,
) {
  try {
    return parseArgs({ args: [...rest], options, allowPositionals: true, strict: true });
  } catch (fault) {
    throw new Misuse(`${(fault as Error).message}\nUsage: ${usage}`);
  }
}
