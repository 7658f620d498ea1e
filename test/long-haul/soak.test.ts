// An installation under an hour of mixed load from real clients: what its workers hold after garbage collection does not grow.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createProbes, probeOptions } from '../../bench/probing.ts';
import { makeOpenPgpPair } from '../../server/demo/keys.ts';
import { createSeededRandom, type Random, randomBelow } from '../../server/kernel/random.ts';
import { addOperator, createCaller, issueStatement, setUpEncryption, signIn } from '../broker.ts';
import { openInstallation } from '../installation.ts';
import { makeKeyPair } from '../key-pairs.ts';
import { openRepositoryClient, type Place, type RepositoryClient } from '../repository-client.ts';
import { sftp } from '../sftp-programs.ts';
import { slopeOf } from './slope.ts';

const minutes = Number(process.env['BROADGATE_TEST_SOAK_MINUTES'] ?? 60);
const seed = process.env['BROADGATE_TEST_SEED'] ?? String(randomInt(2 ** 31));
const isLong = process.env['BROADGATE_TEST_LONG'] === '1';
const lanes = 3;
/** Between two actions of a lane, so that the load is that of a working day and not a race. */
const pauseMs = Number(process.env['BROADGATE_TEST_SOAK_PAUSE_MS'] ?? 300);
/** What a worker may hold more after every thousand actions. A kilobyte forgotten an action would be twice as much. */
const growthKibMax = 512;
const mib = 1024 * 1024;

interface Sample {
  readonly actions: number;
  readonly heldMib: number;
  readonly rssMib: number;
}

type Action = (client: RepositoryClient, random: Random) => Promise<void>;

test('a worker that has run an hour of mixed load has not grown', {
  skip: !isLong && 'npm run test:long',
}, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'broadgate-soak-'));
  const probes = path.join(folder, 'probes');
  mkdirSync(probes);
  try {
    await using installation = await openInstallation({
      env: { ...probeOptions(probes), BROADGATE_PRIVATE_ADDRESSES: 'on' },
    });
    const { caller: desk } = await addOperator(installation, 'desk', ['delivery', 'service']);
    const place = { installation, desk, folder };
    const clients = await openClients(place);
    const actions = await createActions(place);
    const done = new Map<string, number>();
    const failed: string[] = [];
    const endMs = performance.now() + minutes * 60_000;
    const isOver = (): boolean => performance.now() > endMs || failed.length > 20;
    const live = async (lane: number): Promise<void> => {
      const random = createSeededRandom(`${seed} ${lane}`);
      while (!isOver()) {
        const [name, action] = pick(random, actions);
        await action(pick(random, clients), random).catch((fault: unknown) => failed.push(`${name}: ${String(fault)}`));
        done.set(name, (done.get(name) ?? 0) + 1);
        await delay(pauseMs);
      }
    };
    const working = Promise.all(Array.from({ length: lanes }, (_, lane) => live(lane)));
    const samples = await watch(createProbes(probes), { isOver, count: () => sum([...done.values()]) });
    await working;
    report(samples, done);
    assert.deepEqual(failed, []);
    for (const worker of samples) checkGrowth(worker);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const pick = <Item>(random: Random, items: readonly Item[]): Item => items[randomBelow(random, items.length)]!;

/** Six clients, every second with encryption. */
async function openClients(place: Place): Promise<RepositoryClient[]> {
  const clients: RepositoryClient[] = [];
  for (let n = 0; n < 6; n += 1) {
    const client = await openRepositoryClient(place, `soak-${n}`, `U88000${n}`);
    if (n % 2 === 1) {
      const { publicKey } = await makeOpenPgpPair({ name: 'Soak', email: 'soak@client.example' }, new Date());
      await setUpEncryption(place.desk, client.client, publicKey);
    }
    await issueStatement(place.desk, statementOf(client, 0), 'a first one');
    mkdirSync(path.join(place.folder, `soak-${n}-got`));
    clients.push(client);
  }
  return clients;
}

const statementOf = ({ client }: RepositoryClient, n: number) => ({
  account: client.accountNumber,
  kind: 'activity',
  period: new Date(Date.UTC(2026, 0, 1 + (n % 300))).toISOString().slice(0, 10),
  file: 'a.csv',
});

async function createActions({ installation, desk, folder }: Place): Promise<(readonly [string, Action])[]> {
  const stranger = await makeKeyPair(folder, 'stranger');
  const { url } = installation;
  const good = async (client: RepositoryClient, lines: readonly string[]): Promise<void> => {
    const ran = await sftp(client.target, lines);
    assert.equal(ran.status, 0, ran.stderr);
  };
  return [
    ['list by SFTP', (client) => good(client, ['ls -la', 'ls -la manifests'])],
    ['get', (client) => good(client, [`lcd ${folder}/${client.client.login}-got`, 'get *activity_20260101*'])],
    [
      'put and remove',
      async (client, random) => {
        const name = `up-${randomBelow(random, 1e9)}.bin`;
        const file = path.join(folder, name);
        writeFileSync(file, Buffer.alloc(randomBelow(random, 300_000), randomBelow(random, 256)));
        await good(client, [`put ${file} ${name}`, `rename ${name} ${name}.2`, `rm ${name}.2`]);
        rmSync(file);
      },
    ],
    [
      'refused key',
      async (client) => {
        const ran = await sftp({ ...client.target, keyFile: stranger.keyFile }, ['ls']);
        assert.notEqual(ran.status, 0);
      },
    ],
    [
      'unknown name',
      async (client, random) => {
        const ran = await sftp({ ...client.target, user: `nobody-${randomBelow(random, 1e9)}` }, ['ls']);
        assert.notEqual(ran.status, 0);
      },
    ],
    [
      'read by HTTPS',
      async ({ client }) => {
        const { items } = await client.caller.get<{ items: { id: string }[] }>('/v1/statements?limit=20');
        await client.caller.get(`/v1/statements/${items[0]!.id}/timeline`);
        await client.caller.get('/v1/repository/entries?path=%2F');
        await client.caller.get('/v1/notices');
      },
    ],
    [
      'sign in and out',
      async ({ client }) => {
        const caller = await signIn(url, client.login, client.password);
        await caller.get('/v1/me');
        await caller.call('DELETE', '/v1/sign-ins/current');
      },
    ],
    [
      'refused by HTTPS',
      async (_, random) => {
        const caller = createCaller(url, `bgt_${randomBelow(random, 1e9)}`);
        await caller.refused('GET', '/v1/statements');
        await caller.refused('GET', `/v1/nothing-${randomBelow(random, 1e9)}`);
      },
    ],
    [
      'issue',
      async (client, random) =>
        void (await issueStatement(desk, statementOf(client, randomBelow(random, 300)), 'text')),
    ],
    [
      'look around at the desk',
      async ({ client }) => {
        await desk.get(`/v1/clients?search=${client.login}`);
        await desk.get('/v1/delivery-desk/requests');
        await desk.get(`/v1/delivery-desk/statements?client=${client.clientId}&kind=activity`);
      },
    ],
  ];
}

/** What each worker holds, a hundred times over the whole. Shape: a list of samples for each worker. */
async function watch(
  probes: ReturnType<typeof createProbes>,
  load: { isOver: () => boolean; count: () => number },
): Promise<Sample[][]> {
  const workers: Sample[][] = [];
  while (!load.isOver()) {
    await delay(Math.max(5000, minutes * 600));
    const actions = load.count();
    for (const [worker, usage] of (await probes.collect()).entries()) {
      const heldMib = (usage.heapUsed + usage.external) / mib;
      (workers[worker] ??= []).push({ actions, heldMib, rssMib: usage.rss / mib });
    }
  }
  return workers;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** The first third warms up: code is compiled, pools and caches fill. */
const settled = (samples: readonly Sample[]): Sample[] => samples.slice(Math.ceil(samples.length / 3));

const growthOf = (samples: readonly Sample[], of: 'heldMib' | 'rssMib'): number =>
  slopeOf(settled(samples).map((sample) => [sample.actions / 1000, sample[of]])) * 1024;

function report(workers: readonly Sample[][], done: ReadonlyMap<string, number>): void {
  console.log(
    `seed ${seed}, ${minutes} min, ${sum([...done.values()])} actions: ${JSON.stringify(Object.fromEntries(done))}`,
  );
  for (const [worker, samples] of workers.entries()) {
    const [first, last] = [settled(samples)[0]!, samples.at(-1)!];
    const [held, rss] = (['heldMib', 'rssMib'] as const).map((of) => growthOf(samples, of).toFixed(0));
    console.log(
      `worker ${worker}: held ${first.heldMib.toFixed(1)} -> ${last.heldMib.toFixed(1)} MiB (${held} KiB per 1,000 actions), ` +
        `resident ${first.rssMib.toFixed(0)} -> ${last.rssMib.toFixed(0)} MiB (${rss} KiB), ${samples.length} samples`,
    );
  }
}

function checkGrowth(samples: readonly Sample[]): void {
  const growth = growthOf(samples, 'heldMib');
  assert.ok(growth < growthKibMax, `a worker holds ${growth.toFixed(0)} KiB more after every thousand actions`);
}
