// A day of a broker, operation by operation, among clients that were there before: what the plans of statements are watched on.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type { Parts } from '../../server/app.ts';
import { makeOpenPgpPair, makeSshPair } from '../../server/demo/keys.ts';
import { housekeeping } from '../../server/housekeeping.ts';
import { type Actor, type ClientActor, consoleActor, type Origin } from '../../server/kernel/actor.ts';
import type { Population } from './population.ts';

const origin: Origin = { face: 'https', address: '203.0.113.20' };
const passwordOf = (login: string): string => createHash('sha256').update(login).digest('base64url');
const page = { after: undefined, limit: 50 };

/** Lives through one day: people, delivery, the SFTP side, the desk, what runs by the clock. */
export async function liveDay(parts: Parts, people: Population): Promise<void> {
  const desk = await addOperator(parts, 'desk-1', ['delivery', 'operations', 'service']);
  const second = await addOperator(parts, 'desk-2', ['delivery', 'operations']);
  await manageOperators(parts, desk, second);
  const own = await addClient(parts, desk);
  await manageClients(parts, desk, own);
  await setUpDelivery(parts, desk, second, own);
  await lookAround(parts, desk, people);
  await comeBySftp(parts, people, own);
  await issue(parts, desk, own);
  await useRepository(parts, desk, own);
  await readProof(parts, desk, own, people);
  await runTheClock(parts, desk);
  await endThings(parts, desk, own);
}

interface Own {
  readonly actor: ClientActor;
  readonly accountNumber: string;
  readonly login: string;
  readonly openPgp: string;
  readonly ssh: { readonly publicKey: string };
}

async function addOperator({ identity }: Parts, login: string, desks: readonly string[]): Promise<Actor> {
  const { invitation } = await identity.addOperator(consoleActor, { login, name: login, desks });
  await identity.acceptInvitation({ token: invitation.token, password: passwordOf(login), origin });
  const signedIn = await identity.signIn({ login, password: passwordOf(login), origin });
  return (await identity.findActor(signedIn.token, origin))!;
}

async function manageOperators({ identity }: Parts, desk: Actor, second: Actor): Promise<void> {
  await identity.getMe(desk);
  await identity.listOperators(desk, page);
  const { operatorId } = await identity.addOperator(desk, { login: 'gone', name: 'Gone', desks: ['delivery'] });
  await identity.setDesks(desk, operatorId, ['service']);
  await identity.endOperator(desk, operatorId);
  await identity.listSignIns(second, page);
}

async function addClient(parts: Parts, desk: Actor): Promise<Own> {
  const { identity, clock } = parts;
  const [login, accountNumber] = ['own', 'U555001'];
  const added = await identity.addClient(desk, {
    kind: 'person',
    name: 'Own Client',
    login,
    accountNumbers: [accountNumber],
  });
  await identity.acceptInvitation({ token: added.invitation.token, password: passwordOf(login), origin });
  await assert.rejects(identity.signIn({ login, password: 'not this one at all', origin }));
  const { token } = await identity.signIn({ login, password: passwordOf(login), origin });
  const actor = (await identity.findActor(token, origin)) as ClientActor;
  const openPgp = await makeOpenPgpPair({ name: 'Own', email: 'own@client.example' }, new Date(clock.nowMs()));
  return { actor, accountNumber, login, openPgp: openPgp.publicKey, ssh: await makeSshPair('own') };
}

async function manageClients({ identity }: Parts, desk: Actor, own: Own): Promise<void> {
  const { clientId } = own.actor;
  await identity.getMe(own.actor);
  await identity.getClient(own.actor, clientId);
  for (const search of ['rossi 4', 'U10001', 'zz no such name', undefined])
    for (const state of ['active', undefined] as const) await identity.listClients(desk, { ...page, search, state });
  await identity.listClients(desk, { ...page, after: clientId, search: 'anna' });
  const csv = 'kind,name,login,accounts\nperson,Imported,imported,U555002';
  await identity.checkImport(desk, csv);
  await identity.importClients(desk, csv);
  await identity.addAccount(desk, clientId, 'U555003');
  const extra = await identity.addLogin(desk, clientId, { login: 'own-two' });
  await identity.resetPassword(desk, extra.loginId);
  await identity.endLogin(desk, extra.loginId);
  await identity.suspendClient(desk, clientId, 'asked');
  await identity.resumeClient(desk, clientId, 'asked');
  await identity.listSignIns(own.actor, page);
  const password = passwordOf(own.login);
  const scripted = await identity.createToken(own.actor, { name: 'script', password, expiresInDays: 30 });
  const actor = (await identity.findActor(scripted.token, origin))!;
  await identity.getMe(actor);
  const { items } = await identity.listSignIns(own.actor, page);
  await identity.endSignIn(own.actor, items.find((item) => item.sort === 'token')!.signInId);
  await identity.changePassword(own.actor, { currentPassword: password, newPassword: `${password}!` });
}

async function setUpDelivery(parts: Parts, desk: Actor, second: Actor, own: Own): Promise<void> {
  const { delivery } = parts;
  const { actor } = own;
  const { clientId } = actor;
  const password = `${passwordOf(own.login)}!`;
  const channels = { sftp: true, portal: true, ftp: false, email: false };
  await delivery.elect(actor, { channels, contact: undefined });
  const handIn = async (key: string | undefined, addresses: readonly string[]): Promise<void> => {
    const given = { channel: 'portal', addresses, ...(key === undefined ? {} : { key: Buffer.from(key) }) } as const;
    const { requestId, awaiting } = await delivery.submit(actor, given);
    await delivery.confirm(actor, requestId, { shown: awaiting, password });
    await delivery.takeRequest(desk, requestId);
    await delivery.approve(second, requestId);
  };
  await handIn(own.ssh.publicKey, ['198.51.100.7']);
  await delivery.issueLogIn(desk, clientId);
  await delivery.markConfigured(desk, clientId);
  await handIn(own.openPgp, []);
  await handIn(undefined, ['198.51.100.8']);
  await delivery.enableEncryption(actor);
  const declined = await delivery.submit(actor, { channel: 'portal', addresses: ['198.51.100.9'] });
  await delivery.decline(desk, declined.requestId, 'not known');
  await delivery.getRequest(actor, declined.requestId);
  await delivery.getElected(actor);
  await delivery.listKeys(actor);
  await delivery.getInstructions(actor);
  const { items } = await delivery.listAddresses(actor, { isLive: true }, page);
  await delivery.removeAddress(actor, items.find((item) => item.network === '198.51.100.8')!.entryId, 'gone');
  const blocked = await delivery.blockAddress(desk, '192.0.2.0/24');
  await delivery.listBlocks(desk, page);
  await delivery.unblockAddress(desk, blocked.entryId);
  await delivery.formatNftables(desk);
  await delivery.suspendConnection(desk, clientId, 'looked at');
  await delivery.resumeConnection(desk, clientId);
}

/** The desk's lists over everybody, and a client's own, each with and without its filters and from a later page. */
async function lookAround(parts: Parts, desk: Actor, people: Population): Promise<void> {
  const { delivery, messages, statements } = parts;
  const [one, institution] = [await people.client(3), await people.client(0)];
  const client = actorOf(one.clientId);
  const states = [undefined, ['open', 'in_work'], ['done'], ['refused']] as const;
  for (const wanted of states) await delivery.listRequests(desk, { states: wanted }, page);
  await delivery.listRequests(client, {}, page);
  await delivery.listRequests(desk, { clientId: one.clientId, states: ['open', 'in_work'] }, page);
  await delivery.listEndingKeys(desk, 60, page);
  for (const isLive of [true, false]) {
    await delivery.listAddresses(desk, { isLive }, page);
    await delivery.listAddresses(client, { isLive }, page);
  }
  for (const clientId of [undefined, one.clientId]) {
    for (let after: string | undefined, pages = 0; pages < 2; pages += 1) {
      after = (await delivery.listRefusals(desk, { clientId }, { after, limit: 20 })).next;
      await delivery.listConnections(desk, { clientId }, { after: undefined, limit: 20 });
    }
  }
  await delivery.listConnections(client, {}, page);
  await delivery.listRefusals(client, {}, page);
  for (const isUnreadOnly of [true, false]) {
    await messages.listNotices(client, { ...page, isUnreadOnly });
    await messages.listNotices(desk, { ...page, isUnreadOnly });
  }
  const { items } = await messages.listNotices(desk, { limit: 1 });
  await messages.markRead(desk, items[0]!.noticeId);

  const monthAgo = dayOf(parts, 30);
  const filters = [
    {},
    { clientId: one.clientId },
    { clientId: institution.clientId, kind: 'annual' },
    { accountNumber: one.accountNumber },
    { accountNumber: 'I9000007' },
    { kind: 'annual' },
    { kind: 'nothing-like-it' },
    { from: dayOf(parts, 2) },
    { to: dayOf(parts, 190) },
    { from: dayOf(parts, 120), to: dayOf(parts, 118) },
    { from: monthAgo, to: monthAgo, kind: 'confirmation' },
  ];
  for (const filter of filters) {
    const first = await statements.catalog.listStatements(desk, filter, { limit: 20 });
    if (first.next !== undefined)
      await statements.catalog.listStatements(desk, filter, { after: first.next, limit: 20 });
  }
  const { items: own } = await statements.catalog.listStatements(client, {}, page);
  await statements.catalog.getStatement(client, own[0]!.statementId);
  await statements.catalog.getTimeline(client, own[0]!.statementId);
}

const dayOf = ({ clock }: Parts, daysAgo: number): string =>
  new Date(clock.nowMs() - daysAgo * 86_400_000).toISOString().slice(0, 10);

const actorOf = (clientId: string): ClientActor => ({ kind: 'client', clientId, origin });

async function comeBySftp(parts: Parts, people: Population, own: Own): Promise<void> {
  const { delivery, ids, statements } = parts;
  await using _running = asDisposable(await delivery.start(() => undefined));
  const one = await people.client(5);
  for (const address of [one.address, '203.0.113.99']) await delivery.admit(address);
  const attempt = (user: string, fingerprint: string) => ({
    connectionId: ids.next(),
    address: one.address,
    user,
    method: 'publickey',
    key: { algorithm: 'ssh-ed25519', blob: Buffer.alloc(51), fingerprint },
    signed: true,
  });
  await delivery.authenticate(attempt('nobody', one.fingerprint));
  await delivery.authenticate(attempt(one.userName, 'SHA256:not-it'));
  const verdict = await delivery.authenticate(attempt(one.userName, one.fingerprint));
  assert.ok(verdict.verdict === 'accept');
  const { ticket } = verdict;
  const { connectionId } = ticket;
  assert.ok(await delivery.isTicketGood(ticket, one.address));
  const opened = { connectionId, address: one.address, clientSoftware: 'OpenSSH_9.2', algorithms: undefined };
  delivery.connectionOpened(ticket, opened);
  delivery.failed({ ...opened, user: 'x', reason: 'protocol_error', detail: 'x' });
  const { repository } = statements;
  await repository.list(ticket.actor, '/', page);
  await repository.list(ticket.actor, '/manifests', page);
  await repository.stat(ticket.actor, '/manifests');
  await repository.space(ticket.actor);
  const ended = { connectionId, address: one.address, user: one.userName, ticket, bytesIn: 1, bytesOut: 1 };
  delivery.connectionEnded({ ...ended, endReason: 'closed' });
  await delivery.flushRefusals();
  await repository.list(own.actor, '/', page);
}

const asDisposable = (open: { close(): Promise<void> }): AsyncDisposable => ({
  [Symbol.asyncDispose]: () => open.close(),
});

async function issue(parts: Parts, desk: Actor, own: Own): Promise<void> {
  const { statements } = parts;
  const { accountNumber, actor } = own;
  const asked = { accountNumber, kind: 'activity', period: '2026-11-02', fileName: 'a.pdf' } as const;
  const issued = await statements.issuing.issueStatement(desk, { ...asked, requestId: 'r-1' }, randomBytes(900));
  await statements.issuing.issueStatement(desk, { ...asked, requestId: 'r-2' }, randomBytes(900));
  await statements.issuing.issueTestFile(actor, {});
  const files = ['one', 'two', 'three'].map((name) => ({ name: `${name}.csv`, bytes: Buffer.from(`name,${name}`) }));
  const lines = files.map(({ name, bytes }, n) => `${accountNumber},activity,2026-11-1${n},${name},${hashOf(bytes)}`);
  const csv = { name: 'run.csv', bytes: Buffer.from(['account,kind,period,file,sha256', ...lines].join('\n')) };
  const run = await statements.runs.startRun(desk, { reference: 'day', isDryRun: false }, streamOf([csv, ...files]));
  await statements.runs.resume();
  await statements.runs.getRun(desk, run.runId);
  await statements.runs.listRuns(desk, page);
  for await (const _ of await statements.runs.formatOutcomes(desk, run.runId));
  const portal = await statements.catalog.openPortalCopy(actor, issued.statementId);
  await portal.read(0, 100);
  await portal.close({ ranges: [{ startBytes: 0, endBytes: 100 }], end: 'closed' });
  await (await statements.catalog.openDelivered(actor, issued.statementId)).close({ ranges: [], end: 'closed' });
  await statements.issuing.withdraw(desk, issued.statementId, 'wrong');
  await parts.outbox.deliverPending(parts.database);
}

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function* streamOf(files: readonly { name: string; bytes: Buffer }[]) {
  for (const { name, bytes } of files) yield { name, bytes: one(bytes) };
}

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

async function useRepository(parts: Parts, desk: Actor, own: Own): Promise<void> {
  const { repository } = parts.statements;
  const { actor } = own;
  const write = async (path: string): Promise<Awaited<ReturnType<typeof repository.openWrite>>> => {
    const handle = await repository.openWrite(actor, path, { create: true, exclusive: false, truncate: true });
    await handle.write(0, Buffer.from('some bytes'));
    return handle;
  };
  await repository.makeFolder(actor, '/in');
  await (await write('/in/one.csv')).close();
  await (await write('/in/one.csv')).close();
  await (await write('/in/two.csv')).abort();
  await repository.stat(actor, '/in/two.csv');
  await repository.setModified(actor, '/in/one.csv', 1_000_000);
  const reader = await repository.openRead(actor, '/in/one.csv');
  await reader.read(0, 10);
  await reader.close({ ranges: [{ startBytes: 0, endBytes: 10 }], end: 'closed' });
  await repository.rename(actor, '/in/one.csv', '/in/three.csv', { replace: false });
  await repository.rename(actor, '/in', '/out', { replace: false });
  for (const clientId of [undefined, actor.clientId]) {
    const { items } = await repository.listUploads(desk, { clientId }, page);
    if (clientId !== undefined)
      await (await repository.openUpload(desk, items[0]!.entryId)).close({ ranges: [], end: 'closed' });
  }
  await repository.remove(actor, '/out/three.csv');
  await repository.makeFolder(actor, '/empty');
  await repository.removeFolder(actor, '/empty');
}

async function readProof(parts: Parts, desk: Actor, own: Own, people: Population): Promise<void> {
  const { statements } = parts;
  const client = actorOf((await people.client(3)).clientId);
  const first = await statements.records.listReceipts(client, {}, { after: undefined, limit: 2 });
  await statements.records.listReceipts(client, {}, { after: first.next, limit: 2 });
  await statements.records.listDeletions(client, {}, page);
  await statements.records.listDeletions(desk, {}, page);
  await statements.manifests.updateManifests();
  await statements.manifests.listManifests(own.actor, {}, page);
  await statements.manifests.listManifests(client, {}, { ...page, after: '9' });
  await statements.retention.previewPurge(desk);
}

async function runTheClock(parts: Parts, desk: Actor): Promise<void> {
  const chores = housekeeping(parts);
  const attempt = { number: 1, isLast: false, signal: new AbortController().signal };
  await parts.statements.retention.confirmClock(desk);
  for (const [name, task] of Object.entries({ ...chores.tasks, ...parts.statements.tasks }))
    if (name !== 'statements:deliver') await task({}, attempt).catch((fault: unknown) => explain(name, fault));
  await parts.outbox.count(parts.sql);
  await parts.outbox.listDead(parts.sql);
  await parts.audit.list(parts.sql, { subject: 'run:none', limit: 20 });
  await parts.audit.findHead(parts.sql);
}

function explain(name: string, fault: unknown): never {
  throw new Error(`the task ${name} failed: ${(fault as Error).message}`, { cause: fault });
}

async function endThings(parts: Parts, desk: Actor, own: Own): Promise<void> {
  const { delivery, identity } = parts;
  const { actor } = own;
  const { sshKeys } = await delivery.listKeys(actor);
  await delivery.disableEncryption(actor);
  await delivery.endKey(actor, sshKeys[0]!.keyId, 'lost');
  await delivery.closeConnection(desk, actor.clientId);
  await identity.signOut(actor);
  await identity.closeClient(desk, actor.clientId, 'left');
}
