// Rows of uploads that are not published: at most one a client and path. SQL only.
import type { Sql } from '../../kernel/sql.ts';

export interface UploadRow {
  readonly id: string;
  readonly path: string;
  readonly blobId: string;
  readonly holder: string;
  readonly state: 'open' | 'kept';
  /** What is known to be on disk: a client that resumes is told this and goes on from here. */
  readonly sizeBytes: number;
  readonly reservedBytes: number;
  readonly touchedAtMs: number;
}

export async function findUpload(sql: Sql, clientId: string, path: string): Promise<UploadRow | undefined> {
  const [row] = await sql<UploadRow>`select id, path, blob_id as "blobId", holder, state, size_bytes as "sizeBytes",
    reserved_bytes as "reservedBytes", touched_at_ms as "touchedAtMs"
    from uploads where client_id = ${clientId} and path = ${path}`;
  return row;
}

/** The row of an open handle, or undefined when another took it over. */
export async function findHeldUpload(sql: Sql, uploadId: string, holder: string): Promise<UploadRow | undefined> {
  const [row] = await sql<UploadRow>`select id, path, blob_id as "blobId", holder, state, size_bytes as "sizeBytes",
    reserved_bytes as "reservedBytes", touched_at_ms as "touchedAtMs"
    from uploads where id = ${uploadId} and holder = ${holder}`;
  return row;
}

/** Begins an upload and takes what it reserves from the quota. Shape: false where the client has too many of them. */
export async function insertUpload(
  sql: Sql,
  upload: {
    id: string;
    clientId: string;
    path: string;
    blobId: string;
    holder: string;
    reservedBytes: number;
    nowMs: number;
  },
  uploadsMax: number,
): Promise<boolean> {
  const rows = await sql`with quota as (
      update repositories set used_bytes = used_bytes + ${upload.reservedBytes} where client_id = ${upload.clientId})
    insert into uploads (id, client_id, path, blob_id, holder, state, reserved_bytes, begun_at_ms, touched_at_ms)
    select ${upload.id}, ${upload.clientId}, ${upload.path}, ${upload.blobId}, ${upload.holder}, 'open',
      ${upload.reservedBytes}::bigint, ${upload.nowMs}::bigint, ${upload.nowMs}::bigint
    where (select count(*) from uploads where client_id = ${upload.clientId}) < ${uploadsMax} returning id`;
  return rows.length > 0;
}

export async function updateHolder(sql: Sql, uploadId: string, holder: string, nowMs: number): Promise<void> {
  await sql`update uploads set holder = ${holder}, state = 'open', touched_at_ms = ${nowMs} where id = ${uploadId}`;
}

/** Tells every process that these handles may no longer write. */
export async function notifyTaken(sql: Sql, holder: string): Promise<void> {
  await sql`select pg_notify('upload_taken', ${holder})`;
}

export async function updateReserved(sql: Sql, uploadId: string, reservedBytes: number): Promise<void> {
  await sql`update uploads set reserved_bytes = ${reservedBytes} where id = ${uploadId}`;
}

/** Records how much is on disk, and whether the handle is still open. */
export async function updateSize(
  sql: Sql,
  held: { uploadId: string; holder: string },
  now: { sizeBytes: number; state: 'open' | 'kept'; atMs: number },
): Promise<void> {
  await sql`update uploads set size_bytes = ${now.sizeBytes}, state = ${now.state}, touched_at_ms = ${now.atMs}
    where id = ${held.uploadId} and holder = ${held.holder}`;
}

/** Deletes it, and counts in the quota what becomes of its reservation. */
export async function deleteUpload(
  sql: Sql,
  upload: { id: string; clientId: string },
  growth: { bytes: number; entries: number },
): Promise<void> {
  await sql`with gone as (delete from uploads where id = ${upload.id})
    update repositories set used_bytes = used_bytes + ${growth.bytes}, used_entries = used_entries + ${growth.entries}
    where client_id = ${upload.clientId}`;
}

/** Drops the uploads below a folder. Shape: their blobs and what they had reserved. */
export async function deleteUploadsBelow(
  sql: Sql,
  clientId: string,
  folder: string,
): Promise<{ blobId: string; reservedBytes: number }[]> {
  return sql<{ blobId: string; reservedBytes: number }>`delete from uploads
    where client_id = ${clientId} and path > ${`${folder}/`} and path < ${`${folder}0`}
    returning blob_id as "blobId", reserved_bytes as "reservedBytes"`;
}

export async function moveUploadsBelow(sql: Sql, clientId: string, from: string, to: string): Promise<void> {
  const keep = Array.from(from).length + 1;
  await sql`update uploads set path = ${to}::text || substr(path, ${keep}::integer)
    where client_id = ${clientId} and path > ${`${from}/`} and path < ${`${from}0`}`;
}

/** Uploads that nobody touched since `beforeMs`, oldest first. */
export async function listStaleUploads(
  sql: Sql,
  beforeMs: number,
  limit: number,
): Promise<{ id: string; clientId: string }[]> {
  return sql<{ id: string; clientId: string }>`select id, client_id as "clientId"
    from uploads where touched_at_ms <= ${beforeMs} order by touched_at_ms, id limit ${limit}`;
}

/** Deletes those that are still stale: since they were listed one may have been gone on with, finished or dropped. */
export async function deleteStaleUploads(
  sql: Sql,
  uploadIds: readonly string[],
  beforeMs: number,
): Promise<(UploadRow & { readonly clientId: string; readonly begunAtMs: number })[]> {
  return sql<UploadRow & { clientId: string; begunAtMs: number }>`delete from uploads
    where id = any(${uploadIds}::text[]) and touched_at_ms <= ${beforeMs}
    returning id, client_id as "clientId", path, blob_id as "blobId", holder, state, size_bytes as "sizeBytes",
      reserved_bytes as "reservedBytes", touched_at_ms as "touchedAtMs", begun_at_ms as "begunAtMs"`;
}
