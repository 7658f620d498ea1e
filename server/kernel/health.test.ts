// Health: readiness by name, each look within its own time, and no work for a process that is stopping.
import assert from 'node:assert/strict';
import test from 'node:test';
import { createFakeClock } from './clock.ts';
import { createHealth } from './health.ts';

test('It is ready when every look succeeds, and says by name which one does not', async () => {
  const faults: string[] = [];
  const health = createHealth({ clock: createFakeClock(), onFault: (name) => void faults.push(name) });
  health.add('database', () => Promise.resolve());
  assert.deepEqual(await health.ready(), { ok: true, checks: { database: 'ok' } });
  health.add('blobs', () => Promise.reject(new Error('the disk is gone: /secret/path')));
  assert.deepEqual(await health.ready(), { ok: false, checks: { database: 'ok', blobs: 'failed' } });
  assert.deepEqual(faults, ['blobs']);
});

test('A look that hangs is late, and does not hold up the answer', async () => {
  const clock = createFakeClock();
  const health = createHealth({ clock });
  health.add('database', () => new Promise(() => undefined), { timeoutMs: 500 });
  const asked = health.ready();
  clock.advance(500);
  assert.deepEqual(await asked, { ok: false, checks: { database: 'late' } });
});

test('A process that stops is alive and not ready', async () => {
  const health = createHealth({ clock: createFakeClock() });
  health.stop();
  assert.equal(health.live().ok, true);
  assert.deepEqual(await health.ready(), { ok: false, checks: { process: 'stopping' } });
});
