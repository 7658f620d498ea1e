// Commands that work on an installation itself: the server's own program runs them, where it is installed beside the tool.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from './commands.ts';
import { exitCodes, Misuse } from './faults.ts';

const serverProgram = join(import.meta.dirname, '..', 'server', 'main.ts');

/** True where the server is installed beside the tool. */
export const isServerBeside = (): boolean => existsSync(serverProgram);

/** Runs a command of the server with the terminal handed through. Shape: its exit code. */
export async function runServerCommand(words: readonly string[]): Promise<number> {
  if (!isServerBeside())
    throw new Misuse('This command works on the installation; run it where the server is installed.');
  const child = spawn(process.execPath, [serverProgram, ...words], { stdio: 'inherit' });
  // The child has the terminal: it decides what Ctrl-C does.
  process.on('SIGINT', () => undefined);
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? exitCodes.unavailable;
}

const handed = (name: string, takes: string, meaning: string): HandedCommand => ({ name, takes, meaning });

export type HandedCommand = Pick<Command, 'name' | 'takes' | 'meaning'>;

/** Handed to the server's program word for word, its options included. */
export const serverCommands: readonly HandedCommand[] = [
  handed('operator add', '--login LOGIN --name NAME --desk DESK…', 'add an operator; prints a one-time invitation'),
  handed('operator list', '', 'list operators and their desks'),
  handed(
    'client add',
    '--login LOGIN --name NAME --account NUMBER… [--institution]',
    'add a client; prints an invitation',
  ),
  handed('client import', 'FILE.csv', 'add many clients; prints their invitations as CSV'),
  handed('client list', '', 'list clients'),
  handed('client suspend', 'LOGIN|ACCOUNT --reason TEXT', 'end sign-ins and connections now, keep everything'),
  handed('client resume', 'LOGIN|ACCOUNT --reason TEXT', 'let a suspended client in again'),
  handed('client close', 'LOGIN|ACCOUNT --reason TEXT', 'end the relationship'),
  handed('client reset-password', 'LOGIN', 'end the password; prints an invitation for a new one'),
  handed('keys check', 'FILE', 'say whether a public key would be accepted, with the same verdict as the server'),
  handed('verify audit', '', 'recompute the chain of the audit trail'),
  handed('backup', 'FOLDER', 'write rows and files into an empty folder'),
  handed('restore', 'FOLDER', 'restore a backup into an empty installation'),
  handed('master-key rotate', '', 'make a new master key and wrap every other key under it'),
  handed('host-key announce', '', 'make the next SSH host keys and tell clients of them'),
  handed('host-key rotate', '', 'use the announced SSH host keys from the next start on'),
  handed('doctor', '', 'effective settings, what is unsafe, what is not well'),
  handed('migrate', '', 'bring the database to this release'),
];
