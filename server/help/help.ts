// The door of help: articles that are files of this release, read once, found by word and number, open to everybody.
//
// A file is `docs/articles/<locale>/KB<number>.md`. Where an article is not written in the reader's language, the English one
// is given, and says so. `{{name}}` in a text is filled in: with what the installation is called, and with texts of the
// catalogue, so that what an article says of an error is what the pages say of it.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Block } from '@broadgate/contract/help.ts';
import { type ArticleFile, readArticle, textOfBlock } from './article.ts';
import { foldText, readArticleNumber, refusals, scoreOf, type Searched, wordsOf } from './rules.ts';

export interface ArticleBrief {
  readonly number: string;
  readonly title: string;
  readonly summary: string;
  readonly locale: string;
  readonly version: number;
}

export interface Article extends ArticleBrief {
  readonly locales: readonly string[];
  readonly blocks: readonly Block[];
}

export interface HelpSettings {
  readonly brokerName: string;
  /** What may stand before an article's number; empty for nothing. */
  readonly brokerShortName: string;
  readonly sftpHostName: string;
  /** Known once the face listens. */
  sftpPort(): number;
}

export type Help = ReturnType<typeof createHelp>;
type Library = Awaited<ReturnType<typeof readLibrary>>;

const sourceLocale = 'en';
const summaryLength = 200;
const articlesMax = 500;

interface Kept {
  readonly article: ArticleFile;
  readonly searched: Searched;
}

/** Where the articles of this release lie. */
export const articlesFolder = path.join(import.meta.dirname, '..', '..', 'docs', 'articles');

/** Reads every article. Throws where a file is not one, or does not lie where its front matter says. */
export async function readLibrary(
  folder = articlesFolder,
): Promise<ReadonlyMap<string, ReadonlyMap<string, ArticleFile>>> {
  const library = new Map<string, Map<string, ArticleFile>>();
  for (const locale of (await readdir(folder)).sort()) {
    const names = (await readdir(path.join(folder, locale))).filter((name) => name.endsWith('.md')).sort();
    for (const name of names.slice(0, articlesMax)) {
      const file = path.join(folder, locale, name);
      const article = readArticle(await readFile(file, 'utf8'), file);
      if (article.locale !== locale || `${article.number}.md` !== name) {
        throw new Error(`${file} says that it is ${article.locale}/${article.number}`);
      }
      const known = library.get(article.number) ?? new Map<string, ArticleFile>();
      library.set(article.number, known.set(locale, article));
    }
  }
  return library;
}

/** Shape: `textOf` gives a text of the catalogue in a language, undefined where it has none. */
export function createHelp(parts: {
  library: Library;
  textOf: (id: string, locale: string) => string | undefined;
  settings: HelpSettings;
}) {
  const { settings, textOf } = parts;

  /** Fills `{{name}}`; what is not known stays as it is, for the test of all articles to find. */
  const fillerOf = (locale: string, address: string | undefined) => {
    const facts: Readonly<Record<string, string | undefined>> = {
      broker: settings.brokerName,
      host: settings.sftpHostName,
      port: String(settings.sftpPort()),
      address,
    };
    return (text: string): string =>
      text.replace(/\{\{([\w.]+)\}\}/g, (whole, name: string) => facts[name] ?? textOf(name, locale) ?? whole);
  };

  const inBest = (written: ReadonlyMap<string, ArticleFile>, locale: string): ArticleFile =>
    written.get(locale) ??
    written.get(locale.split('-', 1)[0]!) ??
    written.get(sourceLocale) ??
    [...written.values()][0]!;

  let index: Map<ArticleFile, Kept> | undefined;
  function readIndex(): Map<ArticleFile, Kept> {
    const all = [...parts.library.values()].flatMap((written) => [...written.values()]);
    return new Map(
      all.map((article) => {
        const fill = fillerOf(article.locale, undefined);
        const body = article.blocks.map((block) => fill(textOfBlock(block)));
        const headings = article.blocks.filter(({ kind }) => kind === 'heading').map(textOfBlock);
        const fold = (texts: readonly string[]): string => foldText(texts.join(' ')).replace(/[^\p{L}\p{N}]+/gu, ' ');
        const searched = {
          title: fold([article.title]),
          words: fold([article.words]),
          headings: fold(headings),
          body: fold(body),
        };
        return [article, { article, searched }];
      }),
    );
  }

  const describe = (article: ArticleFile): ArticleBrief => {
    const first = article.blocks.find(({ kind }) => kind === 'paragraph');
    const words = first === undefined ? '' : fillerOf(article.locale, undefined)(textOfBlock(first));
    const isLong = words.length > summaryLength;
    return {
      number: article.number,
      title: article.title,
      summary: isLong ? `${words.slice(0, words.lastIndexOf(' ', summaryLength))} …` : words,
      locale: article.locale,
      version: article.version,
    };
  };

  return {
    /** By number, or those that hold every word, the best first. Without a question all, in the order of their numbers. */
    async listArticles(asked: { query?: string | undefined; locale: string }): Promise<ArticleBrief[]> {
      const { library } = parts;
      const query = asked.query?.trim() ?? '';
      const number = readArticleNumber(query, settings.brokerShortName);
      const meant = number === undefined ? undefined : library.get(number);
      if (meant !== undefined) return [describe(inBest(meant, asked.locale))];
      const shown = [...library.values()].map((written) => inBest(written, asked.locale));
      if (query === '') return shown.sort((a, b) => (a.number < b.number ? -1 : 1)).map(describe);
      const words = wordsOf(query);
      if (words.length === 0) return [];
      // Made at the first question: until then nobody knows the port.
      const kept = (index ??= readIndex());
      return shown
        .map((article) => ({ article, score: scoreOf(kept.get(article)!.searched, words) }))
        .filter(({ score }) => score > 0)
        .sort((a, b) => b.score - a.score || (a.article.number < b.article.number ? -1 : 1))
        .map(({ article }) => describe(article));
    },

    /** Shape: `address` is the reader's own, for the article that shows it. Refuses: article_not_found. */
    async getArticle(asked: { number: string; locale: string; address: string }): Promise<Article> {
      const number = readArticleNumber(asked.number, settings.brokerShortName);
      const written = number === undefined ? undefined : parts.library.get(number);
      if (written === undefined) throw refusals.article_not_found({ number: asked.number.slice(0, 20) });
      const article = inBest(written, asked.locale);
      const fill = fillerOf(article.locale, asked.address);
      return {
        ...describe(article),
        locales: [...written.keys()],
        blocks: article.blocks.map((block) => fillBlock(block, fill)),
      };
    },
  };
}

function fillBlock(block: Block, fill: (text: string) => string): Block {
  const fillRuns = <Run extends { readonly text: string }>(runs: readonly Run[]): Run[] =>
    runs.map((run) => ({ ...run, text: fill(run.text) }));
  switch (block.kind) {
    case 'heading':
    case 'paragraph':
      return { ...block, runs: fillRuns(block.runs) };
    case 'note':
      return { ...block, runs: block.runs.map(fillRuns) };
    case 'code':
      return { ...block, text: fill(block.text) };
    case 'list':
      return {
        ...block,
        items: block.items.map((item) => ({
          ...item,
          runs: fillRuns(item.runs),
          code: item.code === null ? null : fill(item.code),
        })),
      };
    case 'table':
      break;
  }
  return { ...block, head: block.head.map(fillRuns), rows: block.rows.map((row) => row.map(fillRuns)) };
}
