// Who may read the records of proof: a client its own, the delivery desk everyone's.
import { type Actor, isAtDesk } from '../../kernel/actor.ts';
import type { Deletion, Deletions, DeletionVerdict } from './deletions.ts';
import type { Receipt, Receipts } from './receipts.ts';
import { refusals } from './rules.ts';

interface Page {
  readonly after?: string | undefined;
  readonly limit: number;
}

export function createProofRecords(parts: { receipts: Receipts; deletions: Deletions }) {
  const { receipts, deletions } = parts;
  return {
    /** Newest first; the desk names the client. Refuses: proof_not_yours. */
    async listReceipts(
      actor: Actor,
      asked: { readonly clientId?: string | undefined },
      page: Page,
    ): Promise<{ items: Receipt[]; next: string | undefined }> {
      const clientId = readableClient(actor, asked.clientId);
      if (clientId === undefined) throw refusals.proof_not_yours();
      return receipts.listOfClient(clientId, { after: page.after, limit: page.limit });
    },

    /** Newest first; the desk may leave the client out to read all. Refuses: proof_not_yours. */
    async listDeletions(
      actor: Actor,
      asked: { readonly clientId?: string | undefined },
      page: Page,
    ): Promise<{ items: Deletion[]; next: string | undefined }> {
      const before = page.after === undefined ? undefined : Number(page.after);
      const { items, next } = await deletions.list(readableClient(actor, asked.clientId), {
        before,
        limit: page.limit,
      });
      return { items, next: next === undefined ? undefined : String(next) };
    },

    /** Recomputes the chain of the whole deletion log, for the desk. Refuses: proof_not_yours. */
    async checkDeletions(actor: Actor): Promise<DeletionVerdict> {
      if (!isAtDesk(actor, 'delivery')) throw refusals.proof_not_yours();
      return deletions.verify();
    },
  };
}

export type ProofRecords = ReturnType<typeof createProofRecords>;

function readableClient(actor: Actor, asked: string | undefined): string | undefined {
  if (actor.kind === 'client') return actor.clientId;
  if (!isAtDesk(actor, 'delivery')) throw refusals.proof_not_yours();
  return asked;
}
