// After the strikes: everything is whole again, callers repeat what nobody answered, and what waited is done.
import { BlobFault } from '../../server/kernel/blobs.ts';
import { eventually } from '../eventually.ts';
import { demand } from './ledger.ts';
import { findKeysLetIn, replaceSshKey } from './people.ts';
import { mendRot } from './strikes.ts';
import { attempt, deliverWaiting, issue, type Round, sendRun, withdraw } from './workload.ts';

const hourMs = 3_600_000;
/** More than a round makes the clock jump ahead for good. */
const daysAheadMax = 5;
/** Within this everything is answered and done again; most of it is waiting for a lost connection to be noticed. */
const recoveredWithinMs = 20_000;

export async function recover(round: Round): Promise<void> {
  round.life.link.heal();
  round.world.disk?.thaw();
  round.world.disk?.empty();
  await noticeRot(round);
  const accepted = new Set<string>();
  await eventually(() => repeatAll(round, accepted), {
    timeoutMs: recoveredWithinMs,
    what: `the end of what was asked for (seed ${round.seed})`,
  });
  for (const client of round.clients) {
    const letIn = await findKeysLetIn(round.world, round.life, client);
    demand(letIn.length === 1, `${letIn.length} keys let ${client.name} in`);
    await replaceSshKey(round.life, round.desk, client);
    demand(
      (await findKeysLetIn(round.world, round.life, client)).length === 1,
      `${client.name} cannot replace its key`,
    );
  }
  const { statements, outbox, audit, database } = round.life;
  await outbox.deliverPending(database);
  // Twice: the sweep takes only what was left a day ago, and a list of a day that is over becomes final.
  for (let day = 0; day < 2; day += 1) {
    // After a jump of days the desk confirms that the clock is right (D-24).
    await statements.retention.confirmClock(round.desk.actor);
    await statements.retention.purge();
    await statements.retention.sweepOrphans();
    await statements.manifests.updateManifests();
    round.world.clock.pass(25 * hourMs);
  }
  // The sweep goes by the time that its process has lived through, which a clock that jumped days ahead is ahead of.
  for (let day = 0; day < daysAheadMax; day += 1) {
    await statements.retention.confirmClock(round.desk.actor);
    await statements.retention.sweepOrphans();
    round.world.clock.pass(25 * hourMs);
  }
  await audit.seal(database);
}

/** A rotten blob that is still named is answered with its fault and with nothing else; then it is restored. */
async function noticeRot(round: Round): Promise<void> {
  const rows = await round.world.sql<{ blobId: string }>`
    select blobs_in_use as "blobId" from blobs_in_use(${[...round.rotten]}::text[])`;
  const named = new Set(rows.map(({ blobId }) => blobId));
  for (const blobId of named) {
    const fault = await readWhole(round, blobId).catch((thrown: unknown) => thrown);
    demand(fault instanceof BlobFault, `the rotten blob ${blobId} was read without a fault`);
  }
  mendRot((blobId) => named.has(blobId));
  round.rotten.clear();
}

async function readWhole(round: Round, blobId: string): Promise<void> {
  await using reader = await round.life.blobs.open(blobId);
  for await (const piece of reader.stream()) demand(piece.length > 0, 'an empty piece was read');
}

/** Shape: true when every request has its answer and every run is done. */
async function repeatAll(round: Round, accepted: Set<string>): Promise<boolean> {
  for (const asked of round.statements) {
    if (!asked.isOfRun && asked.statementId === undefined) await issue(round, asked);
    if (asked.withdrawn === 'maybe') await withdraw(round, asked);
    if (asked.isOfRun && !accepted.has(asked.reference) && (await sendRun(round, asked.reference))) {
      accepted.add(asked.reference);
    }
  }
  await attempt(round, 'runs', ({ statements }) => statements.runs.resume());
  await attempt(round, 'waiting', deliverWaiting);
  const references = new Set(round.statements.filter(({ isOfRun }) => isOfRun).map(({ reference }) => reference));
  const runs = await round.world.sql<{ reference: string; state: string }>`
    select reference, state from runs where reference = any(${[...references]}::text[])`;
  const areRunsDone = runs.length === references.size && runs.every(({ state }) => state === 'done');
  const isWaiting = await round.world.sql`select 1 from deliveries where state = 'waiting'
    and statement_id in (select id from statements where withdrawn_at_ms is null) limit 1`;
  return (
    areRunsDone &&
    isWaiting.length === 0 &&
    round.statements.every(({ isOfRun, statementId, withdrawn }) => (isOfRun || statementId) && withdrawn !== 'maybe')
  );
}
