// A worker for the supervisor's test: serves its process id on a shared port, or misbehaves as it is told.
import net from 'node:net';
import type { FromWorker, ToWorker } from './supervisor.ts';

export interface Behaviour {
  readonly does: 'serve' | 'refuse' | 'die' | 'stay';
  readonly port: number;
}

const say = (message: FromWorker): void => void process.send!(message);

function start({ does, port }: Behaviour): void {
  if (does === 'die') process.exit(7);
  if (does === 'refuse') {
    const refusal = { kind: 'conflict', code: 'port_taken' } as const;
    return say({ kind: 'failed', failure: { text: 'The port is taken.', refusal } });
  }
  net
    .createServer((socket) => socket.end(String(process.pid)))
    .listen({ port, host: '127.0.0.1' }, () => say({ kind: 'ready' }));
  if (does === 'stay') process.removeAllListeners('message').on('message', () => undefined);
}

process.on('message', (message: ToWorker<Behaviour>) => {
  if (message.kind === 'start') start(message.start);
  else if (message.kind === 'stop') process.exit(0);
});
say({ kind: 'listening' });
