// The tone in which each state is drawn on the pages of the desk.
import type {
  DeliveryAddress,
  Delivery,
  OpenPgpKey,
  Run,
  RunRow,
  SshKey,
  Statement,
  Client,
} from '../api/operations.ts';
import type { Tone } from '../design/tone.ts';

export const requestTones = { open: 'wait', in_work: 'wait', done: 'good', refused: 'bad' } as const;

export const connectionTones: Readonly<Record<Delivery['connection']['state'], Tone>> = {
  none: 'quiet',
  elected: 'wait',
  waiting_for_keys: 'wait',
  checking: 'wait',
  refused: 'bad',
  waiting_for_confirmation: 'wait',
  waiting_for_approval: 'wait',
  configured: 'good',
  proven: 'good',
  suspended: 'warn',
  closed: 'quiet',
};

export const sshKeyTones: Readonly<Record<SshKey['state'], Tone>> = {
  submitted: 'wait',
  refused: 'bad',
  checked: 'wait',
  confirmed: 'wait',
  approved: 'wait',
  active: 'good',
  replaced: 'quiet',
  revoked: 'quiet',
  expired: 'warn',
};

export const certificateTones: Readonly<Record<OpenPgpKey['state'], Tone>> = {
  submitted: 'wait',
  refused: 'bad',
  checked: 'wait',
  confirmed: 'wait',
  imported: 'good',
  enabled: 'good',
  expiring: 'warn',
  expired: 'warn',
  replaced: 'quiet',
  revoked: 'quiet',
};

export const addressTones: Readonly<Record<DeliveryAddress['state'], Tone>> = {
  submitted: 'wait',
  confirmed: 'wait',
  approved: 'wait',
  active: 'good',
  removed: 'quiet',
};

export const clientTones: Readonly<Record<Client['state'], Tone>> = {
  active: 'good',
  suspended: 'warn',
  closed: 'quiet',
};

export const statementTones: Readonly<Record<Statement['state'], Tone>> = {
  available: 'good',
  expired: 'quiet',
  withdrawn: 'bad',
};

export const runTones: Readonly<Record<Run['state'], Tone>> = {
  receiving: 'wait',
  refused: 'bad',
  checked: 'good',
  running: 'wait',
  done: 'good',
};

export const runRowTones: Readonly<Record<RunRow['state'], Tone>> = {
  waiting: 'wait',
  issued: 'good',
  failed: 'bad',
  refused: 'bad',
};
