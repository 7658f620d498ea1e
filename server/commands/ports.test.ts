// Shows what is said about a port before any worker starts.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import test from 'node:test';
import { Refusal } from '../kernel/refusal.ts';
import { findPort, findPortNear } from './ports.ts';

const setting = 'BROADGATE_SFTP_PORT';

async function openTaken() {
  const server = net.createServer().listen({ host: '127.0.0.1', port: 0, exclusive: true });
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, [Symbol.dispose]: () => server.close() };
}

const hasCode = (code: string) => (fault: unknown) => fault instanceof Refusal && fault.code === code;

test('port 0 gives a port that can be opened', async () => {
  const { port } = await findPort({ host: '127.0.0.1', port: 0, setting });
  assert.ok(port > 0);
  assert.equal((await findPort({ host: '127.0.0.1', port, setting })).port, port);
});

test('a taken port is refused by its number and setting, and the demo takes one near it instead', async () => {
  using taken = await openTaken();
  const wanted = { host: '127.0.0.1', port: taken.port, setting };
  await assert.rejects(findPort(wanted), hasCode('port_taken'));
  const near = await findPortNear(wanted);
  assert.notEqual(near.port, taken.port);
});

test('an address of another machine is refused', async () => {
  await assert.rejects(findPort({ host: '192.0.2.1', port: 0, setting }), hasCode('address_not_here'));
});
