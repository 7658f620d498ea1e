// What the operations desk is declined, and the steps that a series is drawn in.
import { type Actor, isAtDesk } from '../kernel/actor.ts';
import { defineRefusals } from '../kernel/refusal.ts';

export const refusals = defineRefusals({
  operations_only: { kind: 'forbidden', text: 'The machine is looked after at the operations desk.' },
  work_not_failed: {
    kind: 'conflict',
    text: 'This was not given up: it is done, or it runs again already. Read the list anew.',
  },
});

/** Refuses: operations_only. */
export function checkOperations(actor: Actor): void {
  if (!isAtDesk(actor, 'operations')) throw refusals.operations_only();
}

/** Short enough to see something, few enough to draw. Units: ms. */
export const stepMsOf = (hours: number): number => (hours <= 2 ? 60_000 : hours <= 6 ? 180_000 : 600_000);

/** After this a worker that says nothing is shown as silent, and after the second it is forgotten. Units: ms. */
export const silentAfterMs = 60_000;
export const forgottenAfterMs = 600_000;
export const sampledEveryMs = 15_000;
export const samplesKeptMs = 25 * 3_600_000;
