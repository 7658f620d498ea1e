// How a person likes to read, and how a desk finds a client: through the real port.
import assert from 'node:assert/strict';
import test from 'node:test';
import { openTestFace } from '../faces/https/test-face.ts';
import { createIdentityRoutes } from './https.ts';
import { identityRefusals } from './identity.ts';
import { openTestIdentity } from './test-identity.ts';

async function open() {
  const t = await openTestIdentity();
  const { identity, clock } = t;
  const face = await openTestFace({
    routes: createIdentityRoutes({ identity }),
    refusals: [identityRefusals],
    clock,
    findActor: (token, origin) => identity.findActor(token, origin),
  });
  return {
    t,
    face,
    async [Symbol.asyncDispose]() {
      await face[Symbol.asyncDispose]();
      await t[Symbol.asyncDispose]();
    },
  };
}

const asBrowser = { locale: null, timeZone: null, theme: 'system' };

test('Preferences belong to one person, stand in what it is told of itself, and are whole each time they are set', async () => {
  await using opened = await open();
  const { t, face } = opened;
  const [ann, bob] = [await t.addSignedIn('ann'), await t.addSignedIn('bob')];
  const desk = await t.addOperator('dora', ['delivery']);
  assert.deepEqual((await face.ask('GET', '/v1/me', { token: ann.token })).json.preferences, asBrowser);
  const wanted = { locale: 'pt', timeZone: 'America/Sao_Paulo', theme: 'dark' };
  for (const { token } of [ann, desk]) {
    const set = await face.ask('PUT', '/v1/preferences', { token, json: wanted });
    assert.deepEqual([set.status, set.json], [200, wanted]);
    assert.deepEqual((await face.ask('GET', '/v1/me', { token })).json.preferences, wanted);
  }
  assert.deepEqual((await face.ask('GET', '/v1/me', { token: bob.token })).json.preferences, asBrowser);
  await face.ask('PUT', '/v1/preferences', { token: ann.token, json: asBrowser });
  assert.deepEqual((await face.ask('GET', '/v1/me', { token: ann.token })).json.preferences, asBrowser);
});

test('A language, a zone or a theme that is none is refused', async () => {
  await using opened = await open();
  const { t, face } = opened;
  const { token } = await t.addSignedIn('ann');
  const put = async (change: object): Promise<string> =>
    (await face.ask('PUT', '/v1/preferences', { token, json: { ...asBrowser, ...change } })).json.code ?? 'ok';
  for (const timeZone of ['Europe/Atlantis', '+01:00', '05:30', 'x'.repeat(64)]) {
    assert.equal(await put({ timeZone }), 'time_zone_unknown', timeZone);
  }
  for (const change of [{ theme: 'pink' }, { locale: '<b>' }, { timeZone: '' }, { more: 1 }, { timeZone: 5 }]) {
    assert.equal(await put(change), 'request_invalid', JSON.stringify(change));
  }
  assert.equal(await put({ timeZone: 'Asia/Hong_Kong', locale: 'zh-Hant' }), 'ok');
  assert.equal((await face.ask('PUT', '/v1/preferences', { json: asBrowser })).json.code, 'not_signed_in');
});

test('A desk finds a client by part of its name, and by how its login or an account number begins', async () => {
  await using opened = await open();
  const { t, face } = opened;
  const { token } = await t.addOperator('dora', ['delivery']);
  await t.addClient('alder.fund');
  await t.addClient('birch');
  const find = async (search: string): Promise<string[]> => {
    const answer = await face.ask('GET', `/v1/clients?search=${encodeURIComponent(search)}`, { token });
    return answer.json.items.map((item: { logins: { login: string }[] }) => item.logins[0]!.login);
  };
  assert.deepEqual(await find('ALDER.f'), ['alder.fund']);
  assert.deepEqual(await find('ient birch'), ['birch']);
  assert.deepEqual(await find('u1002'), ['birch']);
  assert.deepEqual(await find('fund'), ['alder.fund']);
  assert.deepEqual(await find('%'), []);
  assert.deepEqual((await find('client')).sort(), ['alder.fund', 'birch']);
});
