// SFTP version 3, the server's half, without sockets: packets out of channel data, requests out of packets, replies as bytes.
// Invariants: no function here throws for any input from the wire, keeps more than the limits allow, or reads a clock.
export {
  type FileAttributes,
  formatLongName,
  formatMode,
  modeFile,
  modeFolder,
  modeTypeMask,
} from './attributes.ts';
export {
  announcedExtensions,
  type CheckFileAlgorithm,
  checkFileAlgorithms,
  type CheckFileRange,
  type ExtendedRequest,
} from './extensions.ts';
export { createFrameReader, type FrameReader, type Packet } from './frames.ts';
export { decodeName } from './names.ts';
export {
  formatAttributes,
  formatDataHead,
  formatHandle,
  formatHashes,
  formatLimits,
  formatNames,
  formatNamesById,
  formatPath,
  formatSpace,
  formatStatus,
  formatVersion,
  formatVolume,
  type NameEntry,
  nameEntryBytes,
  type VolumeSpace,
} from './replies.ts';
export { type OpenMode, parseRequest, type Request } from './requests.ts';
export { limits, packetTypes, protocolVersion, type StatusName, statusCodes } from './wire.ts';
