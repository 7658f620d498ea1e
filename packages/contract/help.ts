// What crosses the wire about help: articles as a tree of plain pieces, so that a reader draws them and no markup travels.
import { type Static, Type } from 'typebox';
import { closed, line, locale, nullable, oneOf } from './contract.ts';

export const articleNumber = Type.String({
  minLength: 3,
  maxLength: 64,
  description: 'As `KB3842`; small letters, blanks and the broker’s short name before it do no harm.',
});

/** A piece of a line in one form. */
export const run = closed(
  {
    text: Type.String(),
    form: Type.Optional(oneOf(['strong', 'emphasis', 'code'])),
    href: Type.Optional(Type.String({ description: 'A path of this installation, or an https address.' })),
  },
  { title: 'HelpRun' },
);
const runs = Type.Array(run);
const depth = Type.Integer({ minimum: 0, maximum: 3 });

export const block = Type.Union([
  closed({ kind: Type.Literal('heading'), level: Type.Integer({ minimum: 2, maximum: 4 }), id: Type.String(), runs }),
  closed({ kind: Type.Literal('paragraph'), runs }),
  closed({ kind: Type.Literal('note'), runs: Type.Array(runs, { description: 'Paragraphs that stand out.' }) }),
  closed({ kind: Type.Literal('code'), text: Type.String({ description: 'Runs as it is printed.' }) }),
  closed({
    kind: Type.Literal('list'),
    isOrdered: Type.Boolean(),
    items: Type.Array(
      closed({ depth, runs, code: nullable(Type.String({ description: 'A command below the words.' })) }),
    ),
  }),
  closed({ kind: Type.Literal('table'), head: Type.Array(runs), rows: Type.Array(Type.Array(runs)) }),
]);
export type Block = Static<typeof block>;

export const articleBrief = closed(
  {
    number: Type.String(),
    title: Type.String(),
    summary: Type.String({ description: 'Its first words.' }),
    locale,
    version: Type.Integer({ minimum: 1 }),
  },
  { title: 'ArticleBrief' },
);

export const article = closed(
  {
    ...articleBrief.properties,
    locales: Type.Array(locale, { description: 'Languages that it is written in.' }),
    blocks: Type.Array(block),
  },
  { title: 'Article' },
);

export const articlePath = closed({ number: articleNumber });
export const articleQuery = closed({
  locale: Type.Optional(locale),
});
export const articleSearch = closed({
  q: Type.Optional(line(100, 'Words, or the number of an article.', 0)),
  locale: Type.Optional(locale),
});
