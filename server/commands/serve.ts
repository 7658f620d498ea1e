// `serve`: checks what must hold before a port opens, starts everything in order, and stops it in order at a signal.
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppStart } from '../app.ts';
import type { Settings } from '../config.ts';
import { isLoopback, refusals as httpsRefusals } from '../faces/https/rules.ts';
import { systemClock } from '../kernel/clock.ts';
import { createLog } from '../kernel/log.ts';
import { migrate } from '../kernel/migrate.ts';
import { openDatabase } from '../kernel/sql.ts';
import { checkPortal } from '../portal.ts';
import { openSupervisor } from '../supervisor.ts';
import { openInstallation } from './installation.ts';
import { findPort, type FoundPort, type WantedPort } from './ports.ts';
import { becomeUser } from './run-as.ts';

export interface Ports {
  readonly https: FoundPort;
  readonly sftp: FoundPort;
}

export interface RunningServer extends AsyncDisposable {
  readonly ports: Ports;
  /** Rejects when the workers keep dying. */
  readonly fallen: Promise<never>;
  /** Stops in order: faces, transfers and jobs, database. Those not done after `graceMs` are cut. */
  stop(graceMs: number): Promise<void>;
  /** Cuts what still runs, so that a `stop` that waits goes on. */
  cut(): void;
}

/** Serves until a signal comes. Shape: the exit code. */
export async function runServe(settings: Settings): Promise<number> {
  const servedFor = await becomeUser(settings);
  if (servedFor !== undefined) return servedFor;
  checkAddress(settings);
  await checkPortal(settings);
  return serveUntilSignal(settings, async () => {
    const server = await openServer(settings);
    process.stdout.write(`${describePorts(settings, server.ports)}\n`);
    return server;
  });
}

/** Refuses: address_needs_tls. */
function checkAddress({ httpsAddress: host, tlsCertificateFile, trustedProxies }: Settings): void {
  if (tlsCertificateFile === undefined && trustedProxies.length === 0 && !isLoopback(host)) {
    throw httpsRefusals.address_needs_tls({ host });
  }
}

const describePorts = (settings: Settings, { https, sftp }: Ports): string => {
  const scheme = settings.tlsCertificateFile === undefined ? 'http' : 'https';
  return `Broadgate serves: API ${scheme}://${formatPort(https)}, SFTP ${formatPort(sftp)}. Ctrl-C stops it.`;
};

/** Host and port as an address has them: IPv6 in brackets (RFC 3986 §3.2.2). */
const formatPort = ({ host, port }: FoundPort): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/**
 * Opens the installation, migrates it, runs `prepare` and starts the workers; `run.json` is written when all of them serve.
 * `prepare` works on the migrated database before anybody else does.
 */
export async function openServer(
  settings: Settings,
  parts: {
    readonly choosePort?: (wanted: WantedPort) => Promise<FoundPort>;
    readonly prepare?: (databaseUrl: string) => Promise<void>;
  } = {},
): Promise<RunningServer> {
  const log = createLog({ level: settings.logLevel });
  const choosePort = parts.choosePort ?? findPort;
  await using opened = new AsyncDisposableStack();
  const installation = opened.use(await openInstallation(settings, { clock: systemClock, log }));
  if (installation.wasAdopted) log.warn('the database had outlived its server and was taken over');
  const runFile = join(settings.dataDir, 'run.json');
  opened.defer(() => rm(runFile, { force: true }));
  await rm(runFile, { force: true });

  const database = openDatabase({ url: installation.databaseUrl, connectionsMax: 2, answerTimeoutMs: 0 });
  try {
    const { applied } = await migrate(database);
    if (applied.length > 0) log.info('the database was migrated', { applied });
  } finally {
    await database.close();
  }
  await parts.prepare?.(installation.databaseUrl);

  const https = await choosePort({
    host: settings.httpsAddress,
    port: settings.httpsPort,
    setting: 'BROADGATE_HTTPS_PORT',
  });
  const sftp = await choosePort({
    host: settings.sftpAddress,
    port: settings.sftpPort,
    setting: 'BROADGATE_SFTP_PORT',
  });
  const supervisor = await openSupervisor<AppStart>({
    workerFile: join(import.meta.dirname, '..', 'worker.ts'),
    workers: settings.workers,
    start: { settings, databaseUrl: installation.databaseUrl, faces: { https, sftp } },
    clock: systemClock,
    log,
  });
  let graceMs = settings.stopSeconds * 1000;
  opened.defer(() => supervisor.stop(graceMs));
  await writeRunFile(runFile, { pid: process.pid, httpsPort: https.port, sftpPort: sftp.port });
  log.info('serving', { https, sftp, workers: settings.workers });

  const rest = opened.move();
  return {
    ports: { https, sftp },
    fallen: supervisor.fallen,
    async stop(grace) {
      graceMs = grace;
      await rest.disposeAsync();
      log.info('stopped');
    },
    cut: () => supervisor.cut(),
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

async function writeRunFile(file: string, facts: { pid: number; httpsPort: number; sftpPort: number }): Promise<void> {
  await writeFile(`${file}.partial`, `${JSON.stringify(facts)}\n`, { mode: 0o600 });
  await rename(`${file}.partial`, file);
}

/** Opens a server, waits for SIGINT, SIGTERM or SIGHUP, and stops it; a second signal cuts what still runs. */
export async function serveUntilSignal(settings: Settings, open: () => Promise<RunningServer>): Promise<number> {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  let server: RunningServer | undefined;
  let signals = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      signals += 1;
      ask();
      if (signals > 1) server?.cut();
    });
  }
  // A signal that comes while we start is acted on as soon as there is something to stop, or ends a start that fails.
  try {
    server = await open();
  } catch (fault) {
    if (signals > 0) return 0;
    throw fault;
  }
  try {
    await Promise.race([asked, server.fallen]);
    return 0;
  } finally {
    await server.stop(settings.stopSeconds * 1000);
  }
}
