// Joins two places that cannot reach each other by the network: `node bridge.ts FROM TO`, each `tcp:PORT` on 127.0.0.1 or `unix:PATH`; prints where it listens.
import { type ListenOptions, type NetConnectOpts, connect, createServer } from 'node:net';

const read = (place: string): ListenOptions & NetConnectOpts => {
  const [kind, where] = [place.slice(0, place.indexOf(':')), place.slice(place.indexOf(':') + 1)];
  return kind === 'unix' ? { path: where } : { host: '127.0.0.1', port: Number(where) };
};

const [from, to] = process.argv.slice(2).map(read);
const server = createServer({ allowHalfOpen: true }, (near) => {
  const far = connect({ ...to!, allowHalfOpen: true });
  near.pipe(far);
  far.pipe(near);
  near.on('error', () => far.destroy());
  far.on('error', () => near.destroy());
});
server.listen(from, () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'string' ? address : address?.port}\n`);
});
