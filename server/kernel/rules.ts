// What the kernel declines: faults of the installation that whoever runs it can mend. Texts name the folder and the way out.
import { defineRefusals } from './refusal.ts';

export const refusals = defineRefusals({
  postgres_not_shipped: {
    kind: 'unsupported',
    text: 'No PostgreSQL comes with Broadgate for {platform}. Install PostgreSQL 15 or newer and set BROADGATE_DATABASE_URL.',
  },
  postgres_not_runnable: {
    kind: 'unsupported',
    text: 'The PostgreSQL that comes with Broadgate does not run here: {reason}. Start Broadgate as an ordinary user, or set BROADGATE_DATABASE_URL.',
  },
  postgres_other_major: {
    kind: 'conflict',
    text: '{folder} was written by PostgreSQL {found}; this release brings {expected}. Make a backup with the release that wrote it, then restore it into an empty data folder with this one.',
  },
  folder_in_use: {
    kind: 'conflict',
    text: 'Another Broadgate (process {pid}) works in {folder}. Stop it, or give this one another BROADGATE_DATA_DIR.',
  },
  folder_not_writable: {
    kind: 'invalid',
    text: '{folder} cannot be written: {reason}. Give it to the user that runs Broadgate, or set another BROADGATE_DATA_DIR.',
  },
  folder_of_another_user: {
    kind: 'conflict',
    text: '{folder} belongs to user id {owner}, and this process runs as {self}. Start Broadgate as that user, or give the folder away with chown -R.',
  },
  migration_changed: {
    kind: 'conflict',
    text: 'Migration {name} was applied to this database with other contents than this release holds. Use the release that the database came from, or restore a backup.',
  },
  migration_unknown: {
    kind: 'conflict',
    text: 'This database was migrated by a newer release: it holds {name}, which this one does not know. Use that release.',
  },
  event_not_dead: {
    kind: 'conflict',
    text: 'Event {event} was not given up: it is done, waiting, or unknown. List the ones that were with doctor.',
  },
  blob_busy: {
    kind: 'conflict',
    text: 'This file is still being written over another connection. Close that one, or wait until it is given up, and try again.',
  },
  master_key_invalid: {
    kind: 'invalid',
    text: 'The master key is not 32 bytes as hex or base64, one key a line. Make one with: openssl rand -hex 32',
  },
  master_key_wrong: {
    kind: 'conflict',
    text: 'This database was made with master key {wanted}, and the one given is {given}. Give Broadgate the master key that belongs to it.',
  },
  backup_folder_not_empty: {
    kind: 'conflict',
    text: '{folder} is not empty. Name a folder that does not exist yet: a backup is never written over another.',
  },
  backup_already_running: {
    kind: 'conflict',
    text: 'A backup, or the removal of expired files, is running now. Try again in a few minutes.',
  },
  backup_incomplete: {
    kind: 'invalid',
    text: '{folder} holds no manifest that can be read: it is no backup, or one that was not finished. Use another.',
  },
  backup_damaged: {
    kind: 'invalid',
    text: '{file} is not as it was when the backup was made. Nothing was restored. Use another copy of the backup.',
  },
  restore_not_empty: {
    kind: 'conflict',
    text: '{what} is not empty. A backup is restored only into a new installation: give an empty data folder and database.',
  },
});
