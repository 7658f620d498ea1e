// Which request goes where: one line for each kind, so that the protocol is seen at one glance.
import { formatLimits, formatNamesById, formatSpace, formatVolume, type Request } from '@broadgate/sftp';
import { refusals } from './answer.ts';
import { houseName, ownerIds } from './attributes.ts';
import type { Exchange } from './exchange.ts';
import type { createHandleRequests } from './handle-requests.ts';
import type { createPathRequests } from './path-requests.ts';

/** Requests that are answered by an exchange: all but INIT and those without an id. */
export type Answerable = Exclude<Request, { kind: 'init' } | { kind: 'malformed' }>;

export interface DispatchParts {
  readonly onPath: ReturnType<typeof createPathRequests>;
  readonly onHandle: ReturnType<typeof createHandleRequests>;
  readonly user: string;
}

/** Starts one request. What it throws before it waits is answered by the caller. */
export function dispatch(request: Answerable, exchange: Exchange, { onPath, onHandle, user }: DispatchParts): void {
  switch (request.kind) {
    case 'read':
      return onHandle.read(request, exchange);
    case 'write':
      return onHandle.write(request, exchange);
    case 'open':
      return onPath.open(request, exchange);
    case 'close':
      return onHandle.close(request.handle, exchange);
    case 'stat':
    case 'lstat': // There are no links, so both are one.
      return onPath.stat(request.path, exchange);
    case 'fstat':
      return onHandle.fstat(request.handle, exchange);
    case 'setstat':
    case 'lsetstat':
      return onPath.setstat(request.path, request.attributes, exchange);
    case 'fsetstat':
      return onHandle.fsetstat(request.handle, request.attributes, exchange);
    case 'opendir':
      return onPath.opendir(request.path, exchange);
    case 'readdir':
      return onHandle.readdir(request.handle, exchange);
    case 'remove':
      return onPath.remove(request.path, exchange);
    case 'mkdir':
      return onPath.mkdir(request.path, exchange);
    case 'rmdir':
      return onPath.rmdir(request.path, exchange);
    case 'realpath':
      return onPath.realpath(request.path, exchange);
    case 'rename': // Draft §6.5: it is an error if something has the new name.
      return onPath.rename(request.from, request.to, { replace: false }, exchange);
    case 'posix_rename':
      return onPath.rename(request.from, request.to, { replace: true }, exchange);
    case 'readlink':
    case 'symlink':
      throw refusals.sftp_links_not_offered();
    case 'limits':
      return void exchange.answer(formatLimits(exchange.id));
    case 'fsync':
      return onHandle.fsync(request.handle, exchange);
    case 'statvfs':
      return onPath.space(request.path, formatVolume, exchange);
    case 'space_available':
      return onPath.space(request.path, formatSpace, exchange);
    case 'fstatvfs':
      return onPath.handleSpace(request.handle, exchange);
    case 'expand_path':
      return onPath.expandPath(request.path, exchange);
    case 'home_directory':
      return onPath.homeDirectory(request.user, exchange);
    case 'copy_data':
      return onHandle.copyData(request, exchange);
    case 'check_file_name':
      return onPath.checkFile(request.path, request, exchange);
    case 'check_file_handle':
      return onHandle.checkFile(request.handle, request, exchange);
    case 'names_by_id': {
      const names = (ids: readonly number[]): string[] => ids.map((id) => nameOf(id, user));
      return void exchange.answer(formatNamesById(exchange.id, names(request.uids), names(request.gids)));
    }
    case 'out_of_range':
      throw refusals.sftp_out_of_range({ what: request.why });
    case 'unknown':
      throw refusals.sftp_request_not_offered({ request: `of type ${request.type}` });
    case 'unknown_extension':
      throw refusals.sftp_request_not_offered({ request: request.name.replace(/[^\x21-\x7e]/g, '?') });
  }
}

/** PROTOCOL §4.12: the empty name where there is none. */
function nameOf(id: number, user: string): string {
  if (id === ownerIds.caller) return user;
  return id === ownerIds.house ? houseName : '';
}
