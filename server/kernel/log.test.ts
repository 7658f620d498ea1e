// Logs: one object a line, faults at the level their sort asks for, and no way to print a secret by mistake.
import assert from 'node:assert/strict';
import test from 'node:test';
import { format, inspect } from 'node:util';
import { createLog, describeFault, Secret } from './log.ts';
import { Outage, Refusal } from './refusal.ts';

function openLog() {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({
    destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  });
  return { log, lines };
}

test('A secret stays masked however it is printed, and reveals itself only when asked', () => {
  const secret = new Secret('hunter2');
  const printed = [
    String(secret),
    secret + '',
    JSON.stringify({ secret, list: [secret] }),
    inspect(secret),
    inspect({ deep: { secret } }, { depth: 9, showHidden: true }),
    format('%s %o %j', secret, secret, secret),
    JSON.stringify(Object.entries(secret)),
    Object.getOwnPropertyNames(secret).join(),
  ];
  const { log, lines } = openLog();
  log.info('a setting', { secret, nested: { password: secret } });
  log.fault('failed', new Error(`with ${String(secret)}`, { cause: secret }));
  for (const text of [...printed, JSON.stringify(lines)]) assert.ok(!text.includes('hunter2'), text);
  assert.equal(secret.reveal(), 'hunter2');
});

test('Each line is one object with its level, its time and the fields of its log', () => {
  const { log, lines } = openLog();
  log.with({ part: 'sftp' }).with({ connection: 'c1' }).warn('slow', { elapsedMs: 9 });
  const { level, part, connection, elapsedMs, time } = lines[0]!;
  assert.deepEqual(
    { level, part, connection, elapsedMs },
    { level: 'warn', part: 'sftp', connection: 'c1', elapsedMs: 9 },
  );
  assert.ok(!Number.isNaN(Date.parse(String(time))));
});

test('A refusal is news, an outage a warning, and anything else our error', () => {
  const { log, lines } = openLog();
  log.fault('a', new Refusal('invalid', 'key_weak', 'The key is weak.', { bits: 1024 }));
  log.fault('b', new Outage('the database'));
  log.fault('c', new TypeError('x is undefined'));
  log.fault('d', 'a string was thrown');
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['info', 'warn', 'error', 'error'],
  );
  assert.deepEqual((lines[0]!['fault'] as { code: string }).code, 'key_weak');
  assert.equal((lines[0]!['fault'] as { stack?: string }).stack, undefined);
  assert.ok((lines[2]!['fault'] as { stack?: string }).stack);
});

test('A database fault is logged without the row that it quotes, and a chain of causes ends', () => {
  const fault = Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (email)=(anna@example.org)' });
  const looped = new Error('loop');
  looped.cause = looped;
  assert.ok(!JSON.stringify(describeFault(fault)).includes('anna'));
  assert.ok(JSON.stringify(describeFault(looped)).length < 20_000);
});
