// The operations that the face answers by itself: the caller's own address, and what a refusal code means.
import { callerAddress } from '@broadgate/contract/identity.ts';
import { closed } from '@broadgate/contract';
import { Type } from 'typebox';
import { statusOfKind } from './answer.ts';
import { collectCodes, type RefusalSets } from './openapi.ts';
import { type Route, route } from './route.ts';
import { refusals } from './rules.ts';

/** Codes that no operation throws: the face writes them for an outage and for a fault. */
const faceCodes: Readonly<Record<string, { status: number; text: string }>> = {
  outage: { status: 503, text: 'Something this needs is not available. Try again after Retry-After.' },
  internal: { status: 500, text: 'Something went wrong on our side. Quote `instance` when you ask for help.' },
};

/** The face's own operations, first in the document. */
export function ownRoutes(sets: RefusalSets): Route[] {
  const codes = collectCodes(sets);
  return [
    route({
      method: 'GET',
      path: '/v1/address',
      operationId: 'getOwnAddress',
      tag: 'About this service',
      summary: 'Tell the public address that this request came from.',
      who: 'anyone',
      answers: { 200: callerAddress },
      refusals: [],
      handle: async ({ address }) => ({ status: 200, body: { address } }),
    }),
    route({
      method: 'GET',
      path: '/v1/refusals/:code',
      operationId: 'getRefusal',
      tag: 'About this service',
      summary: 'Explain a refusal code; this is where the `type` of a problem leads.',
      who: 'anyone',
      params: closed({ code: Type.String({ pattern: '^[a-z0-9_]{1,64}$' }) }),
      answers: { 200: closed({ code: Type.String(), status: Type.Integer(), text: Type.String() }) },
      refusals: ['no_such_refusal'],
      async handle({ params: { code } }) {
        const row = codes.get(code);
        const found = row ? { status: statusOfKind(row.kind), text: row.text } : faceCodes[code];
        if (!found || !(codes.has(code) || Object.hasOwn(faceCodes, code))) throw refusals.no_such_refusal({ code });
        return { status: 200, body: { code, ...found } };
      },
    }),
  ];
}
