// File names between the wire, where they are bytes, and us, where they are Unicode text.
// Source: draft-ietf-secsh-filexfer-02 §6.2 leaves the encoding open; every client of today sends UTF-8.

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a name; undefined when the bytes are not well-formed UTF-8 (overlong forms and surrogates included). */
export function decodeName(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
