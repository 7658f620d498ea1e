// Identity over HTTPS, for everybody: signing in and out, tokens, one-time links, passwords.
import { closed, id } from '@broadgate/contract';
import * as shapes from '@broadgate/contract/identity.ts';
import type { Static } from 'typebox';
import { listRoute, noBody, type Route, route } from '../faces/https/route.ts';
import { formatInstant } from '../kernel/clock.ts';
import { createDeskRoutes } from './desk-https.ts';
import type { Identity, Me, SignIn } from './identity.ts';

const passwordRefusals = ['password_too_short', 'password_too_long', 'password_too_plain'];
const freshRefusals = ['password_wrong', 'sign_in_locked', 'person_only'];
// A password costs the server far more than any other request, so it costs the caller more of its allowance.
const passwordWeight = 20;

/** All routes of identity. */
export const createIdentityRoutes = (parts: { identity: Identity }): Route[] => [
  ...signInRoutes(parts),
  ...createDeskRoutes(parts),
];

const signInRoutes = ({ identity }: { identity: Identity }): Route[] => [
  route({
    method: 'POST',
    path: '/v1/sign-ins',
    operationId: 'signIn',
    tag: 'Sign-in',
    summary: 'Sign in with login and password.',
    who: 'anyone',
    weight: passwordWeight,
    body: shapes.signInRequest,
    answers: { 201: shapes.signedIn },
    refusals: ['sign_in_refused', 'sign_in_locked', 'access_suspended', 'access_ended'],
    async handle({ body, address }) {
      const { login, password, deliver = 'cookie' } = body;
      const { token, actor, expiresAtMs } = await identity.signIn({
        login,
        password,
        origin: { face: 'https', address },
      });
      const me = formatMe(await identity.getMe(actor));
      const expiresAt = formatInstant(expiresAtMs);
      return deliver === 'token'
        ? { status: 201, body: { me, expiresAt, token } }
        : { status: 201, body: { me, expiresAt, token: null }, cookie: { token, expiresAtMs } };
    },
  }),
  route({
    method: 'GET',
    path: '/v1/me',
    operationId: 'getMe',
    tag: 'Sign-in',
    summary: 'Tell who is signed in.',
    who: 'signed_in',
    answers: { 200: shapes.me },
    refusals: ['person_only'],
    handle: async ({ actor }) => ({ status: 200, body: formatMe(await identity.getMe(actor)) }),
  }),
  route({
    method: 'PUT',
    path: '/v1/preferences',
    operationId: 'setPreferences',
    tag: 'Sign-in',
    summary: 'Set your language, time zone and theme; null means as the browser says. They stand in `/v1/me`.',
    who: 'signed_in',
    body: shapes.preferences,
    answers: { 200: shapes.preferences },
    refusals: ['person_only', 'locale_malformed', 'time_zone_unknown'],
    async handle({ actor, body: { locale, timeZone, theme } }) {
      const asked = { locale: locale ?? undefined, timeZone: timeZone ?? undefined, theme };
      return { status: 200, body: formatPreferences(await identity.setPreferences(actor, asked)) };
    },
  }),
  listRoute({
    path: '/v1/sign-ins',
    operationId: 'listSignIns',
    tag: 'Sign-in',
    summary: 'List your own sign-ins and tokens, the newest first.',
    who: 'signed_in',
    item: shapes.signInItem,
    refusals: ['person_only'],
    async handle({ actor, page }) {
      const { items, next } = await identity.listSignIns(actor, page);
      return { items: items.map(formatSignIn), next };
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/sign-ins/current',
    operationId: 'signOut',
    tag: 'Sign-in',
    summary: 'Sign out.',
    who: 'signed_in',
    answers: { 204: noBody },
    refusals: ['person_only'],
    async handle({ actor }) {
      await identity.signOut(actor);
      return { status: 204, cookie: 'clear' };
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/sign-ins/:signInId',
    operationId: 'endSignIn',
    tag: 'Sign-in',
    summary: 'End one of your own sign-ins or tokens at once.',
    who: 'signed_in',
    params: closed({ signInId: id('sign-in') }),
    answers: { 204: noBody },
    refusals: ['person_only', 'sign_in_not_found'],
    async handle({ actor, params }) {
      await identity.endSignIn(actor, params.signInId);
      return { status: 204 };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/tokens',
    operationId: 'createToken',
    tag: 'Sign-in',
    summary: 'Make a token for scripts; the password is asked for afresh.',
    who: 'signed_in',
    weight: passwordWeight,
    body: shapes.tokenRequest,
    answers: { 201: shapes.tokenAnswer },
    refusals: [...freshRefusals, 'token_malformed', 'tokens_too_many'],
    async handle({ actor, body }) {
      const { tokenId, token, expiresAtMs } = await identity.createToken(actor, body);
      return { status: 201, body: { id: tokenId, token, expiresAt: formatInstant(expiresAtMs) } };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/invitations/accept',
    operationId: 'acceptInvitation',
    tag: 'Sign-in',
    summary: 'Set the first or a new password by a one-time link.',
    who: 'anyone',
    weight: passwordWeight,
    body: shapes.invitationAcceptance,
    answers: { 200: shapes.accepted },
    refusals: ['invitation_invalid', 'access_ended', ...passwordRefusals],
    handle: async ({ body, address }) => ({
      status: 200,
      body: await identity.acceptInvitation({ ...body, origin: { face: 'https', address } }),
    }),
  }),
  route({
    method: 'POST',
    path: '/v1/password',
    operationId: 'changePassword',
    tag: 'Sign-in',
    summary: 'Change your own password; every other sign-in and token of yours ends.',
    who: 'signed_in',
    weight: passwordWeight,
    body: shapes.passwordChange,
    answers: { 204: noBody },
    refusals: [...freshRefusals, ...passwordRefusals],
    async handle({ actor, body }) {
      await identity.changePassword(actor, body);
      return { status: 204 };
    },
  }),
];

const formatMe = (me: Me): shapes.Me => ({
  ...me,
  desks: [...me.desks] as shapes.Me['desks'],
  accountNumbers: [...me.accountNumbers],
  signInId: me.signInId ?? null,
  preferences: formatPreferences(me.preferences),
});

const formatPreferences = ({ locale, timeZone, theme }: Me['preferences']): shapes.Preferences => ({
  locale: locale ?? null,
  timeZone: timeZone ?? null,
  theme,
});

const formatSignIn = (signIn: SignIn): Static<typeof shapes.signInItem> => ({
  id: signIn.signInId,
  sort: signIn.sort,
  name: signIn.name ?? null,
  address: signIn.address ?? null,
  isCurrent: signIn.isCurrent,
  createdAt: formatInstant(signIn.createdAtMs),
  usedAt: formatInstant(signIn.usedAtMs),
  expiresAt: formatInstant(signIn.expiresAtMs),
  endedAt: signIn.endedAtMs === undefined ? null : formatInstant(signIn.endedAtMs),
});
