// The operations of the API as types for the portal, printed from the published description, so that the two never differ.

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

interface Operation {
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema: Schema }[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

export interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const nameOf = (ref: string): string => ref.split('/').at(-1)!;
const key = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));

function printSchema(schema: Schema): string {
  if (schema.$ref !== undefined) return nameOf(schema.$ref);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches !== undefined) return [...new Set(branches.map(printSchema))].join(' | ');
  if (schema.allOf !== undefined) return schema.allOf.map((part) => `(${printSchema(part)})`).join(' & ');
  if (Array.isArray(schema.type)) return schema.type.map((type: string) => printType({ ...schema, type })).join(' | ');
  return printType(schema);
}

function printType(schema: Schema): string {
  switch (schema.type) {
    case 'string':
      return 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'null':
      return 'null';
    case 'array':
      return `readonly (${schema.items === undefined ? 'unknown' : printSchema(schema.items)})[]`;
    default:
      return printObject(schema);
  }
}

function printObject({ properties, required = [], additionalProperties, patternProperties }: Schema): string {
  if (properties !== undefined) {
    const rows = Object.entries(properties).map(
      ([name, value]) => `readonly ${key(name)}${required.includes(name) ? '' : '?'}: ${printSchema(value)}`,
    );
    return `{ ${rows.join('; ')} }`;
  }
  const values =
    typeof additionalProperties === 'object' ? additionalProperties : Object.values(patternProperties ?? {})[0];
  return values === undefined ? 'unknown' : `Readonly<Record<string, ${printSchema(values)}>>`;
}

function printParameters(operation: Operation, place: string): string | undefined {
  const found = (operation.parameters ?? []).filter((row) => row.in === place);
  if (found.length === 0) return undefined;
  const rows = found.map((row) => {
    const optional = row.required === true ? '' : '?';
    return `readonly ${key(row.name)}${optional}: ${printSchema(row.schema)}${optional && ' | undefined'}`;
  });
  return `{ ${rows.join('; ')} }`;
}

function printBody({ content = {} }: Content): string {
  const json = content['application/json']?.schema;
  return json === undefined ? 'Blob' : printSchema(json);
}

function printAnswer(operation: Operation): string | undefined {
  const schemas = Object.entries(operation.responses)
    .filter(([status]) => status.startsWith('2'))
    .map(([, answer]) => answer.content?.['application/json']?.schema);
  const found = schemas.filter((schema) => schema !== undefined);
  return found.length === 0 ? undefined : [...new Set(found.map(printSchema))].join(' | ');
}

/** The item of a list that is read page by page. */
function printItem(operation: Operation): string | undefined {
  const names = (operation.parameters ?? []).map((row) => row.name);
  const items = operation.responses['200']?.content?.['application/json']?.schema?.properties?.['items']?.items;
  return names.includes('cursor') && items !== undefined ? printSchema(items) : undefined;
}

function printOperation(operation: Operation): string {
  const parts = {
    params: printParameters(operation, 'path'),
    query: printParameters(operation, 'query'),
    body: operation.requestBody === undefined ? undefined : printBody(operation.requestBody),
    answer: printAnswer(operation),
    item: printItem(operation),
  };
  const rows = Object.entries(parts).flatMap(([name, text]) => (text === undefined ? [] : [`${name}: ${text}`]));
  return `{ ${rows.join('; ')} }`;
}

/** The whole file. */
export function printOperationTypes({ paths, components }: Description): string {
  const lines = [
    '// Printed from docs/reference/openapi.json by `npm run docs`: every operation of the API, and every named value, as types.',
    '',
  ];
  for (const [name, schema] of Object.entries(components.schemas).sort(([a], [b]) => (a < b ? -1 : 1))) {
    lines.push(`export type ${name} = ${printSchema(schema)};`, '');
  }
  lines.push('export interface Operations {');
  for (const method of ['get', 'post', 'put', 'delete']) {
    lines.push(`  ${method.toUpperCase()}: {`);
    for (const [path, methods] of Object.entries(paths)) {
      const operation = methods[method];
      if (operation !== undefined) lines.push(`    '${path}': ${printOperation(operation)};`);
    }
    lines.push('  };');
  }
  lines.push('}', '');
  return lines.join('\n');
}
