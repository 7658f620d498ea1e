// The words that every answer of the HTTPS API is made of: ids, instants, pages and problems, for server and browser alike.
import { type Static, type TSchema, Type } from 'typebox';

/** An object that refuses properties it does not declare, on both sides of the wire. */
export const closed = <Properties extends Record<string, TSchema>>(
  properties: Properties,
  options: { title?: string; description?: string; minProperties?: number } = {},
) => Type.Object(properties, { additionalProperties: false, ...options });

/** A value or null; null is always written, so that a reader need not tell "absent" from "none". */
export const nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);

/** One of a fixed set of words. A plain enum, so that a wrong word gives one error and not one a branch. */
export const oneOf = <const Words extends readonly string[]>(words: Words, description?: string) =>
  Type.Unsafe<Words[number]>({
    type: 'string',
    enum: [...words],
    ...(description === undefined ? {} : { description }),
  });

/** Opaque identifier: callers compare and send it back, and read nothing from it. */
export const id = (what: string) =>
  Type.String({ minLength: 36, maxLength: 36, pattern: '^[0-9a-f-]{36}$', description: `Id of the ${what}.` });

/** RFC 3339 in UTC with milliseconds. */
export const instant = (description: string) => Type.String({ format: 'date-time', description });

/** A calendar date, `YYYY-MM-DD`. */
export const date = (description: string) => Type.String({ format: 'date', description });

// Control characters of C0 and C1, line ends, and what turns the direction of text: a terminal obeys them, and a reader is misled.
const unseen = '\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069';

/** Text for people, bounded, without characters that cannot be seen but act. */
export const line = (lengthMax: number, description: string, lengthMin = 1) =>
  Type.String({ minLength: lengthMin, maxLength: lengthMax, pattern: `^[^${unseen}]*$`, description });

/** A whole number of bytes, objects or seconds. */
export const count = (description: string, maximum = Number.MAX_SAFE_INTEGER) =>
  Type.Integer({ minimum: 0, maximum, description });

/** BCP 47 language tag of the languages a client may choose. */
export const locale = Type.String({
  maxLength: 35,
  pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$',
  description: 'Language of notices to this client, e.g. `en` or `pt`.',
});

const params = Type.Record(
  Type.String(),
  Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Array(Type.String())]),
);

/** RFC 9457: how every refusal is answered. The code and the params are the contract; title and detail are help in English. */
export const problem = Type.Object(
  {
    type: Type.String({ description: 'Address of the page that explains this refusal.' }),
    title: Type.String({ description: 'The kind of refusal, in English.' }),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String({ description: 'What happened and what to do, in English. It may change; do not compare it.' }),
    code: Type.String({ pattern: '^[a-z0-9_]+$', description: 'Stable code of the refusal.' }),
    params,
    errors: Type.Optional(
      Type.Array(
        closed({
          pointer: Type.String({
            description: 'JSON Pointer (RFC 6901) to the field, after `#` and the part: body, query, path.',
          }),
          code: Type.String({ description: 'What is wrong with the field, as one word.' }),
          detail: Type.String(),
        }),
        { maxItems: 50 },
      ),
    ),
    instance: Type.String({ description: 'Id of this one answer: quote it when you ask for help.' }),
  },
  { title: 'Problem', additionalProperties: false },
);
export type Problem = Static<typeof problem>;

/** One page of a list; `next` is null at the end. */
export const page = <Item extends TSchema>(item: Item) =>
  closed({
    items: Type.Array(item, { maxItems: 200 }),
    next: nullable(Type.String({ description: 'Send it as `cursor` to read on.' })),
  });
