// Fills a fresh installation with the demo broker, by the same operations that clients and desks use, in the same order.
import type { Parts } from '../app.ts';
import { type Actor, consoleActor, type Origin } from '../kernel/actor.ts';
import { dateInZone } from '../kernel/clock.ts';
import { type Random, randomText } from '../kernel/random.ts';
import { createHash } from 'node:crypto';
import {
  type ActivityStatement,
  businessDays,
  composeStatement,
  createMarket,
  formats,
  type Period,
  startOfPeriod,
  writeStatement,
} from '../../tools/activity-statement.ts';
import { type DemoFacts, type DemoFiles, type DemoLogin, writePrivate } from './demo-folder.ts';
import { makeOpenPgpPair, makeSshPair } from './keys.ts';
import { brokerName, type DemoClient, demoClients, demoOperators } from './people.ts';

const origin: Origin = { face: 'https', address: '127.0.0.1' };
const seed = 'harbour-and-vale';
const zone = 'America/New_York';

interface Person extends DemoLogin {
  readonly actor: Actor;
}

/** Shape: what the demo must remember. All material is in its folder when it resolves. */
export async function seedDemo(parts: Parts, files: DemoFiles): Promise<DemoFacts> {
  const people = await addPeople(parts);
  const personOf = (key: string): Person => people.find((person) => person.key === key)!;
  const sftpUser = await setUpFund(parts, files, personOf('fund'), personOf('ines').actor);
  await electPortal(parts, personOf('investor').actor);
  await issueStatements(parts, personOf('ines').actor);
  await parts.statements.manifests.updateManifests();
  const statementName = await findNewestPdf(parts, personOf('fund').actor);
  await writePrivate(files.brokerCertificate, parts.statements.brokerKey.certificate);
  await writePrivate(files.strangeSshKey, (await makeSshPair('a key that nobody registered')).privateKey);
  for (const { login, password } of people) await writePrivate(files.passwordOf(login), `${password}\n`);
  const logins = people.map(({ key, login, password }) => ({ key, login, password }));
  return { state: 'seeded', people: logins, sftpUser, statementName };
}

/** Four groups of four letters: 80 bits that can be typed. */
const makePassword = (random: Random): string => randomText(random, 16).replace(/(.{4})(?=.)/g, '$1-');

async function addPeople({ identity, random }: Parts): Promise<Person[]> {
  const adding = [
    ...Object.entries(demoClients).map(async ([key, client]) => {
      const { clientId, loginId, invitation } = await identity.addClient(consoleActor, newClient(client));
      return { key, login: client.login, invitation, actor: { kind: 'client', clientId, loginId, origin } as const };
    }),
    ...demoOperators.map(async (operator) => {
      const desks = [operator.desk];
      const { operatorId, invitation } = await identity.addOperator(consoleActor, { ...operator, desks });
      return {
        key: operator.login,
        login: operator.login,
        invitation,
        actor: { kind: 'operator', operatorId, desks, origin } as const,
      };
    }),
  ];
  return Promise.all(
    adding.map(async (added) => {
      const { key, login, invitation, actor } = await added;
      const password = makePassword(random);
      await identity.acceptInvitation({ token: invitation.token, password, origin });
      return { key, login, password, actor };
    }),
  );
}

const newClient = ({ kind, name, login, email, portfolio }: DemoClient) => ({
  kind,
  name,
  login,
  email,
  accountNumbers: [portfolio.accountNumber],
});

/** The fund hands in its key and addresses, confirms them, and the delivery desk approves and configures the connection. */
async function setUpFund({ delivery, clock }: Parts, files: DemoFiles, fund: Person, desk: Actor): Promise<string> {
  const { actor, password } = fund;
  if (actor.kind !== 'client') throw new Error('the fund is a client');
  const { clientId } = actor;
  const { name, email } = demoClients.fund;
  const channels = { sftp: true, portal: true, ftp: false, email: false };
  await delivery.elect(actor, { channels, contact: email });

  const ssh = await makeSshPair('alderrock');
  await writePrivate(files.sshKey, ssh.privateKey);
  const addresses = ['127.0.0.1', '::1'];
  const setUp = await delivery.submit(actor, { channel: 'portal', key: Buffer.from(ssh.publicKey), addresses });
  await delivery.confirm(actor, setUp.requestId, { shown: setUp.awaiting, password });
  await delivery.approve(desk, setUp.requestId);
  const { userName } = await delivery.issueLogIn(desk, clientId);
  await delivery.markConfigured(desk, clientId);

  const openPgp = await makeOpenPgpPair({ name, email }, new Date(clock.nowMs()));
  await writePrivate(files.openPgpKey, openPgp.privateKey);
  await writePrivate(files.openPgpCertificate, openPgp.publicKey);
  const imported = await delivery.submit(actor, { channel: 'portal', key: Buffer.from(openPgp.publicKey) });
  await delivery.confirm(actor, imported.requestId, { shown: imported.awaiting, password });
  await delivery.approve(desk, imported.requestId);
  await delivery.enableEncryption(actor);
  return userName;
}

const electPortal = ({ delivery }: Parts, actor: Actor): Promise<unknown> =>
  delivery.elect(actor, { channels: { sftp: false, portal: true, ftp: false, email: false }, contact: undefined });

interface RunFile {
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** A fortnight of daily statements and the month before, in every format, handed over as one run of the delivery desk. */
async function issueStatements({ statements, clock }: Parts, desk: Actor): Promise<void> {
  const today = Temporal.PlainDate.from(dateInZone(clock.nowMs(), zone));
  const { runId } = await statements.runs.startRun(desk, { reference: 'demo', isDryRun: false }, listFiles(today));
  await statements.runs.resume();
  const { state, rows } = await statements.runs.getRun(desk, runId);
  if (state !== 'done' || rows.failed > 0) throw new Error(`the demo's run is ${state}, ${rows.failed} rows failed`);
}

async function* listFiles(today: Temporal.PlainDate): AsyncGenerator<RunFile> {
  const lines = ['account,kind,period,file,sha256'];
  const contents = new Map<string, Buffer>();
  for (const statement of composeAll(today)) {
    const { portfolio, period, fromOn, toOn } = statement;
    for (const format of formats) {
      const name = `${portfolio.accountNumber}-${period}-${toOn.toString()}.${format}`;
      const content = writeStatement(statement, format);
      const days = fromOn.equals(toOn) ? toOn.toString() : `${fromOn.toString()}/${toOn.toString()}`;
      const sha256 = createHash('sha256').update(content).digest('hex');
      lines.push([portfolio.accountNumber, `activity-${period}`, days, name, sha256].join(','));
      contents.set(name, content);
    }
  }
  yield { name: 'run.csv', bytes: once(Buffer.from(`${lines.join('\n')}\n`)) };
  for (const [name, content] of contents) yield { name, bytes: once(content) };
}

async function* once(content: Buffer): AsyncGenerator<Buffer> {
  yield content;
}

/** Of every client: the business days of a fortnight, and the month before if the account was open then. */
function* composeAll(today: Temporal.PlainDate): Generator<ActivityStatement> {
  const market = createMarket(seed);
  for (const { portfolio, openDays } of Object.values(demoClients)) {
    const openedOn = businessDays(today.subtract({ days: openDays }), today)[0]!;
    const days = businessDays(today.subtract({ days: 14 }), today.subtract({ days: 1 }));
    const ends: [Period, Temporal.PlainDate][] = [
      ['monthly', today.with({ day: 1 }).subtract({ days: 1 })],
      ...days.map((day): [Period, Temporal.PlainDate] => ['daily', day]),
    ];
    for (const [period, toOn] of ends) {
      if (Temporal.PlainDate.compare(openedOn, toOn) > 0) continue;
      yield composeStatement({
        portfolio: { ...portfolio, openedOn },
        market,
        period,
        fromOn: startOfPeriod(period, toOn),
        toOn,
        generatedAt: toOn.add({ days: 1 }).toZonedDateTime({ timeZone: zone, plainTime: '04:12' }),
        broker: brokerName,
      });
    }
  }
}

/** The path under which the newest daily PDF lies in the fund's repository. */
async function findNewestPdf({ statements }: Parts, fund: Actor): Promise<string> {
  const { items } = await statements.catalog.listStatements(fund, { kind: 'activity-daily' }, { limit: 100 });
  items.sort((a, b) => (a.periodTo < b.periodTo ? 1 : -1));
  for (const { name, delivery } of items) {
    if (name.endsWith('.pdf') && delivery?.state === 'placed' && delivery.isEncrypted) return delivery.path;
  }
  throw new Error('no statement of the demo fund was placed');
}
