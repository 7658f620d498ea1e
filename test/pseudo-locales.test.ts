// The pseudo-locales keep what a text is made of, in every English text, and lengthen or mirror what is read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readAreas } from '@broadgate/languages/catalogue-files.ts';
import { readOutline } from '../tools/text-outline.ts';
import { pseudoText, writePseudoPortal } from './pseudo-locales.ts';

test('every English text keeps its variables, plurals and tags in both pseudo-locales, and is 40 % longer accented', () => {
  for (const texts of readAreas('en').values()) {
    for (const [id, text] of Object.entries(texts)) {
      const { outline } = readOutline('en', text);
      for (const kind of ['accented', 'mirrored'] as const) {
        const pseudo = pseudoText(kind, text);
        assert.deepEqual(readOutline('en', pseudo).outline, outline, `${id}: ${pseudo}`);
        if (/\p{L}/u.test(text.replace(/\{\w+\}/g, ''))) assert.notEqual(pseudo, text, id);
      }
      if (!/[{<]/.test(text)) assert.ok(pseudoText('accented', text).length >= 1.4 * text.length, id);
    }
  }
});

test('a built portal is copied with English accented and Arabic mirrored, and nothing else changed', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pseudo-'));
  const [built, copy] = [path.join(folder, 'built'), path.join(folder, 'copy')];
  mkdirSync(path.join(built, '.vite'), { recursive: true });
  mkdirSync(path.join(built, 'assets'));
  const manifest: Record<string, { file: string }> = {};
  for (const locale of ['en', 'de', 'ar']) {
    const file = `assets/home-${locale}.js`;
    manifest[`../../packages/languages/catalogues/${locale}/home.json`] = { file };
    writeFileSync(path.join(built, file), 'export default {};');
  }
  writeFileSync(path.join(built, '.vite/manifest.json'), JSON.stringify(manifest));
  writePseudoPortal(built, copy);
  const read = (locale: string): string => readFileSync(path.join(copy, `assets/home-${locale}.js`), 'utf8');
  assert.match(read('en'), /"home\.statements\.title":"⟦Ñéŵéšţ/);
  assert.match(read('ar'), /"home\.statements\.title":"\u202eNewest\u202c/);
  assert.equal(read('de'), 'export default {};');
  rmSync(folder, { recursive: true });
});
