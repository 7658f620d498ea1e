// The composition root: opens every part in order, closes in reverse. Nothing imports it but the program's own processes and tests.
import release from '../package.json' with { type: 'json' };
import type { Settings } from './config.ts';
import { createSftpListener } from './faces/sftp/listener.ts';
import { openHttpsFace } from './faces/https/face.ts';
import { blobFolder, clock, createIdentityOf, ids, openVaultOf, random } from './foundations.ts';
import { createHelp, readLibrary } from './help/help.ts';
import { createHelpTexts } from './help-texts.ts';
import { openHostKeys, showHostKey } from './host-keys.ts';
import { createAudit } from './kernel/audit.ts';
import { createChanges } from './kernel/changes.ts';
import { openFileBlobs } from './kernel/file-blobs.ts';
import { createHealth } from './kernel/health.ts';
import { createJobs } from './kernel/jobs.ts';
import { createLog, type Log } from './kernel/log.ts';
import { createMetrics } from './kernel/metrics.ts';
import { createOutbox } from './kernel/outbox.ts';
import { createRequests } from './kernel/requests.ts';
import { openDatabase } from './kernel/sql.ts';
import { createLive } from './messages/live.ts';
import { createMessages } from './messages/messages.ts';
import { observe } from './observe.ts';
import { crontabEvery, housekeeping } from './housekeeping.ts';
import { openPortal } from './portal.ts';
import { refusalSets } from './refusal-sets.ts';
import { createOperations, createSampler } from './operations/operations.ts';
import { createRoutes } from './routes.ts';
import { createDelivery, deliveryDefaults } from './statements/delivery/delivery.ts';
import { createEncryptionPool } from './statements/issuing/encryption-pool.ts';
import { createSftpGate } from './statements/sftp.ts';
import { createStatements, openBrokerKey, statementDefaults } from './statements/statements.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What a process is told to open; it crosses the border between processes as a plain value. */
export interface AppStart {
  readonly settings: Settings;
  readonly databaseUrl: string;
  /** Absent where nobody is served: then there are operations only, no ports and no jobs. */
  readonly faces?: { readonly https: Endpoint; readonly sftp: Endpoint };
}

export type Parts = Awaited<ReturnType<typeof openParts>>;

/** Opens what stands below the faces: database, vault, files and the domains over them. */
export async function openParts(start: AppStart, log: Log) {
  const { settings } = start;
  await using opened = new AsyncDisposableStack();
  const database = openDatabase({
    url: start.databaseUrl,
    onFault: (fault) => log.fault('a database connection was lost', fault),
  });
  opened.defer(() => database.close());
  const { sql } = database;
  const vault = await openVaultOf(settings, database);
  const blobs = await openFileBlobs({ folder: blobFolder(settings), keys: vault, ids, random });
  opened.defer(() => blobs.close());
  const hostKeys = await openHostKeys({ sql, vault });
  const brokerKey = await openBrokerKey({ sql, clock, vault, settings });
  const pool = opened.use(createEncryptionPool({ workers: 2, signingKey: brokerKey.secretKey, clock }));

  const audit = createAudit({ clock });
  const outbox = createOutbox({ clock, ids, log });
  const requests = createRequests({ clock });
  const identity = createIdentityOf(settings, database);
  const messages = createMessages({ database, clock, ids });
  const base = { database, clock, random, ids, audit, outbox, requests, log, identity, messages, blobs };
  const sftpPort = (): number => settings.sftpPublicPort ?? start.faces?.sftp.port ?? settings.sftpPort;
  const delivery = createDelivery({
    ...base,
    settings: {
      ...deliveryDefaults,
      ...settings,
      hostName: settings.sftpHostName,
      port: sftpPort,
      hostKeys: () => [...hostKeys.current, ...hostKeys.next].map(showHostKey),
      addresses: {
        widest: { ipv4: settings.widestIpv4, ipv6: settings.widestIpv6 },
        privateAddresses: settings.privateAddresses,
      },
    },
    inspectCertificate: (bytes, nowMs) => pool.inspectCertificate(bytes, nowMs),
  });
  const statements = createStatements({
    ...base,
    delivery,
    brokerKey,
    pool,
    settings: {
      ...statementDefaults,
      brokerName: settings.brokerName,
      timeZone: settings.zone,
      quotaBytes: settings.quotaBytes,
    },
  });
  for (const [kind, consumer] of Object.entries(statements.consumers)) outbox.consume(kind, consumer);
  const help = createHelp({
    library: await readLibrary(),
    textOf: createHelpTexts(),
    settings: { ...settings, sftpPort },
  });

  const rest = opened.move();
  return {
    ...base,
    sql,
    vault,
    hostKeys,
    pool,
    delivery,
    statements,
    help,
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

export interface App {
  /** Faces stop taking anything new, what runs may end within the grace, then jobs and the parts below are closed. */
  close(graceMs: number): Promise<void>;
}

/** The statements' own schedule, with the purge as often as the setting says. */
const scheduleOf = (crontab: string, purgeMinutes: number): string =>
  crontab.replace(/^.*(?= statements:purge$)/m, crontabEvery(purgeMinutes));

/** Opens everything and serves. Refuses: what a face or a part below it refuses. */
export async function openApp(start: AppStart): Promise<App> {
  const { settings, faces } = start;
  const log = createLog({ level: settings.logLevel });
  let graceMs = 0;
  await using opened = new AsyncDisposableStack();
  const parts = opened.use(await openParts(start, log));
  if (faces === undefined) {
    const rest = opened.move();
    return { close: () => rest.disposeAsync() };
  }
  const { sql, database, identity, delivery, statements } = parts;

  const changes = createChanges({ database, clock, ids });
  const live = createLive({ database, clock, changes, identity, log });
  for (const part of [changes, live]) {
    const hearing = await part.start();
    opened.defer(() => hearing.close());
  }
  const jobs = createJobs({ database, log });
  opened.defer(() => jobs.close());
  const watched = await statements.start();
  opened.defer(() => watched.close());

  const sftp = createSftpListener({
    gate: createSftpGate({ delivery, repository: statements.repository }),
    clock,
    random,
    ids,
    software: 'Broadgate',
    ...(settings.sftpBanner === '' ? {} : { banner: settings.sftpBanner }),
    hostKeys: parts.hostKeys.current,
    nextHostKeys: parts.hostKeys.next,
    trustedProxies: settings.proxyProtocolPeers,
    recordFault(fault) {
      const incident = ids.next();
      log.fault('an SFTP connection met a fault of ours', fault, { incident });
      return incident;
    },
  });
  const running = await delivery.start((connectionId) => {
    sftp.endConnections((ticket) => ticket.connectionId === connectionId);
  });
  opened.defer(() => running.close());

  const metrics = createMetrics();
  opened.defer(() => metrics.close());
  const observed = observe({ registry: metrics.registry, sftp, outbox: parts.outbox, sql });
  const health = createHealth({ clock, onFault: (name, fault) => log.fault(`${name} is not well`, fault) });
  health.add('database', () => sql`select 1`);
  health.add('files', () => parts.blobs.freeBytes());
  opened.defer(() => health.stop());

  const operations = createOperations({
    ...parts,
    health,
    freeBytes: () => parts.blobs.freeBytes(),
    version: release.version,
  });
  const sampler = createSampler({
    ...parts,
    version: release.version,
    counts: () => ({ connections: sftp.counts.connections, streams: live.count() }),
  });
  const sampling = sampler.start();
  opened.defer(() => sampling.close());

  const portal = await openPortal(settings, parts);
  const https = await openHttpsFace({
    ...(portal === undefined ? {} : { portal }),
    routes: createRoutes({ ...parts, live, operations }),
    refusals: refusalSets,
    clock,
    ids,
    log,
    findActor: (token, origin) => identity.findActor(token, origin),
    cursorKey: await parts.vault.keepSecret(sql, 'https cursor key', async () => random.bytes(32)),
    listen: {
      ...faces.https,
      ...(settings.tlsCertificateFile === undefined ? {} : { certificateFile: settings.tlsCertificateFile }),
      ...(settings.tlsKeyFile === undefined ? {} : { keyFile: settings.tlsKeyFile }),
      trustedProxies: settings.trustedProxies,
    },
    async readiness() {
      const { ok, checks } = await health.ready();
      return { isReady: ok, parts: checks };
    },
    metrics: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
    observe(answer) {
      observed.answer(answer);
      sampler.noteAnswer(answer);
    },
  });
  opened.defer(() => https.close({ graceMs }));
  await sftp.listen(faces.sftp);
  // Both faces let go at once: neither waits for the other's slowest transfer.
  opened.defer(() => Promise.all([https.close({ graceMs }), sftp.close(graceMs)]).then(() => undefined));
  const chores = housekeeping(parts);
  await jobs.start(
    { ...parts.outbox.tasks(database), ...statements.tasks, ...chores.tasks },
    [scheduleOf(statements.crontab, settings.purgeMinutes), chores.crontab].join('\n'),
  );

  const rest = opened.move();
  return {
    async close(grace) {
      graceMs = grace;
      await rest.disposeAsync();
    },
  };
}
