// The repository over HTTPS: the client's tree as it stands on SFTP, and the desk's view of what clients uploaded.
import { closed, id } from '@broadgate/contract';
import * as shapes from '@broadgate/contract/statements.ts';
import { type Static, Type } from 'typebox';
import { downloadRoute, listRoute, noBody, type Route, route, uploadRoute } from '../../faces/https/route.ts';
import { formatInstant } from '../../kernel/clock.ts';
import { keptMs } from '../proof/rules.ts';
import { formatDownload } from './download-https.ts';
import type { UploadedFile } from './inbox.ts';
import type { Attributes, Repository } from './repository.ts';

const tag = 'Repository';
const byPath = closed({ path: shapes.repositoryPath });
const pathRefusals = ['path_invalid', 'repository_path_too_deep', 'path_not_found', 'repository_not_yours'];
const changeRefusals = [...pathRefusals, 'statement_protected', 'name_reserved', 'path_taken', 'path_is_folder'];
const quotaRefusals = ['quota_reached', 'quota_entries_reached'];
/** Units: bytes. The quota is the real limit; this one only keeps the number sane. */
const uploadBytesMax = 64 * 1024 ** 3;

export const createRepositoryRoutes = (parts: { repository: Repository }): Route[] => [
  ...readingRoutes(parts),
  ...changingRoutes(parts),
  ...deskRoutes(parts),
];

const readingRoutes = ({ repository }: { repository: Repository }): Route[] => [
  listRoute({
    path: '/v1/repository/entries',
    operationId: 'listRepository',
    tag,
    summary: 'List a folder of your repository, by name.',
    who: 'client',
    query: byPath,
    item: shapes.entry,
    refusals: [...pathRefusals, 'path_is_file'],
    async handle({ actor, query, page }) {
      const { entries, next } = await repository.list(actor, query.path, page);
      return { items: entries.map(formatEntry), next };
    },
  }),
  route({
    method: 'GET',
    path: '/v1/repository/entry',
    operationId: 'getEntry',
    tag,
    summary: 'Tell one file or folder; also how much of an unfinished upload has arrived.',
    who: 'client',
    query: byPath,
    answers: { 200: shapes.entry },
    refusals: pathRefusals,
    handle: async ({ actor, query }) => ({ status: 200, body: formatEntry(await repository.stat(actor, query.path)) }),
  }),
  downloadRoute({
    path: '/v1/repository/file',
    operationId: 'downloadFile',
    tag,
    summary: 'Fetch a file of your repository, as it lies there.',
    who: 'client',
    query: byPath,
    mediaTypes: ['application/octet-stream'],
    refusals: [...pathRefusals, 'path_is_folder'],
    handle: async ({ actor, query }) => formatDownload(await repository.openRead(actor, query.path)),
  }),
  route({
    method: 'GET',
    path: '/v1/repository/space',
    operationId: 'getSpace',
    tag,
    summary: 'Tell how much you may upload.',
    who: 'client',
    answers: { 200: shapes.space },
    refusals: ['repository_not_yours'],
    handle: async ({ actor }) => ({ status: 200, body: await repository.space(actor) }),
  }),
];

const changingRoutes = ({ repository }: { repository: Repository }): Route[] => [
  uploadRoute({
    method: 'PUT',
    path: '/v1/repository/file',
    operationId: 'uploadFile',
    tag,
    summary: 'Upload a file, or a new version of your own; it appears when all of it has arrived.',
    who: 'client',
    query: byPath,
    mediaTypes: ['application/octet-stream'],
    bodyLimitBytes: uploadBytesMax,
    answers: { 200: shapes.entry },
    refusals: [...changeRefusals, ...quotaRefusals, 'uploads_too_many', 'upload_taken_over'],
    async handle({ actor, query, upload }) {
      const handle = await repository.openWrite(actor, query.path, { create: true, exclusive: false, truncate: true });
      let offset = 0;
      try {
        for await (const chunk of upload.chunks) {
          await handle.write(offset, chunk);
          offset += chunk.length;
        }
      } catch (fault) {
        // A caller over HTTPS sends the whole file again, so there is nothing to keep.
        await handle.discard();
        throw fault;
      }
      const { path } = await handle.close();
      return { status: 200, body: formatEntry(await repository.stat(actor, path)) };
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/repository/file',
    operationId: 'deleteFile',
    tag,
    summary: 'Delete a file that you uploaded.',
    who: 'client',
    query: byPath,
    answers: { 204: noBody },
    refusals: changeRefusals,
    async handle({ actor, query }) {
      await repository.remove(actor, query.path);
      return { status: 204 };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/repository/folders',
    operationId: 'makeFolder',
    tag,
    summary: 'Make a folder.',
    who: 'client',
    body: shapes.newFolder,
    answers: { 204: noBody },
    refusals: [...changeRefusals, ...quotaRefusals, 'path_is_file'],
    async handle({ actor, body }) {
      await repository.makeFolder(actor, body.path);
      return { status: 204 };
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/repository/folder',
    operationId: 'deleteFolder',
    tag,
    summary: 'Delete an empty folder.',
    who: 'client',
    query: byPath,
    answers: { 204: noBody },
    refusals: [...changeRefusals, 'path_is_file', 'folder_not_empty'],
    async handle({ actor, query }) {
      await repository.removeFolder(actor, query.path);
      return { status: 204 };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/repository/moves',
    operationId: 'moveEntry',
    tag,
    summary: 'Move or rename a file or folder of your own.',
    who: 'client',
    body: shapes.move,
    answers: { 204: noBody },
    refusals: [...changeRefusals, 'path_is_file', 'folder_into_itself', 'folder_too_large'],
    async handle({ actor, body }) {
      await repository.rename(actor, body.from, body.to, { replace: body.replace ?? false });
      return { status: 204 };
    },
  }),
];

const deskRoutes = ({ repository }: { repository: Repository }): Route[] => [
  listRoute({
    path: '/v1/delivery-desk/uploads',
    operationId: 'listUploads',
    tag: 'Delivery desk',
    summary: 'List what clients uploaded.',
    who: 'operator',
    query: closed({ client: Type.Optional(id('client')) }),
    item: shapes.upload,
    refusals: ['uploads_not_yours'],
    async handle({ actor, query, page }) {
      const { items, next } = await repository.listUploads(actor, { clientId: query.client }, page);
      return { items: items.map(formatUpload), next };
    },
  }),
  downloadRoute({
    path: '/v1/delivery-desk/uploads/:entryId/file',
    operationId: 'downloadUpload',
    tag: 'Delivery desk',
    summary: 'Fetch what a client uploaded.',
    who: 'operator',
    params: closed({ entryId: id('entry') }),
    mediaTypes: ['application/octet-stream'],
    refusals: ['uploads_not_yours', 'path_not_found'],
    handle: async ({ actor, params }) => formatDownload(await repository.openUpload(actor, params.entryId)),
  }),
];

export const formatEntry = (entry: Attributes): Static<typeof shapes.entry> => ({
  id: entry.entryId ?? null,
  path: entry.path,
  name: entry.name,
  kind: entry.kind,
  origin: entry.origin,
  sizeBytes: entry.sizeBytes,
  sha256: entry.sha256 ?? null,
  placedAt: formatInstant(entry.placedAtMs),
  modifiedAt: formatInstant(entry.modifiedAtMs),
  expiresAt: entry.kind === 'file' && !entry.isPartial ? formatInstant(entry.placedAtMs + keptMs) : null,
  statementId: entry.statementId ?? null,
  isPartial: entry.isPartial,
});

const formatUpload = (file: UploadedFile): Static<typeof shapes.upload> => ({
  id: file.entryId,
  clientId: file.clientId,
  path: file.path,
  sizeBytes: file.sizeBytes,
  sha256: file.sha256,
  uploadedAt: formatInstant(file.uploadedAtMs),
  expiresAt: formatInstant(file.uploadedAtMs + keptMs),
});
