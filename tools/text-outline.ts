// What a text is made of: its variables and tags, and what is wrong with it by itself in its locale.
import { type MessageFormatElement, parse, TYPE } from '@formatjs/icu-messageformat-parser';
import { directionOf, type Locale } from '@broadgate/languages';
import { textTags } from '@broadgate/languages/text-tags.ts';

export interface TextOutline {
  readonly variables: ReadonlySet<string>;
  readonly tags: ReadonlySet<string>;
}

/** The outline of a text, undefined when it does not parse; and its faults. */
export function readOutline(locale: string, text: string): { outline: TextOutline | undefined; faults: string[] } {
  const faults: string[] = [];
  if (text.trim() === '') faults.push('is empty');
  if (text !== text.trim()) faults.push('begins or ends with a blank');
  // NOTE: an ASCII apostrophe before a brace or a tag begins a quotation, and the variable is printed as its name.
  if (/'[{}<>]|[{}<>]'/.test(text)) faults.push("has ' beside a brace or tag, which quotes it; write ’");
  else if (/['"]/.test(text.replace(/\{\w+, (?:number|date|time)[^}]*\}/g, '')))
    faults.push('has a straight quotation mark or apostrophe; write the typographic one');
  // U+2066 to U+2068 begin an isolate and U+2069 ends it: without, a code or an address is torn apart in a right-to-left sentence.
  if (directionOf(locale as Locale) === 'rtl') {
    for (const [, name] of text.matchAll(/(?<![\u2066-\u2068])\{(\w+)\}/g))
      faults.push(`has {${name}} in a right-to-left sentence; write \\u2068{${name}}\\u2069`);
  }
  const variables = new Set<string>();
  const tags = new Set<string>();
  try {
    for (const element of parse(text, { requiresOtherClause: true })) walk(element);
  } catch (fault) {
    return { outline: undefined, faults: [...faults, `is not ICU MessageFormat: ${(fault as Error).message}`] };
  }
  for (const name of variables)
    if (tags.has(name)) faults.push(`has a variable {${name}} and a tag <${name}>; name one otherwise`);
  return { outline: { variables, tags }, faults };

  function walk(element: MessageFormatElement): void {
    if (element.type === TYPE.literal || element.type === TYPE.pound) return;
    if (element.type === TYPE.tag) {
      tags.add(element.value);
      if (!(textTags as readonly string[]).includes(element.value))
        faults.push(`has the tag <${element.value}>; only ${textTags.join(', ')} are rendered`);
      for (const inner of element.children) walk(inner);
      return;
    }
    variables.add(element.value);
    if (element.type !== TYPE.plural && element.type !== TYPE.select) return;
    if (element.type === TYPE.plural) checkCategories(element.value, Object.keys(element.options), element.pluralType);
    for (const option of Object.values(element.options)) for (const inner of option.value) walk(inner);
  }

  // A category that is missing falls silently to "other".
  function checkCategories(name: string, keys: readonly string[], type: Intl.PluralRuleType | undefined): void {
    const wanted = new Intl.PluralRules(locale, { type: type ?? 'cardinal' }).resolvedOptions().pluralCategories;
    const given = keys.filter((key) => !key.startsWith('='));
    const lacks = wanted.filter((category) => !given.includes(category));
    const strange = given.filter((category) => !(wanted as readonly string[]).includes(category));
    if (lacks.length > 0) faults.push(`lacks the plural ${lacks.join(', ')} of {${name}}`);
    if (strange.length > 0)
      faults.push(`has the plural ${strange.join(', ')} of {${name}}, which ${locale} does not know`);
  }
}
