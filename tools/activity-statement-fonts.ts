// The four standard fonts of the statement's PDF: their character widths, and text in the encoding they use.

/** Fonts that every PDF reader has, so that none is embedded. Source: ISO 32000-1 §9.6.2.2. */
export const fontNames = {
  sans: 'Helvetica',
  sansBold: 'Helvetica-Bold',
  serif: 'Times-Roman',
  serifItalic: 'Times-Italic',
} as const;
export type FontName = keyof typeof fontNames;

const readWidths = (text: string): readonly number[] => text.trim().split(/\s+/).map(Number);

// Widths of the codes 32 to 255 in WinAnsiEncoding. Units: thousandths of the size. Source: Adobe's published font metrics.
const widths: Readonly<Record<FontName, readonly number[]>> = {
  sans: readWidths(`
    278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278
    584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944
    667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500
    278 556 500 722 500 500 500 334 260 334 584 0 556 0 222 556 333 1000 556 556 333 1000 667 333 1000 0 611 0 0 222
    222 333 333 350 556 1000 333 1000 500 333 944 0 500 667 278 333 556 556 556 556 260 556 333 737 370 556 584 333
    737 333 400 584 333 333 333 578 537 278 333 333 365 556 834 834 834 611 667 667 667 667 667 667 1000 722 667 667
    667 667 278 278 278 278 722 722 778 778 778 778 778 584 778 722 722 722 722 667 667 611 556 556 556 556 556 556
    889 500 556 556 556 556 278 278 278 278 556 556 556 556 556 556 556 584 611 556 556 556 556 500 556 500
  `),
  sansBold: readWidths(`
    278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 333 333
    584 584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 667 778 722 667 611 722 667 944
    667 667 611 333 278 333 584 556 333 556 611 556 611 556 333 611 611 278 278 556 278 889 611 611 611 611 389 556
    333 611 556 778 556 556 500 389 280 389 584 0 556 0 278 556 500 1000 556 556 333 1000 667 333 1000 0 611 0 0 278
    278 500 500 350 556 1000 333 1000 556 333 944 0 500 667 278 333 556 556 556 556 280 556 333 737 370 556 584 333
    737 333 400 584 333 333 333 611 556 278 333 333 365 556 834 834 834 611 722 722 722 722 722 722 1000 722 667 667
    667 667 278 278 278 278 722 722 778 778 778 778 778 584 778 722 722 722 722 667 667 611 556 556 556 556 556 556
    889 556 556 556 556 556 278 278 278 278 611 611 611 611 611 611 611 584 611 611 611 611 611 556 611 556
  `),
  serif: readWidths(`
    250 333 408 500 500 833 778 180 333 333 500 564 250 333 250 278 500 500 500 500 500 500 500 500 500 500 278 278
    564 564 564 444 921 722 667 667 722 611 556 722 722 333 389 722 611 889 722 722 556 722 667 556 611 722 722 944
    722 722 611 333 278 333 469 500 333 444 500 444 500 444 333 500 500 278 278 500 278 778 500 500 500 500 333 389
    278 500 500 722 500 500 444 480 200 480 541 0 500 0 333 500 444 1000 500 500 333 1000 556 333 889 0 611 0 0 333
    333 444 444 350 500 1000 333 980 389 333 722 0 444 722 250 333 500 500 500 500 200 500 333 760 276 500 564 333
    760 333 400 564 300 300 333 510 453 250 333 300 310 500 750 750 750 444 722 722 722 722 722 722 889 667 611 611
    611 611 333 333 333 333 722 722 722 722 722 722 722 564 722 722 722 722 722 722 556 500 444 444 444 444 444 444
    667 444 444 444 444 444 278 278 278 278 500 500 500 500 500 500 500 564 500 500 500 500 500 500 500 500
  `),
  serifItalic: readWidths(`
    250 333 420 500 500 833 778 214 333 333 500 675 250 333 250 278 500 500 500 500 500 500 500 500 500 500 333 333
    675 675 675 500 920 611 611 667 722 611 611 722 722 333 444 667 556 833 667 722 611 722 611 500 556 722 611 833
    611 556 556 389 278 389 422 500 333 500 500 444 500 444 278 500 500 278 278 444 278 722 500 500 500 500 389 389
    278 500 444 667 444 444 389 400 275 400 541 0 500 0 333 500 556 889 500 500 333 1000 500 333 944 0 556 0 0 333
    333 556 556 350 500 889 333 980 389 333 667 0 389 556 250 389 500 500 500 500 275 500 333 760 276 500 675 333
    760 333 400 675 300 300 333 514 523 250 333 300 310 500 750 750 750 500 611 611 611 611 611 611 889 667 611 611
    611 611 333 333 333 333 722 667 722 722 722 722 722 675 722 722 722 722 722 556 611 500 500 500 500 500 500 500
    667 444 444 444 444 444 278 278 278 278 500 500 500 500 500 500 500 675 500 500 500 500 500 444 500 444
  `),
};

/** Characters of WinAnsiEncoding that are not at their Unicode place. Source: ISO 32000-1 annex D.2. */
const winAnsi: ReadonlyMap<string, number> = new Map([
  ['€', 0x80],
  ['‚', 0x82],
  ['„', 0x84],
  ['…', 0x85],
  ['Š', 0x8a],
  ['Œ', 0x8c],
  ['Ž', 0x8e],
  ['‘', 0x91],
  ['’', 0x92],
  ['“', 0x93],
  ['”', 0x94],
  ['•', 0x95],
  ['–', 0x96],
  ['—', 0x97],
  ['š', 0x9a],
  ['œ', 0x9c],
  ['ž', 0x9e],
  // The encoding has no minus sign; the en dash is as wide as a figure and stands at its height.
  ['\u2212', 0x96],
]);

/** Text in the fonts' encoding; a letter that it lacks loses its accent, or becomes a question mark. */
export function encodeText(text: string): Buffer {
  const codes = Array.from(text.normalize('NFC')).flatMap((character) => {
    const code = codeOf(character);
    if (code !== undefined) return [code];
    const plain = character.normalize('NFD').replace(/\p{Mark}/gu, '');
    return Array.from(plain, (letter) => codeOf(letter) ?? 0x3f);
  });
  return Buffer.from(codes);
}

function codeOf(character: string): number | undefined {
  const code = character.codePointAt(0)!;
  const isSame = (code >= 0x20 && code < 0x7f) || (code >= 0xa0 && code <= 0xff);
  return isSame ? code : winAnsi.get(character);
}

/** Units: points, for a size in points. */
export function widthOf(text: string, font: FontName, size: number, spacing = 0): number {
  const codes = encodeText(text);
  let total = 0;
  for (const code of codes) total += widths[font][code - 32] ?? 0;
  return (total * size) / 1000 + spacing * Math.max(0, codes.length - 1);
}

/** The text, shortened with an ellipsis until it fits. */
export function fitText(text: string, font: FontName, size: number, room: number): string {
  if (widthOf(text, font, size) <= room) return text;
  const characters = Array.from(text);
  while (characters.length > 1 && widthOf(`${characters.join('')}…`, font, size) > room) characters.pop();
  return `${characters.join('').trimEnd()}…`;
}
