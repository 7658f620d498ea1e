// The published document: whole, without loose ends, and the same every time.
import assert from 'node:assert/strict';
import test from 'node:test';
import { closed, problem } from '@broadgate/contract';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { Type } from 'typebox';
import { createIdentityRoutes } from '../../identity/https.ts';
import { type Identity, identityRefusals } from '../../identity/identity.ts';
import { defineRefusals } from '../../kernel/refusal.ts';
import { codesOf, openApiDocument } from './openapi.ts';
import { ownRoutes } from './own-routes.ts';
import { downloadRoute, listRoute, type Route, route, uploadRoute } from './route.ts';
import { openTestFace } from './test-face.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- the document is plain JSON of every shape
type Plain = any;

const sets = [identityRefusals];
const routes = [...ownRoutes(sets), ...createIdentityRoutes({ identity: {} as Identity })];
const document = (of: readonly Route[] = routes): Plain => openApiDocument(of, sets);

const unused = (): Promise<never> => Promise.reject(new Error('only described'));
const namesOf = (operation: Plain): string[] => operation.parameters.map((parameter: Plain) => parameter.name);

const common = { tag: 'T', summary: 's', who: 'anyone', refusals: [] } as const;

test('every operation stands in the document under its own id, with its answers and every refusal it names', () => {
  const { paths } = document();
  const operations = Object.values(paths).flatMap((path) => Object.values(path as object)) as Plain[];
  assert.equal(operations.length, routes.length);
  assert.equal(new Set(operations.map((operation) => operation.operationId)).size, routes.length);
  for (const one of routes) {
    const operation = operations.find((found) => found.operationId === one.operationId);
    const text = JSON.stringify(operation.responses);
    for (const code of codesOf(one)) assert.ok(text.includes(`"${code}"`), `${one.operationId} ${code}`);
    assert.deepEqual(operation.security.length === 0, one.who === 'anyone');
    const names = [...one.path.matchAll(/:(\w+)/g)].map((match) => match[1]);
    const declared = (operation.parameters ?? []).filter((parameter: Plain) => parameter.in === 'path');
    assert.deepEqual(
      declared.map((parameter: Plain) => parameter.name),
      names,
    );
  }
});

test('every reference in the document leads somewhere, and every schema is one that a checker takes', () => {
  const whole = document();
  const text = JSON.stringify(whole);
  for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
    assert.ok(Object.hasOwn(whole.components.schemas, name!), String(name));
  }
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'doc', components: whole.components });
  for (const name of Object.keys(whole.components.schemas)) {
    assert.equal(typeof ajv.compile({ $ref: `doc#/components/schemas/${name}` }), 'function');
  }
});

test('the document is the same every time, is what the face serves, and holds no path with a colon', async () => {
  assert.equal(JSON.stringify(document()), JSON.stringify(document()));
  await using face = await openTestFace({ routes: createIdentityRoutes({ identity: {} as Identity }), refusals: sets });
  const served = await face.ask('GET', '/v1/openapi.json');
  assert.deepEqual(served.json, document());
  assert.deepEqual(
    Object.keys(served.json.paths).filter((path) => path.includes(':')),
    [],
  );
});

test('pages, ranges, raw bodies and idempotency keys are described where they apply', () => {
  const item = closed({ a: Type.String() }, { title: 'Thing' });
  const { paths, components } = document([
    listRoute({ ...common, path: '/l', operationId: 'l', item, handle: () => unused() }),
    downloadRoute({
      ...common,
      path: '/d',
      operationId: 'd',
      mediaTypes: ['text/csv'],
      handle: () => unused(),
    }),
    uploadRoute({
      ...common,
      method: 'PUT',
      path: '/u',
      operationId: 'u',
      mediaTypes: ['text/csv'],
      bodyLimitBytes: 7,
      answers: { 200: item },
      handle: () => unused(),
    }),
    route({
      ...common,
      method: 'POST',
      path: '/k',
      operationId: 'k',
      idempotency: 'required',
      answers: { 200: item },
      handle: () => unused(),
    }),
  ]);
  assert.deepEqual(namesOf(paths['/l'].get), ['limit', 'cursor']);
  assert.deepEqual(namesOf(paths['/d'].get), ['Range']);
  assert.deepEqual(Object.keys(paths['/d'].get.responses).slice(0, 4), ['200', '206', '304', '416']);
  assert.deepEqual(Object.keys(paths['/u'].put.requestBody.content), ['text/csv']);
  assert.deepEqual(namesOf(paths['/k'].post), ['Idempotency-Key']);
  assert.deepEqual(paths['/k'].post.responses['200'].content['application/json'].schema, {
    $ref: '#/components/schemas/Thing',
  });
  assert.deepEqual(Object.keys(components.schemas), ['Problem', 'Thing']);
});

test('a refusal that nobody declares, a code declared twice and a title used twice are our faults, found at once', () => {
  const one = { ...common, method: 'GET', handle: () => unused() } as const;
  const named = route({ ...one, path: '/a', operationId: 'a', refusals: ['never_declared'], answers: {} });
  assert.throws(() => document([named]), /never_declared/);
  const twice = defineRefusals({ not_signed_in: { kind: 'invalid', text: 'x' } });
  assert.throws(() => openApiDocument([], [twice]), /declared twice/);
  const same = [Type.String(), Type.Integer()].map((type, index) =>
    route({
      ...one,
      path: `/${index}`,
      operationId: `o${index}`,
      answers: { 200: closed({ a: type }, { title: 'Same' }) },
    }),
  );
  assert.throws(() => document(same), /Same/);
});

test('every problem that the face writes is one that the contract describes', async () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const isProblem = ajv.compile(problem);
  await using face = await openTestFace({ routes: createIdentityRoutes({ identity: {} as Identity }), refusals: sets });
  const answers = [
    await face.ask('GET', '/v1/nothing'),
    await face.ask('GET', '/v1/me'),
    await face.ask('POST', '/v1/sign-ins', { json: { a: 1 } }),
    await face.ask('POST', '/v1/sign-ins', { json: { login: 'a', password: 'b' } }),
  ];
  assert.deepEqual(
    answers.map((answer) => answer.status),
    [404, 401, 400, 500],
  );
  for (const answer of answers) assert.ok(isProblem(answer.json), answer.text);
});
