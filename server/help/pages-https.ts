// Help as documents that work without signing in and without any script: the list with its search, and one article.
import { languages, locales } from '@broadgate/languages';
import type { Block } from '@broadgate/contract/help.ts';
import { html, type Texts } from '@broadgate/languages/texts.ts';
import type { DocumentAsked, DocumentReply, DocumentRoute } from '../faces/https/documents.ts';
import { Refusal } from '../kernel/refusal.ts';
import type { Article, ArticleBrief, Help } from './help.ts';

const source = 'help/help.ts';
const queryLengthMax = 100;

type Runs = Extract<Block, { kind: 'paragraph' }>['runs'];

/** The documents of help. */
export const createHelpDocuments = ({ help }: { help: Help }): DocumentRoute[] => [
  {
    method: 'GET',
    path: '/help',
    async handle(asked) {
      const query = (asked.query.get('q') ?? '').slice(0, queryLengthMax);
      const chosen = chooseLanguage(
        asked,
        query === '' ? '/help' : `/help?${new URLSearchParams({ q: query }).toString()}`,
      );
      if (chosen !== undefined) return chosen;
      const found = await help.listArticles({ query, locale: asked.texts.locale });
      return listPage(asked, query, found);
    },
  },
  {
    method: 'GET',
    path: '/help/:number',
    async handle(asked) {
      const number = asked.params['number'] ?? '';
      try {
        const article = await help.getArticle({ number, locale: asked.texts.locale, address: asked.address });
        const path = `/help/${article.number}`;
        const chosen = chooseLanguage(asked, path);
        if (chosen !== undefined) return chosen;
        // One address for each article, however its number was written.
        if (number !== article.number) return { status: 302, location: path };
        return articlePage(asked, article);
      } catch (thrown) {
        if (!(thrown instanceof Refusal) || thrown.kind !== 'not_found') throw thrown;
        return { ...listPage(asked, number.slice(0, queryLengthMax), []), status: 404 } as DocumentReply;
      }
    },
  },
];

/** A reader who chose a language comes back to the same page. */
function chooseLanguage(asked: DocumentAsked, back: string): DocumentReply | undefined {
  const chosen = locales.find((locale) => locale === asked.query.get('language'));
  if (chosen === undefined) return undefined;
  return { status: 303, location: back, remember: { name: 'language', value: chosen } };
}

function listPage(asked: DocumentAsked, query: string, found: readonly ArticleBrief[]): DocumentReply {
  const { texts } = asked;
  const items = found.map(
    (brief) =>
      `<li><a href="/help/${brief.number}"${languageOf(brief, texts)}>${html.escape(brief.title)}</a> <bdi class="number">${brief.number}</bdi>` +
      `<p${languageOf(brief, texts)}>${html.escape(brief.summary)}</p></li>`,
  );
  const result =
    query === ''
      ? ''
      : `<p role="status">${texts.text('help.found', { count: found.length, query: html.isolate(query) })}</p>`;
  const body = [
    `<h1>${texts.text('help.title')}</h1>`,
    '<form role="search" action="/help">',
    `<label for="q">${texts.text('help.search')}</label>`,
    `<div class="search"><input id="q" name="q" type="search" value="${html.escape(query)}" maxlength="${queryLengthMax}">`,
    `<button>${texts.text('help.submit')}</button></div>`,
    '</form>',
    result,
    items.length === 0 ? '' : `<ul class="articles">${items.join('')}</ul>`,
    query === '' ? '' : `<p><a href="/help">${texts.text('help.all')}</a></p>`,
    renderLanguages(texts, '/help', query),
  ];
  return { status: 200, html: asked.render({ title: texts.text('help.title'), body: body.join('\n'), source }) };
}

function articlePage(asked: DocumentAsked, article: Article): DocumentReply {
  const { texts } = asked;
  const isForeign = article.locale !== texts.locale;
  const body = [
    `<p class="way"><a href="/help">${texts.text('help.title')}</a> · <bdi>${article.number}</bdi></p>`,
    isForeign ? `<p class="note">${texts.text('help.notTranslated')}</p>` : '',
    `<article${languageOf(article, texts)}>`,
    `<h1>${html.escape(article.title)}</h1>`,
    ...article.blocks.map(renderBlock),
    '</article>',
    `<p class="hint">${texts.text('help.version', { version: article.version })}</p>`,
    renderLanguages(texts, `/help/${article.number}`, ''),
  ];
  return { status: 200, html: asked.render({ title: article.title, body: body.join('\n'), source }) };
}

const languageOf = ({ locale }: { locale: string }, texts: Texts): string =>
  locale === texts.locale ? '' : ` lang="${html.escape(locale)}" dir="ltr"`;

function renderBlock(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `<h${block.level} id="${html.escape(block.id)}">${renderRuns(block.runs)}</h${block.level}>`;
    case 'paragraph':
      return `<p>${renderRuns(block.runs)}</p>`;
    case 'note':
      return `<div class="note">${block.runs.map((runs) => `<p>${renderRuns(runs)}</p>`).join('')}</div>`;
    case 'code':
      return renderCode(block.text);
    case 'list': {
      const tag = block.isOrdered ? 'ol' : 'ul';
      const items = block.items.map(
        (item) =>
          `<li class="depth-${item.depth}">${renderRuns(item.runs)}${item.code === null ? '' : renderCode(item.code)}</li>`,
      );
      return `<${tag}>${items.join('')}</${tag}>`;
    }
    case 'table':
      break;
  }
  const head = block.head.map((runs) => `<th scope="col">${renderRuns(runs)}</th>`).join('');
  const rows = block.rows.map((row) => `<tr>${row.map((runs) => `<td>${renderRuns(runs)}</td>`).join('')}</tr>`);
  return `<div class="table" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

const renderCode = (text: string): string => `<pre dir="ltr" tabindex="0"><code>${html.escape(text)}</code></pre>`;

const renderRuns = (runs: Runs): string => runs.map(renderRun).join('');

function renderRun({ text, form, href }: Runs[number]): string {
  const escaped = html.escape(text);
  const formed =
    form === 'strong'
      ? `<strong>${escaped}</strong>`
      : form === 'emphasis'
        ? `<em>${escaped}</em>`
        : form === 'code'
          ? `<code dir="ltr">${escaped}</code>`
          : escaped;
  if (href === undefined) return formed;
  return `<a href="${html.escape(href)}"${href.startsWith('/') ? '' : ' rel="noreferrer"'}>${formed}</a>`;
}

function renderLanguages(texts: Texts, path: string, query: string): string {
  const items = languages.map(({ locale, name, direction }) => {
    const current = locale === texts.locale ? ' aria-current="true"' : '';
    const to = new URLSearchParams({ ...(query === '' ? {} : { q: query }), language: locale });
    return `<li><a href="${html.escape(`${path}?${to.toString()}`)}" lang="${locale}" dir="${direction}"${current}>${html.escape(name)}</a></li>`;
  });
  return `<nav class="languages" aria-label="${texts.text('access.languages')}"><ul>${items.join('')}</ul></nav>`;
}
