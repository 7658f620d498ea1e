// Compares the catalogues with one another, with the code that uses them and with the data they are chosen by. Every fault says what to do.
import { createHash } from 'node:crypto';
import type { Catalogue } from '@broadgate/languages';
import { readOutline, type TextOutline } from './text-outline.ts';

/** A locale as its files hold it. Shape: areas by the name of their file, without `.json`. */
export interface LocaleTexts {
  readonly locale: string;
  readonly areas: ReadonlyMap<string, Catalogue>;
}

/** An id that code names. Shape: `isPattern` where parts are filled in at run time; those stand as `*`. */
export interface UsedId {
  readonly id: string;
  readonly where: string;
  readonly isPattern: boolean;
  /** True where the code can mean nothing but a text, so that it has to exist. */
  readonly isCertain: boolean;
}

/** Data that a text is chosen by: a refusal's code, a notice's kind, a word of the contract. */
export interface NeededId {
  readonly id: string;
  readonly where: string;
  /** What the data bring; undefined where that is not known. */
  readonly variables?: readonly string[];
}

export interface LanguageFacts {
  readonly source: LocaleTexts;
  readonly translations: readonly LocaleTexts[];
  readonly used: readonly UsedId[];
  readonly needed: readonly NeededId[];
  /** By id: where a translation may read as the English text does, and why. `*` stands for every locale. */
  readonly sameAsEnglish: Readonly<Record<string, { readonly locales: readonly string[]; readonly reason: string }>>;
  /** By id: the mark of the English text that the translations were made from. */
  readonly translatedFrom: Readonly<Record<string, string>>;
  /** By locale and id: the mark of the English text and the translation that a person reviewed. */
  readonly reviewed: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const linesMax = 400;

/** A short mark of texts, which tells that one of them was changed. */
export const markOf = (...texts: readonly string[]): string =>
  createHash('sha256').update(texts.join('\u0000')).digest('hex').slice(0, 10);

/** All texts of a locale. */
export const textsOf = ({ areas }: LocaleTexts): Catalogue => Object.assign({}, ...areas.values()) as Catalogue;

export function findLanguageFaults(facts: LanguageFacts): string[] {
  const source = textsOf(facts.source);
  const outlines = new Map<string, TextOutline>();
  const faults = [...checkFiles(facts.source)];
  for (const [id, text] of Object.entries(source)) {
    const { outline, faults: found } = readOutline(facts.source.locale, text);
    if (outline !== undefined) outlines.set(id, outline);
    faults.push(...found.map((says) => `en ${id}: ${says}`));
  }
  faults.push(...checkUse(facts, source), ...checkNeeds(facts, source, outlines));
  for (const translation of facts.translations) {
    faults.push(...checkFiles(translation), ...checkTranslation(facts, translation, source, outlines));
  }
  faults.push(...checkLists(facts, source));
  return faults;
}

/** A file holds the ids that begin with its name, and no more lines than a person reads. */
function checkFiles({ locale, areas }: LocaleTexts): string[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const [area, texts] of areas) {
    const ids = Object.keys(texts);
    const prefix = `${area.replaceAll('-', '.')}.`;
    if (ids.length + 2 > linesMax)
      faults.push(`${locale}/${area}.json has ${ids.length} texts; move some to ${area}-<part>.json`);
    for (const id of ids) {
      if (!id.startsWith(prefix)) faults.push(`${locale} ${id}: ${area}.json holds ids that begin with ${prefix}`);
      if (seen.has(id)) faults.push(`${locale} ${id}: stands in two files; keep one`);
      seen.add(id);
    }
  }
  return faults;
}

/** Every id that code names exists, and every text is named by code or chosen by data. */
function checkUse({ used, needed }: LanguageFacts, source: Catalogue): string[] {
  const named = new Set([...used.filter((use) => !use.isPattern), ...needed].map(({ id }) => id));
  const patterns = used
    .filter((use) => use.isPattern)
    .map((use) => ({ ...use, expression: new RegExp(`^${use.id.split('*').map(escapePattern).join('.+')}$`) }));
  const ids = Object.keys(source);
  const unknown = used.filter((use) => use.isCertain && !use.isPattern && source[use.id] === undefined);
  const empty = patterns.filter((use) => use.isCertain && !ids.some((id) => use.expression.test(id)));
  const unused = ids.filter((id) => !named.has(id) && !patterns.some((use) => use.expression.test(id)));
  return [
    ...unknown.map((use) => `en ${use.id}: ${use.where} uses it, and no file holds it; add the text`),
    ...empty.map((use) => `en ${use.id}: ${use.where} uses ids of this form, and there is none; add the texts`),
    ...unused.map((id) => `en ${id}: no code uses it; take it out of every locale`),
  ];
}

const escapePattern = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

function checkNeeds(
  { needed }: LanguageFacts,
  source: Catalogue,
  outlines: ReadonlyMap<string, TextOutline>,
): string[] {
  return needed.flatMap(({ id, where, variables }) => {
    if (source[id] === undefined) return [`en ${id}: ${where} has no text; say in plain words what to do`];
    const shown = [...(outlines.get(id)?.variables ?? [])];
    const strange = variables === undefined ? [] : shown.filter((name) => !variables.includes(name));
    return strange.map((name) => `en ${id}: shows {${name}}, which ${where} does not bring`);
  });
}

function checkTranslation(
  facts: LanguageFacts,
  translation: LocaleTexts,
  source: Catalogue,
  outlines: ReadonlyMap<string, TextOutline>,
): string[] {
  const { locale } = translation;
  const texts = textsOf(translation);
  const faults: string[] = [];
  const add = (id: string, says: string): void => void faults.push(`${locale} ${id}: ${says}`);
  for (const id of Object.keys(source)) if (texts[id] === undefined) add(id, 'is missing; translate it');
  for (const [area, found] of translation.areas) {
    const expected = facts.source.areas.get(area);
    for (const id of Object.keys(found)) {
      if (expected?.[id] === undefined) add(id, `is not in en/${area}.json; take it out, or move it`);
    }
  }
  for (const [id, text] of Object.entries(texts)) {
    const english = source[id];
    if (english === undefined) continue;
    const { outline, faults: found } = readOutline(locale, text);
    for (const says of found) add(id, says);
    const wanted = outlines.get(id);
    if (outline !== undefined && wanted !== undefined) {
      for (const says of compareOutlines(outline, wanted)) add(id, says);
    }
    const mayBeSame = facts.sameAsEnglish[id]?.locales.some((one) => one === '*' || one === locale) ?? false;
    if (text === english && hasWords(text) && !mayBeSame)
      add(id, 'reads as the English text does; translate it, or list it with a reason');
  }
  return faults;
}

/** A text of variables and signs alone is the same everywhere. */
const hasWords = (text: string): boolean => /\p{L}/u.test(text.replace(/\{\w+\}/g, ''));

function compareOutlines(found: TextOutline, wanted: TextOutline): string[] {
  const difference = (a: ReadonlySet<string>, b: ReadonlySet<string>): string[] =>
    [...a].filter((name) => !b.has(name));
  return [
    ...difference(wanted.variables, found.variables).map((name) => `lacks {${name}}, which the English text shows`),
    ...difference(found.variables, wanted.variables).map((name) => `shows {${name}}, which the English text does not`),
    ...difference(wanted.tags, found.tags).map((name) => `lacks <${name}>, which the English text has`),
    ...difference(found.tags, wanted.tags).map((name) => `has <${name}>, which the English text has not`),
  ];
}

/** The lists beside the catalogues hold only what is still so. */
function checkLists(facts: LanguageFacts, source: Catalogue): string[] {
  const faults: string[] = [];
  const locales = new Map(facts.translations.map((one) => [one.locale, textsOf(one)]));
  for (const [id, { locales: listed, reason }] of Object.entries(facts.sameAsEnglish)) {
    if (reason.trim() === '') faults.push(`same as English ${id}: give the reason`);
    const isSame = (locale: string): boolean => locales.get(locale)?.[id] === source[id];
    const stale =
      source[id] === undefined ||
      listed.some((one) => (one === '*' ? ![...locales.keys()].some(isSame) : !isSame(one)));
    if (stale) faults.push(`same as English ${id}: is listed and is not the same any more; correct the list`);
  }
  for (const [id, text] of Object.entries(source)) {
    if (facts.translatedFrom[id] !== markOf(text))
      faults.push(
        `en ${id}: changed since it was translated; translate it in every locale, then: npm run languages -- --translated ${id}`,
      );
  }
  for (const id of Object.keys(facts.translatedFrom)) {
    if (source[id] === undefined) faults.push(`translated ${id}: there is no such text any more; take it out`);
  }
  for (const [locale, marks] of Object.entries(facts.reviewed)) {
    for (const [id, mark] of Object.entries(marks)) {
      const text = locales.get(locale)?.[id];
      if (text === undefined || source[id] === undefined || mark !== markOf(source[id], text))
        faults.push(`reviewed ${locale} ${id}: was changed since; review it again or take it off the list`);
    }
  }
  return faults;
}
