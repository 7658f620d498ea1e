// Raw bytes over HTTP: a body read under its limit, and a file sent whole or as one range, with what really left.
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Download, Upload } from './route.ts';
import { type ByteRange, formatDisposition, matchesTag, mediaTypeOf, parseRange, refusals } from './rules.ts';

/** Takes the raw body of a request. Refuses: media_type_not_taken, body_too_large (also later, out of `chunks`). */
export function takeUpload(
  request: FastifyRequest,
  limits: { mediaTypes: readonly string[]; limitBytes: number; signal: AbortSignal },
): Upload {
  const contentType = mediaTypeOf(request.headers['content-type']);
  if (!limits.mediaTypes.includes(contentType)) {
    throw refusals.media_type_not_taken({ takes: limits.mediaTypes.join(', ') });
  }
  const declared = request.headers['content-length'];
  const sizeBytes = declared === undefined ? undefined : Number(declared);
  if (sizeBytes !== undefined && !(sizeBytes <= limits.limitBytes)) {
    throw refusals.body_too_large({ limitBytes: limits.limitBytes });
  }
  return { contentType, sizeBytes, chunks: readLimited(request.raw, limits) };
}

async function* readLimited(
  source: AsyncIterable<Buffer>,
  limits: { limitBytes: number; signal: AbortSignal },
): AsyncGenerator<Buffer> {
  let readBytes = 0;
  for await (const chunk of source) {
    limits.signal.throwIfAborted();
    readBytes += chunk.length;
    if (readBytes > limits.limitBytes) throw refusals.body_too_large({ limitBytes: limits.limitBytes });
    yield chunk;
  }
}

/** Answers GET and HEAD for a file. Source: RFC 9110 §13 (conditions), §14 (ranges). */
export function sendDownload(
  request: FastifyRequest,
  reply: FastifyReply,
  file: Download,
  onFault: (fault: unknown) => void,
): FastifyReply {
  reply.header('etag', `"${file.etag}"`);
  reply.header('accept-ranges', file.isMadeAnew === true ? 'none' : 'bytes');
  if (file.modifiedAtMs !== undefined) reply.header('last-modified', new Date(file.modifiedAtMs).toUTCString());
  if (matchesTag(request.headers['if-none-match'], file.etag)) return reply.code(304).send();

  const range = chooseRange(request, file);
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${file.sizeBytes}`);
    throw refusals.range_not_satisfiable({ sizeBytes: file.sizeBytes });
  }
  const due = range === 'all' ? { start: 0, end: file.sizeBytes } : range;
  reply.header('content-type', file.contentType);
  reply.header('content-disposition', formatDisposition(file.fileName));
  reply.header('content-length', due.end - due.start);
  if (range !== 'all') {
    reply.code(206).header('content-range', `bytes ${due.start}-${due.end - 1}/${file.sizeBytes}`);
  }
  if (request.method === 'HEAD') return reply.send();
  return reply.send(streamCounted(reply, file, due, onFault));
}

function chooseRange(request: FastifyRequest, file: Download): ByteRange | 'all' | 'unsatisfiable' {
  if (request.method !== 'GET' || file.isMadeAnew === true) return 'all';
  // RFC 9110 §13.1.5: a range of another version of the file is not sent; If-Range needs the strong tag.
  const ifRange = request.headers['if-range'];
  if (ifRange !== undefined && ifRange !== `"${file.etag}"`) return 'all';
  return parseRange(request.headers.range, file.sizeBytes);
}

function streamCounted(
  reply: FastifyReply,
  file: Download,
  due: ByteRange,
  onFault: (fault: unknown) => void,
): Readable {
  let sentBytes = 0;
  async function* count(): AsyncGenerator<Uint8Array> {
    for await (const chunk of file.open(due)) {
      sentBytes += chunk.length;
      yield chunk;
    }
    // A file that is shorter or longer than announced must not look complete.
    if (sentBytes !== due.end - due.start)
      throw new Error(`a download gave ${sentBytes} bytes of ${due.end - due.start}`);
  }
  const stream = Readable.from(count(), { objectMode: false });
  let isFinished = false;
  reply.raw.once('finish', () => {
    isFinished = true;
  });
  reply.raw.once('close', () => {
    const isComplete = isFinished && sentBytes === due.end - due.start;
    Promise.resolve(file.sent?.({ start: due.start, sizeBytes: sentBytes, isComplete })).catch(onFault);
  });
  return stream;
}
