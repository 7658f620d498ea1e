// Compares a real repository with its model: what its owner sees, what is kept for resume, the quota, and the medium.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { ClientActor } from '../../server/kernel/actor.ts';
import type { StatementWorld } from '../statement-world.ts';
import type { RepositoryModel } from './repository-model.ts';

export type World = Pick<StatementWorld, 'statements' | 'database' | 'blobs' | 'folder'>;

/** Folders and a few files on both sides, so that what follows finds something. */
export async function prepare(world: World, actor: ClientActor, model: RepositoryModel): Promise<void> {
  const { repository } = world.statements;
  // The tree is made first, with the folder that is the broker's.
  await world.database.transaction((sql) => repository.prepare(sql, [actor.clientId]));
  for (const folder of ['/d', '/e', '/d/f']) {
    await repository.makeFolder(actor, folder);
    model.mkdir(folder);
  }
  for (const [index, file] of ['/a', '/b', '/d/b', '/d/f/c'].entries()) {
    const bytes = Buffer.alloc([3, 70_000, 0, 500][index]!, file);
    const handle = await repository.openWrite(actor, file, { create: true, exclusive: false, truncate: true });
    await handle.write(0, bytes);
    await handle.close();
    model.entries.set(file, { kind: 'file', isBrokers: false, bytes });
  }
}

const inOrder = (rows: readonly unknown[]): string[] =>
  rows.map((row) => JSON.stringify(row)).sort((a, b) => (a < b ? -1 : 1));

/** The whole tree as its owner may see it. */
async function readTree(world: World, actor: ClientActor, folder = '/'): Promise<[string, string][]> {
  const { entries } = await world.statements.repository.list(actor, folder, { limit: 500 });
  const found: [string, string][] = [];
  for (const entry of entries) {
    found.push([entry.path, entry.sha256 ?? entry.kind]);
    if (entry.kind === 'folder') found.push(...(await readTree(world, actor, entry.path)));
  }
  return found;
}

/** Refuses with the story in `told`. */
export async function compare(world: World, actor: ClientActor, model: RepositoryModel, told: string): Promise<void> {
  const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  const wanted = [...model.entries].map(([path, { kind, bytes }]) => [path, kind === 'file' ? sha256(bytes) : kind]);
  assert.deepEqual(inOrder(await readTree(world, actor)), inOrder(wanted), told);
  const { sql } = world.database;
  const rows = await sql<{ path: string; state: string; size: number; reserved: number; blobId: string }>`
    select path, state, size_bytes as size, reserved_bytes as reserved, blob_id as "blobId" from uploads
    where client_id = ${actor.clientId}`;
  const uploads = [...model.uploads].map(([path, { bytes }]) => [path, 'kept', bytes.length, bytes.length]);
  const found = rows.map(({ path, state, size, reserved }) => [path, state, size, reserved]);
  assert.deepEqual(inOrder(found), inOrder(uploads), told);
  const own = [...model.entries.values()].filter(({ isBrokers }) => !isBrokers);
  const usedBytes = [...own, ...model.uploads.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  const quota = await world.statements.repository.space(actor);
  assert.deepEqual([quota.usedBytes, quota.usedEntries], [usedBytes, own.length], told);
  // Nothing on the medium that no row names: no staged part, no blob of a file that is gone.
  const named = await sql<{ blobId: string }>`
    select blob_id as "blobId" from entries where blob_id is not null union select blob_id from uploads`;
  const kept: string[] = [];
  for await (const { blobId } of world.blobs.list()) kept.push(blobId);
  assert.deepEqual(inOrder(kept), inOrder(named.map(({ blobId }) => blobId)), told);
  for (const name of readdirSync(path.join(world.folder, 'blobs', 'staged')))
    assert.ok(
      rows.concat(await others(world)).some(({ blobId }) => name.startsWith(blobId)),
      `${name} is left; ${told}`,
    );
}

/** Uploads of the clients of earlier stories. */
const others = (
  world: World,
): Promise<{ path: string; state: string; size: number; reserved: number; blobId: string }[]> =>
  world.database.sql`select path, state, 0 as size, 0 as reserved, blob_id as "blobId" from uploads`;
