// The master key: 32 bytes outside the database and the backup, which wrap every other key.
import { createHash, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Random } from './random.ts';
import { refusals } from './rules.ts';

export interface MasterKey {
  /** Tells keys apart without giving them away: 16 hex digits of a hash. */
  readonly id: string;
  /** Derived for wrapping data keys, so that the master key itself is used for nothing else. */
  readonly wrapping: KeyObject;
}

/** The current master key first, then earlier ones that a rotation was not yet finished with. */
export type MasterKeys = readonly [MasterKey, ...MasterKey[]];

export function createMasterKey(bytes: Buffer): MasterKey {
  const id = createHash('sha256').update('broadgate master key id').update(bytes).digest('hex').slice(0, 16);
  return { id, wrapping: createSecretKey(Buffer.from(hkdfSync('sha256', bytes, '', 'broadgate wrap 1', 32))) };
}

/**
 * Reads master keys from a setting or a file's text: one a line, 32 bytes as hex or base64, the current one first.
 * Refuses: master_key_invalid, which never quotes what it read.
 */
export function parseMasterKeys(text: string): MasterKeys {
  const [first, ...rest] = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => createMasterKey(parseKey(line)));
  if (!first) throw refusals.master_key_invalid();
  return [first, ...rest];
}

function parseKey(line: string): Buffer {
  const isHex = /^[0-9a-fA-F]{64}$/.test(line);
  const bytes = Buffer.from(line, isHex ? 'hex' : 'base64');
  if (bytes.length !== 32 || !(isHex || /^[A-Za-z0-9+/_-]{43}=?$/.test(line))) throw refusals.master_key_invalid();
  return bytes;
}

/** Reads the key file, which is made, readable by its owner only, when it is not there. */
export async function readMasterKeys(file: string, random: Random): Promise<MasterKeys> {
  const found = await readFile(file, 'utf8').catch((fault: NodeJS.ErrnoException) => {
    if (fault.code === 'ENOENT') return undefined;
    throw refusals.folder_not_writable({ folder: file, reason: fault.message });
  });
  if (found !== undefined) return parseMasterKeys(found);
  await writeKeyFile(file, `${heading}${random.bytes(32).toString('hex')}\n`, 'new');
  return parseMasterKeys(await readFile(file, 'utf8'));
}

/**
 * Puts a fresh key on top of the file, before the ones that are there: with both at hand a rotation can be interrupted
 * anywhere. `dropOldMasterKeys` takes the others out when nothing is wrapped under them any more.
 */
export async function addMasterKey(file: string, random: Random): Promise<MasterKeys> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const text = `${heading}${[random.bytes(32).toString('hex'), ...lines].join('\n')}\n`;
  await writeKeyFile(file, text, 'over');
  return parseMasterKeys(text);
}

export async function dropOldMasterKeys(file: string): Promise<void> {
  const [current] = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  await writeKeyFile(file, `${heading}${current}\n`, 'over');
}

const heading = `# Broadgate's master key. Keep a copy apart from the backups: without it nothing in them can be read.\n`;

let writes = 0;

/** The whole text appears at once or not at all: workers that start together must not read half a key. */
async function writeKeyFile(file: string, text: string, how: 'new' | 'over'): Promise<void> {
  const partial = `${file}.${process.pid}-${(writes += 1)}.partial`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await using handle = await open(partial, 'w', 0o600);
    await handle.writeFile(text);
    await handle.sync();
    if (how === 'over') await rename(partial, file);
    else await link(partial, file);
  } catch (fault) {
    // Another process made it between our look and our write: its key is the one.
    if ((fault as NodeJS.ErrnoException).code !== 'EEXIST' || how === 'over') {
      throw refusals.folder_not_writable({ folder: file, reason: (fault as Error).message });
    }
  } finally {
    await rm(partial, { force: true });
  }
  await using folder = await open(dirname(file), 'r');
  await folder.sync();
}
