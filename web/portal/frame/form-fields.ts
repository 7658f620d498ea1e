// What was typed into a form, read when it is sent.

/** Shape: the texts of the fields by name; files are none of them, and a field that is not there is empty. */
export function readForm<Name extends string>(form: HTMLFormElement, ...names: Name[]): Record<Name, string> {
  const fields = new FormData(form);
  const read = names.map((name) => {
    const value = fields.get(name);
    return [name, typeof value === 'string' ? value : ''];
  });
  return Object.fromEntries(read) as Record<Name, string>;
}
