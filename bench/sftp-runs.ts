// One run of OpenSSH's sftp client against any of the servers, with what it cost the server.
import path from 'node:path';
import { run } from '../test/clients.ts';
import { sftp } from '../test/sftp-programs.ts';
import { type Cost, withCost } from './process-cost.ts';
import type { Bench, Sample, Side } from './row.ts';
import type { SftpServer } from './sftp-peers.ts';
import type { OurServer, SftpServers } from './sftp-servers.ts';

/** What the client is told to use. Shape: options of OpenSSH; none is what a default client picks. */
export type CipherChoice = readonly string[];

export const ciphers = {
  gcm: ['-o', 'Ciphers=aes128-gcm@openssh.com'],
  // The MAC too: left to itself the client asks OpenSSH's server for UMAC, which ours does not offer.
  ctr: ['-o', 'Ciphers=aes256-ctr', '-o', 'MACs=hmac-sha2-256-etm@openssh.com,hmac-sha2-256'],
  default: [],
} as const satisfies Record<string, CipherChoice>;

const timeoutMs = 180_000;

/** Runs these commands to their end. Shape: what it printed. Refuses: an error where one failed. */
export async function runClient(
  server: SftpServer,
  cipher: CipherChoice,
  commands: readonly string[],
): Promise<string> {
  const ran = await sftp(server.target, commands, { args: cipher, timeoutMs });
  if (ran.status !== 0) throw new Error(`sftp ended with ${ran.status}: ${ran.stderr.trim().slice(0, 300)}`);
  return ran.stdout.toString();
}

/** So that what one run left to be written is not paid for by the next. */
export const settleDisk = async (): Promise<void> => void (await run('sync', [], { timeoutMs: 120_000 }));

export interface SftpWork {
  /** The row's name. */
  readonly name: string;
  /** Runs before every measured run, outside it. */
  prepare?(server: SftpServer, round: number): Promise<void>;
  /** What is measured. Answers how much was done and what failed. */
  work(server: SftpServer, round: number): Promise<{ readonly attempts: number; readonly failures: number }>;
  /** Runs after it, outside it. */
  tidy?(server: SftpServer, round: number): Promise<void>;
  /** The figures of a run. */
  values(ran: { readonly seconds: number; readonly cost: Cost; readonly attempts: number }): Record<string, number>;
}

/** The three servers as sides of a row. */
export function sidesOf(bench: Bench, servers: SftpServers, work: SftpWork, roundsOfSlow: number): Side[] {
  const sideOf = (server: SftpServer): Side => ({
    name: server.name,
    version: server.version,
    // It decides no bar, and is slow.
    ...(server.name === 'ProFTPD' && { rounds: roundsOfSlow }),
    async run(round): Promise<Sample> {
      await work.prepare?.(server, round);
      await settleDisk();
      const measured = () => withCost(server, () => work.work(server, round));
      const { result, cost, seconds } = await profiled(bench, work.name, server, round, measured);
      await work.tidy?.(server, round);
      return { ...result, values: work.values({ seconds, cost, attempts: result.attempts }) };
    },
  });
  return [servers.ours, ...servers.peers].map(sideOf);
}

/** The first round of ours is profiled where that was asked for; its figures are then not for quoting. */
function profiled<Result>(
  bench: Bench,
  name: string,
  server: SftpServer,
  round: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const { profileFolder } = bench;
  if (profileFolder === undefined || round !== 1 || server.name !== 'Broadgate') return work();
  return (server as OurServer).probes.profile(path.resolve(profileFolder), name, work);
}
