// The one place where a path as a client sends it becomes the canonical path that the rest of the server knows.
// Canonical: '/' or '/a/b'; NFC; no '.', '..', empty names, control or direction characters. Every operation, rename
// targets and extensions included, passes here, so that two spellings of one path always reach the same decision.
import { decodeName } from '@broadgate/sftp';
import { defineRefusals } from '../../kernel/refusal.ts';

/** Units: bytes of UTF-8 after normalisation; levels are names between slashes. */
export const pathLimits = { pathBytes: 4096, nameBytes: 255, levels: 64 } as const;

export const refusals = defineRefusals({
  path_not_utf8: {
    kind: 'invalid',
    text: 'The path is not valid UTF-8. Set the character set of your program to UTF-8 and try again.',
  },
  path_character_refused: {
    kind: 'invalid',
    text: 'The path holds the character {character}, which is not allowed in names here. Rename the file and try again.',
  },
  path_too_long: {
    kind: 'invalid',
    text: 'The path is longer than {limitBytes} bytes. Use a shorter path.',
  },
  path_name_too_long: {
    kind: 'invalid',
    text: 'A name in the path is longer than {limitBytes} bytes. Use a shorter name.',
  },
  path_levels_too_many: {
    kind: 'invalid',
    text: 'The path has more than {limit} levels. Use fewer folders inside one another.',
  },
});

// NUL and other controls of C0 and C1, line and paragraph separators, and characters that only turn the direction of
// text: none can be seen, so a name holding one looks like another name.
const refusedCharacter = /[\p{Cc}\u2028\u2029\p{Bidi_Control}]/u;

/**
 * Makes a client's path canonical. A relative path begins at '/', which is also where '..' stops.
 * Refuses: path_not_utf8, path_character_refused, path_too_long, path_name_too_long, path_levels_too_many.
 */
export function canonicalPath(bytes: Uint8Array): string {
  if (bytes.length > pathLimits.pathBytes) throw refusals.path_too_long({ limitBytes: pathLimits.pathBytes });
  const text = decodeName(bytes);
  if (text === undefined) throw refusals.path_not_utf8();
  const refused = refusedCharacter.exec(text)?.[0];
  if (refused !== undefined) throw refusals.path_character_refused({ character: formatCharacter(refused) });
  const path = joinNames(text.normalize('NFC').split('/'));
  // Normalisation may lengthen: U+1D160 grows to three times its size.
  if (Buffer.byteLength(path) > pathLimits.pathBytes)
    throw refusals.path_too_long({ limitBytes: pathLimits.pathBytes });
  return path;
}

function joinNames(names: readonly string[]): string {
  const kept: string[] = [];
  for (const name of names) {
    if (name === '' || name === '.') continue;
    if (name === '..') kept.pop();
    else kept.push(checkName(name));
    if (kept.length > pathLimits.levels) throw refusals.path_levels_too_many({ limit: pathLimits.levels });
  }
  return `/${kept.join('/')}`;
}

function checkName(name: string): string {
  if (Buffer.byteLength(name) > pathLimits.nameBytes)
    throw refusals.path_name_too_long({ limitBytes: pathLimits.nameBytes });
  return name;
}

const formatCharacter = (character: string): string =>
  `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
