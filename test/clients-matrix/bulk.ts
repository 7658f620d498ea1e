// What takes minutes: one file of 1 GiB, and ten thousand small ones, each there and back.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import {
  createReadStream,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { sftp } from '../sftp-programs.ts';
import type { ClientProgram } from './client-program.ts';
import { type Lane, takeWell } from './ground.ts';
import { type Cells, cellOf } from './verbs.ts';

const mib = 1024 * 1024;
const longMs = 170_000;
const fileCount = 10_000;

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(file, { highWaterMark: 4 * mib })) hash.update(bytes as Buffer);
  return hash.digest('hex');
}

/** 1 GiB there and back, whole by the server's hash and by ours. */
export async function checkGibibyte(lane: Lane, client: ClientProgram, box: string): Promise<Cells> {
  if (client.cannot.gibibyte !== undefined) return { '1 GiB': cellOf(client, 'gibibyte') };
  const { repository, account } = lane;
  const [local, back] = [path.join(lane.folder, 'gibibyte'), path.join(lane.folder, 'gibibyte-back')];
  const remote = `${box}/gibibyte`;
  const block = randomBytes(64 * mib);
  const fd = openSync(local, 'w');
  for (let written = 0; written < 16; written += 1) {
    // Each block differs, so that one in the place of another shows.
    block.writeUInt32BE(written);
    writeSync(fd, block);
  }
  closeSync(fd);
  const expected = await hashFile(local);
  await takeWell(client, account, [{ verb: 'put', local, remote }], { timeoutMs: longMs });
  assert.equal((await repository.entry(remote)).sha256, expected, `${client.id}: 1 GiB that it put`);
  rmSync(local);
  await takeWell(client, account, [{ verb: 'get', remote, local: back }], { timeoutMs: longMs });
  assert.equal(await hashFile(back), expected, `${client.id}: 1 GiB that it got`);
  rmSync(back);
  await sftp(repository.target, [`rm ${remote}`]);
  return { '1 GiB': 'yes' };
}

const nameOf = (index: number): string => `file-${String(index).padStart(5, '0')}.csv`;
// Every fiftieth is empty.
const contentOf = (index: number): string => `${index},Data,ABC\n`.repeat(index % 50);

/** 10,000 files in one folder, there, listed and back. */
export async function checkManyFiles(lane: Lane, client: ClientProgram, box: string): Promise<Cells> {
  const { repository, account } = lane;
  const [local, back] = [path.join(lane.folder, 'many'), path.join(lane.folder, 'many-back')];
  const remote = `${box}/many`;
  mkdirSync(local);
  for (let index = 0; index < fileCount; index += 1) writeFileSync(path.join(local, nameOf(index)), contentOf(index));
  const expected = Array.from({ length: fileCount }, (_, index) => nameOf(index));
  await takeWell(client, account, [{ verb: 'putFolder', local, remote }], { timeoutMs: longMs });
  assert.deepEqual(await repository.names(remote), expected, `${client.id}: the files that it put`);
  if (client.cannot.list === undefined) {
    const ran = await takeWell(client, account, [{ verb: 'list', remote }], { timeoutMs: longMs });
    const names = client.readNames(ran).filter((name) => name !== '.' && name !== '..');
    assert.deepEqual(names.toSorted(), expected, `${client.id}: the files that it lists`);
  }
  await takeWell(client, account, [{ verb: 'getFolder', remote, local: back }], { timeoutMs: longMs });
  assert.deepEqual(readdirSync(back).toSorted(), expected, `${client.id}: the files that it got`);
  for (let index = 0; index < fileCount; index += 1) {
    assert.equal(
      readFileSync(path.join(back, nameOf(index)), 'utf8'),
      contentOf(index),
      `${client.id}: ${nameOf(index)}`,
    );
  }
  for (const folder of [local, back]) rmSync(folder, { recursive: true });
  return { '10,000 files': 'yes' };
}
