// The texts that data ask for: every refusal that a person can meet, every notice, every reason of a refused connection, every word of the contract.
import * as contract from '@broadgate/contract/delivery.ts';
import { noticeKinds } from '@broadgate/contract/notices.ts';
import * as identity from '@broadgate/contract/identity.ts';
import * as operations from '@broadgate/contract/operations.ts';
import * as statements from '@broadgate/contract/statements.ts';
import { refusals as face } from '../server/faces/https/rules.ts';
import { type RefusalTable, refusalTable } from '../server/kernel/refusal.ts';
import { refusalSets } from '../server/refusal-sets.ts';
import { refusalReasons } from '../server/statements/connections/rules.ts';
import type { NeededId } from './language-check.ts';

/** Said at the start or by a command on the machine itself, in English, and never answered to a page. */
const saidOnTheMachine = [
  'address_needs_tls',
  'backup_already_running',
  'backup_damaged',
  'backup_folder_not_empty',
  'backup_incomplete',
  'certificate_unusable',
  'event_not_dead',
  'folder_in_use',
  'folder_not_writable',
  'folder_of_another_user',
  'master_key_invalid',
  'master_key_wrong',
  'migration_changed',
  'migration_unknown',
  'postgres_not_runnable',
  'postgres_not_shipped',
  'postgres_other_major',
  'restore_not_empty',
];

/** Words that people see, by the name they have in `word.<name>.<value>`. */
function wordFamilies(): Readonly<Record<string, readonly string[]>> {
  const { deliveryState, sshKey, certificate, address, request, endingKey } = contract;
  return {
    connection_state: contract.connectionStates,
    request_state: [...contract.requestStates, 'unfinished'],
    request_kind: contract.requestKinds,
    decline_code: contract.declineCodes,
    system: contract.systems,
    command_step: contract.commandSteps,
    encryption: wordsOf(deliveryState.properties.encryption),
    ssh_key_state: wordsOf(sshKey.properties.state),
    certificate_state: wordsOf(certificate.properties.state),
    purpose: wordsOf(certificate.properties.purpose),
    address_state: wordsOf(address.properties.state),
    request_channel: wordsOf(request.properties.channel),
    key_sort: wordsOf(endingKey.properties.sort),
    channel: Object.keys(deliveryState.properties.channels.properties),
    desk: identity.deskWords,
    client_kind: identity.clientKinds,
    client_state: identity.clientStates,
    operator_state: wordsOf(identity.operator.properties.state),
    who: wordsOf(identity.me.properties.kind),
    theme: identity.themes,
    sign_in_sort: wordsOf(identity.signInItem.properties.sort),
    statement_state: wordsOf(statements.statement.properties.state),
    receipt_form: wordsOf(statements.receipt.properties.form),
    face: wordsOf(statements.receipt.properties.face),
    timeline_step: wordsOf(statements.timelineStep.properties.step),
    entry_kind: wordsOf(statements.entry.properties.kind),
    entry_origin: wordsOf(statements.entry.properties.origin),
    run_state: wordsOf(statements.run.properties.state),
    run_row_state: wordsOf(statements.runRow.properties.state),
    work_sort: wordsOf(operations.failedWork.properties.sort),
    check_state: wordsOf(operations.health.properties.checks.items.properties.state),
    deletion_what: wordsOf(statements.deletion.properties.what),
    deletion_why: wordsOf(statements.deletion.properties.why),
  };
}

const wordsOf = (schema: unknown): readonly string[] => (schema as { enum: readonly string[] }).enum;

export function readNeededIds(): NeededId[] {
  const tables = [face, ...refusalSets].map((set) => set[refusalTable] as RefusalTable);
  const codes = tables.flatMap((table) => Object.entries(table));
  return [
    ...codes
      .filter(([code]) => !saidOnTheMachine.includes(code))
      .map(([code, { text }]) => ({
        id: `refusal.${code}`,
        where: `the refusal ${code}`,
        variables: [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!),
      })),
    ...noticeKinds.map((kind) => ({ id: `notice.${kind}`, where: `the notice ${kind}` })),
    ...refusalReasons.flatMap((reason) =>
      ['cause', 'advice'].map((part) => ({
        id: `reason.${reason}.${part}`,
        where: `the ${part} of a connection refused for ${reason}`,
      })),
    ),
    ...Object.entries(wordFamilies()).flatMap(([family, words]) =>
      words.map((word) => ({ id: `word.${family}.${word}`, where: `the word ${word} of ${family}` })),
    ),
  ];
}
