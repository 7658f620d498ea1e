// Fuzz of what else comes from outside: addresses, the PROXY header, paths, cursors, run.csv and manifests.
import assert from 'node:assert/strict';
import { BlockList, isIP } from 'node:net';
import test from 'node:test';
import { type Manifest, readManifest, verifyManifests } from '../packages/contract/manifest.ts';
import { fuzz } from '../test/fuzz/campaign.ts';
import type { Dice } from '../test/fuzz/dice.ts';
import { canonicalAddress as faceAddress, sourceOf } from './faces/sftp/addresses.ts';
import { createCursors } from './faces/https/cursors.ts';
import { canonicalPath as facePath } from './faces/sftp/paths.ts';
import { parseProxyHeader, type ProxyHeader } from './faces/sftp/proxy-header.ts';
import { Refusal } from './kernel/refusal.ts';
import { canonicalAddress, checkEntry, formatNetwork, parseNetwork } from './statements/delivery/address-rules.ts';
import { createPrefixTable } from './statements/delivery/prefix-table.ts';
import { parseRunCsv } from './statements/issuing/run-csv.ts';
import { type CsvRow, findRowFault, formatCsvLine, seriesOf } from './statements/issuing/run-rules.ts';
import { canonicalPath as repositoryPath } from './statements/repository/rules.ts';

/** The value, or the code of the refusal. Any other throw fails the test. */
function decode<Value>(work: () => Value): Value | { readonly refused: string } {
  try {
    return work();
  } catch (fault) {
    if (!(fault instanceof Refusal)) throw fault;
    return { refused: fault.code };
  }
}
const wasRefused = (value: unknown): value is { readonly refused: string } =>
  typeof value === 'object' && value !== null && 'refused' in value;

const addresses = [
  '192.0.2.1',
  '10.0.0.0/8',
  '::',
  '::1/128',
  '2001:db8::8:800:200c:417a',
  '::ffff:192.0.2.1',
  'fe80::1%eth0',
];
const networks = [
  ...addresses,
  '::ffff:10.0.0.0/104',
  '1:2:3:4:5:6:7:8',
  '1:2:3:4:5:6:1.2.3.4',
  '0.0.0.0/0',
  '2001:db8::/32',
];
const texts = (values: readonly string[]): Buffer[] => values.map((value) => Buffer.from(value));

test('T20: an address of any spelling is the same to both readers of ours and to Node, or is none to all', (t) =>
  fuzz(t, {
    name: 'addresses',
    seeds: texts(networks),
    words: ['::', ':', '.', '/', '0', '00', 'ffff', '255', '256', '%', '1.2.3.4', '/128', '/33'],
    bytesMax: 80,
    cases: 5000,
    run(input) {
      const text = input.toString('latin1');
      const [ours, face] = [canonicalAddress(text), faceAddress(text)];
      // A zone names an interface of the machine; the list has none, the face drops it.
      if (!text.includes('%')) {
        // One spelling differs, of ::/96, which never arrives from outside; the list reads both as one address.
        assert.equal(face === undefined ? undefined : canonicalAddress(face), ours, text);
        assert.equal(ours === undefined, isIP(text) === 0, text);
      }
      if (ours !== undefined) assert.deepEqual([canonicalAddress(ours), typeof sourceOf(ours)], [ours, 'string']);
      const network = decode(() => parseNetwork(text));
      if (wasRefused(network)) return network.refused;
      const canonical = formatNetwork(network);
      assert.deepEqual(parseNetwork(canonical), network, canonical);
      const entry = decode(() => checkEntry(text, { widest: { ipv4: 24, ipv6: 48 }, privateAddresses: false }));
      return wasRefused(entry) ? entry.refused : `entry ${network.family}`;
    },
  }));

const randomAddress = (dice: Dice): string =>
  dice.isOneIn(2)
    ? Array.from({ length: 4 }, () => dice.pick([0, 1, 10, 127, 128, 255])).join('.')
    : Array.from({ length: 8 }, () => dice.pick(['0', '1', 'ff', '2001', 'ffff', '8000'])).join(':');

test('T20: the list of networks lets in and blocks just whom Node would with one list for each length', (t) =>
  fuzz(t, {
    name: 'prefix table',
    cases: 1000,
    run(_, dice) {
      const entries = Array.from({ length: 1 + dice.below(12) }, () => {
        const address = randomAddress(dice);
        const prefix = dice.below(address.includes(':') ? 129 : 33);
        const effect = dice.isOneIn(3) ? ('block' as const) : ('allow' as const);
        return { address, prefix, family: address.includes(':') ? ('ipv6' as const) : ('ipv4' as const), effect };
      });
      // A mapped range counts as IPv4 with us, and only with 96 bits or more: the test above looks at those.
      if (entries.some(({ address }) => /^(0:){5}ffff/.test(address))) return 'mapped';
      const table = createPrefixTable(
        entries.map(({ address, prefix, effect }) => ({ network: `${address}/${prefix}`, effect })),
      );
      const asked = dice.isOneIn(2) ? randomAddress(dice) : dice.pick(entries).address;
      if (/^(0:){5}ffff/.test(asked)) return 'mapped';
      const holding = entries.filter(({ address, prefix, family }) => {
        const list = new BlockList();
        list.addSubnet(address, prefix, family);
        return family === (asked.includes(':') ? 'ipv6' : 'ipv4') && list.check(asked, family);
      });
      const longest = Math.max(...holding.map(({ prefix }) => prefix));
      const effects = holding.filter(({ prefix }) => prefix === longest).map(({ effect }) => effect);
      const wanted = effects.includes('block') ? 'block' : effects[0];
      assert.equal(table.find(asked), wanted, JSON.stringify({ entries, asked }));
      return `${wanted}`;
    },
  }));

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const binaryHeader = (command: number, family: number, body: Buffer): Buffer =>
  Buffer.concat([signature, Buffer.of(0x20 | command, family, body.length >> 8, body.length & 255), body]);
const proxyHeaders = [
  ...texts([
    'PROXY TCP4 192.0.2.1 198.51.100.1 40000 32\r\nSSH-2.0-x\r\n',
    'PROXY TCP6 2001:db8::1 ::1 1 2\r\n',
    'PROXY UNKNOWN\r\n',
  ]),
  binaryHeader(1, 0x11, Buffer.from('c0000201c63364019c400020', 'hex')),
  binaryHeader(1, 0x21, Buffer.alloc(36 + 7, 3)),
  binaryHeader(0, 0, Buffer.alloc(0)),
];

test('T20: a PROXY header of any bytes is read alike however much of it has come', (t) =>
  fuzz(t, {
    name: 'PROXY header',
    seeds: proxyHeaders,
    words: ['PROXY ', 'TCP4 ', '\r\n', ' UNKNOWN', signature, '::ffff:1.2.3.4', '65536'],
    bytesMax: 4096,
    cases: 4000,
    run(input) {
      let last: ProxyHeader = { kind: 'more' };
      for (let size = 0; size <= Math.min(input.length, 2200) && last.kind === 'more'; size++)
        last = parseProxyHeader(input.subarray(0, size));
      const whole = parseProxyHeader(input);
      if (input.length <= 2200) assert.deepEqual(whole, last);
      if (whole.kind !== 'header') return whole.kind === 'more' ? 'more' : whole.detail;
      assert.ok(whole.headerBytes <= input.length && whole.headerBytes >= 15);
      const address = whole.address === undefined ? undefined : faceAddress(whole.address);
      return `header ${whole.address === undefined ? 'without address' : address === undefined ? 'with nonsense' : isIP(address)}`;
    },
  }));

test('T20: a path of any bytes has one spelling, which the repository takes over as it is', (t) =>
  fuzz(t, {
    name: 'paths',
    seeds: texts([
      '/a/b',
      '/reports/ä.csv',
      '../..//x/./y',
      '/e\u0301',
      'a'.repeat(300),
      '/x'.repeat(70),
      '\u{1d160}/x',
    ]),
    words: [
      '/',
      '..',
      './',
      '\0',
      '\u202e',
      '\u2028',
      '\ufeff',
      Buffer.from([0xc0, 0xaf]),
      '\u0301',
      '\u{1d160}'.repeat(30),
    ],
    bytesMax: 5000,
    cases: 4000,
    run(input) {
      const path = decode(() => facePath(input));
      if (wasRefused(path)) return path.refused;
      assert.ok(path === '/' || /^(\/[^/]+)+$/u.test(path));
      assert.ok(path.split('/').every((name) => name !== '..' && name !== '.'));
      assert.equal(facePath(Buffer.from(path)), path);
      const again = decode(() => repositoryPath(path));
      if (!wasRefused(again)) assert.equal(again, path);
      else assert.ok(Buffer.byteLength(path) > 1024, `${again.refused}: ${path}`);
      return wasRefused(again) ? again.refused : 'path';
    },
  }));

test('T20: a cursor opens to the place it was sealed for, in its own list alone, and nothing else opens', (t) => {
  const cursors = createCursors({ key: Buffer.alloc(32, 9) });
  const scope = { operationId: 'listStatements', actor: 'client 1', filter: { year: 2026, kind: 'daily' } };
  return fuzz(t, {
    name: 'cursors',
    seeds: texts([cursors.seal('0192', scope), cursors.seal('', scope), cursors.seal('ü/2026-11-24', scope)]),
    words: ['=', '-', '_', '+', '/', 'A'],
    bytesMax: 2000,
    cases: 3000,
    run(input, dice) {
      const position = input.toString('utf8').slice(0, 500);
      const sealed = cursors.seal(position, scope);
      assert.equal(cursors.open(sealed, { ...scope, filter: { kind: 'daily', year: 2026 } }), position);
      const other = dice.pick([
        { ...scope, actor: 'client 2' },
        { ...scope, operationId: 'x' },
        { ...scope, filter: { year: 2025 } },
      ]);
      assert.ok(wasRefused(decode(() => cursors.open(sealed, other))));
      const opened = decode(() => cursors.open(input.toString('latin1'), scope));
      if (wasRefused(opened)) return opened.refused;
      assert.equal(cursors.seal(opened, scope), input.toString('latin1'));
      return 'opened';
    },
  });
});

const heading = 'account,kind,period,file,sha256';
const csvFiles = [
  `${heading}\nU1001,daily,2026-11-24,a.csv,${'a'.repeat(64)}\nU1002,monthly,2026-10,b.pdf,${'0F'.repeat(32)}\n`,
  `\uFEFFsha256;file;period;kind;account\r\n${'b'.repeat(64)};"x ""y"".pdf";2026;annual;U1\r\n\r\n`,
  `${heading}\n"U1\n2",daily,2026-02-30,../x,zz\n`,
];
/** A cell that needs no guard against formulas: it is written as it is, or in quotes. */
const isPlain = (cell: string): boolean =>
  cell === cell.trim() && !/^$|\uFEFF/.test(cell) && !formatCsvLine([cell]).includes(`'`);

test('T20: run.csv of any bytes is rows of five cells, which write themselves again, or a refusal', (t) =>
  fuzz(t, {
    name: 'run.csv',
    seeds: texts(csvFiles),
    words: [heading, '"', '""', ';', ',', '\r\n', '\n', '\uFEFF', '2026-11', '2026-11-01/2026-11-30', '__proto__', '='],
    cases: 2500,
    run(input) {
      const rows = decode(() => parseRunCsv(input));
      if (wasRefused(rows)) return rows.refused;
      const file = { sha256: 'a'.repeat(64), sizeBytes: 1 };
      const faults = rows.map((row) => findRowFault(row, file)?.code ?? typeof seriesOf(row));
      const cellsOf = ({ account, kind, period, file: name, sha256 }: CsvRow): string[] => [
        account,
        kind,
        period,
        name,
        sha256,
      ];
      if (rows.every((row) => Object.keys(row).length === 5 && cellsOf(row).every(isPlain))) {
        const again = parseRunCsv(
          Buffer.from(formatCsvLine(heading.split(',')) + rows.map((row) => formatCsvLine(cellsOf(row))).join('')),
        );
        assert.deepEqual(again.map(cellsOf), rows.map(cellsOf));
      }
      return `rows ${[...new Set(faults)].sort().slice(0, 4).join()}`;
    },
  }));

const manifest: Manifest = {
  format: 'broadgate-manifest-1',
  clientId: 'c',
  number: 2,
  day: '2026-11-24',
  zone: 'America/New_York',
  isFinal: true,
  madeAt: '2026-11-25T05:00:00Z',
  previous: { number: 1, sha256: 'a'.repeat(64) },
  files: [{ path: '/a.csv', sizeBytes: 5, sha256: 'b'.repeat(64), statementId: 's', placedAt: '2026-11-24T10:00:00Z' }],
  gone: [{ path: '/b.csv', sha256: 'c'.repeat(64), why: 'retention', deletedAt: '2026-11-24T11:00:00Z' }],
};
const oddValues = [
  'null',
  '0',
  '-1',
  '1e999',
  '""',
  '[]',
  '{}',
  'true',
  '"__proto__"',
  '[[1]]',
  '"\\ud800"',
  '9007199254740993',
];

/** Puts an odd value in the place of a member or element. */
function mutateJson(dice: Dice, input: Buffer): Buffer {
  const text = input.toString('utf8');
  const places = [...text.matchAll(/("(?:[^"\\]|\\.)*"|-?\d+|true|false|null|\{[^{}]*\}|\[[^[\]]*\])(?=\s*[,}\]])/g)];
  if (places.length === 0) return input;
  const { index, 0: old } = dice.pick(places);
  return Buffer.from(text.slice(0, index) + dice.pick(oddValues) + text.slice(index + old.length));
}

test('T20: manifests of any bytes are checked to a verdict, never to a throw', (t) =>
  fuzz(t, {
    name: 'manifests',
    seeds: [
      Buffer.from(JSON.stringify(manifest)),
      Buffer.from(JSON.stringify({ ...manifest, number: 1, previous: null })),
    ],
    words: ['{', '[[', '"files":', 'null', ',', '"previous":7', '1e400'],
    cases: 3000,
    mutate: mutateJson,
    run(input) {
      const list = readManifest(input);
      const signed = [Buffer.from(JSON.stringify(manifest)), input].map((bytes, index) => ({
        name: `${index}`,
        bytes,
        signature: bytes,
      }));
      const held = [{ path: '/a.csv', sizeBytes: 5, sha256: 'b'.repeat(64) }];
      const verdict = verifyManifests({ manifests: signed, held, verify: () => true, nowMs: 1.7e12 });
      assert.equal(verdict.isGood, verdict.faults.length === 0);
      if (list === undefined) assert.ok(verdict.faults.some(({ fault }) => fault === 'unreadable'));
      return [...new Set(verdict.faults.map(({ fault }) => fault))].sort().join() || 'good';
    },
  }));
