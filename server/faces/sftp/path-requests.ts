// Requests that name a path: OPEN, OPENDIR, STAT, SETSTAT, REMOVE, RENAME, MKDIR, RMDIR, REALPATH, and those extensions
// that name one. Source: draft-ietf-secsh-filexfer-02 §6.3, §6.5–§6.11.
import {
  type CheckFileRange,
  decodeName,
  type FileAttributes,
  formatAttributes,
  formatHandle,
  formatHashes,
  formatPath,
  formatSpace,
  formatVolume,
  type Request,
} from '@broadgate/sftp';
import type { Clock } from '../../kernel/clock.ts';
import type { Allotment } from './allotment.ts';
import { refusals } from './answer.ts';
import { readChange, showAttributes } from './attributes.ts';
import type { BatchBuffers } from './batch-buffers.ts';
import { hashRange } from './checksum.ts';
import { attempt, type Exchange } from './exchange.ts';
import type { Handles, OpenThing } from './handles.ts';
import { openListing } from './listing.ts';
import type { SftpMount } from './mount.ts';
import { canonicalPath } from './paths.ts';
import { createReading, type Output } from './reading.ts';
import type { PathOrder } from './work-queue.ts';
import { createWriting } from './writing.ts';

type RequestOf<Kind extends Request['kind']> = Extract<Request, { kind: Kind }>;

export interface PathRequestParts {
  readonly mount: SftpMount;
  readonly user: string;
  readonly handles: Handles;
  readonly order: PathOrder;
  readonly allotment: Allotment;
  readonly buffers: BatchBuffers;
  readonly output: Output;
  readonly clock: Clock;
  readonly countWritten: (sizeBytes: number) => void;
  /** True once the channel ends: what may take long stops. */
  readonly isOver: () => boolean;
}

export function createPathRequests(parts: PathRequestParts) {
  const { mount, user, handles, order, allotment, buffers, output, clock, countWritten, isOver } = parts;

  const shared = (exchange: Exchange, work: () => Promise<void>): void => order.shared(() => attempt(exchange, work));
  const exclusive = (exchange: Exchange, work: () => Promise<void>): void =>
    order.exclusive(() =>
      attempt(exchange, async () => {
        await work();
        exchange.ok();
      }),
    );

  function open(request: RequestOf<'open'>, exchange: Exchange): void {
    const path = canonicalPath(request.path);
    const { mode } = request;
    // Draft §6.3: EXCL goes with CREAT; what would make or change a file needs WRITE.
    const altersUnwritten = !mode.write && (mode.create || mode.truncate || mode.append);
    if ((!mode.read && !mode.write) || altersUnwritten) throw refusals.sftp_open_mode_refused();
    const work = async (): Promise<void> => {
      const handle = await handles.open(path, () => (mode.write ? openWrite(path, mode) : openRead(path)));
      exchange.answer(formatHandle(exchange.id, handle.id));
    };
    if (mode.write) order.exclusive(() => attempt(exchange, work));
    else shared(exchange, work);
  }

  async function openRead(path: string): Promise<OpenThing> {
    const handle = await mount.openRead(path);
    return { kind: 'reading', reading: createReading(handle, { budget: allotment.readAhead, buffers, output }) };
  }

  async function openWrite(path: string, mode: RequestOf<'open'>['mode']): Promise<OpenThing> {
    const { create, truncate, append, read } = mode;
    const handle = await mount.openWrite(path, { create, exclusive: create && mode.exclusive, truncate, append });
    return { kind: 'writing', writing: createWriting(handle, { append, read }, buffers, countWritten) };
  }

  function opendir(bytes: Buffer, exchange: Exchange): void {
    const path = canonicalPath(bytes);
    shared(exchange, async () => {
      const nowAt = Math.floor(clock.nowMs() / 1000);
      const handle = await handles.open(path, async () => ({
        kind: 'listing',
        listing: await openListing(mount, path, { user, nowAt, allotment }),
      }));
      exchange.answer(formatHandle(exchange.id, handle.id));
    });
  }

  function stat(bytes: Buffer, exchange: Exchange): void {
    const path = canonicalPath(bytes);
    shared(exchange, async () => {
      exchange.answer(formatAttributes(exchange.id, showAttributes(await mount.stat(path))));
    });
  }

  function setstat(bytes: Buffer, attributes: FileAttributes, exchange: Exchange): void {
    const path = canonicalPath(bytes);
    const change = readChange(attributes);
    exclusive(exchange, () => mount.setAttributes(path, change));
  }

  function rename(from: Buffer, to: Buffer, how: { readonly replace: boolean }, exchange: Exchange): void {
    const [source, target] = [canonicalPath(from), canonicalPath(to)];
    exclusive(exchange, () => mount.rename(source, target, how));
  }

  const remove = (bytes: Buffer, exchange: Exchange): void => {
    const path = canonicalPath(bytes);
    exclusive(exchange, () => mount.remove(path));
  };

  const mkdir = (bytes: Buffer, exchange: Exchange): void => {
    const path = canonicalPath(bytes);
    exclusive(exchange, () => mount.mkdir(path));
  };

  const rmdir = (bytes: Buffer, exchange: Exchange): void => {
    const path = canonicalPath(bytes);
    exclusive(exchange, () => mount.rmdir(path));
  };

  /** PROTOCOL §4.9: `~` and `~user` become the home, which is '/' for the client itself. */
  function expandPath(bytes: Buffer, exchange: Exchange): void {
    const text = decodeName(bytes);
    const tilde = text === undefined ? null : /^~([^/]*)(\/.*)?$/s.exec(text);
    if (!tilde) return realpath(bytes, exchange);
    checkOwnHome(tilde[1]!);
    exchange.answer(formatPath(exchange.id, canonicalPath(Buffer.from(tilde[2] ?? '/'))));
  }

  /** PROTOCOL §4.11. */
  function homeDirectory(name: Buffer, exchange: Exchange): void {
    checkOwnHome(decodeName(name) ?? '?');
    exchange.answer(formatPath(exchange.id, '/'));
  }

  /** Any other name gets one answer, whether or not someone has it. */
  function checkOwnHome(name: string): void {
    if (name !== '' && name !== user) throw refusals.sftp_home_unknown();
  }

  function space(bytes: Buffer, format: typeof formatVolume | typeof formatSpace, exchange: Exchange): void {
    const path = canonicalPath(bytes);
    shared(exchange, async () => {
      await mount.stat(path);
      exchange.answer(format(exchange.id, await mount.space()));
    });
  }

  /** fstatvfs@openssh.com: every handle is on the one volume there is. */
  function handleSpace(id: string, exchange: Exchange): void {
    handles.get(id);
    shared(exchange, async () => void exchange.answer(formatVolume(exchange.id, await mount.space())));
  }

  function checkFile(bytes: Buffer, range: CheckFileRange, exchange: Exchange): void {
    const path = canonicalPath(bytes);
    const hash = async (): Promise<void> => {
      const file = await mount.openRead(path);
      try {
        const read = (offset: number, length: number): Promise<Buffer> => file.read(offset, length);
        const { sizeBytes } = file.attributes;
        const { algorithm, hashes } = await hashRange({ sizeBytes, sha256: file.sha256, read }, range, {
          isOver,
          inTurn: allotment.inTurn,
        });
        exchange.answer(formatHashes(exchange.id, algorithm, hashes));
      } finally {
        await file.close({ ranges: [], end: 'closed' });
      }
    };
    allotment.heavy.push({ run: () => attempt(exchange, hash) });
  }

  return {
    open,
    opendir,
    stat,
    setstat,
    rename,
    remove,
    mkdir,
    rmdir,
    realpath,
    expandPath,
    homeDirectory,
    space,
    handleSpace,
    checkFile,
  };
}

/** Draft §6.11: the canonical form, whether or not something is there. */
const realpath = (bytes: Buffer, exchange: Exchange): void =>
  void exchange.answer(formatPath(exchange.id, canonicalPath(bytes)));
