// Finds the port that the workers will share, and says what is wrong before any of them starts.
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { refusals } from './rules.ts';

export interface WantedPort {
  readonly host: string;
  /** 0 asks for any. */
  readonly port: number;
  /** The setting to change when it does not work. */
  readonly setting: string;
}

export interface FoundPort {
  readonly host: string;
  readonly port: number;
}

/** Opens the port for a moment. Refuses: port_taken, port_needs_right, address_not_here. */
export async function findPort(wanted: WantedPort): Promise<FoundPort> {
  const { host, port, setting } = wanted;
  const probe = net.createServer();
  try {
    probe.listen({ host, port, exclusive: true });
    await once(probe, 'listening');
    const found = (probe.address() as AddressInfo).port;
    probe.close();
    await once(probe, 'close');
    return { host, port: found };
  } catch (fault) {
    switch ((fault as NodeJS.ErrnoException).code) {
      case 'EADDRINUSE':
        throw refusals.port_taken({ host, port, setting });
      case 'EACCES':
        throw refusals.port_needs_right({ port, setting });
      case 'EADDRNOTAVAIL':
        throw refusals.address_not_here({ host, setting });
      case 'EAFNOSUPPORT':
        // A machine without IPv6 has no "all addresses" but the old one.
        if (host === '::') return findPort({ ...wanted, host: '0.0.0.0' });
        throw refusals.address_not_here({ host, setting });
      default:
        throw fault;
    }
  }
}

/** The wanted port, the next free one of the twenty after it, or any. */
export async function findPortNear(wanted: WantedPort): Promise<FoundPort> {
  for (let port = wanted.port; port > 0 && port <= Math.min(wanted.port + 20, 65_535); port += 1) {
    const found = await findPort({ ...wanted, port }).catch(() => undefined);
    if (found) return found;
  }
  return findPort({ ...wanted, port: 0 });
}
