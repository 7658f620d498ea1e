// Asks the probes in the workers of a measured server.
import { globSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Delay, Question } from './probe.ts';

/** The setting that loads the probe into every process of a server. */
export function probeOptions(folder: string): Readonly<Record<string, string>> {
  const url = pathToFileURL(path.join(import.meta.dirname, 'probe.ts'));
  url.searchParams.set('folder', folder);
  return { NODE_OPTIONS: `--import=${url.href}` };
}

async function ask<Answer>(socketFile: string, question: Question): Promise<Answer> {
  const socket = net.connect(socketFile);
  socket.write(`${JSON.stringify(question)}\n`);
  const chunks: Buffer[] = [];
  for await (const bytes of socket) chunks.push(bytes as Buffer);
  const said = JSON.parse(Buffer.concat(chunks).toString()) as Answer & { fault?: string };
  if (said.fault !== undefined) throw new Error(`the probe answered: ${said.fault}`);
  return said;
}

export function createProbes(folder: string) {
  const all = <Answer>(question: (socketFile: string) => Question): Promise<Answer[]> =>
    Promise.all(globSync(path.join(folder, '*.sock')).map((file) => ask<Answer>(file, question(file))));

  return {
    /** The delay of each worker's event loop while the work was done. */
    async delaysDuring<Result>(work: () => Promise<Result>): Promise<{ result: Result; delays: readonly Delay[] }> {
      await all(() => ({ ask: 'start-delay' }));
      const result = await work();
      return { result, delays: await all<Delay>(() => ({ ask: 'stop-delay' })) };
    },
    /** Profiles each worker while the work is done, into files for a browser's developer tools. */
    async profile<Result>(into: string, name: string, work: () => Promise<Result>): Promise<Result> {
      await all(() => ({ ask: 'start-profile' }));
      try {
        return await work();
      } finally {
        await all((file) => ({
          ask: 'stop-profile',
          file: path.join(into, `${name}.${path.basename(file, '.sock')}.cpuprofile`),
        }));
      }
    },
    /** Collects garbage in each worker, so that what memory is left is held. */
    collect: () => all<NodeJS.MemoryUsage>(() => ({ ask: 'collect' })),
  };
}

export type Probes = ReturnType<typeof createProbes>;
