// Checks requests against their schemas: bodies exactly as sent, query and path with text read as numbers and booleans.
import ajvFormats from 'ajv-formats';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import type { FieldError } from './answer.ts';

const errorsMax = 50;

// NOTE: Fastify's own compiler turns null into 0, "5" into 5 and drops unknown properties without a word.
const exact = new Ajv2020({
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: false,
  allErrors: true,
  strictTypes: false,
});
const fromText = new Ajv2020({
  coerceTypes: true,
  removeAdditional: false,
  useDefaults: true,
  allErrors: true,
  strictTypes: false,
});
for (const ajv of [exact, fromText]) ajvFormats.default(ajv);

/** Chooses the checker by the part of the request. What no database keeps in a text is refused with whatever a schema allows. */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  let compiled: ValidateFunction | undefined;
  const check = (value: unknown): boolean => {
    // When the first request is checked by it, so that a process serves sooner.
    const validate = (compiled ??= (httpPart === 'body' ? exact : fromText).compile(schema));
    if (!validate(value)) check.errors = validate.errors;
    else {
      const at = findNul(value, '');
      check.errors = at === undefined ? undefined : [{ ...nulError, instancePath: at }];
    }
    return !check.errors;
  };
  check.errors = undefined as ErrorObject[] | null | undefined;
  return check;
};

const nulError = {
  keyword: 'pattern',
  schemaPath: '',
  params: {},
  message: 'must not hold the character NUL',
} as const;

/** Where a text holds NUL, as a JSON pointer; undefined where none does. Parsing has bounded how deep it can go. */
function findNul(value: unknown, at: string): string | undefined {
  if (typeof value === 'string') return value.includes('\0') ? at : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    const found = name.includes('\0') ? at : findNul(inner, `${at}/${escapePointer(name)}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

const wordOf: Readonly<Record<string, string>> = {
  type: 'wrong_type',
  required: 'missing',
  additionalProperties: 'unknown',
  enum: 'not_one_of',
  const: 'not_one_of',
  minLength: 'too_short',
  maxLength: 'too_long',
  minItems: 'too_few',
  maxItems: 'too_many',
  minProperties: 'too_few',
  maxProperties: 'too_many',
  minimum: 'too_small',
  maximum: 'too_big',
  pattern: 'malformed',
  format: 'malformed',
  uniqueItems: 'repeated',
};

const partOf: Readonly<Record<string, string>> = { querystring: 'query', params: 'path', headers: 'header' };

/** One entry for each field that was refused. NOTE: the values are not repeated, since they may be secrets. */
export function readFieldErrors(errors: readonly ErrorObject[], httpPart: string): FieldError[] {
  const part = partOf[httpPart] ?? httpPart;
  return errors
    .filter((error) => error.keyword !== 'anyOf' && error.keyword !== 'if')
    .slice(0, errorsMax)
    .map((error) => {
      const params = error.params as {
        missingProperty?: string;
        additionalProperty?: string;
        allowedValues?: string[];
      };
      const last = params.missingProperty ?? params.additionalProperty;
      const pointer = `#/${part}${error.instancePath}${last === undefined ? '' : `/${escapePointer(last).slice(0, 100)}`}`;
      const allowed = params.allowedValues === undefined ? '' : `: ${params.allowedValues.join(', ')}`;
      return {
        pointer,
        code: wordOf[error.keyword] ?? 'malformed',
        detail: `${error.message ?? 'is not valid'}${allowed}`,
      };
    });
}

// RFC 6901 §3: ~ and / are the two characters that a pointer escapes.
const escapePointer = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
