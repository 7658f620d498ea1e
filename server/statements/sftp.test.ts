// The repository through the real SFTP face, as OpenSSH, PuTTY and lftp see it.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withClients } from '../../test/clients.ts';
import { openTestFace } from '../../test/fakes/sftp-face.ts';
import { openStatementWorld } from '../../test/statement-world.ts';
import { createSftpGate, createSftpMount } from './sftp.ts';

const fingerprint = 'SHA256:the-key-that-signed-in';

async function openFace() {
  const world = await openStatementWorld({ startMs: Date.now() });
  const client = await world.addClient();
  world.elect(client.clientId);
  const ticket = { actor: client.actor, fingerprint };
  const face = await openTestFace({
    gate: { open: async () => createSftpMount({ repository: world.statements.repository, ticket }) },
  });
  const asked = { accountNumber: client.accountNumber, kind: 'daily', period: '2026-11-23', fileName: 'a.csv' };
  const bytes = randomBytes(300_000);
  const issued = await world.statements.issuing.issueStatement(world.desk, asked, bytes);
  return {
    world,
    face,
    bytes,
    name: issued.name,
    statementId: issued.statementId,
    actor: client.actor,
    clientId: client.clientId,
    async [Symbol.asyncDispose]() {
      await face[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

test(
  'OpenSSH lists and fetches a statement, and the receipt names the bytes, the address and the key',
  withClients,
  async () => {
    await using open = await openFace();
    const { world, face, name, bytes } = open;
    const ran = await face.sftp(['ls -l', `get ${name} got.csv`]);
    assert.equal(ran.status, 0, ran.stderr);
    assert.match(ran.stdout.toString(), new RegExp(`-r--------.* 300000 .* ${name}`));
    assert.ok(readFileSync(join(face.folder, 'got.csv')).equals(bytes));
    const steps = await world.statements.catalog.getTimeline(open.actor, open.statementId);
    const fetched = steps.flatMap((step) => (step.step === 'fetched' ? [step.receipt] : []));
    assert.deepEqual(
      fetched.map((receipt) => [
        receipt.path,
        receipt.isWhole,
        receipt.ranges,
        receipt.keyFingerprint,
        receipt.face,
        receipt.address,
      ]),
      [[`/${name}`, true, [{ startBytes: 0, endBytes: 300_000 }], fingerprint, 'sftp', '203.0.113.7']],
    );
  },
);

test(
  'D-21: every client program is refused when it overwrites, renames or deletes what the broker issued',
  withClients,
  async () => {
    await using open = await openFace();
    const { face, name, bytes } = open;
    writeFileSync(join(face.folder, 'x'), 'forged');
    for (const command of [
      `put x ${name}`,
      `rm ${name}`,
      `rename ${name} other`,
      `rename manifests other`,
      `rmdir manifests`,
      `put x manifests/manifest_20261124.json`,
    ]) {
      const ran = await face.sftp([command]);
      assert.notEqual(ran.status, 0, command);
      assert.match(ran.stderr, /permission denied|Couldn't|cannot|remove|rename/i, command);
    }
    const ran = await face.sftp([`get ${name} after.csv`]);
    assert.equal(ran.status, 0, ran.stderr);
    assert.ok(readFileSync(join(face.folder, 'after.csv')).equals(bytes));
  },
);

test('a client uploads, makes folders, moves, keeps times and deletes', withClients, async () => {
  await using open = await openFace();
  const { face, world, actor } = open;
  writeFileSync(join(face.folder, 'up.bin'), randomBytes(2_000_000));
  const ran = await face.sftp([
    'mkdir in',
    'put -p up.bin in/up.bin',
    'rename in out',
    'get out/up.bin back.bin',
    'ls -1 out',
    'df',
    'rm out/up.bin',
    'rmdir out',
  ]);
  assert.equal(ran.status, 0, ran.stderr);
  assert.ok(readFileSync(join(face.folder, 'back.bin')).equals(readFileSync(join(face.folder, 'up.bin'))));
  assert.equal((await world.statements.repository.space(actor)).usedBytes, 0);
});

test('an upload cut off by a lost connection goes on with the reput of OpenSSH and of PuTTY', withClients, async () => {
  await using open = await openFace();
  const { face, world, actor } = open;
  const { repository } = world.statements;
  const bytes = randomBytes(3_000_000);
  writeFileSync(join(face.folder, 'big.bin'), bytes);
  const cutOff = async (path: string): Promise<void> => {
    const handle = await repository.openWrite(actor, path, { create: true, exclusive: false, truncate: true });
    await handle.write(0, bytes.subarray(0, 1_234_567));
    await handle.abort();
  };
  const checkWhole = async (path: string): Promise<void> => {
    const { sizeBytes, isPartial, sha256 } = await repository.stat(actor, path);
    const reader = await repository.openRead(actor, path);
    const read = await reader.read(0, 3_000_000);
    await reader.close({ ranges: [], end: 'closed' });
    assert.deepEqual([sizeBytes, isPartial, typeof sha256], [3_000_000, false, 'string'], path);
    assert.ok(read.equals(bytes), `${path} is not what was sent`);
  };
  await cutOff('/openssh.bin');
  assert.ok(!(await face.sftp(['ls -1'])).stdout.includes('openssh.bin'));
  const ran = await face.sftp(['reput big.bin openssh.bin']);
  assert.equal(ran.status, 0, ran.stderr);
  await checkWhole('/openssh.bin');
  await cutOff('/putty.bin');
  const putty = await face.psftp(['reput big.bin putty.bin']);
  assert.equal(putty.status, 0, putty.stdout.toString());
  await checkWhole('/putty.bin');
});

test('receipts are durable when the tree is closed, and a client whose receipts cannot be written fetches nothing more', async () => {
  await using world = await openStatementWorld();
  const { repository, catalog } = world.statements;
  const client = await world.addClient();
  world.elect(client.clientId);
  const asked = { accountNumber: client.accountNumber, kind: 'daily', period: '2026-11-23', fileName: 'a.csv' };
  const { name, statementId } = await world.statements.issuing.issueStatement(world.desk, asked, randomBytes(1000));
  const ticket = { actor: client.actor, fingerprint };
  const fetch = async (mount: ReturnType<typeof createSftpMount>): Promise<void> => {
    const handle = await mount.openRead(`/${name}`);
    const { length } = await handle.read(0, 1000);
    await handle.close({ ranges: [{ startBytes: 0, endBytes: length }], end: 'closed' });
  };
  const whole = createSftpMount({ repository, ticket });
  for (let count = 0; count < 40; count += 1) await fetch(whole);
  await whole.close();
  const steps = await catalog.getTimeline(client.actor, statementId);
  assert.equal(steps.filter(({ step }) => step === 'fetched').length, 40);

  await world.database.sql`alter table receipts rename to receipts_elsewhere`;
  const broken = createSftpMount({ repository, ticket });
  await assert.rejects(async () => {
    for (let count = 0; count < 40; count += 1) await fetch(broken);
  });
  await assert.rejects(broken.openRead(`/${name}`));
  await assert.rejects(broken.close());
});

test('a gate opens the tree only while the ticket holds', async () => {
  await using world = await openStatementWorld();
  const { actor } = await world.addClient();
  let isGood = false;
  const delivery = { isTicketGood: () => Promise.resolve(isGood) } as unknown as Parameters<
    typeof createSftpGate
  >[0]['delivery'];
  const gate = createSftpGate({ delivery, repository: world.statements.repository });
  const ticket = { actor, connectionId: 'c', sshKeyId: 'k', fingerprint, userName: 'u' };
  const facts = {
    connectionId: 'c',
    address: '203.0.113.7',
    user: 'u',
    startedAtMs: 0,
    clientSoftware: undefined,
    algorithms: undefined,
  };
  await assert.rejects(gate.open(ticket, facts), { code: 'repository_not_yours' });
  isGood = true;
  const mount = await gate.open(ticket, facts);
  assert.equal((await mount.stat('/')).kind, 'folder');
});
