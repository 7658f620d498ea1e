// Turns the bytes of a handed-in key into plain text, whatever editor or mail program they went through.

/** Undefined when the bytes are not text. Shape: without byte-order mark, lines end in LF. */
export function decodeKeyText(bytes: Uint8Array): string | undefined {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = decode(input);
  return text === undefined || text.includes('\0') ? undefined : text.replace(/\r\n?/g, '\n');
}

function decode(input: Buffer): string | undefined {
  if (input[0] === 0xff && input[1] === 0xfe) return decodeAs('utf-16le', input);
  if (input[0] === 0xfe && input[1] === 0xff) return decodeAs('utf-16be', input);
  // UTF-16 without a mark: the first character of every key form is ASCII, so one of its bytes is zero.
  if (input.length >= 2 && input[1] === 0 && input[0] !== 0) return decodeAs('utf-16le', input);
  if (input.length >= 2 && input[0] === 0 && input[1] !== 0) return decodeAs('utf-16be', input);
  return decodeAs('utf-8', input) ?? decodeAs('windows-1252', input);
}

function decodeAs(encoding: string, input: Buffer): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(input);
  } catch {
    // Bytes that are not in this encoding are an expected answer, not a fault.
    return undefined;
  }
}

/** Removes the marks of a quoted mail from every line. */
export const stripQuoting = (text: string): string => text.replace(/^[ \t]*(?:>[ \t]?)+/gm, '');

/** The beginning of a text, cut between characters: half of a pair is none that a database takes. */
export const cutText = (text: string, charactersMax: number): string =>
  Array.from(text).slice(0, charactersMax).join('').trimEnd();
