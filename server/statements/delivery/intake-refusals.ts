// The codes that handing something in may be refused with, for the published document of the routes that do.
import { refusals as keyRules } from '../keys/rules.ts';

/** What a key may be refused with: its own faults, and what is on file already. */
export const keyRefusals = [
  ...Object.keys(keyRules),
  'key_registered_elsewhere',
  'key_registered_already',
  'several_keys_not_offered',
  'key_expiry_missing',
];

export const addressRefusals = [
  'address_malformed',
  'address_private',
  'address_unusable',
  'address_too_wide',
  'address_listed',
  'addresses_too_many',
];

/** What anybody may meet who acts on a client's delivery. */
export const deliveryRefusals = ['delivery_not_found', 'delivery_forbidden', 'client_not_named', 'client_not_active'];

export const intakeRefusals = [
  ...deliveryRefusals,
  'sftp_not_elected',
  'nothing_submitted',
  'submissions_too_many',
  'requests_too_many',
];
