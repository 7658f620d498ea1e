// Seeded, bounded fuzz: any bytes in any cuts end in a value, never in a throw, and never keep more than was pushed.
import assert from 'node:assert/strict';
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import test from 'node:test';
import { client, packet, str, u32, u64 } from '../../test/fakes/sftp-client.ts';
import { createFrameReader, limits, parseRequest } from './sftp.ts';

const seed = process.env['BROADGATE_TEST_SEED'] ?? randomBytes(8).toString('hex');
const rounds = process.env['BROADGATE_TEST_LONG'] === undefined ? 4000 : 200_000;

function createDice() {
  const stream = createCipheriv('aes-256-ctr', createHash('sha256').update(seed).digest(), Buffer.alloc(16));
  const bytes = (size: number): Buffer => stream.update(Buffer.alloc(size));
  return { bytes, below: (limit: number): number => bytes(4).readUInt32BE() % limit };
}

test('mutated, cut and random packets end in a request or a clean fault', (t) => {
  t.diagnostic(`seed ${seed}`);
  const dice = createDice();
  const handle = Buffer.from('0123456789abcdef');
  const good = [
    client.init(),
    client.open(1, '/a/b', 0x1a),
    client.close(2, handle),
    client.read(3, handle, 4096, 32768),
    client.write(4, handle, 4096, dice.bytes(700)),
    client.setstat(
      5,
      '/a',
      u32(0x8000_000f),
      u64(1),
      u32(1),
      u32(2),
      u32(3),
      u32(4),
      u32(5),
      u32(1),
      str('a'),
      str('b'),
    ),
    client.rename(6, '/a', '/b'),
    client.readdir(7, handle),
    client.extended(8, 'copy-data', str(handle), u64(1), u64(2), str(handle), u64(3)),
    client.extended(9, 'check-file-name', str('/a'), str('sha256'), u64(0), u64(0), u32(0)),
    client.extended(10, 'users-groups-by-id@openssh.com', str(Buffer.alloc(8)), str(Buffer.alloc(4))),
    packet(dice.below(256), dice.bytes(40)),
  ];
  const kinds = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    const stream = Buffer.concat(Array.from({ length: 1 + dice.below(4) }, () => good[dice.below(good.length)]!));
    for (let change = dice.below(4); change > 0; change--) stream[dice.below(stream.length)] = dice.below(256);
    const bytes = dice.below(8) === 0 ? dice.bytes(1 + dice.below(300)) : stream;
    const frames = createFrameReader();
    let pushed = 0;
    for (let at = 0; at < bytes.length; ) {
      const cut = 1 + dice.below(bytes.length);
      frames.push(bytes.subarray(at, at + cut));
      pushed += Math.min(cut, bytes.length - at);
      at += cut;
      for (let next = frames.next(); next !== undefined; next = frames.next()) {
        assert.ok(next.head.length <= limits.packetBytes && next.sizeBytes <= pushed);
        kinds.add(parseRequest(next).kind);
      }
      assert.ok(frames.waitingBytes <= pushed);
    }
  }
  for (const kind of ['malformed', 'out_of_range', 'unknown', 'write', 'copy_data']) assert.ok(kinds.has(kind), kind);
});
