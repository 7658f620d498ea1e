// What every command of the tool is made of: how it is called, its options, and what it is handed to work with.
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { resolve } from 'node:path';
import type { Caller } from './calls.ts';
import { readSurroundings, type Surroundings } from './config.ts';
import { Misuse } from './faults.ts';

export interface CommandCall {
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly surroundings: Surroundings;
  /** A path of the caller's, absolute. */
  path(given: string): string;
  /** Signed in, as far as the options and the token file allow; asked for only when the command needs the server. */
  caller(): Promise<Caller>;
  /** Ends what was signed in for this one command. */
  end(): Promise<void>;
}

/** A caller, and how to end the sign-in that was made for it, if one was. */
export interface OpenedCaller {
  readonly caller: Caller;
  readonly end?: () => Promise<void>;
}

export interface Command {
  /** The words that choose it, e.g. `desk issue`. */
  readonly name: string;
  /** What follows the words, as the help shows it. */
  readonly takes: string;
  readonly meaning: string;
  /** Lines of help about single options. */
  readonly notes?: readonly string[];
  readonly options?: ParseArgsOptionsConfig;
  readonly positionals?: { readonly min: number; readonly max: number };
  run(call: CommandCall): Promise<number | void>;
}

/** Options that every command knows. */
export const commonOptions = {
  url: { type: 'string' },
  'token-file': { type: 'string' },
  login: { type: 'string' },
  'password-file': { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsOptionsConfig;

export const usageOf = (command: Command): string => `broadgate ${command.name} ${command.takes}`.trim();

/** Reads the words after the command's name. Refuses: Misuse, with the way it is called. */
export function readCall(
  command: Command,
  words: readonly string[],
  openCaller: (call: Omit<CommandCall, 'caller' | 'end'>) => Promise<OpenedCaller>,
): CommandCall {
  const surroundings = readSurroundings();
  const read = (): ReturnType<typeof parseArgs> => {
    try {
      const options = { ...commonOptions, ...command.options };
      return parseArgs({ args: [...words], options, allowPositionals: true });
    } catch (fault) {
      throw new Misuse(`${(fault as Error).message}\nUsage: ${usageOf(command)}`, { cause: fault });
    }
  };
  const { values, positionals } = read();
  const { min, max } = command.positionals ?? { min: 0, max: 0 };
  if (values['help'] !== true && (positionals.length < min || positionals.length > max)) {
    throw new Misuse(`Usage: ${usageOf(command)}`);
  }
  const call = {
    positionals,
    options: values as CommandCall['options'],
    surroundings,
    path: (given: string): string => resolve(surroundings.folder, given),
  };
  let opening: Promise<OpenedCaller> | undefined;
  return {
    ...call,
    caller: async () => (await (opening ??= openCaller(call))).caller,
    end: async () => (await opening?.catch(() => undefined))?.end?.(),
  };
}

/** An option that takes a text; undefined when it was not given. */
export function optionText(call: Pick<CommandCall, 'options'>, name: string): string | undefined {
  const value = call.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** An option that the command cannot do without. */
export function neededText(call: Pick<CommandCall, 'options'>, name: string): string {
  const value = optionText(call, name);
  if (value === undefined) throw new Misuse(`The option --${name} is missing.`);
  return value;
}

export const isSet = (call: Pick<CommandCall, 'options'>, name: string): boolean => call.options[name] === true;
