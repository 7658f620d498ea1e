// Issuing one statement: once, under its own name, in the form that the client chose, and never in clear against it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BlobStore } from '../../kernel/blobs.ts';
import { makeCertificate, openGnupgHome } from '../../../test/openpgp-people.ts';
import { collect, openStatementWorld, type StatementWorld } from '../../../test/statement-world.ts';

const dayMs = 24 * 3_600_000;
const daily = { kind: 'daily', period: '2026-11-23', fileName: 'activity.csv' };

async function filesOf(world: StatementWorld, actor: Parameters<typeof world.statements.repository.list>[0]) {
  const { entries } = await world.statements.repository.list(actor, '/', { limit: 500 });
  return entries.filter((entry) => entry.kind === 'file').map((entry) => entry.name);
}

async function bytesOf(
  world: StatementWorld,
  actor: Parameters<typeof world.statements.repository.list>[0],
  path: string,
) {
  const reader = await world.statements.repository.openRead(actor, path);
  const bytes = await collect(reader.stream({ start: 0, end: reader.file.sizeBytes }));
  await reader.close({ ranges: [], end: 'closed' });
  return bytes;
}

test('EN-04: a delivered file decrypts with the client key in GnuPG, and its signature by the broker is good', async () => {
  await using world = await openStatementWorld({ startMs: Date.now() });
  using home = openGnupgHome();
  home.gpg(['--import'], world.statements.brokerKey.certificate);
  const { actor, clientId, accountNumber } = await world.addClient();
  const certificate = await makeCertificate(home, 'Fund', world.clock.nowMs());
  world.elect(clientId, { encryption: 'on', certificates: [certificate] });
  const small = Buffer.from('Trades,Data,BTC,1\n'.repeat(500));
  const large = Buffer.alloc(6 * 1024 * 1024, 'positions');
  for (const [fileName, bytes] of [
    ['a.csv', small],
    ['b.pdf', large],
  ] as const) {
    const { statementId, name } = await world.statements.issuing.issueStatement(
      world.desk,
      { ...daily, fileName, accountNumber },
      bytes,
    );
    const opened = home.open(await bytesOf(world, actor, `/${name}.pgp`));
    assert.ok(opened.data.equals(bytes));
    assert.equal(opened.goodSignatureBy, world.statements.brokerKey.fingerprint);
    const statement = await world.statements.catalog.getStatement(actor, statementId);
    assert.ok(statement.delivery?.state === 'placed' && statement.delivery.isEncrypted);
    assert.equal(statement.delivery.subkeyId, certificate.subkeyId);
  }
  // Nothing of it lies there in clear, beside the form that was asked for.
  assert.ok((await filesOf(world, actor)).every((name) => name.endsWith('.pgp')));
});

test('a file delivered in clear has a detached signature beside it that GnuPG finds good', async () => {
  await using world = await openStatementWorld({ startMs: Date.now() });
  using home = openGnupgHome();
  home.gpg(['--import'], world.statements.brokerKey.certificate);
  const { actor, clientId, accountNumber } = await world.addClient();
  world.elect(clientId);
  const bytes = Buffer.from('NAV,1\n');
  const { name } = await world.statements.issuing.issueStatement(world.desk, { ...daily, accountNumber }, bytes);
  const signature = await bytesOf(world, actor, `/${name}.sig`);
  assert.equal(home.verify(signature, await bytesOf(world, actor, `/${name}`)), world.statements.brokerKey.fingerprint);
});

test('D-27: a correction is a new version beside the first, and no number of it is used again', async () => {
  await using world = await openStatementWorld();
  const { issuing } = world.statements;
  const { actor, clientId, accountNumber } = await world.addClient('U7654321');
  world.elect(clientId);
  const issue = (text: string) => issuing.issueStatement(world.desk, { ...daily, accountNumber }, Buffer.from(text));
  const first = await issue('one');
  assert.match(first.name, /^[0-9a-z]{6}_daily_20261123\.csv$/);
  assert.ok(!first.name.includes('7654321'));
  const second = await issue('two');
  assert.equal(second.name, first.name.replace('.csv', '_v2.csv'));
  await issuing.withdraw(world.desk, second.statementId, 'wrong file');
  const third = await issue('three');
  assert.equal(third.version, 3);
  assert.deepEqual(
    (await filesOf(world, actor)).filter((name) => !name.endsWith('.sig')),
    [first.name, third.name],
  );
  const many = await Promise.all(Array.from({ length: 5 }, (_, index) => issue(`at once ${index}`)));
  assert.deepEqual(new Set(many.map((one) => one.version)), new Set([4, 5, 6, 7, 8]));
});

test('the same request issues once, answers the same, and another request under its id is refused', async () => {
  await using world = await openStatementWorld();
  const { issuing, catalog } = world.statements;
  const { actor, accountNumber } = await world.addClient();
  const asked = { ...daily, accountNumber, requestId: 'r-1' };
  const first = await issuing.issueStatement(world.desk, asked, Buffer.from('one'));
  assert.deepEqual(await issuing.issueStatement(world.desk, asked, Buffer.from('one')), first);
  await assert.rejects(issuing.issueStatement(world.desk, asked, Buffer.from('two')), { code: 'request_key_reused' });
  assert.equal((await catalog.listStatements(actor, {}, { limit: 10 })).items.length, 1);
  const blobs: string[] = [];
  for await (const blob of world.blobs.list()) blobs.push(blob.blobId);
  assert.equal(blobs.length, 1);
});

test('what cannot be issued is refused with its reason and leaves nothing behind', async () => {
  await using world = await openStatementWorld();
  const { issuing } = world.statements;
  const { actor, accountNumber } = await world.addClient();
  const cases = [
    [{ accountNumber: 'U0' }, 'x', 'account_unknown'],
    [{ kind: 'Daily' }, 'x', 'statement_kind_invalid'],
    [{ period: '2026-02-30' }, 'x', 'statement_period_invalid'],
    [{ fileName: 'a.pgp' }, 'x', 'statement_extension_invalid'],
    [{}, '', 'statement_empty'],
    [{ sha256: '0'.repeat(64) }, 'x', 'statement_hash_differs'],
  ] as const;
  for (const [changed, text, code] of cases) {
    await assert.rejects(
      issuing.issueStatement(world.desk, { ...daily, accountNumber, ...changed }, Buffer.from(text)),
      { code },
    );
  }
  for (const stranger of [actor, { ...world.desk, desks: ['service'] } as const]) {
    await assert.rejects(issuing.issueStatement(stranger, { ...daily, accountNumber }, Buffer.from('x')), {
      code: 'issuing_not_yours',
    });
    await assert.rejects(issuing.withdraw(stranger, world.ids.next(), 'x'), { code: 'issuing_not_yours' });
  }
  for await (const blob of world.blobs.list()) assert.fail(`blob ${blob.blobId} was left behind`);
});

test('D-26: without a usable key a statement waits in the portal, and gets its 100 days from the day it is placed', async () => {
  await using world = await openStatementWorld({ startMs: Date.now() });
  using home = openGnupgHome();
  const { issuing, catalog } = world.statements;
  const { actor, clientId, accountNumber } = await world.addClient();
  world.elect(clientId, { encryption: 'on' });
  const bytes = Buffer.from('secret holdings');
  const { statementId, name } = await issuing.issueStatement(world.desk, { ...daily, accountNumber }, bytes);
  const second = await issuing.issueStatement(world.desk, { ...daily, accountNumber }, bytes);
  assert.deepEqual(await filesOf(world, actor), []);
  const waiting = await catalog.getStatement(actor, statementId);
  assert.equal(waiting.delivery?.state === 'waiting' && waiting.delivery.waitsFor, 'usable_key');
  assert.equal(waiting.expiresAtMs, undefined);
  const portal = await catalog.openPortalCopy(actor, statementId);
  assert.deepEqual(await portal.read(0, 100), bytes);
  await portal.close({ ranges: [], end: 'closed' });
  const person = { ...actor, loginId: 'l', origin: { face: 'https' } } as const;
  const notices = await world.messages.listNotices(person, { limit: 10 });
  assert.deepEqual(
    notices.items.map((notice) => notice.kind),
    ['statements_waiting'],
  );

  world.clock.advance(30 * dayMs);
  assert.deepEqual(
    await world.statements.tasks['statements:deliver_waiting'](
      { clientId },
      { number: 1, isLast: false, signal: AbortSignal.timeout(60_000) },
    ),
    undefined,
  );
  assert.deepEqual(await filesOf(world, actor), []);
  world.elect(clientId, { encryption: 'on', certificates: [await makeCertificate(home, 'Late', world.clock.nowMs())] });
  await world.statements.tasks['statements:deliver_waiting'](
    { clientId },
    { number: 1, isLast: false, signal: AbortSignal.timeout(60_000) },
  );
  assert.deepEqual(await filesOf(world, actor), [`${name}.pgp`, `${second.name}.pgp`].sort());
  const placed = await catalog.getStatement(actor, statementId);
  assert.equal(placed.expiresAtMs, world.clock.nowMs() + 100 * dayMs);
});

test('EN-05: a file that cannot be encrypted is not published in clear, and goes out once it can be', async () => {
  await using world = await openStatementWorld({ startMs: Date.now() });
  using home = openGnupgHome();
  const { actor, clientId, accountNumber } = await world.addClient();
  const good = await makeCertificate(home, 'Good', world.clock.nowMs());
  const bad = {
    ...good,
    recipient: { ...good.recipient, key: { ...good.recipient.key, point: 'AAAA' } },
  } as typeof good;
  world.elect(clientId, { encryption: 'on', certificates: [bad] });
  const { statementId, name } = await world.statements.issuing.issueStatement(
    world.desk,
    { ...daily, accountNumber },
    Buffer.from('secret'),
  );
  assert.deepEqual(await filesOf(world, actor), []);
  assert.equal((await world.statements.catalog.getStatement(actor, statementId)).delivery?.state, 'waiting');
  world.elect(clientId, { encryption: 'on', certificates: [good] });
  await world.statements.issuing.deliverOne(statementId);
  assert.deepEqual(await filesOf(world, actor), [`${name}.pgp`]);
});

test('SF-11: what is issued between election and set-up arrives when the connection is configured', async () => {
  await using world = await openStatementWorld();
  const { actor, clientId, accountNumber } = await world.addClient();
  world.elect(clientId, { connectionState: 'waiting_for_keys' });
  const { name } = await world.statements.issuing.issueStatement(
    world.desk,
    { ...daily, accountNumber },
    Buffer.from('x'),
  );
  assert.deepEqual(await filesOf(world, actor), []);
  world.elect(clientId);
  await world.statements.tasks['statements:deliver_waiting'](
    { clientId },
    { number: 1, isLast: false, signal: AbortSignal.timeout(60_000) },
  );
  assert.deepEqual(await filesOf(world, actor), [name, `${name}.sig`]);
});

test('a withdrawn statement is gone for the client everywhere, its receipts stay, and the client is told', async () => {
  await using world = await openStatementWorld();
  const { issuing, catalog, repository, records } = world.statements;
  const { actor, clientId, accountNumber } = await world.addClient();
  world.elect(clientId);
  const { statementId, name } = await issuing.issueStatement(
    world.desk,
    { ...daily, accountNumber },
    Buffer.from('wrong'),
  );
  const reader = await repository.openRead(actor, `/${name}`, { keyFingerprint: 'SHA256:key' });
  await reader.read(0, 5);
  await reader.close({ ranges: [{ startBytes: 0, endBytes: 5 }], end: 'closed' });
  await issuing.withdraw(world.desk, statementId, 'of another account');
  await assert.rejects(issuing.withdraw(world.desk, statementId, 'again'), { code: 'statement_withdrawn_already' });
  assert.deepEqual(await filesOf(world, actor), []);
  await assert.rejects(catalog.getStatement(actor, statementId), { code: 'statement_not_found' });
  await assert.rejects(catalog.openPortalCopy(actor, statementId), { code: 'statement_not_found' });
  assert.deepEqual((await catalog.listStatements(actor, {}, { limit: 10 })).items, []);
  const steps = await catalog.getTimeline(world.desk, statementId);
  assert.deepEqual(
    steps.map((step) => step.step),
    ['issued', 'published', 'fetched', 'withdrawn'],
  );
  const { items: receipts } = await records.listReceipts(actor, {}, { limit: 10 });
  assert.deepEqual(
    receipts.map((receipt) => [receipt.statementId, receipt.keyFingerprint, receipt.address, receipt.isWhole]),
    [[statementId, 'SHA256:key', '203.0.113.7', true]],
  );
  const person = { ...actor, loginId: 'l', origin: { face: 'https' } } as const;
  const notices = await world.messages.listNotices(person, { limit: 10 });
  assert.ok(notices.items.some((notice) => notice.kind === 'statement_withdrawn'));
  // The wrong file is not brought back by anything that delivers.
  await issuing.deliverOne(statementId);
  assert.deepEqual(await filesOf(world, actor), []);
});

test('a test file goes the same way as a statement, and only where there is a way', async () => {
  await using world = await openStatementWorld();
  const { issuing, catalog } = world.statements;
  const { actor, clientId } = await world.addClient();
  await assert.rejects(issuing.issueTestFile(actor, {}), { code: 'test_file_not_possible' });
  world.elect(clientId, { connectionState: 'waiting_for_keys' });
  await assert.rejects(issuing.issueTestFile(world.desk, { clientId }), { code: 'test_file_not_possible' });
  world.elect(clientId);
  const { statementId, name } = await issuing.issueTestFile(actor, { requestId: 't' });
  assert.deepEqual(
    await issuing.issueTestFile(actor, { requestId: 't' }).then((again) => again.statementId),
    statementId,
  );
  assert.match(name, /_test_\d{8}\.txt$/);
  assert.deepEqual(await filesOf(world, actor), [name, `${name}.sig`]);
  assert.equal((await catalog.getStatement(actor, statementId)).kind, 'test');
});

test('EN-20: a document is named, encrypted and kept as a statement is', async () => {
  await using world = await openStatementWorld({ startMs: Date.now() });
  using home = openGnupgHome();
  home.gpg(['--import'], world.statements.brokerKey.certificate);
  const { actor, clientId, accountNumber } = await world.addClient();
  world.elect(clientId, { encryption: 'on', certificates: [await makeCertificate(home, 'Doc', world.clock.nowMs())] });
  const asked = {
    accountNumber,
    kind: 'document',
    period: '2026-11-24',
    fileName: 'Terms of business.pdf',
    title: 'Terms of business',
  };
  const { name } = await world.statements.issuing.issueStatement(world.desk, asked, Buffer.from('%PDF-1.7 terms'));
  assert.equal(home.open(await bytesOf(world, actor, `/${name}.pgp`)).data.toString(), '%PDF-1.7 terms');
});

test('with the blob store failing while a form is stored the statement waits, and is placed by the next try', async () => {
  let failing = false;
  const around = (blobs: BlobStore): BlobStore => ({
    ...blobs,
    put: (bytes) => (failing ? Promise.reject(new Error('the disk failed')) : blobs.put(bytes)),
  });
  await using world = await openStatementWorld({ around });
  const { actor, clientId, accountNumber } = await world.addClient();
  const { statementId, name } = await world.statements.issuing.issueStatement(
    world.desk,
    { ...daily, accountNumber },
    Buffer.from('x'),
  );
  await world.database.sql`insert into deliveries (statement_id, client_id, state, waits_for, waiting_since_ms)
    values (${statementId}, ${clientId}, 'waiting', 'encryption', 0)`;
  world.elect(clientId);
  failing = true;
  assert.equal((await world.statements.issuing.deliverOne(statementId)).outcome, 'waits');
  failing = false;
  assert.equal((await world.statements.issuing.deliverOne(statementId)).outcome, 'placed');
  assert.equal((await world.statements.issuing.deliverOne(statementId)).outcome, 'done_before');
  assert.deepEqual(await filesOf(world, actor), [name, `${name}.sig`]);
});

test('EN-05: a choice that changes while the form is made is obeyed: nothing appears in clear, nor for an ended key', async () => {
  let duringForm: (() => void) | undefined;
  const around = (blobs: BlobStore): BlobStore => ({
    ...blobs,
    open(blobId) {
      const change = duringForm;
      duringForm = undefined;
      change?.();
      return blobs.open(blobId);
    },
  });
  await using world = await openStatementWorld({ around, startMs: Date.now() });
  using home = openGnupgHome();
  const { actor, clientId, accountNumber } = await world.addClient();
  const old = await makeCertificate(home, 'Old key', world.clock.nowMs());
  const fresh = await makeCertificate(home, 'New key', world.clock.nowMs());
  const issue = (text: string) =>
    world.statements.issuing.issueStatement(world.desk, { ...daily, accountNumber }, Buffer.from(text));

  world.elect(clientId);
  duringForm = () => world.elect(clientId, { encryption: 'on', certificates: [old] });
  const first = await issue('holdings one');
  assert.deepEqual(await filesOf(world, actor), [`${first.name}.pgp`]);

  duringForm = () => world.elect(clientId, { encryption: 'on', certificates: [fresh] });
  const second = await issue('holdings two');
  const { delivery } = await world.statements.catalog.getStatement(actor, second.statementId);
  assert.equal(delivery?.state === 'placed' && delivery.certificateFingerprint, fresh.fingerprint);

  duringForm = () => world.elect(clientId, { encryption: 'on' });
  const third = await issue('holdings three');
  assert.equal((await world.statements.issuing.deliverOne(third.statementId)).outcome, 'waits');
  assert.deepEqual(await filesOf(world, actor), [`${first.name}.pgp`, `${second.name}.pgp`]);

  // Forms that were made for nothing are not left in the store: two plaintexts, their two messages, and the third plaintext.
  const kept = await Array.fromAsync(world.blobs.list());
  assert.equal(kept.length, 5);
});
