// Help over HTTPS: the list of articles, search by word and number, and one article, without signing in.
import * as shapes from '@broadgate/contract/help.ts';
import { listRoute, type Route, route } from '../faces/https/route.ts';
import type { Help } from './help.ts';

const tag = 'Help';
const sourceLocale = 'en';

export const createHelpRoutes = ({ help }: { help: Help }): Route[] => [
  listRoute({
    path: '/v1/help/articles',
    operationId: 'listArticles',
    tag,
    summary: 'List help articles: all, those that hold every word of `q`, or the one whose number `q` is.',
    who: 'anyone',
    query: shapes.articleSearch,
    item: shapes.articleBrief,
    refusals: [],
    async handle({ query, page }) {
      const all = await help.listArticles({ query: query.q, locale: query.locale ?? sourceLocale });
      const from = Number(page.after ?? 0);
      const items = all.slice(from, from + page.limit).map((brief) => ({ ...brief }));
      const end = from + items.length;
      return { items, next: end < all.length ? String(end) : undefined };
    },
  }),
  route({
    method: 'GET',
    path: '/v1/help/articles/:number',
    operationId: 'getArticle',
    tag,
    summary: 'Read one help article, in the language asked for or in English.',
    who: 'anyone',
    params: shapes.articlePath,
    query: shapes.articleQuery,
    answers: { 200: shapes.article },
    refusals: ['article_not_found'],
    async handle({ params, query, address }) {
      const locale = query.locale ?? sourceLocale;
      const article = await help.getArticle({ number: params.number, locale, address });
      return { status: 200, body: { ...article, locales: [...article.locales], blocks: [...article.blocks] } };
    },
  }),
];
