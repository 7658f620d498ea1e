// Passwords at rest: argon2id with its parameters beside the hash, worked out off the event loop and by few at a time.
import { argon2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { createSemaphore } from '../kernel/limits.ts';
import type { Random } from '../kernel/random.ts';

export interface Argon2Parameters {
  readonly memoryKibibytes: number;
  readonly passes: number;
  readonly lanes: number;
}

// OWASP's password storage cheat sheet, argon2id: 19 MiB, two passes, one lane.
export const defaultArgon2: Argon2Parameters = { memoryKibibytes: 19_456, passes: 2, lanes: 1 };

const saltSizeBytes = 16;
const tagSizeBytes = 32;
const compute = promisify(argon2);

/** What may be done while a turn is held. */
export interface PasswordTurn {
  /** The text to store. */
  hash(password: string): Promise<string>;
  /** Compares with what is stored; without anything stored it works as long, and says no. */
  verify(password: string, stored: string | undefined): Promise<'right' | 'right_but_outdated' | 'wrong'>;
}

export type Passwords = ReturnType<typeof createPasswords>;

export function createPasswords(parts: {
  random: Random;
  parameters?: Argon2Parameters;
  /** How many are worked out at a time; the rest waits, up to `waitingMax`. */
  turns?: number;
  waitingMax?: number;
}) {
  const { random, parameters = defaultArgon2, turns = 2, waitingMax = 200 } = parts;
  const line = createSemaphore({ permits: turns, waitingMax, what: 'password checking' });
  let computed = 0;

  async function derive(password: string, salt: Buffer, cost: Argon2Parameters): Promise<Buffer> {
    computed += 1;
    // The same characters typed on another keyboard may arrive composed in another way.
    const message = Buffer.from(password.normalize('NFKC'));
    return compute('argon2id', {
      message,
      nonce: salt,
      memory: cost.memoryKibibytes,
      passes: cost.passes,
      parallelism: cost.lanes,
      tagLength: tagSizeBytes,
    });
  }

  const nobody = format(parameters, Buffer.alloc(saltSizeBytes), Buffer.alloc(tagSizeBytes));
  const turn: PasswordTurn = {
    async hash(password) {
      const salt = random.bytes(saltSizeBytes);
      return format(parameters, salt, await derive(password, salt, parameters));
    },
    async verify(password, stored) {
      const { cost, salt, tag } = parse(stored ?? nobody);
      const isRight = timingSafeEqual(await derive(password, salt, cost), tag) && stored !== undefined;
      if (!isRight) return 'wrong';
      return isSameCost(cost, parameters) ? 'right' : 'right_but_outdated';
    },
  };

  return {
    /** Runs `work` with a turn. NOTE: take the turn before a transaction, or waiting turns hold every connection. */
    take: <Result>(work: (turn: PasswordTurn) => Promise<Result>): Promise<Result> => line.run(() => work(turn)),
    /** How many hashes were worked out so far, for metrics. */
    computed: () => computed,
  };
}

// The PHC string format, which other programs read too: $argon2id$v=19$m=…,t=…,p=…$salt$tag, base64 without padding.
const format = (cost: Argon2Parameters, salt: Buffer, tag: Buffer): string =>
  `$argon2id$v=19$m=${cost.memoryKibibytes},t=${cost.passes},p=${cost.lanes}$${bare(salt)}$${bare(tag)}`;

const bare = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

function parse(stored: string): { cost: Argon2Parameters; salt: Buffer; tag: Buffer } {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(stored);
  if (!match) throw new Error('a stored password is not in the form that this release writes');
  return {
    cost: { memoryKibibytes: Number(match[1]), passes: Number(match[2]), lanes: Number(match[3]) },
    salt: Buffer.from(match[4]!, 'base64'),
    tag: Buffer.from(match[5]!, 'base64'),
  };
}

const isSameCost = (a: Argon2Parameters, b: Argon2Parameters): boolean =>
  a.memoryKibibytes === b.memoryKibibytes && a.passes === b.passes && a.lanes === b.lanes;
