// Reads reports as a client's programs would, strictly enough to see damage: PDF by its cross-reference table, CSV, XML.
import assert from 'node:assert/strict';
import { inflateSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';

/** The texts drawn on the pages of a PDF. Refuses: a file whose cross-reference table does not lead to its objects. */
export function readPdf(pdf: Buffer): string[] {
  assert.match(pdf.subarray(0, 8).toString('latin1'), /^%PDF-\d\.\d/);
  const text = pdf.toString('latin1');
  const start = Number(/startxref\r?\n(\d+)\r?\n%%EOF\s*$/.exec(text)?.[1]);
  assert.equal(text.slice(start, start + 4), 'xref');
  const table = text.slice(start, text.indexOf('trailer', start));
  const entries = [...table.matchAll(/^(\d{10}) \d{5} ([nf])/gm)];
  assert.ok(entries.length > 3);
  entries.forEach(([, offset, kind], number) => {
    if (kind === 'n') assert.ok(text.startsWith(`${number} 0 obj`, Number(offset)), `object ${number}`);
  });
  const words: string[] = [];
  for (const match of text.matchAll(/stream\r?\n/g)) {
    if (text.slice(match.index - 3, match.index) === 'end') continue;
    const begin = match.index + match[0].length;
    const operators = inflateSync(pdf.subarray(begin, text.indexOf('\nendstream', begin))).toString('latin1');
    for (const [, hex] of operators.matchAll(/<([0-9a-f]*)> Tj/gi))
      words.push(Buffer.from(hex!, 'hex').toString('latin1'));
  }
  return words;
}

/** The rows of a CSV. */
export const readCsv = (bytes: Buffer): string[][] =>
  parse(bytes, { bom: true, relax_column_count: true }) as string[][];

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The elements of an XML file in order. Refuses: tags that do not close each other, and anything between them. */
export function readXml(bytes: Buffer): Element[] {
  const text = bytes.toString('utf8').replace(/^<\?xml [^>]*\?>/, '');
  const open: string[] = [];
  const found: Element[] = [];
  let end = 0;
  for (const match of text.matchAll(/<(\/?)([A-Za-z]+)((?: [A-Za-z]+="[^"<]*")*) ?(\/?)>/g)) {
    assert.equal(text.slice(end, match.index).trim(), '', 'nothing stands between tags');
    end = match.index + match[0].length;
    const [, closes, name, attributes, isEmpty] = match;
    if (closes) {
      assert.equal(open.pop(), name);
      continue;
    }
    if (!isEmpty) open.push(name!);
    const pairs = [...attributes!.matchAll(/([A-Za-z]+)="([^"]*)"/g)].map(([, key, value]) => [key!, value!]);
    found.push({ name: name!, attributes: Object.fromEntries(pairs) as Record<string, string> });
  }
  assert.equal(text.slice(end).trim(), '');
  assert.deepEqual(open, []);
  return found;
}
