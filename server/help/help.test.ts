// Help through the real port: documents without signing in, search by word and number, two languages, and nothing that runs.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Block } from '@broadgate/contract/help.ts';
import { openPortalFixture } from '../faces/https/portal-fixture.ts';
import { openTestFace } from '../faces/https/test-face.ts';
import { createHelpTexts } from '../help-texts.ts';
import { addressOf, readArticle, textOfBlock } from './article.ts';
import { createHelp, readLibrary } from './help.ts';
import { createHelpRoutes } from './https.ts';
import { createHelpDocuments } from './pages-https.ts';
import { readArticleNumber, refusals } from './rules.ts';

const library = await readLibrary();
const settings = {
  brokerName: 'Alder & Co <b>',
  brokerShortName: 'ALD',
  sftpHostName: 'sftp.alder.example',
  sftpPort: () => 32,
};
const help = createHelp({ library, textOf: createHelpTexts(), settings });

async function open() {
  const fixture = await openPortalFixture();
  const face = await openTestFace({
    routes: createHelpRoutes({ help }),
    refusals: [refusals],
    portal: { files: fixture.files, brand: { name: settings.brokerName }, documents: createHelpDocuments({ help }) },
  });
  const read = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${face.url}${path}`, { headers: { accept: 'text/html', ...headers }, redirect: 'manual' });
  return {
    face,
    read,
    async [Symbol.asyncDispose]() {
      await face[Symbol.asyncDispose]();
      fixture[Symbol.dispose]();
    },
  };
}

test('HP-22: the help opens without login and is searched by word and by article number', async () => {
  await using t = await open();
  const all = await t.read('/help');
  assert.equal(all.status, 200);
  assert.match(all.headers.get('content-security-policy')!, /default-src 'none'/);
  const list = await all.text();
  for (const number of library.keys()) assert.ok(list.includes(`href="/help/${number}"`), number);
  const byWord = await (await t.read('/help?q=server%20refused%20our%20key')).text();
  assert.ok(byWord.indexOf('/help/KB3841') < byWord.indexOf('/help/KB3840') || !byWord.includes('/help/KB3840"'));
  assert.ok(byWord.includes('href="/help/KB3841"'));
  for (const number of ['KB3842', 'kb 3842', '3842', 'ALDKB3842', 'ald-kb3842']) {
    const found = await (await t.read(`/help?q=${encodeURIComponent(number)}`)).text();
    assert.deepEqual(
      [...found.matchAll(/href="\/help\/(KB\d+)"/g)].map((match) => match[1]),
      ['KB3842'],
      number,
    );
    const led = await t.read(`/help/${encodeURIComponent(number)}`);
    if (number === 'KB3842') assert.equal(led.status, 200);
    else assert.deepEqual([led.status, led.headers.get('location')], [302, '/help/KB3842'], number);
  }
  const none = await t.read('/help/KB9999');
  assert.equal(none.status, 404);
  assert.match(none.headers.get('content-type')!, /text\/html/);
});

test('HP-22: programs list, search and read articles without a token', async () => {
  await using t = await open();
  const ask = async (path: string) => t.face.ask('GET', path);
  assert.equal((await ask('/v1/help/articles?limit=2')).json.items.length, 2);
  const { json: first } = await ask('/v1/help/articles?limit=2');
  const rest = (await ask(`/v1/help/articles?limit=200&cursor=${first.next}`)).json;
  assert.equal(first.items.length + rest.items.length, library.size);
  const found = (await ask('/v1/help/articles?q=passphrase%20filezilla')).json.items;
  assert.equal(found[0].number, 'KB3840');
  assert.deepEqual((await ask('/v1/help/articles?q=%3Cscript%3E')).json.items, []);
  const { json } = await ask('/v1/help/articles/aldkb3844');
  assert.deepEqual([json.number, json.locale, json.locales], ['KB3844', 'en', ['en']]);
  assert.equal((await ask('/v1/help/articles/KB1')).json.code, 'article_not_found');
  assert.equal((await ask('/v1/help/articles/KB99999')).json.code, 'article_not_found');
});

test('HP-23: help is switched between English and Portuguese, and says where an article is not translated', async () => {
  await using t = await open();
  const chosen = await t.read('/help/KB3840?language=pt');
  assert.deepEqual([chosen.status, chosen.headers.get('location')], [303, '/help/KB3840']);
  const cookie = chosen.headers.get('set-cookie')!.split(';')[0]!;
  assert.equal(cookie, 'language=pt');
  const portuguese = await (await t.read('/help/KB3840', { cookie })).text();
  assert.match(portuguese, /<html lang="pt"/);
  assert.ok(portuguese.includes('Extratos por SFTP no Linux'));
  const foreign = await (await t.read('/help/KB3843', { cookie })).text();
  assert.match(foreign, /<article lang="en" dir="ltr">/);
  const back = await t.read('/help/KB3840?language=en', { cookie });
  const english = await (
    await t.read('/help/KB3840', { cookie: back.headers.get('set-cookie')!.split(';')[0]! })
  ).text();
  assert.match(english, /<html lang="en"/);
  const byMarks = await (await t.read('/help?q=conexao%20chave%20publica', { cookie })).text();
  assert.ok(byMarks.includes('href="/help/KB3840"'));
});

test('HP-13: the page about addresses shows the address that the reader comes from', async () => {
  await using t = await open();
  const text = await (await t.read('/help/KB3844')).text();
  assert.ok(text.includes('<code dir="ltr">127.0.0.1</code>'));
});

test('What a reader types and what the broker is called are text in a document, never markup', async () => {
  await using t = await open();
  const hostile = '"><script>alert(1)</script>';
  const text = await (await t.read(`/help?q=${encodeURIComponent(hostile)}`)).text();
  assert.ok(!text.includes('<script>alert') && text.includes('&lt;script&gt;'));
  const article = await (await t.read('/help/KB3840')).text();
  assert.ok(!article.includes('Co <b>') && article.includes('Alder &amp; Co &lt;b&gt;'));
  const unknown = await (await t.read(`/help/${encodeURIComponent('<img src=x>')}`)).text();
  assert.ok(!unknown.includes('<img src=x>'));
});

test('Markup in an article stays text, and a link leads to an article, a path of ours, or https', () => {
  const text =
    '---\nnumber: KB1000\ntitle: T\nlocale: en\nversion: 1\nwords: w\n---\n<b onclick=x>a</b> **b** `<i>`\n\n<script>x</script>\n\n[a](javascript:x) [b](//evil) [c](KB3842) [d](https://example.com/) [e](/help)\n';
  const { blocks } = readArticle(text, 'x');
  const runs = blocks.flatMap((block: Block) => ('runs' in block ? block.runs.flat() : [])) as {
    text: string;
    form?: string;
    href?: string;
  }[];
  assert.ok(runs.some(({ text: words }) => words.includes('<b onclick=x>')));
  assert.ok(runs.some(({ text: words }) => words.includes('<script>x</script>')));
  assert.deepEqual(
    runs.flatMap(({ href }) => href ?? []),
    ['/help/KB3842', 'https://example.com/', '/help'],
  );
  for (const href of ['data:text/html,x', '/\\evil', 'http://a', 'KB1;x', 'JAVASCRIPT:x'])
    assert.equal(addressOf(href), undefined);
  assert.throws(() => readArticle('# no front matter', 'x'));
});

test('HP-11: every link of every article leads to an article that there is, and every text it quotes is known', async () => {
  assert.ok(library.size >= 5);
  for (const [number, written] of library) {
    assert.ok(written.has('en'), `${number} is written in English`);
    for (const locale of written.keys()) {
      const article = await help.getArticle({ number, locale, address: '192.0.2.1' });
      assert.equal(article.locale, locale);
      const words = [article.title, ...article.blocks.map(textOfBlock)].join('\n');
      assert.doesNotMatch(words, /\{\{/, `${locale}/${number}`);
      for (const [name] of words.matchAll(/KB\d{4,}/g))
        assert.ok(library.has(name), `${locale}/${number} names ${name}`);
      const hrefs = JSON.stringify(article.blocks).matchAll(/"href":"\/help\/(KB\d+)/g);
      for (const [, target] of hrefs) assert.ok(library.has(target!), `${locale}/${number} links to ${target}`);
      assert.ok(article.summary.length > 40 && article.summary.length <= 202);
    }
  }
});

test('HP-04: the error guide has the three errors, each with its remedies in order', async () => {
  const { blocks } = await help.getArticle({ number: 'KB3841', locale: 'en', address: '192.0.2.1' });
  for (const error of ['Login details incorrect', 'Server refused our key', 'Connection timed out']) {
    const at = blocks.findIndex((block) => block.kind === 'heading' && textOfBlock(block) === error);
    assert.notEqual(at, -1, error);
    const next = blocks.findIndex((block, index) => index > at && block.kind === 'heading');
    const list = blocks.slice(at, next).find((block) => block.kind === 'list');
    assert.ok(list?.kind === 'list' && list.isOrdered && list.items.length >= 3, error);
  }
});

test('HP-14: a guide to encrypted delivery exists, with its commands and the switch', async () => {
  const { blocks } = await help.getArticle({ number: 'KB3843', locale: 'en', address: '192.0.2.1' });
  const words = blocks.map(textOfBlock).join('\n');
  for (const needed of [
    'gpg --armor --export',
    'gpg --fingerprint',
    '--decrypt',
    'Switch encryption on',
    'Do not send the private key',
  ])
    assert.ok(words.includes(needed), needed);
});

test('A number is read with and without its letters, blanks and the short name; other words are none', () => {
  const cases: [string, string, string | undefined][] = [
    ['KB3842', '', 'KB3842'],
    [' kb-3842 ', '', 'KB3842'],
    ['3842', '', 'KB3842'],
    ['ACMEKB3842', 'ACME', 'KB3842'],
    ['Acme KB 3842', 'acme', 'KB3842'],
    ['ACMEKB3842', '', undefined],
    ['KB38', '', undefined],
    ['KB1234567', '', undefined],
    ['KB3842 key', '', undefined],
    ['', '', undefined],
  ];
  for (const [text, shortName, expected] of cases) assert.equal(readArticleNumber(text, shortName), expected, text);
});
