// What a run of the matrix leaves for its page: one file a client and part, so that parts may be run one by one.
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type ClientReport, columns, type SlotReport } from '../../tools/clients-page.ts';
import { type ClientProgram, type Slot, slots } from './client-program.ts';
import { recorded } from './sweep.ts';
import { absenceOf, everyClient } from './every-client.ts';
import type { Agreement, Cells } from './verbs.ts';

const root = path.join(import.meta.dirname, '../..');
const folder = path.join(process.env['BROADGATE_TEST_OUTPUT'] ?? path.join(root, 'test-output'), 'clients');

export interface Part {
  readonly version?: string;
  readonly cells?: Cells;
  readonly algorithms?: Readonly<Record<Slot, SlotReport>>;
  readonly swept?: { readonly exercised: Readonly<Record<Slot, readonly string[]>>; readonly connections: number };
}

/** Keeps a part, replacing what an earlier run left of it. */
export function keepPart(client: ClientProgram, part: string, report: Part): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${client.id}.${part}.json`), JSON.stringify(report, undefined, 1));
}

/** Offers and picks of every slot. */
export function describeAlgorithms(client: ClientProgram, { offer, record }: Agreement): Record<Slot, SlotReport> {
  const offered: Record<Slot, readonly string[]> = {
    keyExchange: offer.keyExchanges,
    cipher: offer.ciphersIn,
    mac: offer.macsIn,
    hostKey: offer.hostKeys,
  };
  const describe = (slot: Slot): SlotReport => {
    const names = client.chooses[slot];
    const noChoice = typeof names === 'string' ? { noChoice: names } : {};
    return { offered: offered[slot], picked: recorded(record)[slot], exercised: [], ...noChoice };
  };
  return Object.fromEntries(slots.map((slot) => [slot, describe(slot)])) as Record<Slot, SlotReport>;
}

/** What is there of every client of which there is anything, in the order of the page. */
export function readReports(): ClientReport[] {
  return everyClient.flatMap((client) => {
    const absence = absenceOf(client);
    if (absence !== undefined) return [describeAbsent(client, absence)];
    const files = globSync(path.join(folder, `${client.id}.*.json`)).sort();
    const parts = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Part);
    const { version, algorithms }: Part = Object.assign({}, ...parts) as Part;
    if (version === undefined || algorithms === undefined) return [];
    const swept = parts.find((part) => part.swept !== undefined)?.swept;
    const withExercised = Object.fromEntries(
      slots.map((slot) => [slot, { ...algorithms[slot], exercised: swept?.exercised[slot] ?? [] }]),
    );
    const cells = Object.assign({}, ...parts.map((part) => part.cells ?? {})) as Cells;
    const { name, id } = client;
    return [{ name, id, version, cells, algorithms: withExercised, sweptConnections: swept?.connections ?? 0 }];
  });
}

function describeAbsent({ name, id }: ClientProgram, reason: string): ClientReport {
  const nothing: SlotReport = { offered: [], picked: '', exercised: [], noChoice: reason };
  return {
    name,
    id,
    version: 'not run',
    cells: Object.fromEntries(columns.map((column) => [column, { cannot: reason }])),
    algorithms: Object.fromEntries(slots.map((slot) => [slot, nothing])),
    sweptConnections: 0,
  };
}
