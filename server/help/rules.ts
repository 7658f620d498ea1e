// What help decides: which article a number means, how words are compared, and how well an article answers them.
import { defineRefusals } from '../kernel/refusal.ts';

export const refusals = defineRefusals({
  article_not_found: {
    kind: 'not_found',
    text: 'There is no help article {number}. Search by a word, or look at the list.',
  },
});

/**
 * The article that a reader means: `KB3842`, `kb 3842`, `3842`, or with the broker's short name before it (D-56).
 * Shape: undefined for what is no number.
 */
export function readArticleNumber(text: string, shortName: string): string | undefined {
  const bare = text.trim().toUpperCase().replace(/[\s-]/g, '');
  const prefix = shortName.toUpperCase().replace(/[\s-]/g, '');
  const own = prefix !== '' && bare.startsWith(prefix) ? bare.slice(prefix.length) : bare;
  const digits = /^(?:KB)?(\d{3,6})$/.exec(own)?.[1];
  return digits === undefined ? undefined : `KB${digits}`;
}

/** Letters without case and marks, so that `Conexão` is found by `conexao`. */
export const foldText = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

const wordsMax = 10;

export const wordsOf = (text: string): string[] =>
  (foldText(text).match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => word.length > 1).slice(0, wordsMax);

/** What an article is searched by, folded. */
export interface Searched {
  readonly title: string;
  readonly words: string;
  readonly headings: string;
  readonly body: string;
}

const weights = { title: 8, words: 6, headings: 4, body: 1 } as const;

/** How well an article answers; 0 where one of the words is not in it at all. A word counts where another begins with it. */
export function scoreOf(article: Searched, words: readonly string[]): number {
  let sum = 0;
  for (const word of words) {
    let best = 0;
    for (const [place, weight] of Object.entries(weights)) {
      const text = article[place as keyof Searched];
      const begins = text.startsWith(word) || text.includes(` ${word}`);
      if (begins) best = Math.max(best, weight);
    }
    if (best === 0) return 0;
    sum += best;
  }
  return sum;
}
