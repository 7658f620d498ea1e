// The parts of the matrix of real clients that take minutes: 1 GiB, 10,000 files, new keys in mid-transfer, every algorithm.
//
// BROADGATE_TEST_CLIENTS=curl,lftp runs these alone; `npm run docs -- --clients` prints the page from what is left behind.
import { after, test } from 'node:test';
import { withClients } from './clients.ts';
import { checkGibibyte, checkManyFiles } from './clients-matrix/bulk.ts';
import type { ClientProgram } from './clients-matrix/client-program.ts';
import { absenceOf, chosenClients } from './clients-matrix/every-client.ts';
import { type Lane, openGround } from './clients-matrix/ground.ts';
import { checkRekey } from './clients-matrix/rekey.ts';
import { keepPart } from './clients-matrix/reports.ts';
import { sweep } from './clients-matrix/sweep.ts';
import { openBox } from './clients-matrix/verbs.ts';
import { once } from './once.ts';

const isLong = process.env['BROADGATE_TEST_LONG'] !== undefined;
const closing: (() => Promise<void>)[] = [];
after(async () => {
  for (const close of closing) await close();
});

const openLane = once(async (): Promise<Lane> => {
  const ground = await openGround();
  closing.push(async () => ground[Symbol.asyncDispose]());
  const lane = await ground.openLane(1);
  closing.unshift(async () => lane[Symbol.asyncDispose]());
  return lane;
});

const boxes = new Map<string, Promise<string>>();
const boxOf = (lane: Lane, client: ClientProgram): Promise<string> => {
  const box = boxes.get(client.id) ?? openBox(lane, client);
  boxes.set(client.id, box);
  return box;
};

for (const client of chosenClients()) {
  const skip = withClients.skip || (isLong ? (absenceOf(client) ?? false) : 'only in npm run test:long');
  test(`${client.name}: keys are renewed in mid-transfer`, { skip }, async () => {
    keepPart(client, 'rekey', { cells: await checkRekey(client) });
  });

  test(`${client.name}: every algorithm that it can be told to use carries a file there and back`, {
    skip,
  }, async () => {
    const lane = await openLane();
    keepPart(client, 'sweep', { swept: await sweep(lane, client, await boxOf(lane, client)) });
  });

  test(`${client.name}: 1 GiB goes there and back`, { skip }, async () => {
    const lane = await openLane();
    keepPart(client, 'gibibyte', { cells: await checkGibibyte(lane, client, await boxOf(lane, client)) });
  });

  test(`${client.name}: 10,000 files go there and back`, { skip }, async () => {
    const lane = await openLane();
    keepPart(client, 'many', { cells: await checkManyFiles(lane, client, await boxOf(lane, client)) });
  });
}
