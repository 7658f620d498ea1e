// Single faults that random rounds have found, each where it hurts most: between an effect and its answer.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { pack } from 'tar-stream';
import { systemRandom } from '../../server/kernel/random.ts';
import { isDoubtful, Outage } from '../../server/kernel/refusal.ts';
import { readTar } from '../../server/statements/statements.ts';
import { eventually } from '../eventually.ts';
import { hashOf } from './ledger.ts';
import { openLaboratory } from './laboratory.ts';
import { onConnection } from './people.ts';

const laboratory = await openLaboratory();
const { world, desk, clients } = laboratory;
const life = await world.begin();
after(async () => {
  await life.kill();
  await laboratory[Symbol.asyncDispose]();
});
const [, client] = clients as [unknown, (typeof clients)[number]];
const lateMs = 150;

/** The work meets a commit that takes effect only after its connection was lost. */
async function unanswered(work: () => Promise<unknown>): Promise<void> {
  life.link.answerNoCommit(1, lateMs);
  await assert.rejects(work, (fault) => isDoubtful(fault));
  life.link.heal();
}

test('a statement whose commit was not answered keeps its bytes, and the same request answers with it', async () => {
  const bytes = systemRandom.bytes(5000);
  const asked = {
    ...{ accountNumber: client.accountNumber, kind: 'daily', period: '2026-01-05', fileName: 'a.pdf' },
    requestId: 'unanswered',
  };
  const { issuing, catalog } = life.statements;
  await unanswered(() => issuing.issueStatement(desk.actor, asked, bytes));
  const issued = await eventually(() => issuing.issueStatement(desk.actor, asked, bytes));
  assert.equal(issued.version, 1);
  const reader = await catalog.openPortalCopy(client.actor, issued.statementId);
  assert.ok((await reader.read(0, bytes.length)).equals(bytes));
  await reader.close({ ranges: [], end: 'closed' });
});

test('a run whose acceptance was not answered is executed, and sending it again answers how it stands', async () => {
  const file = systemRandom.bytes(3000);
  const send = () => {
    const tar = pack();
    const row = `${client.accountNumber},daily,2026-01-06,a.pdf,${hashOf(file)}`;
    tar.entry({ name: 'run.csv' }, `account,kind,period,file,sha256\n${row}`);
    tar.entry({ name: 'a.pdf' }, file);
    tar.finalize();
    const files = readTar(tar as AsyncIterable<Uint8Array>);
    return life.statements.runs.startRun(desk.actor, { reference: 'unanswered', isDryRun: false }, files);
  };
  await unanswered(send);
  const again = await eventually(send);
  assert.deepEqual([again.state, again.rows.total], ['running', 1]);
  await life.statements.runs.resume();
  const done = await life.statements.runs.getRun(desk.actor, again.runId);
  assert.deepEqual([done.state, done.rows], ['done', { total: 1, done: 1, failed: 0, waiting: 0 }]);
});

test('a clock that was set back holds up no run that was accepted before', async () => {
  const file = systemRandom.bytes(3000);
  const tar = pack();
  const row = `${client.accountNumber},daily,2026-01-08,a.pdf,${hashOf(file)}`;
  tar.entry({ name: 'run.csv' }, `account,kind,period,file,sha256\n${row}`);
  tar.entry({ name: 'a.pdf' }, file);
  tar.finalize();
  const files = readTar(tar as AsyncIterable<Uint8Array>);
  const { runId } = await life.statements.runs.startRun(desk.actor, { reference: 'set-back', isDryRun: false }, files);
  world.clock.jump(-6 * 3_600_000);
  await life.statements.runs.resume();
  world.clock.jump(6 * 3_600_000);
  assert.equal((await life.statements.runs.getRun(desk.actor, runId)).state, 'done');
});

test('a delivery whose commit was not answered keeps the files that it placed', async () => {
  const bytes = systemRandom.bytes(4000);
  const asked = { accountNumber: client.accountNumber, kind: 'daily', period: '2026-01-07', fileName: 'a.pdf' };
  life.link.answerNoCommit(2, lateMs);
  await life.statements.issuing.issueStatement(desk.actor, { ...asked, requestId: 'placing' }, bytes).catch(() => null);
  life.link.heal();
  const { statementId } = await eventually(() =>
    life.statements.issuing.issueStatement(desk.actor, { ...asked, requestId: 'placing' }, bytes),
  );
  await eventually(async () => (await life.statements.issuing.deliverOne(statementId)).outcome === 'done_before');
  const reader = await life.statements.catalog.openDelivered(client.actor, statementId);
  assert.equal(hashOf(await reader.read(0, reader.file.sizeBytes)), reader.file.sha256);
  await reader.close({ ranges: [], end: 'closed' });
});

test('what was withdrawn while the clock stood ahead is in the deletion log, and its list has no fault', async () => {
  const { issuing, manifests } = life.statements;
  const asked = { accountNumber: client.accountNumber, kind: 'daily', period: '2026-01-09', fileName: 'a.pdf' };
  const bytes = systemRandom.bytes(2000);
  const { statementId } = await issuing.issueStatement(desk.actor, { ...asked, requestId: 'ahead' }, bytes);
  await eventually(async () => (await issuing.deliverOne(statementId)).outcome === 'done_before');
  await manifests.updateManifests();
  world.clock.jump(60 * 24 * 3_600_000);
  await issuing.withdraw(desk.actor, statementId, 'issued by mistake');
  world.clock.jump(-60 * 24 * 3_600_000);
  assert.deepEqual((await manifests.verifyAll()).faults, []);
});

test('an upload goes on after its database was away for a moment, and syncs again', async () => {
  const actor = onConnection(client, world.ids.next());
  const mode = { create: true, exclusive: false, truncate: true };
  const handle = await life.statements.repository.openWrite(actor, '/away.bin', mode);
  const bytes = systemRandom.bytes(9 * 1024 * 1024);
  await handle.write(0, bytes.subarray(0, 1000));
  life.link.refuse();
  // So much at once that a checkpoint is due, which the database does not take.
  await handle.write(1000, bytes.subarray(1000)).catch((fault: unknown) => assert.ok(fault instanceof Outage));
  await assert.rejects(handle.sync(), Outage);
  life.link.heal();
  await eventually(() => handle.write(1000, bytes.subarray(1000)).then(() => true));
  await handle.sync();
  assert.equal((await handle.close()).sha256, hashOf(bytes));
  await life.statements.repository.remove(actor, '/away.bin');
});

test('a clock that jumps a day ahead makes nothing that was just written an orphan', async () => {
  const { blobId } = await life.blobs.put(systemRandom.bytes(100));
  world.clock.jump(30 * 3_600_000);
  await life.statements.retention.sweepOrphans();
  await using reader = await life.blobs.open(blobId);
  assert.equal(reader.sizeBytes, 100);
  world.clock.pass(25 * 3_600_000);
  await life.statements.retention.sweepOrphans();
  await assert.rejects(life.blobs.open(blobId), { sort: 'missing' });
});

test('a disk that is full or read-only is an outage to every caller, and all goes on when it is not', async (t) => {
  const { disk } = world;
  if (disk === undefined) return t.skip('no file system can be mounted here');
  const actor = onConnection(client, world.ids.next());
  const put = async (path: string, bytes: Uint8Array): Promise<void> => {
    const mode = { create: true, exclusive: false, truncate: true };
    const handle = await life.statements.repository.openWrite(actor, path, mode);
    try {
      await handle.write(0, bytes);
      await handle.close();
    } catch (fault) {
      await handle.abort().catch(() => undefined);
      throw fault;
    }
  };
  const asked = { accountNumber: client.accountNumber, kind: 'daily', period: '2026-01-08', fileName: 'a.pdf' };
  const issue = () =>
    life.statements.issuing.issueStatement(desk.actor, { ...asked, requestId: 'disk' }, systemRandom.bytes(2_000_000));
  await put('/before.bin', Buffer.from('before'));
  for (const [breakIt, mendIt] of [
    [() => disk.fill(), disk.empty],
    [() => assert.ok(disk.freeze()), disk.thaw],
  ] as const) {
    breakIt();
    await assert.rejects(put('/new.bin', systemRandom.bytes(300_000)), Outage);
    await assert.rejects(issue, Outage);
    const reader = await life.statements.repository.openRead(actor, '/before.bin');
    assert.equal((await reader.read(0, 100)).toString(), 'before');
    await reader.close({ ranges: [{ startBytes: 0, endBytes: 6 }], end: 'closed' });
    const { entries } = await life.statements.repository.list(actor, '/', { limit: 100 });
    assert.ok(!entries.some(({ name }) => name === 'new.bin'));
    mendIt();
    await put('/new.bin', systemRandom.bytes(300_000));
    await life.statements.repository.remove(actor, '/new.bin');
  }
  await life.statements.repository.remove(actor, '/before.bin');
});
