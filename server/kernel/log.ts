// Structured logs: one JSON object a line, with secrets masked by their type, wherever they are printed.
import { inspect } from 'node:util';
import { pino } from 'pino';
import { Outage, Refusal } from './refusal.ts';

const mask = '[secret]';

/** A text that no printing reveals: not templates, not JSON, not the inspector, not an error that holds it. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself, at the one place that needs it. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return mask;
  }

  toJSON(): string {
    return mask;
  }

  [Symbol.toPrimitive](): string {
    return mask;
  }

  [inspect.custom](): string {
    return mask;
  }
}

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(text: string, fields?: LogFields): void;
  info(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
  /** Logs a fault at the level that its sort asks for: a refusal is news, an outage a warning, anything else our error. */
  fault(text: string, fault: unknown, fields?: LogFields): void;
  /** A log that adds these fields to every line. */
  with(fields: LogFields): Log;
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Opens a log. The destination defaults to standard output, written at once so that a crash loses nothing. */
export function createLog(options: { level?: LogLevel; destination?: { write(line: string): void } } = {}): Log {
  const target = options.destination ?? pino.destination({ fd: 1, sync: true });
  const root = pino(
    {
      level: options.level ?? 'info',
      base: { pid: process.pid },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'text',
      serializers: { fault: describeFault },
    },
    target,
  );
  return wrap(root);
}

function wrap(inner: pino.Logger): Log {
  return {
    debug: (text, fields) => inner.debug(fields ?? {}, text),
    info: (text, fields) => inner.info(fields ?? {}, text),
    warn: (text, fields) => inner.warn(fields ?? {}, text),
    error: (text, fields) => inner.error(fields ?? {}, text),
    fault(text, fault, fields) {
      const level = fault instanceof Refusal ? 'info' : fault instanceof Outage ? 'warn' : 'error';
      inner[level]({ ...fields, fault }, text);
    },
    with: (fields) => wrap(inner.child(fields)),
  };
}

/** A log that drops everything, for tests that do not look at it. */
export const silentLog: Log = createLog({ level: 'silent' });

/**
 * What a log line says of a fault: sort, code, stack and causes. The database's `detail` and `where` are left out, since
 * they quote rows, and a refusal has no stack because nothing went wrong.
 */
export function describeFault(fault: unknown, depth = 0): unknown {
  if (!(fault instanceof Error)) return inspect(fault, { depth: 2, maxStringLength: 500 });
  const { code } = fault as { code?: unknown };
  return {
    sort: fault.name,
    message: fault.message,
    ...(code === undefined ? {} : { code }),
    ...(fault instanceof Refusal ? { params: fault.params } : { stack: fault.stack }),
    ...(fault.cause !== undefined && depth < 4 ? { cause: describeFault(fault.cause, depth + 1) } : {}),
  };
}
