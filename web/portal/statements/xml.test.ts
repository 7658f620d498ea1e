// XML as a person looks at it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseXml } from './xml.ts';

test('elements, attributes, text, entities and CDATA come out as they are meant', () => {
  const text =
    '<?xml version="1.0"?>\n<!-- note --><Report name="A &amp; B" kind=\'daily\'><Row/>\n<Row n="2">x &lt; y &#8364; &#x41;</Row><![CDATA[<b>]]></Report>\n';
  assert.deepEqual(parseXml(text), {
    name: 'Report',
    attributes: [
      ['name', 'A & B'],
      ['kind', 'daily'],
    ],
    text: '<b>',
    children: [
      { name: 'Row', attributes: [], children: [], text: '' },
      { name: 'Row', attributes: [['n', '2']], children: [], text: 'x < y € A' },
    ],
  });
});

test('what is not well-formed, too deep or two documents gives nothing', () => {
  for (const text of ['', 'words', '<a>', '<a></b>', '<a/><b/>', '<a/>x', '</a>', '<a b=c/>', '<a', '<a>&lt;</a']) {
    assert.equal(parseXml(text), undefined, text);
  }
  assert.equal(parseXml(`${'<a>'.repeat(300)}${'</a>'.repeat(300)}`), undefined);
});

test('an entity that the file defines is shown by its name and not followed', () => {
  assert.equal(parseXml('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>')?.text, '&x;');
});
