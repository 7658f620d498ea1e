// A small PDF writer: pages of text, lines and filled boxes in the standard fonts. Source: ISO 32000-1.
import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { encodeText, fontNames, widthOf } from './activity-statement-fonts.ts';
import type { FontName } from './activity-statement-fonts.ts';

/** Red, green and blue from 0 to 1. */
export type Colour = readonly [number, number, number];

export interface TextStyle {
  readonly font: FontName;
  readonly size: number;
  readonly colour: Colour;
  /** Where x stands in the text. */
  readonly align?: 'left' | 'right' | 'centre';
  /** Space added between letters. Units: points. */
  readonly spacing?: number;
}

export interface Page {
  /** Units: points; y counts from the top edge to the base line. */
  text(text: string, x: number, y: number, style: TextStyle): void;
  line(x1: number, y1: number, x2: number, y2: number, colour: Colour, thickness: number): void;
  box(x: number, y: number, width: number, height: number, colour: Colour): void;
}

/** A4 upright. */
export const pageSize = { width: 595.28, height: 841.89 };

export interface DocumentInformation {
  readonly title: string;
  readonly author: string;
  readonly createdAt: Temporal.ZonedDateTime;
}

const number = (value: number): string => value.toFixed(2).replace(/\.?0+$/, '');

export function createPages() {
  const pages: string[][] = [];
  return {
    get count(): number {
      return pages.length;
    },
    add(): Page {
      const operators: string[] = [];
      pages.push(operators);
      return createPage(operators);
    },
    /** Pages may still be written on, so that a footer can know how many there are. */
    page: (index: number): Page => createPage(pages[index]!),
    write: (information: DocumentInformation): Buffer => writeDocument(pages, information),
  };
}

const fromBottom = (y: number): string => number(pageSize.height - y);
const fill = (colour: Colour): string => `${colour.map(number).join(' ')} rg`;

function createPage(operators: string[]): Page {
  return {
    text(text, x, y, { font, size, colour, align = 'left', spacing = 0 }) {
      const width = align === 'left' ? 0 : widthOf(text, font, size, spacing);
      const left = x - (align === 'right' ? width : width / 2);
      const shown = `<${encodeText(text).toString('hex')}>`;
      const start = `${number(left)} ${fromBottom(y)}`;
      operators.push(`BT ${fill(colour)} /${font} ${number(size)} Tf ${number(spacing)} Tc ${start} Td ${shown} Tj ET`);
    },
    line(x1, y1, x2, y2, colour, thickness) {
      const stroke = `${colour.map(number).join(' ')} RG ${number(thickness)} w`;
      operators.push(`${stroke} ${number(x1)} ${fromBottom(y1)} m ${number(x2)} ${fromBottom(y2)} l S`);
    },
    box(x, y, width, height, colour) {
      operators.push(`${fill(colour)} ${number(x)} ${fromBottom(y + height)} ${number(width)} ${number(height)} re f`);
    },
  };
}

/** Objects 1 to 4 are catalogue, page tree, information and fonts; then two a page. */
function writeDocument(pages: readonly (readonly string[])[], information: DocumentInformation): Buffer {
  const firstPage = 5;
  const kids = pages.map((_page, index) => `${firstPage + index * 2} 0 R`).join(' ');
  const fonts = Object.entries(fontNames).map(
    ([key, name]) => `/${key} << /Type /Font /Subtype /Type1 /BaseFont /${name} /Encoding /WinAnsiEncoding >>`,
  );
  const objects: (string | Buffer)[] = [
    '<< /Type /Catalog /Pages 2 0 R /Lang (en) /ViewerPreferences << /DisplayDocTitle true >> >>',
    `<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`,
    `<< /Title ${textString(information.title)} /Author ${textString(information.author)} /CreationDate (${dateString(information.createdAt)}) >>`,
    `<< ${fonts.join(' ')} >>`,
  ];
  for (const [index, operators] of pages.entries()) {
    const content = deflateSync(operators.join('\n'));
    const size = `[0 0 ${number(pageSize.width)} ${number(pageSize.height)}]`;
    const resources = '<< /Font 4 0 R >>';
    const contents = `${firstPage + index * 2 + 1} 0 R`;
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox ${size} /Resources ${resources} /Contents ${contents} >>`,
      Buffer.concat([
        Buffer.from(`<< /Length ${content.length} /Filter /FlateDecode >>\nstream\n`),
        content,
        Buffer.from('\nendstream'),
      ]),
    );
  }
  return joinObjects(objects);
}

function joinObjects(objects: readonly (string | Buffer)[]): Buffer {
  // The four bytes above 127 say that the file is binary (ISO 32000-1 §7.5.2).
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1')];
  const offsets: number[] = [];
  let sizeBytes = parts[0]!.length;
  const push = (part: string | Buffer): void => {
    const bytes = Buffer.from(part as string);
    parts.push(bytes);
    sizeBytes += bytes.length;
  };
  for (const [index, body] of objects.entries()) {
    offsets.push(sizeBytes);
    push(`${index + 1} 0 obj\n`);
    push(body);
    push('\nendobj\n');
  }
  const startsAt = sizeBytes;
  const id = createHash('sha256').update(Buffer.concat(parts)).digest('hex').slice(0, 32);
  push(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`);
  for (const offset of offsets) push(`${String(offset).padStart(10, '0')} 00000 n \n`);
  push(`trailer\n<< /Size ${objects.length + 1} /Root 1 0 R /Info 3 0 R /ID [<${id}> <${id}>] >>\n`);
  push(`startxref\n${startsAt}\n%%EOF\n`);
  return Buffer.concat(parts);
}

/** UTF-16 with its mark, for text that is not drawn (ISO 32000-1 §7.9.2.2). */
const textString = (text: string): string => `<FEFF${Buffer.from(text, 'utf16le').swap16().toString('hex')}>`;

function dateString(at: Temporal.ZonedDateTime): string {
  const stamp = at.toPlainDateTime().toString({ smallestUnit: 'second' }).replace(/[-T:]/g, '');
  const [hours, minutes] = at.offset.split(':');
  return `D:${stamp}${hours}'${minutes}'`;
}
