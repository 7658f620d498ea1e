// The events that statements record in the outbox, with what each says. Consequences hang on them; names never change meaning.

export const events = {
  /** {statementId, clientId, path, sha256, sizeBytes, isEncrypted}: one delivered file lies in the repository. */
  statementPlaced: 'statement.placed',
  /** {runId, reference, rows, failed}: every row of a run was issued or failed, and placed as far as it can be. */
  runEnded: 'run.ended',
} as const;
