// One process a data folder: a lock that the operating system lets go of by itself when its holder dies, however it dies.
import { stat } from 'node:fs/promises';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { refusals } from './rules.ts';

export interface FolderLock {
  close(): Promise<void>;
}

/**
 * Takes the folder for this process. The lock is a listening socket in Linux's abstract namespace, named after the
 * folder's device and inode, so that every path to the same folder meets the same lock and no file is left behind.
 * Refuses: folder_in_use.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const { dev, ino } = await stat(folder);
  const name = `\0broadgate-folder-${dev}-${ino}`;
  const server = net.createServer((peer) => peer.on('error', () => peer.destroy()).end(String(process.pid)));
  try {
    // NOTE: without `exclusive` a cluster worker would share the primary's socket, and the lock would lock nothing.
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen({ path: name, exclusive: true }, resolve);
    });
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw fault;
    throw refusals.folder_in_use({ folder, pid: await askHolder(name) });
  }
  server.unref();
  return { close: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** The process id of the holder, or 'unknown' when it does not answer within a second (it may be stopped). */
async function askHolder(name: string): Promise<string> {
  const peer = net.connect({ path: name }).setTimeout(1000, () => peer.destroy(new Error('no answer')));
  return text(peer).catch(() => 'unknown');
}
