// A small file system of its own for a test, which can be filled to the last byte and made read-only while it is in use.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface SmallDisk extends Disposable {
  readonly folder: string;
  /** Takes all the room there is but about this much. */
  fill(leaveBytes?: number): void;
  /** Gives the room back. */
  empty(): void;
  /** Shape: false where a file is open for writing, which the kernel does not let become read-only. */
  freeze(): boolean;
  thaw(): void;
}

const mount = (...args: readonly string[]): boolean => spawnSync('mount', args, { stdio: 'ignore' }).status === 0;

/** At a folder that is there, or at one of its own. Shape: undefined where this process may not mount. */
export function openSmallDisk(sizeMebibytes: number, at?: string): SmallDisk | undefined {
  const folder = at ?? mkdtempSync(path.join(tmpdir(), 'broadgate-disk-'));
  if (
    process.getuid?.() !== 0 ||
    !mount('-t', 'tmpfs', '-o', `size=${sizeMebibytes}m,mode=${at === undefined ? 755 : 700}`, 'tmpfs', folder)
  ) {
    if (at === undefined) rmdirSync(folder);
    return undefined;
  }
  let isFrozen = false;
  const filler = path.join(folder, 'filler');
  return {
    folder,
    fill(leaveBytes = 0) {
      const file = openSync(filler, 'w');
      try {
        for (const size of [1024 * 1024, 4096]) fillWith(file, Buffer.alloc(size));
      } finally {
        closeSync(file);
      }
      if (leaveBytes > 0) spawnSync('truncate', ['-s', `-${leaveBytes}`, filler]);
    },
    empty: () => rmSync(filler, { force: true }),
    freeze() {
      isFrozen ||= mount('-o', 'remount,ro', folder);
      return isFrozen;
    },
    thaw() {
      if (isFrozen) isFrozen = !mount('-o', 'remount,rw', folder);
    },
    [Symbol.dispose]() {
      spawnSync('umount', ['-l', folder], { stdio: 'ignore' });
      if (at === undefined) rmdirSync(folder);
    },
  };
}

function fillWith(file: number, bytes: Buffer): void {
  try {
    while (writeSync(file, bytes) === bytes.length);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'ENOSPC') throw fault;
  }
}
