// Why a command ends without doing what it was asked: each sort has its exit code.

/** 0 done, 1 refused, 2 wrongly called, 3 not available. */
export const exitCodes = { done: 0, refused: 1, misuse: 2, unavailable: 3 } as const;

/** The server said no, or a check of ours did. The text says what to do. */
export class Refused extends Error {
  readonly code: string;
  /** What is wrong with single fields. */
  readonly details: readonly string[];
  readonly status: number;

  constructor(code: string, text: string, parts: { details?: readonly string[]; status?: number } = {}) {
    super(text);
    this.code = code;
    this.details = parts.details ?? [];
    this.status = parts.status ?? 0;
  }
}

/** The command was called in a way that it does not know. */
export class Misuse extends Error {}

/** The server does not answer, or says that something it needs is missing now. */
export class Unavailable extends Error {}
