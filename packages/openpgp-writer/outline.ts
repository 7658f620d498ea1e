// Checks the outer structure of a finished message, so that nothing cut off or in clear is published.
import { OpenPgpFormatError } from './armor.ts';
import { type Length, readLength } from './packet-reader.ts';
import { tags } from './packets.ts';

export interface MessageOutline {
  /** Hex, upper case, in the order of the message. */
  readonly recipientKeyIds: readonly string[];
  readonly container: 'seipd1' | 'seipd2';
  readonly sizeBytes: number;
}

export interface MessageReader {
  push(bytes: Uint8Array): void;
  /** Refuses: anything but session keys followed by exactly one whole sealed packet (OpenPgpFormatError). */
  end(): MessageOutline;
}

/** Units: bytes kept of a session key packet; RSA-4096 takes 524. */
const sessionKeySizeMax = 2048;
const recipientsMax = 1000;

/** Reads a message as it passes, keeping only the session key packets. Source: RFC 9580 §10.3, §4.2. */
export function createMessageReader(): MessageReader {
  let pending: Buffer = Buffer.alloc(0);
  let leftBytes = 0;
  let state: 'header' | 'part' | 'body' | 'end' = 'header';
  let lengthFollows = false;
  let container: MessageOutline['container'] | undefined;
  let sizeBytes = 0;
  const recipientKeyIds: string[] = [];

  /** Takes one step; false when more bytes are needed. */
  function step(): boolean {
    if (state === 'end') {
      if (pending.length > 0) throw new OpenPgpFormatError('Bytes follow the sealed packet');
      return false;
    }
    if (state === 'body') return passBody();
    return state === 'part' ? readPart(readLength(pending, 0), 0) : readHeader();
  }

  function readHeader(): boolean {
    if (pending.length === 0) return false;
    // §4.2: the writer uses only the current format.
    if (pending[0]! >> 6 !== 3) throw new OpenPgpFormatError('The bytes are not an OpenPGP message');
    const length = readLength(pending, 1);
    const tag = pending[0]! & 0x3f;
    if (tag === tags.sealed) return readPart(length, 1);
    if (tag !== tags.sessionKey) throw new OpenPgpFormatError(`Packet ${tag} does not belong in a message`);
    return readSessionKey(length);
  }

  function readSessionKey(length: Length | undefined): boolean {
    if (!length) return false;
    if (length.partial || length.size > sessionKeySizeMax || recipientKeyIds.length >= recipientsMax)
      throw new OpenPgpFormatError('A session key packet is malformed');
    const end = 1 + length.lengthBytes + length.size;
    if (pending.length < end) return false;
    const body = pending.subarray(1 + length.lengthBytes, end);
    // §5.1.2: version 6 names the fingerprint, after its length and the key's version; a version 4 key id is its end.
    const at = body[0] === 3 ? 1 : body[2] === 4 ? 15 : 3;
    if (body.length < at + 8) throw new OpenPgpFormatError('A session key packet is malformed');
    recipientKeyIds.push(body.toString('hex', at, at + 8).toUpperCase());
    pending = pending.subarray(end);
    return true;
  }

  function readPart(length: Length | undefined, start: number): boolean {
    if (!length) return false;
    pending = pending.subarray(start + length.lengthBytes);
    leftBytes = length.size;
    lengthFollows = length.partial;
    state = 'body';
    return true;
  }

  function passBody(): boolean {
    if (!container) {
      if (pending.length === 0) return false;
      if (pending[0] !== 1 && pending[0] !== 2)
        throw new OpenPgpFormatError('The sealed packet has an unknown version');
      container = pending[0] === 1 ? 'seipd1' : 'seipd2';
    }
    const taken = Math.min(leftBytes, pending.length);
    pending = pending.subarray(taken);
    leftBytes -= taken;
    if (leftBytes > 0) return false;
    state = lengthFollows ? 'part' : 'end';
    return true;
  }

  return {
    push(bytes) {
      sizeBytes += bytes.length;
      pending =
        pending.length === 0
          ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
          : Buffer.concat([pending, bytes]);
      while (step());
      // What is kept is copied, because the caller may use its buffer again.
      pending = Buffer.from(pending);
    },
    end() {
      if (state !== 'end' || !container) throw new OpenPgpFormatError('The message is cut off');
      if (recipientKeyIds.length === 0) throw new OpenPgpFormatError('The message is sealed to no key');
      return { recipientKeyIds, container, sizeBytes };
    },
  };
}

/** The same for a message that is whole in memory. */
export function describeMessage(bytes: Uint8Array): MessageOutline {
  const reader = createMessageReader();
  reader.push(bytes);
  return reader.end();
}
