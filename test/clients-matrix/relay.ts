// Stands between a client and the server: reads the algorithms that the client offers, and stops a transfer in its middle.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { type Offer, parseOffer } from '../../packages/ssh/algorithms.ts';

export interface Relay extends AsyncDisposable {
  readonly port: number;
  /** What each connection so far offered in its first key exchange, in the order of the connections. */
  readonly offers: Offer[];
  /** From now on a connection stalls after so many bytes in that direction; undefined lets everything through. */
  stall(after: { readonly upBytes?: number; readonly downBytes?: number } | undefined): void;
  /** True once a connection stands still: it was stalled, and what came before was answered. */
  readonly hasStalled: boolean;
}

const stillMs = 500;

/** Opens a relay to a port of this machine. */
export async function openRelay(serverPort: number): Promise<Relay> {
  const offers: Offer[] = [];
  const sockets = new Set<Socket>();
  let limits: Parameters<Relay['stall']>[0];
  let hasStalled = false;
  let movedAtMs = 0;

  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: serverPort, host: '127.0.0.1', noDelay: true });
    readOffer(near, offers);
    const { upBytes = Infinity, downBytes = Infinity } = limits ?? {};
    const moved = (leftBytes: number): void => {
      movedAtMs = performance.now();
      if (leftBytes <= 0) hasStalled = true;
    };
    pass(near, far, upBytes, moved);
    pass(far, near, downBytes, moved);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      // A killed client is gone for the server too, also where its last bytes were held back.
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    offers,
    stall(after) {
      limits = after;
      hasStalled = false;
    },
    get hasStalled() {
      return hasStalled && performance.now() - movedAtMs > stillMs;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Hands bytes on until there were so many; from then on it takes them and lets them lie, so that a close is still seen. */
function pass(from: Socket, to: Socket, bytesMax: number, moved: (leftBytes: number) => void): void {
  let leftBytes = bytesMax;
  from.on('data', (bytes: Buffer) => {
    const piece = bytes.length > leftBytes ? bytes.subarray(0, leftBytes) : bytes;
    leftBytes -= piece.length;
    if (piece.length > 0) moved(leftBytes);
    if (piece.length > 0 && !to.write(piece)) {
      from.pause();
      to.once('drain', () => from.resume());
    }
  });
  from.on('end', () => {
    if (leftBytes > 0) to.end();
    else to.destroy();
  });
}

/** RFC 4253 §4.2 and §6: the identification line, then the first packet, which is the KEXINIT in clear. */
function readOffer(near: Socket, offers: Offer[]): void {
  let received = Buffer.alloc(0);
  const listen = (bytes: Buffer): void => {
    received = Buffer.concat([received, bytes]);
    const start = received.indexOf('\n') + 1;
    if (start === 0 || received.length < start + 5) return;
    const end = start + 4 + received.readUInt32BE(start);
    if (received.length < end) return;
    near.off('data', listen);
    offers.push(parseOffer(received.subarray(start + 5, end - received[start + 4]!)));
  };
  near.on('data', listen);
}
