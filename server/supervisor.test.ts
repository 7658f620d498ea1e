// Shows that workers share a port, that a dead one is replaced, that a failed start is told, and that a stop always ends.
import assert from 'node:assert/strict';
import net from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import { eventually } from '../test/eventually.ts';
import { findPort } from './commands/ports.ts';
import { systemClock } from './kernel/clock.ts';
import { silentLog } from './kernel/log.ts';
import { Refusal } from './kernel/refusal.ts';
import { openSupervisor } from './supervisor.ts';
import type { Behaviour } from './supervisor.worker.ts';

const freePort = async (): Promise<number> =>
  (await findPort({ host: '127.0.0.1', port: 0, setting: 'BROADGATE_SFTP_PORT' })).port;

const open = (start: Behaviour, workers: number) =>
  openSupervisor<Behaviour>({
    workerFile: join(import.meta.dirname, 'supervisor.worker.ts'),
    workers,
    start,
    clock: systemClock,
    log: silentLog,
    cutMs: 200,
  });

/**
 * The process id of whichever worker answers. NOTE: a connection that was being handed to a worker at the moment of its
 * death is answered by nobody (node:cluster keeps it), so every question has a time limit.
 */
const askWho = async (port: number): Promise<number> => {
  const socket = net.connect({ port, host: '127.0.0.1' });
  socket.setTimeout(500, () => socket.destroy(new Error('nobody answered')));
  return Number(await text(socket));
};

const askMany = async (port: number): Promise<Set<number>> =>
  new Set(await Promise.all(Array.from({ length: 8 }, () => askWho(port))));

test('workers share one port, and one that is killed is replaced while the other goes on answering', async () => {
  const port = await freePort();
  const supervisor = await open({ does: 'serve', port }, 2);
  try {
    // The kernel hands connections out as it likes, so one round of questions may meet one worker only.
    const before = await eventually(async () => {
      const answering = await askMany(port);
      return answering.size === 2 ? answering : undefined;
    });
    const [victim, survivor] = [...before];
    process.kill(victim!, 'SIGKILL');
    assert.equal(await eventually(() => askWho(port)), survivor);
    const after = await eventually(async () => {
      const answering = await askMany(port);
      return answering.size === 2 ? answering : undefined;
    });
    assert.ok(!after.has(victim!) && after.has(survivor!));
  } finally {
    await supervisor.stop(0);
  }
  await assert.rejects(askWho(port));
});

test('a worker that cannot start gives its own refusal to whoever starts the server', async () => {
  const port = await freePort();
  await assert.rejects(
    open({ does: 'refuse', port }, 2),
    (fault: unknown) => fault instanceof Refusal && fault.code === 'port_taken' && fault.kind === 'conflict',
  );
});

test('a worker that dies while it starts is told at once, and nothing is tried again for ever', async () => {
  await assert.rejects(open({ does: 'die', port: await freePort() }, 1), Error);
});

test('a worker that does not stop is killed when its grace is over', async () => {
  const port = await freePort();
  const supervisor = await open({ does: 'stay', port }, 1);
  const pid = await askWho(port);
  await supervisor.stop(50);
  assert.throws(() => process.kill(pid, 0));
});
