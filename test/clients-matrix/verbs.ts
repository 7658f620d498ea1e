// The everyday verbs of a client against a lane, with every byte compared and the server's own record looked at.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { eventually } from '../eventually.ts';
import { sftp } from '../sftp-programs.ts';
import type { ClientProgram, Deed, Verb } from './client-program.ts';
import { type ConnectionRecord, type Lane, start, take, takeWell } from './ground.ts';
import type { Offer } from '../../packages/ssh/algorithms.ts';

const mib = 1024 * 1024;
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What a client did: yes, or why it cannot. */
export type Cells = Record<string, 'yes' | { readonly cannot: string }>;

/** What a client offers and what was agreed, in its first connection. */
export interface Agreement {
  readonly offer: Offer;
  readonly record: ConnectionRecord;
}

/** Makes the folder that the client works in. */
export async function openBox({ repository }: Lane, client: ClientProgram): Promise<string> {
  const box = `/${client.id}`;
  const made = await sftp(repository.target, [`mkdir ${box}`]);
  assert.equal(made.status, 0, made.stderr);
  return box;
}

/** A file of random bytes on the client's machine. */
export function makeFile(lane: Lane, name: string, sizeBytes: number): { local: string; bytes: Buffer } {
  const local = path.join(lane.folder, name);
  const bytes = randomBytes(sizeBytes);
  writeFileSync(local, bytes);
  return { local, bytes };
}

/** Sign-in, put, list, get, rename, each as far as the client has it. */
export async function checkEveryday(
  lane: Lane,
  client: ClientProgram,
  box: string,
): Promise<{ cells: Cells; agreement: Agreement }> {
  const { repository, account } = lane;
  const { local, bytes } = makeFile(lane, `${client.id}-sent`, 300_001);
  const back = path.join(lane.folder, `${client.id}-back`);
  const [first, second] = [`${box}/one.bin`, `${box}/two.bin`];
  const [before, offers] = [await lane.connections(), lane.relay.offers.length];
  const has = (verb: Verb): boolean => client.cannot[verb] === undefined;

  const rename = { verb: 'rename', remote: first, to: `${box}/three.bin` } as const;
  const ran = await takeWell(client, account, [
    { verb: 'put', local, remote: first },
    { verb: 'put', local, remote: second },
    { verb: 'get', remote: first, local: back },
    ...(has('rename') ? [rename] : []),
    // Last, so that its names are what the last process printed.
    ...(has('list') ? [{ verb: 'list', remote: box } as const] : []),
  ]);
  const expected = [has('rename') ? 'three.bin' : 'one.bin', 'two.bin'].toSorted();
  if (has('list')) {
    const names = client.readNames(ran).filter((name) => name !== '.' && name !== '..');
    assert.deepEqual(names.toSorted(), expected, `${client.id}: what it lists`);
  }
  assert.deepEqual(await repository.names(box), expected, `${client.id}: what it renamed`);
  for (const name of expected) {
    assert.ok((await repository.read(`${box}/${name}`)).equals(bytes), `${client.id}: what it put`);
  }
  assert.ok(readFileSync(back).equals(bytes), `${client.id}: what it got`);

  const record = await eventually(async () => {
    const known = new Set(before.map((one) => one.id));
    return (await lane.connections()).findLast((one) => !known.has(one.id));
  });
  return {
    cells: { 'sign-in': 'yes', put: 'yes', get: 'yes', list: cellOf(client, 'list'), rename: cellOf(client, 'rename') },
    agreement: { offer: lane.relay.offers[offers]!, record },
  };
}

export const cellOf = (client: ClientProgram, deed: Deed): Cells[string] => {
  const reason = client.cannot[deed];
  return reason === undefined ? 'yes' : { cannot: reason };
};

/** A key that is not registered opens nothing, ends the program with a failure, and is in the client's record of refusals. */
export async function checkWrongKey(lane: Lane, client: ClientProgram, box: string): Promise<Cells> {
  const countRefused = async (): Promise<number> =>
    (await lane.refusals())
      .filter((one) => one.reason === 'key_not_registered')
      .reduce((sum, one) => sum + one.count, 0);
  const [before, connections] = [await countRefused(), (await lane.connections()).length];
  const local = path.join(lane.folder, `${client.id}-never`);
  const ran = await take(client, lane.stranger, [{ verb: 'get', remote: `${box}/two.bin`, local }]);
  assert.ok(ran.status > 0, `${client.id} with a wrong key ended with ${ran.status}: ${ran.stderr}`);
  assert.ok(!existsSync(local) || statSync(local).size === 0, `${client.id} with a wrong key got something`);
  await eventually(async () => (await countRefused()) > before, { what: `the refusal of ${client.id}'s wrong key` });
  assert.equal((await lane.connections()).length, connections);
  return { 'wrong key': 'yes' };
}

// Small enough for every run, large enough that every client has something in flight and something done.
const cutBytes = 5 * mib + 17;
const stallBytes = 3 * mib;
const doneBytesMin = mib;

/** An upload that stalls in its middle and is killed: nothing of it is visible, and the client goes on or sends it again. */
export async function checkCutUpload(lane: Lane, client: ClientProgram, box: string): Promise<Cells> {
  const { repository, account, relay } = lane;
  const { local, bytes } = makeFile(lane, `${client.id}-cut`, cutBytes);
  const remote = `${box}/cut.bin`;
  relay.stall({ upBytes: stallBytes });
  const upload = start(client, account, { verb: 'put', local, remote });
  await eventually(() => relay.hasStalled || upload.endedEarly !== undefined, {
    timeoutMs: 60_000,
    what: `the middle of ${client.id}'s upload`,
  });
  assert.equal(upload.endedEarly, undefined);
  await upload.kill();
  relay.stall(undefined);
  const kept = await eventually(async () => {
    const found = await repository.entry(remote);
    return found.sizeBytes >= doneBytesMin ? found : undefined;
  });
  assert.equal(kept.isPartial, true);
  assert.ok(!(await repository.names(box)).includes('cut.bin'), `${client.id}: an unfinished upload is in no list`);

  const resumes = client.cannot.resumePut === undefined;
  await takeWell(client, account, [{ verb: resumes ? 'resumePut' : 'put', local, remote }]);
  assert.equal((await repository.entry(remote)).sha256, hashOf(bytes), `${client.id}: the whole upload`);
  if (resumes) await checkShort(lane, 'bytesIn');
  return { abort: 'yes', 'resume put': cellOf(client, 'resumePut') };
}

/** A download that stalls in its middle and is killed; the client goes on from what it has. */
export async function checkCutDownload(lane: Lane, client: ClientProgram, box: string): Promise<Cells> {
  if (client.cannot.resumeGet !== undefined) return { 'resume get': cellOf(client, 'resumeGet') };
  const { account, relay } = lane;
  const bytes = readFileSync(path.join(lane.folder, `${client.id}-cut`));
  const [remote, local] = [`${box}/cut.bin`, path.join(lane.folder, `${client.id}-got`)];
  relay.stall({ downBytes: stallBytes });
  const download = start(client, account, { verb: 'get', remote, local });
  const hasHalf = (): boolean => existsSync(local) && statSync(local).size >= doneBytesMin;
  await eventually(() => (relay.hasStalled && hasHalf()) || download.endedEarly !== undefined, {
    timeoutMs: 60_000,
    what: `the middle of ${client.id}'s download`,
  });
  assert.equal(download.endedEarly, undefined);
  await download.kill();
  relay.stall(undefined);
  assert.ok(statSync(local).size < bytes.length);
  await takeWell(client, account, [{ verb: 'resumeGet', remote, local }]);
  assert.equal(hashOf(readFileSync(local)), hashOf(bytes), `${client.id}: the whole download`);
  await checkShort(lane, 'bytesOut');
  return { 'resume get': 'yes' };
}

/** The latest connection moved less than the whole, by the server's own count. */
async function checkShort(lane: Lane, direction: 'bytesIn' | 'bytesOut'): Promise<void> {
  const latest = await eventually(async () => {
    const [found] = await lane.connections();
    return found?.endedAt === null ? undefined : found;
  });
  const movedBytes = latest[direction]!;
  assert.ok(movedBytes < cutBytes - doneBytesMin / 2, `a resumed transfer moved ${movedBytes} bytes`);
}

/** Everything of a client that takes seconds. */
export async function checkAll(lane: Lane, client: ClientProgram): Promise<{ cells: Cells; agreement: Agreement }> {
  const box = await openBox(lane, client);
  const { cells, agreement } = await checkEveryday(lane, client, box);
  const others = [
    await checkWrongKey(lane, client, box),
    await checkCutUpload(lane, client, box),
    await checkCutDownload(lane, client, box),
  ];
  return { cells: Object.assign({}, cells, ...others) as Cells, agreement };
}
