// A stored file as an answer over HTTPS, with the receipt of what really left.
import type { Download } from '../../faces/https/route.ts';
import type { FileReader } from './reading.ts';

/** Opens nothing before bytes are due, so that HEAD and an unchanged copy cost no read and leave no receipt. */
export function formatDownload(reader: FileReader, contentType = 'application/octet-stream'): Download {
  const { file } = reader;
  return {
    fileName: file.path.slice(file.path.lastIndexOf('/') + 1),
    contentType,
    sizeBytes: file.sizeBytes,
    etag: file.sha256 ?? '',
    modifiedAtMs: file.modifiedAtMs,
    open: (range) => reader.stream(range),
    sent: ({ start, sizeBytes, isComplete }) =>
      reader.close({
        ranges: [{ startBytes: start, endBytes: start + sizeBytes }],
        end: isComplete ? 'closed' : 'cut',
      }),
  };
}
