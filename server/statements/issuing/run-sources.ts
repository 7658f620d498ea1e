// Where the files of a run come from: a tar as it streams in, or a folder on this machine. Names are checked here.
import { createReadStream } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { checkFileName, refusals } from './run-rules.ts';

/** A file of a run. Its bytes are read to the end before the next file is asked for. */
export interface RunFile {
  /** As run.csv names it: relative, with slashes. */
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** The plain files of a tar. Refuses: run_unreadable, run_file_name_invalid. */
export async function* readTar(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<RunFile> {
  const unpacked = extract();
  // A fault of the source (the caller left, too many bytes) is its own, and not a fault of the tar.
  let sourceFault: unknown;
  const source = Readable.from(chunks, { objectMode: false });
  source.on('error', (fault) => {
    sourceFault = fault;
    unpacked.destroy(fault);
  });
  let entries = 0;
  const explain = (fault: unknown): unknown => {
    if (sourceFault !== undefined) return sourceFault;
    return isTarFault(fault)
      ? refusals.run_unreadable({ reason: `the tar is damaged after ${entries} entries` })
      : fault;
  };
  /** The bytes of one entry; a tar that ends inside it shows here. */
  const read = async function* (entry: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* entry;
    } catch (fault) {
      throw explain(fault);
    }
  };
  source.pipe(unpacked);
  try {
    for await (const entry of unpacked) {
      entries += 1;
      const { name, type } = entry.header;
      // Links and devices name things outside the run, or make two files of one.
      if (type !== 'file' && type !== 'contiguous-file' && type !== 'directory') {
        throw refusals.run_file_name_invalid({ file: JSON.stringify(name.slice(0, 120)) });
      }
      if (type !== 'directory') {
        yield { name: checkFileName(name), bytes: read(entry as unknown as AsyncIterable<Uint8Array>) };
      }
      entry.resume();
    }
  } catch (fault) {
    throw explain(fault);
  } finally {
    source.destroy();
    unpacked.destroy();
  }
}

const isTarFault = (fault: unknown): boolean =>
  fault instanceof Error &&
  /tar header|end of data|[Ii]nvalid (tar|checksum)|stream closed|prematurely/i.test(fault.message);

/** The plain files of a folder and what lies below it; a link is not one. Refuses: run_unreadable, run_file_name_invalid. */
export async function* readFolder(folder: string, below = '', depth = 0): AsyncGenerator<RunFile> {
  if (depth > folderDepthMax)
    throw refusals.run_unreadable({ reason: `folders are nested deeper than ${folderDepthMax}` });
  const items = await opendir(join(folder, below)).catch((fault: NodeJS.ErrnoException) => {
    throw refusals.run_unreadable({ reason: `the folder cannot be read (${fault.code ?? fault.message})` });
  });
  for await (const item of items) {
    const name = below === '' ? item.name : `${below}/${item.name}`;
    if (item.isDirectory()) yield* readFolder(folder, name, depth + 1);
    else if (item.isFile()) yield { name: checkFileName(name), bytes: createReadStream(join(folder, name)) };
    else throw refusals.run_file_name_invalid({ file: JSON.stringify(name) });
  }
}

const folderDepthMax = 8;
