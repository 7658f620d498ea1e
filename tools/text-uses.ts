// Finds the ids of texts in source code: as whole strings and as templates with a part filled in.
import type { UsedId } from './language-check.ts';

// A string stands in many a template, so quotes are not paired: what has the form of an id between two of a kind is one.
const strings = /(['"`])([a-z][a-z0-9]*(?:\.(?:[A-Za-z0-9_-]|\$\{[^{}`]*\})+)+)\1/g;

// Where nothing but a text can be meant: `<Text id="…"`, `text('…'`, `titleId: '…'`.
const certainly = /(?:<Text\s+id=\{?|\btext\(|\b(?:textId|titleId)[:=]\s*\{?)$/;

/** Every string of the file that has the form of an id of one of the areas. */
export function findTextUses(file: { name: string; text: string }, areas: readonly string[]): UsedId[] {
  const firstWords = new Set(areas.map((area) => area.split('-', 1)[0]));
  const uses: UsedId[] = [];
  for (const match of file.text.matchAll(strings)) {
    const id = match[2]!.replace(/\$\{[^{}]*\}/g, '*');
    const isCertain = certainly.test(file.text.slice(Math.max(0, match.index - 40), match.index));
    if (!isCertain && !firstWords.has(id.split('.', 1)[0])) continue;
    const line = file.text.slice(0, match.index).split('\n').length;
    uses.push({ id, where: `${file.name}:${line}`, isPattern: id.includes('*'), isCertain });
  }
  return uses;
}
