// What a client's repository must hold after any SFTP requests, in memory and written apart from it: paths to bytes.
//
// Each operation answers whether the server grants it: 'ok', 'no', or 'either' where that depends on what another
// connection's news reach first. Source: the states in server/statements/repository.
import type { OpenMode } from '@broadgate/sftp';

export type Outcome = 'ok' | 'no' | 'either';

interface Entry {
  readonly kind: 'file' | 'folder';
  readonly isBrokers: boolean;
  bytes: Buffer;
}

/** An upload that is not published. */
interface Upload {
  bytes: Buffer;
  holder: WriteHandle | undefined;
}

export interface WriteHandle {
  readonly kind: 'write';
  readonly mode: OpenMode;
  /** Open; lost to whoever opened the path again; or doomed: its path was removed or taken, and it may learn that late. */
  state: 'open' | 'lost' | 'doomed';
  hasFailed: boolean;
  bytes: Buffer;
  upload: Upload | undefined;
}
export type ModelHandle = WriteHandle | { readonly kind: 'read'; readonly bytes: Buffer } | { readonly kind: 'list' };

export const gapBytesMax = 16 * 1024 * 1024;
const nothing: Buffer = Buffer.alloc(0);
const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';

export type RepositoryModel = ReturnType<typeof createRepositoryModel>;

export function createRepositoryModel() {
  const entries = new Map<string, Entry>([['/manifests', { kind: 'folder', isBrokers: true, bytes: nothing }]]);
  const uploads = new Map<string, Upload>();

  const isFolder = (path: string): boolean => path === '/' || entries.get(path)?.kind === 'folder';
  const below = (path: string): string[] => [...entries.keys()].filter((name) => name.startsWith(`${path}/`));

  function doom(path: string): void {
    const upload = uploads.get(path);
    if (upload?.holder) upload.holder.state = 'doomed';
    uploads.delete(path);
  }

  /** The handle that writes there lets go; what it wrote is kept for the next, unless it is nothing. */
  function lose(path: string): void {
    const upload = uploads.get(path);
    if (upload?.holder === undefined) return;
    upload.holder.state = 'lost';
    upload.holder = undefined;
    if (upload.bytes.length === 0) uploads.delete(path);
  }

  const pathOf = (wanted: Upload): string => [...uploads].find(([, upload]) => upload === wanted)![0];

  function resize(bytes: Buffer, size: number): Buffer {
    return size <= bytes.length ? bytes.subarray(0, size) : Buffer.concat([bytes], size);
  }

  function setBytes(handle: WriteHandle, bytes: Buffer): void {
    handle.bytes = bytes;
    if (handle.upload && handle.state === 'open') handle.upload.bytes = bytes;
  }

  function openWrite(path: string, mode: OpenMode): WriteHandle | undefined {
    const isExclusive = mode.create && mode.exclusive;
    if (!isExclusive) lose(path);
    const entry = entries.get(path);
    const before = uploads.get(path);
    if (path === '/' || !isFolder(parentOf(path)) || entry?.kind === 'folder' || entry?.isBrokers) return undefined;
    if (isExclusive && (entry || before)) return undefined;
    if (!mode.create && !entry && !before) return undefined;
    if (mode.truncate) uploads.delete(path);
    const kept = mode.truncate ? undefined : uploads.get(path);
    const bytes = kept?.bytes ?? (mode.truncate ? nothing : (entry?.bytes ?? nothing));
    const handle: WriteHandle = { kind: 'write', mode, state: 'open', hasFailed: false, bytes, upload: undefined };
    handle.upload = { bytes, holder: handle };
    uploads.set(path, handle.upload);
    return handle;
  }

  function publish(handle: WriteHandle): Outcome {
    const path = pathOf(handle.upload!);
    uploads.delete(path);
    const entry = entries.get(path);
    if (!isFolder(parentOf(path)) || entry?.kind === 'folder' || entry?.isBrokers) return 'no';
    if (entry && handle.mode.create && handle.mode.exclusive) return 'no';
    entries.set(path, { kind: 'file', isBrokers: false, bytes: handle.bytes });
    return 'ok';
  }

  /** The connection went, or a part was refused: kept for resume, or dropped. */
  function giveUp(handle: WriteHandle): void {
    if (handle.state !== 'open') return;
    handle.state = 'lost';
    if (handle.hasFailed || handle.bytes.length === 0) uploads.delete(pathOf(handle.upload!));
    else handle.upload!.holder = undefined;
  }

  function moveBelow(from: string, to: string): void {
    for (const places of [entries, uploads] as Map<string, unknown>[]) {
      for (const [path, thing] of [...places].filter(([path]) => path.startsWith(`${from}/`))) {
        places.delete(path);
        places.set(to + path.slice(from.length), thing);
      }
    }
  }

  return {
    entries,
    uploads,

    open(path: string, mode: OpenMode): ModelHandle | undefined {
      if (!mode.read && !mode.write) return undefined;
      if (mode.write) return openWrite(path, mode);
      if (mode.create || mode.truncate || mode.append) return undefined;
      const entry = entries.get(path);
      return entry?.kind === 'file' ? { kind: 'read', bytes: entry.bytes } : undefined;
    },
    opendir: (path: string): ModelHandle | undefined => (isFolder(path) ? { kind: 'list' } : undefined),

    write(handle: ModelHandle | undefined, offset: number, bytes: Buffer): Outcome {
      if (handle?.kind !== 'write') return 'no';
      if (bytes.length === 0) return 'ok';
      const at = handle.mode.append ? handle.bytes.length : offset;
      if (handle.state === 'doomed') return 'either';
      if (handle.state === 'lost' || at - handle.bytes.length > gapBytesMax) {
        handle.hasFailed = true;
        return 'no';
      }
      const grown = Buffer.from(resize(handle.bytes, Math.max(handle.bytes.length, at + bytes.length)));
      bytes.copy(grown, at);
      setBytes(handle, grown);
      return 'ok';
    },
    truncate(handle: ModelHandle | undefined, size: number): Outcome {
      if (handle?.kind !== 'write' || handle.state === 'lost') return 'no';
      if (handle.state === 'doomed') return 'either';
      if (size - handle.bytes.length > gapBytesMax) return 'no';
      setBytes(handle, resize(handle.bytes, size));
      return 'ok';
    },
    sync(handle: ModelHandle | undefined): Outcome {
      if (handle === undefined) return 'no';
      if (handle.kind !== 'write' || handle.state === 'open') return 'ok';
      return handle.state === 'lost' ? 'no' : 'either';
    },
    copy(
      from: ModelHandle | undefined,
      to: ModelHandle | undefined,
      range: readonly [number, number, number],
    ): Outcome {
      const [start, length, target] = range;
      if (!from || from === to || from.kind === 'list' || (from.kind === 'write' && !from.mode.read)) return 'no';
      if (to?.kind !== 'write') return 'no';
      const end = Math.min(from.bytes.length, length === 0 ? from.bytes.length : start + length);
      if (start >= end) return 'ok';
      if (from.kind === 'write' && from.state !== 'open') {
        to.hasFailed ||= from.state === 'lost';
        return from.state === 'lost' ? 'no' : 'either';
      }
      const plain = to.mode.append;
      const written = plain ? { ...to, mode: { ...to.mode, append: false } } : to;
      const outcome = this.write(written, target, from.bytes.subarray(start, end));
      if (plain) {
        to.hasFailed = written.hasFailed;
        if (outcome === 'ok') setBytes(to, written.bytes);
      }
      return outcome;
    },
    close(handle: ModelHandle | undefined): Outcome {
      if (handle?.kind !== 'write') return handle ? 'ok' : 'no';
      if (handle.hasFailed) {
        giveUp(handle);
        return 'no';
      }
      if (handle.state !== 'open') return 'no';
      handle.state = 'lost';
      return publish(handle);
    },
    /** The channel ended with the handle open. */
    cut(handle: ModelHandle): void {
      if (handle.kind === 'write') giveUp(handle);
    },

    remove(path: string): Outcome {
      const entry = entries.get(path);
      if (entry?.kind === 'folder' || entry?.isBrokers || (!entry && !uploads.has(path))) return 'no';
      doom(path);
      entries.delete(path);
      return 'ok';
    },
    rename(from: string, to: string, replace: boolean): Outcome {
      const entry = entries.get(from);
      const target = entries.get(to);
      if (!entry || to === '/' || entry.isBrokers) return 'no';
      if (from === to) return 'ok';
      if (to.startsWith(`${from}/`) || !isFolder(parentOf(to)) || target?.isBrokers) return 'no';
      if (target && (!replace || target.kind === 'folder' || entry.kind === 'folder')) return 'no';
      doom(to);
      entries.delete(from);
      if (entry.kind === 'folder') moveBelow(from, to);
      else doom(from);
      entries.set(to, entry);
      return 'ok';
    },
    mkdir(path: string): Outcome {
      if (path === '/' || entries.has(path) || !isFolder(parentOf(path))) return 'no';
      doom(path);
      entries.set(path, { kind: 'folder', isBrokers: false, bytes: nothing });
      return 'ok';
    },
    rmdir(path: string): Outcome {
      const entry = entries.get(path);
      if (entry?.kind !== 'folder' || entry.isBrokers || below(path).length > 0) return 'no';
      for (const name of [...uploads.keys()].filter((name) => name.startsWith(`${path}/`))) doom(name);
      entries.delete(path);
      return 'ok';
    },
    /** Shape: the size, 0 for folders; undefined when there is nothing. */
    stat(path: string): number | undefined {
      if (isFolder(path)) return 0;
      const entry = entries.get(path);
      return entry?.isBrokers ? entry.bytes.length : (uploads.get(path) ?? entry)?.bytes.length;
    },
    /** SETSTAT of a size: an unfinished upload stays one. */
    setSize(path: string, size: number): Outcome {
      const wasPartial = uploads.has(path);
      const mode = { read: false, write: true, append: false, create: false, truncate: false, exclusive: false };
      if (this.stat(path) === undefined) return 'no';
      const handle = openWrite(path, mode);
      if (handle === undefined) return 'no';
      if (size - handle.bytes.length > gapBytesMax) {
        handle.hasFailed = true;
        giveUp(handle);
        return 'no';
      }
      setBytes(handle, resize(handle.bytes, size));
      if (!wasPartial) return this.close(handle);
      giveUp(handle);
      return 'ok';
    },
    setTime: (path: string): Outcome => (entries.get(path)?.isBrokers === false ? 'ok' : 'no'),
  };
}
