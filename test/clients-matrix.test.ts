// The everyday part of the matrix of real clients: each does what docs/reference/clients.md says, with every byte compared.
//
// BROADGATE_TEST_CLIENTS=curl,lftp runs these alone.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { type Cell, readClientsPage } from '../tools/clients-page.ts';
import { withClients } from './clients.ts';
import { absenceOf, chosenClients } from './clients-matrix/every-client.ts';
import { openGround } from './clients-matrix/ground.ts';
import { describeAlgorithms, keepPart } from './clients-matrix/reports.ts';
import { checkAll } from './clients-matrix/verbs.ts';
import { once } from './once.ts';

const laneCount = 2;
const page = path.join(import.meta.dirname, '../docs/reference/clients.md');
const clients = chosenClients();
const closing: (() => Promise<void>)[] = [];
after(async () => {
  for (const close of closing) await close();
});

/** Lanes run beside each other, and each takes the next client when it is done with one. */
const outcomes = once(async () => {
  const ground = await openGround();
  closing.push(async () => ground[Symbol.asyncDispose]());
  const waiting = clients.filter((client) => absenceOf(client) === undefined);
  const done = new Map(waiting.map((client) => [client.id, Promise.withResolvers<Record<string, Cell>>()]));
  for (const { promise } of done.values()) promise.catch(() => undefined);
  const work = async (number: number): Promise<void> => {
    const lane = await ground.openLane(number);
    closing.unshift(async () => lane[Symbol.asyncDispose]());
    for (let client = waiting.shift(); client !== undefined; client = waiting.shift()) {
      const { resolve, reject } = done.get(client.id)!;
      try {
        const { cells, agreement } = await checkAll(lane, client);
        const algorithms = describeAlgorithms(client, agreement);
        keepPart(client, 'everyday', { version: await client.readVersion(), cells, algorithms });
        resolve(cells);
      } catch (fault) {
        reject(fault);
      }
    }
  };
  for (let number = 1; number <= laneCount; number += 1) {
    // A lane that does not open fails every test that waits for it.
    work(number).catch((fault: unknown) => done.forEach(({ reject }) => reject(fault)));
  }
  return done;
});

for (const client of clients) {
  const skip = withClients.skip || (absenceOf(client) ?? false);
  test(`${client.name}: the everyday verbs go as docs/reference/clients.md says`, { skip }, async () => {
    const cells = await (await outcomes()).get(client.id)!.promise;
    const printed = existsSync(page) ? readClientsPage(readFileSync(page, 'utf8')).get(client.name) : undefined;
    for (const [column, cell] of Object.entries(cells)) {
      assert.deepEqual(
        printed?.[column],
        cell,
        `${column}: after a change, run test:long and npm run docs -- --clients`,
      );
    }
  });
}
