// What the server answers when it declines, as something that can be thrown and caught.
import type { Problem as ProblemBody } from '@broadgate/contract';

type Params = ProblemBody['params'];

/** A refusal, or a server that cannot be reached. Its code chooses the reader's words; `detail` is English and never shown. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly code: string;
  readonly params: Params;
  /** The fields that were not taken, each with a JSON Pointer such as `#/body/login`. */
  readonly errors: NonNullable<ProblemBody['errors']>;
  /** What to quote when asking for help. */
  readonly instance: string | undefined;

  constructor(body: Pick<ProblemBody, 'status' | 'code'> & Partial<ProblemBody>) {
    super(body.detail ?? body.code);
    this.status = body.status;
    this.code = body.code;
    this.params = body.params ?? {};
    this.errors = body.errors ?? [];
    this.instance = body.instance;
  }

  /** Whether the same may well be answered in a moment. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 503 || this.status === 502 || this.status === 504;
  }
}

/** No answer came: the network, or the server, is away. */
export const unreachable = (): Problem => new Problem({ status: 0, code: 'unreachable' });

/** Reads what is not an answer of success. */
export async function readProblem(response: Response): Promise<Problem> {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') === true;
  if (!isProblem) return new Problem({ status: response.status, code: response.status >= 502 ? 'outage' : 'internal' });
  try {
    return new Problem((await response.json()) as ProblemBody);
  } catch {
    return unreachable();
  }
}
