// Reads one article file: front matter and Markdown, made into a tree of plain pieces. Nothing of it is ever markup again.
import { type Token, type Tokens, lexer } from 'marked';
import type { Block } from '@broadgate/contract/help.ts';

type Run = Extract<Block, { kind: 'paragraph' }>['runs'][number];
type ListItem = Extract<Block, { kind: 'list' }>['items'][number];

export interface ArticleFile {
  readonly number: string;
  readonly title: string;
  readonly locale: string;
  readonly version: number;
  /** What people may call it, beside the words it holds. */
  readonly words: string;
  readonly blocks: readonly Block[];
}

/** Throws where the file is not written as an article is: it is ours, so that is a fault of ours. */
export function readArticle(text: string, file: string): ArticleFile {
  const match = /^---\n([^]*?)\n---\n([^]*)$/.exec(text);
  if (match === null) throw new Error(`${file} does not begin with front matter`);
  const facts = new Map(
    match[1]!.split('\n').map((row): [string, string] => {
      const at = row.indexOf(':');
      return [row.slice(0, at).trim(), row.slice(at + 1).trim()];
    }),
  );
  const fact = (name: string): string => {
    const value = facts.get(name);
    if (value === undefined || value === '') throw new Error(`${file} does not say its ${name}`);
    return value;
  };
  const version = Number(fact('version'));
  if (!Number.isInteger(version) || version < 1) throw new Error(`${file} has no version that counts`);
  return {
    number: fact('number'),
    title: fact('title'),
    locale: fact('locale'),
    version,
    words: fact('words'),
    blocks: readBlocks(match[2]!),
  };
}

function readBlocks(markdown: string): Block[] {
  const ids = new Set<string>();
  return lexer(markdown).flatMap((token): Block[] => {
    switch (token.type) {
      case 'space':
      case 'hr':
        return [];
      case 'heading': {
        const runs = readRuns(token.tokens ?? []);
        return [
          {
            kind: 'heading',
            level: Math.min(4, Math.max(2, (token as Tokens.Heading).depth)),
            id: idOf(runs, ids),
            runs,
          },
        ];
      }
      case 'paragraph':
        return [{ kind: 'paragraph', runs: readRuns(token.tokens ?? []) }];
      case 'blockquote': {
        const inner = (token.tokens ?? []).filter((one) => one.type === 'paragraph');
        return [{ kind: 'note', runs: inner.map((one) => readRuns((one as Tokens.Paragraph).tokens)) }];
      }
      case 'code':
        return [{ kind: 'code', text: (token as Tokens.Code).text }];
      case 'list': {
        const list = token as Tokens.List;
        return [{ kind: 'list', isOrdered: list.ordered, items: readItems(list, 0) }];
      }
      case 'table': {
        const table = token as Tokens.Table;
        const cells = (row: readonly Tokens.TableCell[]): Run[][] => row.map((cell) => readRuns(cell.tokens));
        return [{ kind: 'table', head: cells(table.header), rows: table.rows.map(cells) }];
      }
      default:
        // HTML, and whatever the library may learn, is shown as the text that it is.
        return [{ kind: 'paragraph', runs: [{ text: token.raw }] }];
    }
  });
}

const depthMax = 3;

function readItems(list: Tokens.List, depth: number): ListItem[] {
  return list.items.flatMap((item): ListItem[] => {
    const words = item.tokens.filter((token) => token.type === 'text' || token.type === 'paragraph');
    const code = item.tokens.filter((token) => token.type === 'code').map((token) => (token as Tokens.Code).text);
    const nested = item.tokens.filter((token) => token.type === 'list') as Tokens.List[];
    const runs = words.flatMap((token, index) => [
      ...(index === 0 ? [] : [{ text: ' ' }]),
      ...readRuns((token as Tokens.Text).tokens ?? [token]),
    ]);
    return [
      { depth, runs, code: code.length === 0 ? null : code.join('\n') },
      ...nested.flatMap((inner) => readItems(inner, Math.min(depthMax, depth + 1))),
    ];
  });
}

function readRuns(tokens: readonly Token[], form?: Run['form'], href?: string): Run[] {
  const made = tokens.flatMap((token): Run[] => {
    switch (token.type) {
      case 'strong':
        return readRuns(token.tokens ?? [], 'strong', href);
      case 'em':
        return readRuns(token.tokens ?? [], 'emphasis', href);
      case 'codespan':
        return [runOf((token as Tokens.Codespan).text, 'code', href)];
      case 'link':
        return readRuns(token.tokens ?? [], form, addressOf((token as Tokens.Link).href));
      case 'br':
        return [runOf(' ', form, href)];
      case 'escape':
      case 'text':
        return 'tokens' in token && token.tokens !== undefined
          ? readRuns(token.tokens, form, href)
          : [runOf((token as Tokens.Text).text, form, href)];
      default:
        return [runOf(token.raw, form, href)];
    }
  });
  return made.map((run) => ({ ...run, text: run.text.replace(/\n/g, ' ') }));
}

const runOf = (text: string, form: Run['form'], href: string | undefined): Run => ({
  text,
  ...(form === undefined ? {} : { form }),
  ...(href === undefined ? {} : { href }),
});

/** Where a link may lead: another article, a path of our own, another site over https. Anything else stays words. */
export function addressOf(href: string): string | undefined {
  if (/^KB\d{3,6}(#[\p{L}\p{N}-]+)?$/u.test(href)) return `/help/${href}`;
  if (/^\/(?![/\\])[^\\\p{Cc}]*$/u.test(href)) return href;
  return /^https:\/\/[^\s\\]+$/.test(href) ? href : undefined;
}

export const textOfRuns = (runs: readonly Run[]): string => runs.map(({ text }) => text).join('');

/** All words of a block. */
export function textOfBlock(block: Block): string {
  switch (block.kind) {
    case 'heading':
    case 'paragraph':
      return textOfRuns(block.runs);
    case 'note':
      return block.runs.map(textOfRuns).join(' ');
    case 'code':
      return block.text;
    case 'list':
      return block.items.map((item) => `${textOfRuns(item.runs)} ${item.code ?? ''}`).join(' ');
    case 'table':
      break;
  }
  return [block.head, ...block.rows].flat().map(textOfRuns).join(' ');
}

function idOf(runs: readonly Run[], taken: Set<string>): string {
  const words = textOfRuns(runs)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu);
  const base = (words ?? ['part']).join('-').slice(0, 60);
  let id = base;
  for (let copy = 2; taken.has(id); copy += 1) id = `${base}-${copy}`;
  taken.add(id);
  return id;
}
