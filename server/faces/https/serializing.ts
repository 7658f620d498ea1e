// Writes answers by their schemas. Each is compiled when the first answer is written by it, so that a process serves sooner.
import { SerializerSelector } from '@fastify/fast-json-stringify-compiler';

const select = SerializerSelector();

/** As Fastify asks for it: gives a compiler, which is given the schema of one status of one route. */
export const buildSerializer: typeof select = (schemas, options) => {
  const compile = select(schemas, options);
  return (route) => {
    let write: ReturnType<typeof compile> | undefined;
    return (value) => (write ??= compile(route))(value);
  };
};
