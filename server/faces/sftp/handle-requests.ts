// Requests on open files and folders: READ, WRITE, READDIR, FSTAT, FSETSTAT, CLOSE, and those extensions that name a
// handle. Source: draft-ietf-secsh-filexfer-02 §6.3–§6.7.
import {
  type FileAttributes,
  formatAttributes,
  formatDataHead,
  formatHashes,
  formatNames,
  limits,
} from '@broadgate/sftp';
import type { CheckFileRange, Request } from '@broadgate/sftp';
import type { Allotment } from './allotment.ts';
import { refusals } from './answer.ts';
import { readChange, showAttributes } from './attributes.ts';
import { batchBytesMax } from './batch-buffers.ts';
import { type Hashable, hashRange } from './checksum.ts';
import { attempt, type Exchange } from './exchange.ts';
import type { Handle, Handles } from './handles.ts';
import type { Reading } from './reading.ts';
import type { PathOrder } from './work-queue.ts';
import type { Writing } from './writing.ts';

type RequestOf<Kind extends Request['kind']> = Extract<Request, { kind: Kind }>;

export interface HandleRequestParts {
  readonly handles: Handles;
  readonly order: PathOrder;
  readonly allotment: Pick<Allotment, 'heavy' | 'inTurn'>;
  readonly countRead: (sizeBytes: number) => void;
  /** True once the channel ends: what may take long stops. */
  readonly isOver: () => boolean;
}

/** Ends what a handle stands for. 'cut': the client did not close it, so an upload is kept unpublished. */
export function closeThing({ thing }: Handle, end: 'closed' | 'cut'): Promise<void> {
  if (thing.kind === 'listing') return thing.listing.close();
  if (thing.kind === 'reading') return thing.reading.close(end);
  return end === 'closed' ? thing.writing.close() : thing.writing.cut();
}

export function createHandleRequests({ handles, order, allotment, countRead, isOver }: HandleRequestParts) {
  const { heavy, inTurn } = allotment;
  function read(request: RequestOf<'read'>, exchange: Exchange): void {
    const handle = handles.get(request.handle);
    const { thing } = handle;
    const length = Math.min(request.length, limits.readBytes);
    if (thing.kind === 'writing' && thing.writing.canRead) {
      return queue(handle, exchange, async () => {
        const bytes = await thing.writing.handle.read(request.offset, length);
        answerData(exchange, bytes.length === 0 ? [] : [bytes]);
      });
    }
    const reading = needReading(handle);
    handle.queue.push({
      run() {
        const parts = reading.read(request.offset, length);
        const send = (views: readonly Buffer[]): void => {
          const sentBytes = answerData(exchange, views);
          reading.sent(request.offset, request.offset + sentBytes);
        };
        if (!Array.isArray(parts)) return attempt(exchange, async () => send(await parts));
        send(parts);
        return undefined;
      },
    });
  }

  /** Draft §6.4: a READ at or past the end is answered by EOF. Answers how many bytes went out. */
  function answerData(exchange: Exchange, views: readonly Buffer[]): number {
    const sizeBytes = views.reduce((sum, view) => sum + view.length, 0);
    if (sizeBytes === 0) {
      exchange.end();
      return 0;
    }
    if (!exchange.answer(formatDataHead(exchange.id, sizeBytes), ...views)) return 0;
    countRead(sizeBytes);
    return sizeBytes;
  }

  function write({ handle: id, offset, payload, payloadBytes }: RequestOf<'write'>, exchange: Exchange): void {
    const handle = handles.get(id);
    needWriting(handle).push(handle.queue, { exchange, offset, payload, payloadBytes });
  }

  function readdir(id: string, exchange: Exchange): void {
    const handle = handles.get(id);
    const { thing } = handle;
    if (thing.kind !== 'listing') throw refusals.sftp_handle_wrong_kind({ needed: 'listing' });
    queue(handle, exchange, async () => {
      const entries = await thing.listing.next();
      if (entries.length === 0) exchange.end();
      else exchange.answer(formatNames(exchange.id, entries));
    });
  }

  function fstat(id: string, exchange: Exchange): void {
    const handle = handles.get(id);
    const { thing } = handle;
    if (thing.kind === 'listing') throw refusals.sftp_handle_wrong_kind({ needed: 'reading or writing' });
    queue(handle, exchange, async () => {
      const attributes = thing.kind === 'reading' ? thing.reading.attributes : await thing.writing.handle.attributes();
      exchange.answer(formatAttributes(exchange.id, showAttributes(attributes)));
    });
  }

  function fsetstat(id: string, attributes: FileAttributes, exchange: Exchange): void {
    const handle = handles.get(id);
    const writing = needWriting(handle);
    const change = readChange(attributes);
    queue(handle, exchange, async () => {
      if (change.sizeBytes !== undefined) await writing.handle.truncate(change.sizeBytes);
      if (change.modifiedAtMs !== undefined) writing.handle.setModifiedAt(change.modifiedAtMs);
      exchange.ok();
    });
  }

  function fsync(id: string, exchange: Exchange): void {
    const handle = handles.get(id);
    const { thing } = handle;
    queue(handle, exchange, async () => {
      // A published file is durable already; OpenSSH clients sync after a download as well.
      if (thing.kind === 'writing') await thing.writing.handle.sync();
      exchange.ok();
    });
  }

  function close(id: string, exchange: Exchange): void {
    const handle = handles.take(id);
    const closed = Promise.withResolvers<void>();
    queue(handle, exchange, async () => {
      try {
        await closeThing(handle, 'closed');
      } finally {
        closed.resolve();
      }
      exchange.ok();
    });
    // A request on the path that was sent after this one must find the upload published.
    if (handle.thing.kind === 'writing') order.exclusive(() => closed.promise);
  }

  function checkFile(id: string, range: CheckFileRange, exchange: Exchange): void {
    const handle = handles.get(id);
    needReadable(handle);
    holdBoth([handle], exchange, async () => {
      const { algorithm, hashes } = await hashRange(await hashable(handle), range, { isOver, inTurn });
      exchange.answer(formatHashes(exchange.id, algorithm, hashes));
    });
  }

  function copyData(request: RequestOf<'copy_data'>, exchange: Exchange): void {
    const [from, to] = [handles.get(request.from), handles.get(request.to)];
    // PROTOCOL §4.10 refuses one handle for both.
    if (from === to) throw refusals.sftp_copy_onto_itself();
    needReadable(from);
    const writing = needWriting(to);
    holdBoth([from, to], exchange, async () => {
      await copyRange(await hashable(from), request, writing, isOver).catch((thrown: unknown) => {
        writing.failed(thrown);
        throw thrown;
      });
      exchange.ok();
    });
  }

  /**
   * Runs work that needs every one of the handles to itself, and no other heavy work beside it. Places in all queues are
   * taken in one turn, so that two such works stand in the same order everywhere and cannot wait for each other.
   */
  function holdBoth(held: readonly Handle[], exchange: Exchange, work: () => Promise<void>): void {
    const done = Promise.withResolvers<void>();
    const reached = held.map((handle) => {
      const gate = Promise.withResolvers<void>();
      handle.queue.push({
        run() {
          gate.resolve();
          return done.promise;
        },
      });
      return gate.promise;
    });
    heavy.push({
      run: () =>
        attempt(exchange, async () => {
          await Promise.all(reached);
          await work();
        }).finally(done.resolve),
    });
  }

  return { read, write, readdir, fstat, fsetstat, fsync, close, checkFile, copyData };
}

/** Queues work on a handle; what it throws is the answer. */
const queue = (handle: Handle, exchange: Exchange, work: () => Promise<void>): void =>
  handle.queue.push({ run: () => attempt(exchange, work) });

function needReading(handle: Handle): Reading {
  if (handle.thing.kind !== 'reading') throw refusals.sftp_handle_wrong_kind({ needed: 'reading' });
  return handle.thing.reading;
}

function needWriting(handle: Handle): Writing {
  if (handle.thing.kind !== 'writing') throw refusals.sftp_handle_wrong_kind({ needed: 'writing' });
  return handle.thing.writing;
}

function needReadable(handle: Handle): void {
  const { thing } = handle;
  if (thing.kind === 'listing' || (thing.kind === 'writing' && !thing.writing.canRead)) {
    throw refusals.sftp_handle_wrong_kind({ needed: 'reading' });
  }
}

async function hashable({ thing }: Handle): Promise<Hashable> {
  if (thing.kind === 'reading') {
    const { reading } = thing;
    const read = (offset: number, length: number): Promise<Buffer> => reading.readAside(offset, length);
    return { sizeBytes: reading.attributes.sizeBytes, sha256: reading.sha256, read };
  }
  if (thing.kind === 'listing') throw refusals.sftp_handle_wrong_kind({ needed: 'reading' });
  const upload = thing.writing.handle;
  const { sizeBytes } = await upload.attributes();
  return { sizeBytes, sha256: undefined, read: (offset, length) => upload.read(offset, length) };
}

async function copyRange(
  from: Hashable,
  request: RequestOf<'copy_data'>,
  to: Writing,
  isOver: () => boolean,
): Promise<void> {
  const asked = request.length === 0 ? from.sizeBytes : request.fromOffset + request.length;
  const end = Math.min(from.sizeBytes, asked);
  for (let at = request.fromOffset; at < end; at += batchBytesMax) {
    if (isOver()) throw refusals.sftp_stopping();
    const bytes = await from.read(at, Math.min(batchBytesMax, end - at));
    await to.handle.write(request.toOffset + (at - request.fromOffset), bytes);
  }
}
