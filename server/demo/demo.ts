// `npm start`: a demo broker on loopback. An empty data folder is filled first, one that the demo made is served again unchanged.
import { rm } from 'node:fs/promises';
import { openParts } from '../app.ts';
import { findPortNear } from '../commands/ports.ts';
import { refusals } from '../commands/rules.ts';
import { openServer, type RunningServer, serveUntilSignal } from '../commands/serve.ts';
import { type Environment, environmentWith, readSettings, type Settings } from '../config.ts';
import { isLoopback } from '../faces/https/rules.ts';
import { openVaultOf } from '../foundations.ts';
import { type HostKeyShown, openHostKeys, showHostKey } from '../host-keys.ts';
import { createLog } from '../kernel/log.ts';
import { migrate } from '../kernel/migrate.ts';
import { openDatabase } from '../kernel/sql.ts';
import { checkPortal } from '../portal.ts';
import { clearUnfinished, type DemoFacts, demoFiles, markSeeding, openDemoFolder, writeFacts } from './demo-folder.ts';
import { handOut } from './hand-out.ts';
import { brokerName } from './people.ts';
import { seedDemo } from './seed.ts';

// What the demo takes instead of the defaults; a variable that is set still decides.
const demoDefaults: Environment = {
  BROADGATE_HTTPS_PORT: '2080',
  BROADGATE_SFTP_PORT: '2032',
  BROADGATE_SFTP_ADDRESS: '127.0.0.1',
  BROADGATE_SFTP_HOST_NAME: '127.0.0.1',
  BROADGATE_BROKER_NAME: brokerName,
  BROADGATE_BROKER_EMAIL: 'statements@harbour-and-vale.example',
  BROADGATE_PRIVATE_ADDRESSES: 'on',
  BROADGATE_LOG_LEVEL: 'warn',
  BROADGATE_STOP_SECONDS: '5',
};

/** Serves the demo until a signal comes. Refuses: demo_folder_foreign, demo_loopback_only. */
export async function runDemo(): Promise<number> {
  const settings = readSettings({ ...demoDefaults, ...environmentWith({}) });
  const addresses = { BROADGATE_HTTPS_ADDRESS: settings.httpsAddress, BROADGATE_SFTP_ADDRESS: settings.sftpAddress };
  for (const [setting, host] of Object.entries(addresses)) {
    if (!isLoopback(host)) throw refusals.demo_loopback_only({ setting });
  }
  await checkPortal(settings);
  const before = await openDemoFolder(settings.dataDir);
  return serveUntilSignal(settings, () => openDemo(settings, before));
}

async function openDemo(settings: Settings, before: DemoFacts | undefined): Promise<RunningServer> {
  const files = demoFiles(settings.dataDir);
  // A script that waits for this file must not find the one of an earlier start.
  await rm(files.people, { force: true });
  if (before?.state !== 'seeded') await markSeeding(files);
  let facts = before;
  let hostKeys: readonly HostKeyShown[] = [];
  const server = await openServer(settings, {
    choosePort: findPortNear,
    async prepare(databaseUrl) {
      if (before?.state === 'seeding') await startOver(settings, databaseUrl);
      if (facts?.state !== 'seeded') {
        const log = createLog({ level: settings.logLevel });
        await using parts = await openParts({ settings, databaseUrl }, log);
        facts = await seedDemo(parts, files);
        await writeFacts(files, facts);
      }
      hostKeys = await readHostKeys(settings, databaseUrl);
    },
  });
  const { https, sftp } = server.ports;
  const moved = [
    ...(https.port === settings.httpsPort || settings.httpsPort === 0 ? [] : [`port ${settings.httpsPort} was taken`]),
    ...(sftp.port === settings.sftpPort || settings.sftpPort === 0 ? [] : [`port ${settings.sftpPort} was taken`]),
  ];
  await handOut({ files, ports: server.ports, facts: facts!, hostKeys, moved });
  return {
    ...server,
    async stop(graceMs) {
      await rm(files.people, { force: true });
      await server.stop(graceMs);
    },
  };
}

/** A seeding that was cut off is done again from nothing: all that it left is the demo's own. */
async function startOver(settings: Settings, databaseUrl: string): Promise<void> {
  const database = openDatabase({ url: databaseUrl, connectionsMax: 2 });
  try {
    await database.sql`drop schema if exists graphile_worker cascade`;
    await database.sql`drop schema public cascade`;
    await database.sql`create schema public`;
    await migrate(database);
  } finally {
    await database.close();
  }
  await clearUnfinished(settings.dataDir);
}

async function readHostKeys(settings: Settings, databaseUrl: string): Promise<HostKeyShown[]> {
  const database = openDatabase({ url: databaseUrl, connectionsMax: 2 });
  try {
    const vault = await openVaultOf(settings, database);
    return (await openHostKeys({ sql: database.sql, vault })).current.map(showHostKey);
  } finally {
    await database.close();
  }
}
