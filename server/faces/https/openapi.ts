// The published OpenAPI 3.1 document, built from the same declarations and schemas that the face checks requests with.
import { problem } from '@broadgate/contract';
import { type TSchema, Type } from 'typebox';
import { type RefusalKind, type RefusalTable, refusalTable } from '../../kernel/refusal.ts';
import { statusOfKind, titleOfKind } from './answer.ts';
import type { Route } from './route.ts';
import { refusals as faceRefusals } from './rules.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Every set of refusals in the installation, as `defineRefusals` returned it. */
export type RefusalSets = readonly { readonly [refusalTable]: RefusalTable }[];

/** All codes with kind and text. Refuses: nothing; a code declared twice is our fault. */
export function collectCodes(sets: RefusalSets): Map<string, { kind: RefusalKind; text: string }> {
  const codes = new Map<string, { kind: RefusalKind; text: string }>();
  for (const set of [faceRefusals, ...sets]) {
    for (const [code, row] of Object.entries(set[refusalTable])) {
      if (codes.has(code) && codes.get(code) !== row) throw new Error(`the refusal code ${code} is declared twice`);
      codes.set(code, row);
    }
  }
  return codes;
}

/** Builds the document. Shape: plain JSON in a fixed order, so that it can be checked in and compared. */
export function openApiDocument(routes: readonly Route[], sets: RefusalSets, version = '1'): Json {
  const codes = collectCodes(sets);
  const components = new Map<string, Json>();
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = describe(route, codes, components);
  }
  hoist(problem, components);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Broadgate',
      version,
      description:
        'Client gateway of a broker. Refusals are RFC 9457 problems: decide on `code`, show your own text. Lists come in pages by `cursor`. Properties may be added to answers at any time; requests take no property that is not listed.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map((route) => route.tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A token of POST /v1/tokens or POST /v1/sign-ins.' },
        cookie: { type: 'apiKey', in: 'cookie', name: '__Host-broadgate', description: 'The sign-in of a browser.' },
      },
    },
  };
}

function describe(route: Route, codes: ReturnType<typeof collectCodes>, components: Map<string, Json>): Json {
  const parameters = [
    ...parametersOf(route.params, 'path', components),
    ...parametersOf(route.query, 'query', components),
    ...(route.shape === 'list' ? pageParameters : []),
    ...(route.shape === 'download' ? rangeParameters : []),
    ...(route.shape === 'stream' ? [resumeParameter] : []),
    ...(route.idempotency === undefined ? [] : [idempotencyParameter(route.idempotency === 'required')]),
  ];
  const body = requestBody(route, components);
  return {
    operationId: route.operationId,
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    tags: [route.tag],
    'x-who': route.who,
    security: route.who === 'anyone' ? [] : [{ token: [] }, { cookie: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: body }),
    responses: { ...answersOf(route, components), ...problemsOf(route, codes) },
  };
}

function requestBody(route: Route, components: Map<string, Json>): Json | undefined {
  if (route.shape === 'upload') {
    const content = Object.fromEntries((route.mediaTypes ?? []).map((type) => [type, {}]));
    return { required: true, content, description: `At most ${route.bodyLimitBytes} bytes.` };
  }
  if (route.body === undefined) return undefined;
  return { required: true, content: { 'application/json': { schema: hoist(route.body, components) } } };
}

function parametersOf(schema: TSchema | undefined, place: 'path' | 'query', components: Map<string, Json>): Json[] {
  if (schema === undefined) return [];
  const { properties, required = [] } = schema as unknown as {
    properties: Record<string, TSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: hoist(property, components),
  }));
}

const pageParameters: readonly Json[] = [
  { name: 'limit', in: 'query', required: false, schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 } },
  {
    name: 'cursor',
    in: 'query',
    required: false,
    schema: { type: 'string', maxLength: 1000 },
    description: 'The `next` of the page before; good for the same list, filter and sign-in only.',
  },
];
const rangeParameters: readonly Json[] = [
  { name: 'Range', in: 'header', required: false, schema: { type: 'string' }, description: 'One range of bytes.' },
];
const resumeParameter: Json = {
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  schema: { type: 'string', maxLength: 64 },
  description: 'The `id` of the last event that was read. A browser sends it by itself when it asks again.',
};
const idempotencyParameter = (required: boolean): Json => ({
  name: 'Idempotency-Key',
  in: 'header',
  required,
  schema: { type: 'string', minLength: 8, maxLength: 128, pattern: '^[!-~]*$' },
  description: 'A fresh random text; the same again repeats the answer and not the effect.',
});

function answersOf(route: Route, components: Map<string, Json>): Record<string, Json> {
  if (route.shape === 'download') {
    const binary = { schema: { type: 'string', contentMediaType: 'application/octet-stream' } };
    const content = Object.fromEntries((route.mediaTypes ?? []).map((type) => [type, binary]));
    return {
      200: { description: 'The file.', content },
      206: { description: 'The bytes of the range.', content },
      304: { description: 'It is the one that If-None-Match names.' },
      416: problemAnswer('The range lies outside the file.', ['range_not_satisfiable']),
    };
  }
  if (route.shape === 'list') {
    const schema: Json = {
      type: 'object',
      required: ['items', 'next'],
      properties: {
        items: { type: 'array', maxItems: 200, items: hoist(route.answers[200]!, components) },
        next: { type: ['string', 'null'], description: 'Send it as `cursor` to read on; null at the end.' },
      },
    };
    return { 200: { description: 'One page.', content: { 'application/json': { schema } } } };
  }
  if (route.shape === 'stream') {
    // The data of each event is this value as one line of JSON.
    const content = {
      'text/event-stream': { schema: { type: 'string' }, 'x-data': hoist(route.answers[200]!, components) },
    };
    return { 200: { description: 'Events, for as long as the caller stays.', content } };
  }
  return Object.fromEntries(
    Object.entries(route.answers).map(([status, schema]): [string, Json] => [
      status,
      status === '204'
        ? { description: 'Done.' }
        : { description: 'Done.', content: { 'application/json': { schema: hoist(schema, components) } } },
    ]),
  );
}

/** The refusals that every operation of this form may answer with, beside its own. */
export function codesOf(route: Route): string[] {
  const hasInput = route.params !== undefined || route.query !== undefined || route.body !== undefined;
  return [
    ...route.refusals,
    ...(route.who === 'anyone' ? [] : ['not_signed_in']),
    ...(hasInput || route.shape === 'list' ? ['request_invalid'] : []),
    ...(route.shape === 'list' ? ['cursor_invalid'] : []),
    ...(route.shape === 'stream' ? ['streams_at_their_limit'] : []),
    ...(route.body === undefined ? [] : ['json_malformed', 'media_type_not_taken', 'body_too_large']),
    ...(route.shape === 'upload' ? ['media_type_not_taken', 'body_too_large'] : []),
    ...(route.idempotency === undefined ? [] : ['idempotency_key_malformed']),
    ...(route.idempotency === 'required' ? ['idempotency_key_missing'] : []),
    ...(route.method === 'GET' ? [] : ['cross_site']),
    'too_many_requests',
  ];
}

function problemsOf(route: Route, codes: ReturnType<typeof collectCodes>): Record<string, Json> {
  const byStatus = new Map<number, { title: string; codes: string[] }>();
  for (const code of new Set(codesOf(route))) {
    const row = codes.get(code);
    if (row === undefined) throw new Error(`${route.operationId} names the refusal ${code}, which no set declares`);
    const status = statusOfKind(row.kind);
    const group = byStatus.get(status) ?? { title: titleOfKind(row.kind), codes: [] };
    group.codes.push(code);
    byStatus.set(status, group);
  }
  return Object.fromEntries(
    [...byStatus].sort(([a], [b]) => a - b).map(([status, group]) => [status, problemAnswer(group.title, group.codes)]),
  );
}

const problemAnswer = (description: string, codes: readonly string[]): Json => ({
  description: `${description}: ${codes.join(', ')}.`,
  content: {
    'application/problem+json': {
      schema: {
        allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { enum: [...codes].sort() } } }],
      },
    },
  },
});

/** Plain JSON of a schema; every object with a title becomes a component and a reference to it. */
function hoist(schema: TSchema, components: Map<string, Json>): Json {
  return hoistJson(JSON.parse(JSON.stringify(schema)) as Json, components);
}

function hoistJson(value: Json, components: Map<string, Json>): Json {
  if (Array.isArray(value)) return value.map((item: Json) => hoistJson(item, components));
  if (value === null || typeof value !== 'object') return value;
  const plain = Object.fromEntries(Object.entries(value).map(([name, item]) => [name, hoistJson(item, components)]));
  const { title } = plain;
  if (typeof title !== 'string' || plain['type'] !== 'object') return plain;
  const known = components.get(title);
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(plain)) {
    throw new Error(`two schemas have the title ${title}; name one of them otherwise`);
  }
  components.set(title, plain);
  return { $ref: `#/components/schemas/${title}` };
}

/** The schema by which an answer is written; what it does not declare does not leave. */
export const answerSchemas = (route: Route): Record<string, TSchema> =>
  route.shape === 'stream'
    ? {}
    : route.shape === 'list'
      ? { 200: Type.Object({ items: Type.Array(route.answers[200]!), next: Type.Union([Type.String(), Type.Null()]) }) }
      : Object.fromEntries(Object.entries(route.answers).filter(([status]) => status !== '204'));
