// One request that waits for its reply: answered exactly once, and counted until then.
import { formatStatus, type StatusName } from '@broadgate/sftp';
import { answerThrow } from './answer.ts';

export interface Exchange {
  readonly id: number;
  /** Sends the reply; several parts are one packet. False: the channel is gone, nobody will get it. */
  answer(...parts: Buffer[]): boolean;
  /** Sends what a throw comes to. */
  fail(thrown: unknown): void;
  /** Sends a status of the protocol itself. */
  refuse(status: StatusName, text: string): void;
  ok(): void;
  /** Draft §7: no more data, or no more names. */
  end(): void;
}

export interface ExchangeParts {
  /** Takes the reply; called once. Units: `costBytes` as given at the start. */
  readonly settle: (costBytes: number, parts: readonly Buffer[]) => boolean;
  readonly recordFault: (fault: unknown) => string;
}

/** `costBytes`: what the request makes us keep until its reply is gone. */
export function createExchange(id: number, costBytes: number, parts: ExchangeParts): Exchange {
  let isAnswered = false;
  function settle(...reply: Buffer[]): boolean {
    if (isAnswered) throw new Error(`request ${id} was answered twice`);
    isAnswered = true;
    return parts.settle(costBytes, reply);
  }
  return {
    id,
    answer: settle,
    fail(thrown) {
      // What fails after the answer (a file that would not close) can only be recorded.
      if (isAnswered) {
        parts.recordFault(thrown);
        return;
      }
      const { status, text } = answerThrow(thrown, parts.recordFault);
      settle(formatStatus(id, status, text));
    },
    refuse: (status, text) => void settle(formatStatus(id, status, text)),
    ok: () => void settle(formatStatus(id, 'ok', 'Success')),
    end: () => void settle(formatStatus(id, 'eof', 'End of file')),
  };
}

/** Runs `work` for an exchange; what it throws is the answer. */
export async function attempt(exchange: Exchange, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    exchange.fail(thrown);
  }
}
