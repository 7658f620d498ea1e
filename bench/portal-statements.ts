// Row: pages of a list of 100,000 statements over the API, asked for at a steady rate as many readers would, and until it is full.
import http from 'node:http';
import { addClient, addOperator } from '../test/broker.ts';
import { openInstallation } from '../test/installation.ts';
import type { Bench, OpenRow, Row, Sample } from './row.ts';

const perSecond = 200;
const connections = 50;
const clients = 4;

/** What pages ask for: the first page, one kind, a period long ago, one account's kind, and far down the list. */
const questions = [
  '?limit=50',
  '?limit=50&kind=monthly',
  '?limit=50&from=2001-03-01&to=2001-03-31',
  '?limit=50&kind=daily&account=ACCOUNT',
  'DEEP',
] as const;

interface Reader {
  readonly token: string;
  readonly accountNumber: string;
  readonly deep: string;
}

async function open(bench: Bench): Promise<OpenRow> {
  await using opened = new AsyncDisposableStack();
  const statements = bench.isQuick ? 10_000 : 100_000;
  // Readers come from many addresses, as a proxy says: the limits of one address are not what is measured.
  const installation = opened.use(
    await openInstallation({ env: { BROADGATE_TRUSTED_PROXIES: '127.0.0.1', BROADGATE_WORKERS: '2' } }),
  );
  bench.say(`filling ${clients} × ${statements.toLocaleString('en')} statements`);
  const desk = (await addOperator(installation, 'dora', ['delivery'])).caller;
  const readers: Reader[] = [];
  for (let index = 0; index < clients; index += 1) {
    const person = await addClient(desk, `reader${index}`, `U${9000 + index}`);
    await using parts = await installation.openParts();
    await parts.sql`
      insert into statements (id, client_id, account_id, account_number, kind, period_from, period_to, extension, version, name,
        blob_id, size_bytes, sha256, issued_at_ms, expires_at_ms)
      select lpad(to_hex(n), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(${index}::integer), 12, '0'), a.client_id, a.id, a.number,
        (array['daily', 'daily', 'daily', 'monthly', 'confirmation'])[n % 5 + 1], date '2000-01-01' + n / 10,
        date '2000-01-01' + n / 10, 'e' || n % 10, n % 9999 + 1, a.number || '_' || n || '.pdf', 'blob', 50000, repeat('0', 64),
        n * 1000::bigint, 4102444800000
      from accounts a, generate_series(1, ${statements}::integer) n where a.client_id = ${person.clientId}`;
    await parts.sql`analyze statements`;
    let cursor = '';
    for (let page = 0; page < 20; page += 1) {
      const answer = await person.caller.get<{ next: string }>(`/v1/statements?limit=200${cursor}`);
      cursor = `&cursor=${encodeURIComponent(answer.next)}`;
    }
    readers.push({ token: person.caller.token!, accountNumber: person.accountNumber, deep: `?limit=50${cursor}` });
  }
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  opened.defer(() => agent.destroy());
  const ask = (number: number): Promise<boolean> => askOnce(agent, installation.url, readers, number);
  const rest = opened.move();
  return {
    sides: [
      {
        name: 'Broadgate',
        version: `${statements.toLocaleString('en')} statements a client`,
        run: (round) => measure(ask, round === 0 || bench.isQuick ? 3 : 15),
      },
    ],
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

function askOnce(agent: http.Agent, url: string, readers: readonly Reader[], number: number): Promise<boolean> {
  const reader = readers[number % readers.length]!;
  const question = questions[Math.floor(number / readers.length) % questions.length]!;
  const query = question === 'DEEP' ? reader.deep : question.replace('ACCOUNT', reader.accountNumber);
  const headers = {
    authorization: `Bearer ${reader.token}`,
    'x-forwarded-for': `198.18.${Math.floor(number / 250) % 250}.${number % 250}`,
    'x-forwarded-proto': 'https',
  };
  return new Promise((done) => {
    http
      .get(`${url}/v1/statements${query}`, { agent, headers }, (response) => {
        response.resume().on('end', () => done(response.statusCode === 200));
      })
      .on('error', () => done(false));
  });
}

/** Open loop: a request is due at its time whether or not the one before was answered, and its wait counts from there. */
async function measure(ask: (number: number) => Promise<boolean>, seconds: number): Promise<Sample> {
  const took: number[] = [];
  let failures = 0;
  const total = perSecond * seconds;
  const startedMs = performance.now();
  const running: Promise<void>[] = [];
  for (let number = 0; number < total; number += 1) {
    const dueMs = startedMs + (number * 1000) / perSecond;
    const waitMs = dueMs - performance.now();
    if (waitMs > 1) await new Promise((go) => setTimeout(go, waitMs));
    running.push(
      ask(number).then((isGood) => {
        if (isGood) took.push(performance.now() - dueMs);
        else failures += 1;
      }),
    );
  }
  await Promise.all(running);
  const full = await saturate(ask, Math.min(5, seconds));
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Infinity;
  return {
    values: { p95: at(0.95), p50: at(0.5), p99: at(0.99), saturation: full.perSecond },
    attempts: total + full.attempts,
    failures: failures + full.failures,
  };
}

/** As many as are answered while every connection asks again at once. */
async function saturate(ask: (number: number) => Promise<boolean>, seconds: number) {
  const endMs = performance.now() + seconds * 1000;
  let [attempts, failures] = [0, 0];
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() < endMs) {
        attempts += 1;
        if (!(await ask(attempts))) failures += 1;
      }
    }),
  );
  return { perSecond: (attempts - failures) / seconds, attempts, failures };
}

export const portalRow: Row = {
  name: 'portal-statements',
  meaning: 'Read pages of a list of 100,000 statements over the API, 200 a second over 50 connections',
  notes: [
    'Open loop: a request is sent at its time, and what it waits counts from there. Five questions in turn: the first page, one kind, a period long ago, a kind of one account, and a page behind 4,000 others.',
    'Four clients with a list of their own, two workers, the embedded database; the caller is on the same machine. Saturation meets the limit of one caller, so that failures there are refusals.',
  ],
  measures: [
    { name: 'p95', unit: 'ms', better: 'lower', bars: [{ kind: 'at-most', value: 20 }] },
    { name: 'p50', unit: 'ms', better: 'neither' },
    { name: 'p99', unit: 'ms', better: 'neither' },
    { name: 'saturation', unit: 'requests/s', better: 'higher' },
  ],
  rounds: 3,
  open,
};
