// Takes a password in: typed without echo on a terminal, from a file, or from standard input; never from the arguments.
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { Misuse } from './faults.ts';

export interface PasswordSource {
  /** What is asked for, as in `Password of ana`. */
  readonly label: string;
  readonly file: string | undefined;
  /** Asks a second time, for a password that is new. */
  readonly isNew?: boolean;
}

/** Shape: the password without the line end that a file or a pipe adds. */
export async function takePassword(source: PasswordSource): Promise<string> {
  if (source.file !== undefined) return firstLine(await readFile(source.file, 'utf8'));
  if (!process.stdin.isTTY) return firstLine(await text(process.stdin));
  const typed = await typeUnseen(`${source.label}: `);
  if (source.isNew === true && (await typeUnseen('The same again: ')) !== typed) {
    throw new Misuse('The two differ. Nothing was set; call the command again.');
  }
  return typed;
}

function firstLine(given: string): string {
  const line = given.split(/\r?\n/, 1)[0] ?? '';
  if (line === '') throw new Misuse('There is no password in what was given.');
  return line;
}

const keys = { enter: new Set(['\r', '\n']), erase: new Set(['\u007f', '\b']), end: '\u0004', interrupt: '\u0003' };

async function typeUnseen(label: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(label);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  let typed = '';
  try {
    for await (const chunk of stdin.iterator({ destroyOnReturn: false }) as AsyncIterable<string>) {
      for (const key of chunk) {
        if (keys.enter.has(key) || key === keys.end) return typed;
        if (key === keys.interrupt) throw new Misuse('Nothing was done.');
        typed = keys.erase.has(key) ? Array.from(typed).slice(0, -1).join('') : typed + key;
      }
    }
    return typed;
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}
