// Fuzz of an SFTP channel over a real repository: random requests on living and stale handles, cut anywhere, against a
// model. After any story the visible files are those of the model, and nothing is left behind when the channel ends.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import test from 'node:test';
import type { OpenMode } from '@broadgate/sftp';
import { client, flags, type Reply, str, u32, u64 } from '../../test/fakes/sftp-client.ts';
import { createFakeTree } from '../../test/fakes/sftp-mount.ts';
import { createPeer } from '../../test/fakes/sftp-peer.ts';
import { fuzz } from '../../test/fuzz/campaign.ts';
import type { Dice } from '../../test/fuzz/dice.ts';
import {
  createRepositoryModel,
  type ModelHandle,
  type Outcome,
  type RepositoryModel,
} from '../../test/fuzz/repository-model.ts';
import { compare, prepare, type World } from '../../test/fuzz/repository-check.ts';
import { openStatementWorld } from '../../test/statement-world.ts';
import type { ClientActor } from '../kernel/actor.ts';
import { createSftpMount } from './sftp.ts';

const names = ['a', 'b', 'c'];
const places = ['/', '/d', '/e', '/d/f', '/manifests'];
/** Half of the time one where something is. */
function pathOf(dice: Dice, model: RepositoryModel): string {
  if (dice.isOneIn(2)) return dice.pick([...model.entries.keys(), ...model.uploads.keys()]);
  const place = dice.pick(places);
  if (dice.isOneIn(12)) return place;
  return `${place === '/' ? '' : place}/${dice.isOneIn(10) ? dice.pick(['d', 'e', 'f']) : dice.pick(names)}`;
}
const sizes = [0, 1, 100, 5000, 65_535, 65_536, 65_537, 140_000];

interface Open {
  readonly id: Buffer;
  readonly model: ModelHandle | undefined;
}

/** One request with what the model says of its answer. */
interface Request {
  readonly told: string;
  readonly bytes: Buffer;
  check(reply: Reply): void;
}

const isNo = (reply: Reply): boolean => reply.type === 101 && reply.status() !== 0;

function expectOutcome(outcome: Outcome): (reply: Reply) => void {
  return (reply) => {
    if (outcome !== 'either') assert.equal(isNo(reply) ? 'no' : 'ok', outcome);
  };
}

/** A story on one channel: sends requests, keeps the handles that were given, and compares every answer. */
function createStory(model: RepositoryModel, dice: Dice) {
  const open: Open[] = [];
  const stale: Buffer[] = [Buffer.alloc(22, 65)];
  let id = 0;
  /** A handle that is open, or now and then one that is not. */
  const pickOpen = (): Open =>
    open.length === 0 || dice.isOneIn(25) ? { id: dice.pick(stale), model: undefined } : dice.pick(open);
  const isKind = (kind: ModelHandle['kind']) => (one: Open) => one.model?.kind === kind;
  const pickKind = (kind: ModelHandle['kind']): Open => {
    const some = open.filter(isKind(kind));
    return some.length === 0 || dice.isOneIn(20) ? pickOpen() : dice.pick(some);
  };

  function opening(told: string, bytes: Buffer, handle: ModelHandle | undefined): Request {
    return {
      told,
      bytes,
      check(reply) {
        assert.equal(reply.type === 102 ? 'ok' : 'no', handle ? 'ok' : 'no');
        if (reply.type === 102) open.push({ id: reply.string(), model: handle });
      },
    };
  }

  function drawOpen(): Request {
    const path = pathOf(dice, model);
    if (dice.isOneIn(10)) return opening(`opendir ${path}`, client.path(11, ++id, path), model.opendir(path));
    const chosen = dice.pick([
      flags.read,
      flags.write | flags.create | flags.truncate,
      flags.write | flags.create | flags.truncate,
      flags.write | flags.create,
      flags.read | flags.write | flags.create,
      flags.write | flags.create | flags.append,
      flags.write | flags.create | flags.exclusive,
      flags.write,
      dice.below(64),
    ]);
    const mode = Object.fromEntries(
      Object.entries(flags).map(([name, bit]) => [name, (chosen & bit) !== 0]),
    ) as unknown as OpenMode;
    return opening(`open ${path} ${chosen}`, client.open(++id, path, chosen), model.open(path, mode));
  }

  function drawRead(): Request {
    const { id: handle, model: one } = dice.isOneIn(2) ? pickKind('read') : pickKind('write');
    const [offset, length] = [dice.pick(sizes), 1 + dice.below(70_000)];
    const canRead = one?.kind === 'read' || (one?.kind === 'write' && one.mode.read);
    const wanted = canRead ? one.bytes.subarray(offset, offset + length) : undefined;
    const isSure = one?.kind !== 'write' || one.state === 'open';
    return {
      told: `read ${offset} ${length}`,
      bytes: client.read(++id, handle, offset, length),
      check(reply) {
        if (!isSure && canRead) return;
        if (wanted === undefined) assert.ok(isNo(reply));
        else if (wanted.length === 0) assert.equal(reply.status(), 1);
        else assert.ok(reply.type === 103 && reply.string().equals(wanted));
      },
    };
  }

  function drawWrite(): Request {
    const { id: handle, model: one } = pickKind('write');
    const bytes = dice.bytes(dice.pick([0, 1, 300, 5000, 40_000]));
    const size = one?.kind === 'write' ? one.bytes.length : 0;
    const offset = dice.isOneIn(3) ? dice.pick(sizes) : dice.isOneIn(30) ? 2 ** 40 : size;
    return {
      told: `write ${offset} ${bytes.length}`,
      bytes: client.write(++id, handle, offset, bytes),
      check: expectOutcome(model.write(one, offset, bytes)),
    };
  }

  function drawClose(): Request {
    const one = pickOpen();
    const at = open.indexOf(one);
    if (at >= 0) open.splice(at, 1);
    stale.push(one.id);
    return { told: 'close', bytes: client.close(++id, one.id), check: expectOutcome(model.close(one.model)) };
  }

  function drawOnHandle(): Request {
    const { id: handle, model: one } = dice.isOneIn(4) ? pickOpen() : pickKind('write');
    if (dice.isOneIn(3)) {
      const sizeBytes = one?.kind === 'list' ? undefined : one?.bytes.length;
      const isSure = one?.kind !== 'write' || one.state !== 'doomed';
      return {
        told: 'fstat',
        bytes: client.fstat(++id, handle),
        check(reply) {
          assert.equal(isNo(reply), sizeBytes === undefined);
          if (sizeBytes !== undefined && isSure) assert.equal(reply.attributes().size, sizeBytes);
        },
      };
    }
    if (dice.isOneIn(3)) {
      const outcome = model.sync(one);
      return {
        told: 'fsync',
        bytes: client.extended(++id, 'fsync@openssh.com', str(handle)),
        check: expectOutcome(outcome),
      };
    }
    const size = dice.pick(sizes);
    return {
      told: `fsetstat ${size}`,
      bytes: client.fsetstat(++id, handle, u32(1), u64(size)),
      check: expectOutcome(model.truncate(one, size)),
    };
  }

  function drawCopy(): Request {
    const [from, to] = [dice.isOneIn(2) ? pickKind('read') : pickOpen(), pickKind('write')];
    const range = [dice.pick(sizes), dice.pick([0, 1, 5000, 100_000]), dice.pick(sizes)] as const;
    const fields = [str(from.id), u64(range[0]), u64(range[1]), str(to.id), u64(range[2])];
    return {
      told: `copy ${range.join(' ')}`,
      bytes: client.extended(++id, 'copy-data', ...fields),
      check: expectOutcome(model.copy(from.model, to.model, range)),
    };
  }

  function drawOnPath(): Request {
    const path = pathOf(dice, model);
    const on = (told: string, bytes: Buffer, outcome: Outcome): Request => ({
      told: `${told} ${path}`,
      bytes,
      check: expectOutcome(outcome),
    });
    switch (dice.below(12)) {
      case 0:
        return on('remove', client.path(13, ++id, path), model.remove(path));
      case 1:
      case 2:
        return on('mkdir', client.mkdir(++id, path), model.mkdir(path));
      case 3:
        return on('rmdir', client.path(15, ++id, path), model.rmdir(path));
      case 4: {
        const to = pathOf(dice, model);
        return on(`rename to ${to} from`, client.rename(++id, path, to), model.rename(path, to, false));
      }
      case 5:
      case 10:
      case 11: {
        const to = pathOf(dice, model);
        const bytes = client.extended(++id, 'posix-rename@openssh.com', str(path), str(to));
        return on(`posix-rename to ${to} from`, bytes, model.rename(path, to, true));
      }
      case 6: {
        const size = dice.pick(sizes);
        return on(`setstat ${size}`, client.setstat(++id, path, u32(1), u64(size)), model.setSize(path, size));
      }
      case 7:
        return on(
          'setstat time',
          client.setstat(++id, path, u32(8), u32(5), u32(6)),
          path === '/' ? 'no' : model.setTime(path),
        );
      case 8: {
        const bytes = client.extended(++id, 'check-file-name', str(path), str('sha256'), u64(0), u64(0), u32(0));
        const entry = model.entries.get(path);
        const wanted = entry?.kind === 'file' ? createHash('sha256').update(entry.bytes).digest() : undefined;
        return {
          told: `check-file ${path}`,
          bytes,
          check(reply) {
            assert.equal(isNo(reply), wanted === undefined);
            if (wanted) assert.deepEqual([reply.string().toString(), reply.rest()], ['sha256', wanted]);
          },
        };
      }
      default: {
        const size = model.stat(path);
        return {
          told: `stat ${path}`,
          bytes: client.path(17, ++id, path),
          check(reply) {
            assert.equal(isNo(reply), size === undefined);
            if (size !== undefined) assert.equal(reply.attributes().size, size);
          },
        };
      }
    }
  }

  /** Requests that may be under way together: all on handles, so that the order of each is the order of sending. */
  const drawBurst = (): Request[] =>
    Array.from({ length: 1 + dice.below(6) }, () =>
      dice.isOneIn(4) ? drawRead() : dice.isOneIn(5) ? drawOnHandle() : drawWrite(),
    );

  return {
    open,
    draw(): Request[] {
      switch (dice.below(10)) {
        case 0:
        case 1:
          return [open.length < 8 ? drawOpen() : drawClose()];
        case 2:
          return [drawClose()];
        case 3:
          return [drawCopy()];
        case 4:
        case 5:
          return [drawOnPath()];
        default:
          return drawBurst();
      }
    },
  };
}

/** Runs one channel from INIT to its end, in one of the ways that a channel ends. */
async function runChannel(world: World, actor: ClientActor, model: RepositoryModel, dice: Dice): Promise<string[]> {
  const story = createStory(model, dice);
  const { repository } = world.statements;
  const peer = createPeer(createFakeTree(), {
    openMount: async () => createSftpMount({ repository, ticket: { actor, fingerprint: 'SHA256:x' } }),
  });
  const { channel, seen } = peer;
  let wake = (): void => undefined;
  const write = channel.write.bind(channel);
  channel.write = (...parts) => {
    const isTaken = write(...parts);
    wake();
    return isTaken;
  };
  const answered = async (count: number): Promise<void> => {
    while (seen.length < count) await new Promise<void>((resolve) => (wake = resolve));
  };
  const told: string[] = [];
  let replies = 1;
  await answered(replies);
  for (let turn = 5 + dice.below(40); turn > 0; turn--) {
    const requests = story.draw();
    told.push(...requests.map((request) => request.told));
    const bytes = Buffer.concat(requests.map((request) => request.bytes));
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + dice.below(Math.min(bytes.length - at, 1 << dice.below(18)));
      peer.send(bytes.subarray(at, at + size));
      at += size;
    }
    const before = replies;
    await answered((replies += requests.length));
    for (const request of requests) {
      const id = request.bytes.readUInt32BE(5);
      const reply = seen.slice(before).find((one) => one.id === id);
      try {
        request.check(reply!);
      } catch (fault) {
        const status = reply?.type === 101 ? `${reply.u32()} ${reply.string().toString()}` : `type ${reply?.type}`;
        throw new Error(`${request.told} was answered by ${status} after ${told.join('; ')}: ${inspect(peer.faults)}`, {
          cause: fault,
        });
      }
    }
  }
  // A packet that is not whole, a broken one, a loss, or an orderly end.
  const way = dice.below(4);
  if (way === 0) peer.send(Buffer.concat([client.init().subarray(0, dice.below(9))]));
  if (way === 1) peer.send(Buffer.from('ffffffff', 'hex'));
  if (way === 2) channel.onClosed();
  else channel.onEof();
  await peer.session.ended;
  for (const { model: handle } of story.open) if (handle) model.cut(handle);
  assert.deepEqual(peer.faults, [], told.join('; '));
  return told;
}

test('T18: after any requests on a channel, ended at any point, its files are those of the model and nothing is left', async (t) => {
  await using world = await openStatementWorld();
  await fuzz(t, {
    name: 'sftp channel over a repository',
    cases: 10,
    cpuMsMax: 60_000,
    async run(_, dice) {
      const { actor } = await world.addClient();
      const model = createRepositoryModel();
      await prepare(world, actor, model);
      const told: string[] = [];
      for (let channels = 1 + dice.below(3); channels > 0; channels--) {
        told.push(...(await runChannel(world, actor, model, dice)), 'END');
        await compare(world, actor, model, told.join('; '));
      }
      return `${model.entries.size} entries, ${model.uploads.size} uploads`;
    },
  });
});
