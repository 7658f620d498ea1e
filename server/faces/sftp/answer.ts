// Turns what an operation threw into the status of a reply: the only place that knows which refusal is which status.
// Source: draft-ietf-secsh-filexfer-02 §7.
import type { StatusName } from '@broadgate/sftp';
import { defineRefusals, Outage, Refusal, type RefusalKind } from '../../kernel/refusal.ts';

/** What this face itself declines, whatever the mount would say. */
export const refusals = defineRefusals({
  sftp_handle_unknown: {
    kind: 'invalid',
    text: 'The handle is not open on this channel, or it was closed. Open the file again.',
  },
  sftp_handle_wrong_kind: {
    kind: 'invalid',
    text: 'The handle was not opened for this: open the file for {needed} first.',
  },
  sftp_too_many_handles: {
    kind: 'too_many',
    text: 'More than {limit} files or folders are open. Close some and try again.',
  },
  sftp_open_mode_refused: {
    kind: 'invalid',
    text: 'The file was to be opened neither for reading nor for writing, or to be created or emptied without writing.',
  },
  sftp_links_not_offered: {
    kind: 'unsupported',
    text: 'There are no links here. Copy or rename the file instead.',
  },
  sftp_owner_not_offered: {
    kind: 'unsupported',
    text: 'Owner and group cannot be changed here. Transfer without preserving them.',
  },
  sftp_request_not_offered: {
    kind: 'unsupported',
    text: 'This server does not offer the request {request}.',
  },
  sftp_hash_not_offered: {
    kind: 'unsupported',
    text: 'None of the hashes asked for is offered. Ask for one of {offered}.',
  },
  sftp_hash_blocks_refused: {
    kind: 'invalid',
    text: 'Blocks must have at least {blockBytesMin} bytes and be at most {blocksMax} in number.',
  },
  sftp_copy_onto_itself: {
    kind: 'invalid',
    text: 'A file cannot be copied onto itself in overlapping ranges. Copy to another file.',
  },
  sftp_home_unknown: {
    kind: 'not_found',
    text: 'Only your own home is known here: it is /.',
  },
  sftp_stopping: {
    kind: 'unavailable',
    text: 'The server is being restarted. Connect again in a minute; transfers can be resumed.',
  },
  sftp_out_of_range: { kind: 'invalid', text: 'Out of range: {what}.' },
});

// Version 3 has few codes. What it has no code for is FAILURE, and the text tells; BAD_MESSAGE would blame the program.
const statusOfKind: Readonly<Record<RefusalKind, StatusName>> = {
  unauthenticated: 'permissionDenied',
  forbidden: 'permissionDenied',
  not_found: 'noSuchFile',
  invalid: 'failure',
  conflict: 'failure',
  too_large: 'failure',
  too_many: 'failure',
  unsupported: 'opUnsupported',
  unavailable: 'failure',
};

export interface Answer {
  readonly status: StatusName;
  readonly text: string;
}

/**
 * The answer to a throw. Anything but a Refusal or an Outage is our own fault: `recordFault` keeps it with its stack
 * and gives the incident id, and the client is told that id and nothing else.
 */
export function answerThrow(thrown: unknown, recordFault: (fault: unknown) => string): Answer {
  if (thrown instanceof Refusal) return { status: statusOfKind[thrown.kind], text: thrown.message };
  if (thrown instanceof Outage) {
    const wait = thrown.retryAfterMs === undefined ? 'in a few minutes' : formatWait(thrown.retryAfterMs);
    return { status: 'failure', text: `The server cannot do this just now. Try again ${wait}.` };
  }
  return {
    status: 'failure',
    text: `Internal fault. Tell the broker this incident number: ${recordFault(thrown)}`,
  };
}

const formatWait = (waitMs: number): string => `in ${Math.max(1, Math.ceil(waitMs / 1000))} s`;
