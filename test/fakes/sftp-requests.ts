// Writes a parsed SFTP request down again with the client's own encoder, to see that nothing was read otherwise than sent.
import type { FileAttributes, OpenMode, Request } from '@broadgate/sftp';
import { client, type Field, flags, packet, str, u32, u64 } from './sftp-client.ts';

const attributeFields = (attributes: FileAttributes): Buffer => {
  const { sizeBytes, owner, mode, times } = attributes;
  const fields: Field[] = [
    u32((sizeBytes === undefined ? 0 : 1) | (owner ? 2 : 0) | (mode === undefined ? 0 : 4) | (times ? 8 : 0)),
    ...(sizeBytes === undefined ? [] : [u64(sizeBytes)]),
    ...(owner ? [u32(owner.uid), u32(owner.gid)] : []),
    ...(mode === undefined ? [] : [u32(mode)]),
    ...(times ? [u32(times.accessedAt), u32(times.modifiedAt)] : []),
  ];
  return packet(0, ...fields).subarray(5);
};

const flagsOf = (mode: OpenMode): number =>
  (Object.keys(flags) as (keyof typeof flags)[]).reduce((sum, name) => sum | (mode[name] ? flags[name] : 0), 0);

const handleBytes = (handle: string): Buffer => Buffer.from(handle, 'latin1');
const ids = (values: readonly number[]): Field =>
  str(Buffer.concat(values.map((value) => packet(0, u32(value)).subarray(5))));
const range = (r: { algorithms: readonly string[]; start: number; length: number; blockBytes: number }): Field[] => [
  str(Buffer.from(r.algorithms.join(','), 'latin1')),
  u64(r.start),
  u64(r.length),
  u32(r.blockBytes),
];

const pathTypes = { lstat: 7, opendir: 11, remove: 13, rmdir: 15, realpath: 16, stat: 17, readlink: 19 } as const;
const pathNames = {
  statvfs: 'statvfs@openssh.com',
  expand_path: 'expand-path@openssh.com',
  space_available: 'space-available',
} as const;

/** Shape: undefined for what does not keep everything that was sent. */
export function encodeRequest(request: Request): Buffer | undefined {
  switch (request.kind) {
    case 'open':
      return packet(
        3,
        u32(request.id),
        str(request.path),
        u32(flagsOf(request.mode)),
        attributeFields(request.attributes),
      );
    case 'close':
      return client.close(request.id, handleBytes(request.handle));
    case 'fstat':
      return client.fstat(request.id, handleBytes(request.handle));
    case 'readdir':
      return client.readdir(request.id, handleBytes(request.handle));
    case 'read':
      return client.read(request.id, handleBytes(request.handle), request.offset, request.length);
    case 'write':
      return client.write(request.id, handleBytes(request.handle), request.offset, Buffer.concat(request.payload));
    case 'stat':
    case 'lstat':
    case 'opendir':
    case 'remove':
    case 'rmdir':
    case 'realpath':
    case 'readlink':
      return client.path(pathTypes[request.kind], request.id, request.path);
    case 'setstat':
      return packet(9, u32(request.id), str(request.path), attributeFields(request.attributes));
    case 'fsetstat':
      return packet(10, u32(request.id), str(handleBytes(request.handle)), attributeFields(request.attributes));
    case 'mkdir':
      return packet(14, u32(request.id), str(request.path), attributeFields(request.attributes));
    case 'rename':
      return packet(18, u32(request.id), str(request.from), str(request.to));
    case 'symlink':
      return packet(20, u32(request.id), str(request.from), str(request.to));
    default:
      return encodeExtended(request);
  }
}

function encodeExtended(request: Request): Buffer | undefined {
  switch (request.kind) {
    case 'posix_rename':
      return client.extended(request.id, 'posix-rename@openssh.com', str(request.from), str(request.to));
    case 'statvfs':
    case 'expand_path':
    case 'space_available':
      return client.extended(request.id, pathNames[request.kind], str(request.path));
    case 'fstatvfs':
    case 'fsync':
      return client.extended(request.id, `${request.kind}@openssh.com`, str(handleBytes(request.handle)));
    case 'lsetstat': {
      const fields = [str(request.path), attributeFields(request.attributes)];
      return client.extended(request.id, 'lsetstat@openssh.com', ...fields);
    }
    case 'limits':
      return client.extended(request.id, 'limits@openssh.com');
    case 'copy_data': {
      const { from, fromOffset, length, to, toOffset } = request;
      const fields = [str(handleBytes(from)), u64(fromOffset), u64(length), str(handleBytes(to)), u64(toOffset)];
      return client.extended(request.id, 'copy-data', ...fields);
    }
    case 'home_directory':
      return client.extended(request.id, 'home-directory', str(request.user));
    case 'names_by_id':
      return client.extended(request.id, 'users-groups-by-id@openssh.com', ids(request.uids), ids(request.gids));
    case 'check_file_name':
      return client.extended(request.id, 'check-file-name', str(request.path), ...range(request));
    case 'check_file_handle':
      return client.extended(request.id, 'check-file-handle', str(handleBytes(request.handle)), ...range(request));
    default:
      return undefined;
  }
}
