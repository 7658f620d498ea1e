// Runs of the delivery desk: a folder becomes a tar on the wire, its progress is watched, its outcomes are kept as CSV.
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { run } from '@broadgate/contract/statements.ts';
import type { Static } from 'typebox';
import { pack } from 'tar-stream';
import type { Caller, Upload } from './calls.ts';
import { type Command, type CommandCall, isSet, neededText, optionText } from './commands.ts';
import { exitCodes, Misuse } from './faults.ts';
import { createProgressBar, formatFacts, formatTable, formatTime, print } from './output.ts';
import { saveDownload } from './statements.ts';

type Run = Static<typeof run>;

interface Member {
  readonly name: string;
  readonly file: string;
  readonly sizeBytes: number;
}

/** The files of a run's folder, `run.csv` first, so that it is checked before the others arrive. */
async function listMembers(folder: string): Promise<Member[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  if (!names.includes('run.csv')) throw new Misuse(`${folder} has no run.csv.`);
  const ordered = ['run.csv', ...names.filter((name) => name !== 'run.csv').sort()];
  return Promise.all(
    ordered.map(async (name) => ({ name, file: join(folder, name), sizeBytes: (await stat(join(folder, name))).size })),
  );
}

/** Streams the members as a tar, in constant memory. */
function packMembers(members: readonly Member[], onSent: (sizeBytes: number) => void): AsyncIterable<Uint8Array> {
  const tar = pack();
  const write = async (): Promise<void> => {
    for (const { name, file, sizeBytes } of members) {
      const entry = tar.entry({ name, size: sizeBytes, mode: 0o600 });
      for await (const chunk of createReadStream(file)) {
        onSent((chunk as Buffer).length);
        if (!entry.write(chunk)) await new Promise<void>((resolve) => entry.once('drain', () => resolve()));
      }
      const finished = new Promise<void>((resolve, reject) => {
        entry.once('finish', () => resolve());
        entry.once('error', reject);
      });
      entry.end(Buffer.alloc(0));
      await finished;
    }
    tar.finalize();
  };
  write().catch((fault: unknown) => tar.destroy(fault as Error));
  return tar as unknown as AsyncIterable<Uint8Array>;
}

async function openUpload(source: string, show: (done: number, of: number) => void): Promise<Upload> {
  const facts = await stat(source);
  let sent = 0;
  if (facts.isDirectory()) {
    const members = await listMembers(source);
    const total = members.reduce((sum, member) => sum + member.sizeBytes, 0);
    const open = (): AsyncIterable<Uint8Array> => packMembers(members, (size) => show((sent += size), total));
    return { contentType: 'application/x-tar', open };
  }
  async function* open(): AsyncGenerator<Uint8Array> {
    for await (const chunk of createReadStream(source)) {
      show((sent += (chunk as Buffer).length), facts.size);
      yield chunk as Buffer;
    }
  }
  return { contentType: 'application/x-tar', sizeBytes: facts.size, open };
}

const isOver = (one: Run): boolean => one.state === 'done' || one.state === 'refused' || one.state === 'checked';

/** Looks again until the run is over; the pause grows to two seconds. */
async function watch(caller: Caller, started: Run): Promise<Run> {
  const bar = createProgressBar();
  let one = started;
  for (let pauseMs = 100; !isOver(one); pauseMs = Math.min(2000, pauseMs * 1.5)) {
    bar.show(one.rows.done, one.rows.total, `${one.rows.done} of ${one.rows.total} rows`);
    await delay(pauseMs);
    one = await caller.get<Run>(`/v1/runs/${started.id}`);
  }
  bar.end();
  return one;
}

const describeRun = (one: Run): string =>
  formatFacts([
    ['Run', `${one.reference}${one.isDryRun ? ', dry' : ''}`],
    ['State', one.state],
    ['Rows', `${one.rows.total}, ${one.rows.failed} at fault, ${one.rows.waiting} wait to be placed`],
    ['Id', one.id],
  ]);

async function saveOutcomes(caller: Caller, call: CommandCall, one: Run): Promise<void> {
  const out = optionText(call, 'outcomes');
  if (out === undefined) return;
  await saveDownload(await caller.download(`/v1/runs/${one.id}/outcomes.csv`), call.path(out));
  print(`Outcomes: ${call.path(out)}`);
}

async function printFaults(caller: Caller, one: Run): Promise<void> {
  if (one.rows.failed === 0 && one.state !== 'refused') return;
  const response = await caller.download(`/v1/runs/${one.id}/outcomes.csv`);
  process.stderr.write(await response.text());
}

export const deskRunCommands: readonly Command[] = [
  {
    name: 'desk run',
    takes: 'FOLDER|FILE.tar --reference ID [--dry-run] [--outcomes FILE.csv]',
    meaning: 'issue a run: run.csv (account, kind, period, file, sha256) with the files it names',
    notes: [
      'The run is checked whole before the first issue. The same run sent again under its id changes nothing and goes on where it stopped.',
      '--dry-run checks and issues nothing. Exit code 1 when a row is at fault.',
    ],
    options: { reference: { type: 'string' }, 'dry-run': { type: 'boolean' }, outcomes: { type: 'string' } },
    positionals: { min: 1, max: 1 },
    async run(call) {
      const caller = await call.caller();
      const reference = neededText(call, 'reference');
      const bar = createProgressBar();
      const upload = await openUpload(call.path(call.positionals[0]!), (done, of) => bar.show(done, of, 'sent'));
      const query = { reference, ...(isSet(call, 'dry-run') ? { dryRun: true } : {}) };
      const started = await caller.upload<Run>('/v1/runs', upload, query).finally(() => bar.end());
      const over = await watch(caller, started);
      print(isSet(call, 'json') ? JSON.stringify(over, null, 2) : describeRun(over));
      await saveOutcomes(caller, call, over);
      if (optionText(call, 'outcomes') === undefined) await printFaults(caller, over);
      return over.state === 'refused' || over.rows.failed > 0 ? exitCodes.refused : exitCodes.done;
    },
  },
  {
    name: 'desk runs',
    takes: '',
    meaning: 'runs, newest first',
    async run(call) {
      const found = await Array.fromAsync((await call.caller()).list<Run>('/v1/runs'));
      const rows = found.map((one) => [
        one.reference,
        one.state,
        `${one.rows.done}/${one.rows.total}`,
        formatTime(one.begunAt),
      ]);
      if (isSet(call, 'json')) print(JSON.stringify(found, null, 2));
      else print(rows.length === 0 ? 'None.' : formatTable(['Run', 'State', 'Rows', 'Begun'], rows));
    },
  },
];
