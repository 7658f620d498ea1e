// Reads XML for the eye. NOTE: the browser's own parser would make a document out of what was sent, which the policy of the pages forbids.

export interface XmlElement {
  readonly name: string;
  readonly attributes: readonly (readonly [name: string, value: string])[];
  readonly children: readonly XmlElement[];
  /** The text directly in it, without the white space around. */
  readonly text: string;
}

const depthMax = 200;
const pattern =
  /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<!DOCTYPE[^[>]*(?:\[[\s\S]*?\])?[^>]*>|<\/([^\s>]+)\s*>|<([^\s/>!?]+)((?:\s+[^\s=>/]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>|([^<]+)/gy;

interface Open {
  name: string;
  attributes: [string, string][];
  children: Open[];
  text: string;
}

/** The root element, or nothing where the text is not well-formed. Entities beyond the five of XML are left as they are. */
export function parseXml(text: string): XmlElement | undefined {
  const top: Open = { name: '', attributes: [], children: [], text: '' };
  const open: Open[] = [top];
  pattern.lastIndex = 0;
  let at = 0;
  for (let part = pattern.exec(text); part !== null; part = pattern.exec(text)) {
    at = pattern.lastIndex;
    const [, verbatim, end, start, attributes = '', isEmpty, words] = part;
    const inner = open.at(-1)!;
    if (verbatim !== undefined) inner.text += verbatim;
    else if (words !== undefined) inner.text += decode(words);
    else if (end !== undefined) {
      if (open.length === 1 || inner.name !== end) return undefined;
      inner.text = inner.text.trim();
      open.pop();
    } else if (start !== undefined) {
      const element: Open = { name: start, attributes: readAttributes(attributes), children: [], text: '' };
      inner.children.push(element);
      if (isEmpty === '') open.push(element);
      if (open.length > depthMax) return undefined;
    }
  }
  const isWhole = at === text.length && open.length === 1 && top.children.length === 1 && top.text.trim() === '';
  return isWhole ? top.children[0] : undefined;
}

const readAttributes = (text: string): [string, string][] =>
  Array.from(text.matchAll(/([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g), ([, name, double, single]) => [
    name!,
    decode(double ?? single ?? ''),
  ]);

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const decode = (text: string): string =>
  text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w+));/gi, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return entities[name] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
