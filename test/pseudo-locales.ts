// Languages that nobody speaks, for tests of the pages: English accented and 40 % longer, and English read from right to left.
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { readAreas } from '@broadgate/languages/catalogue-files.ts';
import { type MessageFormatElement, parse, TYPE } from '@formatjs/icu-messageformat-parser';
import { printAST } from '@formatjs/icu-messageformat-parser/printer.js';

export type PseudoLocale = 'accented' | 'mirrored';

const plainLetters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const accentedLetters = 'åƀçđéƒĝĥîĵķłɱñôƥɋřšţûṽŵẋýžÅƁÇĐÉƑĜĤÎĴĶĿḾÑÔƤɊŘŠŢÛṼŴẊÝŽ';
const lengthening = 0.4;

/** A text in the pseudo-locale: its variables, plurals and tags stay, and what a person reads is changed. */
export function pseudoText(kind: PseudoLocale, text: string): string {
  const change = kind === 'accented' ? accent : mirror;
  const changed = printAST(parse(text).map((element) => changeElement(element, change)));
  if (kind === 'mirrored') return changed;
  // Brackets show where a text is cut off; the padding is by the letters that a reader sees.
  const shown = text.replace(/[{<][^{}<>]*[}>]/g, '').length;
  return `⟦${changed}${' ẋẋẋẋ'.repeat(Math.ceil((shown * lengthening) / 5))}⟧`;
}

const accent = (text: string): string =>
  text.replace(/[A-Za-z]/g, (letter) => accentedLetters[plainLetters.indexOf(letter)]!);

// U+202E and U+202C: each word is written from right to left, as in a right-to-left script.
const mirror = (text: string): string => text.replace(/\p{L}[\p{L}’-]*/gu, (word) => `\u202e${word}\u202c`);

function changeElement(element: MessageFormatElement, change: (text: string) => string): MessageFormatElement {
  if (element.type === TYPE.literal) return { ...element, value: change(element.value) };
  if (element.type === TYPE.tag)
    return { ...element, children: element.children.map((inner) => changeElement(inner, change)) };
  if (element.type !== TYPE.plural && element.type !== TYPE.select) return element;
  const options = Object.entries(element.options).map(([name, option]) => [
    name,
    { ...option, value: option.value.map((inner) => changeElement(inner, change)) },
  ]);
  return { ...element, options: Object.fromEntries(options) } as MessageFormatElement;
}

/** The English texts of an area in the pseudo-locale. */
export const pseudoCatalogue = (kind: PseudoLocale, texts: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(texts).map(([id, text]) => [id, pseudoText(kind, text)]));

/**
 * Copies a built portal so that English reads accented and Arabic mirrored.
 * Shape: `built` is the folder that the build wrote, with its manifest; the copy is served like any other.
 */
export function writePseudoPortal(built: string, copy: string): void {
  cpSync(built, copy, { recursive: true });
  const manifest = JSON.parse(readFileSync(path.join(built, '.vite/manifest.json'), 'utf8')) as Record<
    string,
    { file: string }
  >;
  for (const [area, texts] of readAreas('en')) {
    for (const [locale, kind] of [
      ['en', 'accented'],
      ['ar', 'mirrored'],
    ] as const) {
      const chunk = Object.entries(manifest).find(([name]) => name.endsWith(`catalogues/${locale}/${area}.json`))?.[1];
      if (chunk === undefined) continue;
      const bytes = Buffer.from(`export default ${JSON.stringify(pseudoCatalogue(kind, texts))};\n`);
      const file = path.join(copy, chunk.file);
      writeFileSync(file, bytes);
      if (existsSync(`${file}.gz`)) writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 1 }));
      const params = { [constants.BROTLI_PARAM_QUALITY]: 1 };
      if (existsSync(`${file}.br`)) writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params }));
    }
  }
}
