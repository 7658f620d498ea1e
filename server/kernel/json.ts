// JSON values as types, in the one canonical text that can be hashed, and in the form that PostgreSQL can store.
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type JsonObject = { readonly [key: string]: JsonValue };

/**
 * The canonical text of a value: members ordered by UTF-16 code units, no white space, numbers as ECMAScript writes them.
 * Source: RFC 8785 §3.2.
 */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value as JsonObject).filter(([, member]) => member !== undefined);
    members.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/**
 * The value without what jsonb cannot hold: NUL and unpaired surrogates become U+FFFD, so that text which a stranger
 * chose (a file name, a client's software) can always be recorded.
 */
export function storableJson<Value extends JsonValue>(value: Value): Value {
  const text = JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'string' ? member.toWellFormed().replaceAll('\0', '\ufffd') : member,
  );
  return JSON.parse(text) as Value;
}
