// Renders texts on the server: a text of the catalogue, its values, and a writing that says how both are put down.
import { IntlMessageFormat, PART_TYPE } from 'intl-messageformat';
import { type Catalogue, type Direction, directionOf, type Locale } from './languages.ts';
import type { TextId } from './text-ids.ts';
import type { TextTag } from './text-tags.ts';

/** Something that is written already in the writing's own form, such as an element made by `html.isolate`. */
export interface Written {
  readonly written: string;
}

export type TextValue = string | number | bigint | Date | Written;
export type TextValues = Readonly<Record<string, TextValue>>;

/** How a text is written down where it goes: every character of text and values passes `escape`, and tags become what `tag` makes of them. */
export interface Writing {
  escape(text: string): string;
  tag(name: TextTag, content: string, target: string | undefined): string;
}

export interface Texts {
  readonly locale: Locale;
  readonly direction: Direction;
  /** Links go where `target` says. */
  text(id: TextId, values?: TextValues, target?: string): string;
  /** For an id that comes with data, such as `refusal.<code>`; undefined when the catalogue has none. */
  find(id: string, values?: TextValues, target?: string): string | undefined;
}

interface Tagged {
  readonly tag: TextTag;
  readonly content: readonly Part[];
}
type Part = string | number | bigint | Date | Tagged | Written;

/** Parsing is the costly part, so a text is parsed once, when it is first asked for. */
export function createTexts({
  locale,
  catalogue,
  writing,
}: {
  locale: Locale;
  catalogue: Catalogue;
  writing: Writing;
}): Texts {
  const parsed = new Map<string, IntlMessageFormat>();

  const write = (part: Part, target: string | undefined): string => {
    if (typeof part !== 'object' || part instanceof Date) return writing.escape(String(part));
    if ('written' in part) return part.written;
    return writing.tag(part.tag, part.content.map((inner) => write(inner, target)).join(''), target);
  };

  const find = (id: string, values: TextValues = {}, target?: string): string | undefined => {
    const source = catalogue[id];
    if (source === undefined) return undefined;
    const format = parsed.get(id) ?? new IntlMessageFormat(source, locale);
    parsed.set(id, format);
    const parts = format.formatToParts<Exclude<Part, string>>({ ...tagMakers, ...values });
    return parts
      .map((part) => write(part.type === PART_TYPE.literal ? part.value : (part.value as Part), target))
      .join('');
  };

  return {
    locale,
    direction: directionOf(locale),
    find,
    text: (id, values, target) => find(id, values, target) ?? id,
  };
}

const maker =
  (tag: TextTag) =>
  (content: Part[]): Tagged => ({ tag, content });
const tagMakers = { b: maker('b'), code: maker('code'), link: maker('link') };

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (found) => entities[found]!);

/** For documents. */
export const html = {
  escape: escapeHtml,
  tag(name: TextTag, content: string, target: string | undefined): string {
    if (name === 'code') return `<code dir="ltr">${content}</code>`;
    if (name === 'b') return `<strong>${content}</strong>`;
    return target === undefined ? content : `<a href="${escapeHtml(target)}">${content}</a>`;
  },
  /** A code, number or name that keeps its own direction inside a sentence of the other one. */
  isolate: (value: string): Written => ({ written: `<bdi>${escapeHtml(value)}</bdi>` }),
} satisfies Writing & { isolate(value: string): Written };

/** For mail in plain text, short messages and terminals: tags leave only their content. */
export const plain: Writing = {
  escape: (text) => text,
  tag: (_name, content) => content,
};
