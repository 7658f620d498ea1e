// A whole tree in memory behind the SFTP face, for its tests: staged uploads, resume, quota, and what a client may not alter.
import { createHash } from 'node:crypto';
import { defineRefusals, type Refusal } from '../../server/kernel/refusal.ts';
import type {
  Attributes,
  Entry,
  Fetched,
  ReadHandle,
  SftpMount,
  WriteHandle,
  WriteMode,
} from '../../server/faces/sftp/mount.ts';

const refusals = defineRefusals({
  fake_not_found: { kind: 'not_found', text: 'There is nothing at {path}.' },
  fake_read_only: { kind: 'forbidden', text: '{path} was published and cannot be altered. Upload under another name.' },
  fake_taken: { kind: 'conflict', text: '{path} is taken. Use another name.' },
  fake_not_empty: { kind: 'conflict', text: '{path} is not empty. Delete what is in it first.' },
  fake_wrong_kind: { kind: 'invalid', text: '{path} is not a {kind}.' },
  fake_quota: { kind: 'too_large', text: 'The quota is used up. Delete something first.' },
});

interface Node {
  kind: 'file' | 'folder';
  bytes: Buffer;
  modifiedAtMs: number;
  isWritable: boolean;
}

export interface FakeTree {
  readonly nodes: Map<string, Node>;
  /** Uploads that were cut off, by path. */
  readonly kept: Map<string, Buffer>;
  /** What was told at each close of a file that was read. */
  readonly fetched: { path: string; fetched: Fetched }[];
  /** Handles and mounts that are open now, and calls of a kind so far. */
  readonly open: { reads: number; writes: number; lists: number; mounts: number };
  readonly calls: { write: number; read: number; truncate: number; sync: number };
  quotaBytes: number;
  /** Waited for before every read and write of file bytes, so that a test can hold them up. */
  gate: Promise<void> | undefined;
  /** Thrown by the next call of `stat`, once. */
  nextFault: Error | undefined;
  put(path: string, bytes: Uint8Array | string, isWritable?: boolean): void;
  folder(path: string): void;
  mount(): SftpMount;
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';

const pageBytes = 1024 * 1024;

/** Bytes of an upload, in pages, so that a long one is not copied as it grows. */
function createStaged(initial: Buffer) {
  const pages: Buffer[] = [];
  let size = 0;

  /** Calls `visit` with each page that the range touches, and where in it. */
  function eachPage(start: number, end: number, visit: (page: Buffer, from: number, to: number) => void): void {
    for (let at = start; at < end; ) {
      const index = Math.floor(at / pageBytes);
      while (pages.length <= index) pages.push(Buffer.alloc(pageBytes));
      const from = at - index * pageBytes;
      const to = Math.min(pageBytes, from + end - at);
      visit(pages[index]!, from, to);
      at += to - from;
    }
  }

  function read(offset: number, length: number): Buffer {
    const parts: Buffer[] = [];
    const end = Math.min(size, offset + length);
    eachPage(offset, end, (page, from, to) => parts.push(page.subarray(from, to)));
    return Buffer.concat(parts);
  }

  const staged = {
    write(offset: number, bytes: Buffer): void {
      let done = 0;
      eachPage(offset, offset + bytes.length, (page, from, to) => {
        page.set(bytes.subarray(done, done + to - from), from);
        done += to - from;
      });
      size = Math.max(size, offset + bytes.length);
    },
    truncate(newSize: number): void {
      // What is cut off must read as zeros when the file grows again.
      if (newSize < size) eachPage(newSize, size, (page, from, to) => page.fill(0, from, to));
      size = newSize;
    },
    read,
    get size(): number {
      return size;
    },
    bytes: (): Buffer => read(0, size),
  };
  staged.write(0, initial);
  return staged;
}

export function createFakeTree(nowMs: () => number = () => Date.UTC(2026, 10, 24, 12)): FakeTree {
  const nodes = new Map<string, Node>();
  const folder = (isWritable = true): Node => ({
    kind: 'folder',
    bytes: Buffer.alloc(0),
    modifiedAtMs: nowMs(),
    isWritable,
  });
  nodes.set('/', folder());
  const tree: FakeTree = {
    nodes,
    kept: new Map(),
    fetched: [],
    open: { reads: 0, writes: 0, lists: 0, mounts: 0 },
    calls: { write: 0, read: 0, truncate: 0, sync: 0 },
    quotaBytes: 2 ** 40,
    gate: undefined,
    nextFault: undefined,
    put(path, bytes, isWritable = true) {
      nodes.set(path, { kind: 'file', bytes: Buffer.from(bytes as Uint8Array), modifiedAtMs: nowMs(), isWritable });
    },
    folder: (path) => void nodes.set(path, folder()),
    mount: () => openMount(tree, nowMs),
  };
  return tree;
}

const show = (node: Node): Attributes => ({
  kind: node.kind,
  sizeBytes: node.kind === 'file' ? node.bytes.length : 0,
  modifiedAtMs: node.modifiedAtMs,
  isWritable: node.isWritable,
});

function openMount(tree: FakeTree, nowMs: () => number): SftpMount {
  const { nodes, kept } = tree;
  tree.open.mounts++;

  function get(path: string, kind?: 'file' | 'folder'): Node {
    const node = nodes.get(path);
    if (!node) throw refusals.fake_not_found({ path });
    if (kind && node.kind !== kind) throw refusals.fake_wrong_kind({ path, kind });
    return node;
  }

  function getOwn(path: string, kind?: 'file' | 'folder'): Node {
    const node = get(path, kind);
    if (!node.isWritable) throw refusals.fake_read_only({ path });
    return node;
  }

  const childrenOf = (path: string): string[] => {
    const prefix = path === '/' ? '/' : `${path}/`;
    return [...nodes.keys()].filter((name) => name !== '/' && name.startsWith(prefix));
  };

  return {
    async stat(path) {
      const fault = tree.nextFault;
      tree.nextFault = undefined;
      if (fault) throw fault;
      const staged = kept.get(path);
      if (staged) return { kind: 'file', sizeBytes: staged.length, modifiedAtMs: nowMs(), isWritable: true };
      return show(get(path));
    },
    async *list(path) {
      get(path, 'folder');
      tree.open.lists++;
      try {
        const prefix = path === '/' ? '/' : `${path}/`;
        let page: Entry[] = [];
        for (const name of childrenOf(path)) {
          const rest = name.slice(prefix.length);
          if (rest.includes('/')) continue;
          page.push({ name: rest, attributes: show(nodes.get(name)!) });
          if (page.length === 200) {
            yield page;
            page = [];
          }
        }
        yield page;
      } finally {
        tree.open.lists--;
      }
    },
    async openRead(path) {
      return openRead(tree, path, get(path, 'file'));
    },
    async openWrite(path, how) {
      get(parentOf(path), 'folder');
      const present = nodes.get(path);
      if (present) getOwn(path, 'file');
      if (how.exclusive && (present || kept.has(path))) throw refusals.fake_taken({ path });
      if (!present && !kept.has(path) && !how.create) throw refusals.fake_not_found({ path });
      return openWrite(tree, path, how, nowMs);
    },
    async remove(path) {
      if (kept.delete(path) && !nodes.has(path)) return;
      getOwn(path, 'file');
      nodes.delete(path);
    },
    async rename(from, to, { replace }) {
      const node = getOwn(from);
      if (nodes.has(to)) {
        if (!replace) throw refusals.fake_taken({ path: to });
        getOwn(to, node.kind);
      }
      get(parentOf(to), 'folder');
      for (const name of [from, ...childrenOf(from)]) {
        nodes.set(to + name.slice(from.length), nodes.get(name)!);
        nodes.delete(name);
      }
    },
    async mkdir(path) {
      if (nodes.has(path)) throw refusals.fake_taken({ path });
      get(parentOf(path), 'folder');
      tree.folder(path);
    },
    async rmdir(path) {
      getOwn(path, 'folder');
      if (childrenOf(path).length > 0) throw refusals.fake_not_empty({ path });
      nodes.delete(path);
    },
    async setAttributes(path, { sizeBytes, modifiedAtMs }) {
      const node = getOwn(path);
      if (sizeBytes !== undefined) {
        node.bytes = Buffer.concat([node.bytes.subarray(0, sizeBytes)], sizeBytes);
      }
      if (modifiedAtMs !== undefined) node.modifiedAtMs = modifiedAtMs;
    },
    async space() {
      return { totalBytes: tree.quotaBytes, freeBytes: tree.quotaBytes, totalFiles: 1000, freeFiles: 1000 };
    },
    async close() {
      tree.open.mounts--;
    },
  };
}

function openRead(tree: FakeTree, path: string, node: Node): ReadHandle {
  const { bytes } = node;
  let isReading = false;
  tree.open.reads++;
  return {
    attributes: show(node),
    sha256: bytes.length < 2 ** 20 ? createHash('sha256').update(bytes).digest('hex') : undefined,
    async read(offset, length) {
      if (isReading) throw new Error('a handle was asked two things at once');
      isReading = true;
      tree.calls.read++;
      await (tree.gate ?? Promise.resolve());
      isReading = false;
      return bytes.subarray(Math.min(offset, bytes.length), Math.min(offset + length, bytes.length));
    },
    async close(fetched) {
      tree.open.reads--;
      tree.fetched.push({ path, fetched });
    },
  };
}

function openWrite(tree: FakeTree, path: string, how: WriteMode, nowMs: () => number): WriteHandle {
  const { nodes, kept } = tree;
  const before = how.truncate ? undefined : (kept.get(path) ?? nodes.get(path)?.bytes);
  kept.delete(path);
  const staged = createStaged(before ?? Buffer.alloc(0));
  let modifiedAtMs: number | undefined;
  let isBusy = false;
  tree.open.writes++;
  const quota = (size: number): Refusal | undefined => (size > tree.quotaBytes ? refusals.fake_quota() : undefined);
  return {
    async attributes() {
      return { kind: 'file', sizeBytes: staged.size, modifiedAtMs: modifiedAtMs ?? nowMs(), isWritable: true };
    },
    async write(offset, bytes) {
      if (isBusy) throw new Error('a handle was asked two things at once');
      isBusy = true;
      tree.calls.write++;
      try {
        await (tree.gate ?? Promise.resolve());
        const refusal = quota(offset + bytes.length);
        if (refusal) throw refusal;
        staged.write(offset, bytes);
      } finally {
        isBusy = false;
      }
    },
    read: async (offset, length) => staged.read(offset, length),
    async truncate(size) {
      tree.calls.truncate++;
      staged.truncate(size);
    },
    setModifiedAt: (atMs) => void (modifiedAtMs = atMs),
    async sync() {
      tree.calls.sync++;
    },
    async close() {
      tree.open.writes--;
      tree.put(path, staged.bytes());
      nodes.get(path)!.modifiedAtMs = modifiedAtMs ?? nowMs();
    },
    async abort() {
      tree.open.writes--;
      kept.set(path, staged.bytes());
    },
    async discard() {
      tree.open.writes--;
    },
  };
}
