// Fuzz of the SFTP codec: any bytes in any cuts end in a value, never in a throw, and never keep more than was pushed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { client, packet, Reply, str, u32, u64 } from '../../test/fakes/sftp-client.ts';
import { encodeRequest } from '../../test/fakes/sftp-requests.ts';
import { fuzz } from '../../test/fuzz/campaign.ts';
import { cutPackets, readDialogues, sftpStreamOf } from '../../test/fuzz/dialogues.ts';
import type { Dice } from '../../test/fuzz/dice.ts';
import {
  createFrameReader,
  decodeName,
  formatAttributes,
  formatNames,
  formatStatus,
  limits,
  type Packet,
  parseRequest,
  type Request,
} from './sftp.ts';

const handle = Buffer.from('0123456789abcdefghijkl');
const attributes = [u32(0x8000_000f), u64(1), u32(1), u32(2), u32(3), u32(4), u32(5), u32(1), str('a'), str('b')];
/** One of each kind; what clients really send comes from the recorded dialogues. */
const handMade = [
  client.init(),
  client.open(1, '/a/b', 0x1a),
  client.read(3, handle, 2n ** 53n - 1n, 0xffff_ffff),
  client.write(4, handle, 4096, Buffer.alloc(700, 1)),
  client.setstat(5, '/a', ...attributes),
  client.fsetstat(5, handle, ...attributes.slice(0, 1)),
  client.rename(6, '/a', '/b'),
  packet(20, u32(6), str('/a'), str('/b')),
  client.extended(8, 'copy-data', str(handle), u64(1), u64(2), str(handle), u64(3)),
  client.extended(9, 'check-file-name', str('/a'), str('sha256'), u64(0), u64(0), u32(0)),
  client.extended(9, 'check-file-handle', str(handle), str('md5,sha512'), u64(9), u64(2n ** 53n), u32(256)),
  client.extended(10, 'users-groups-by-id@openssh.com', str(Buffer.alloc(8)), str(Buffer.alloc(4))),
  client.extended(11, 'lsetstat@openssh.com', str('/a'), ...attributes),
  ...['posix-rename@openssh.com', 'hardlink@openssh.com'].map((name) =>
    client.extended(12, name, str('/a'), str('/b')),
  ),
  ...['statvfs@openssh.com', 'expand-path@openssh.com', 'space-available', 'home-directory'].map((name) =>
    client.extended(13, name, str('/a')),
  ),
  ...['fstatvfs@openssh.com', 'fsync@openssh.com'].map((name) => client.extended(14, name, str(handle))),
  client.extended(15, 'limits@openssh.com'),
];
const streams = readDialogues().map(sftpStreamOf);
const recorded = streams.flatMap(cutPackets);

function readAll(
  bytes: Buffer,
  dice: Dice | undefined,
): { packets: Packet[]; fault: string | undefined; left: number } {
  const frames = createFrameReader();
  const packets: Packet[] = [];
  for (let at = 0; at < bytes.length; ) {
    const cut = dice === undefined ? bytes.length : 1 + dice.below(Math.min(bytes.length - at, 1 << dice.below(17)));
    frames.push(bytes.subarray(at, at + cut));
    at += cut;
    for (let next = frames.next(); next !== undefined; next = frames.next()) packets.push(next);
    assert.ok(frames.waitingBytes <= Math.min(at, 4 + limits.packetBytes), 'more is kept than one packet can need');
  }
  return { packets, fault: frames.fault, left: frames.waitingBytes };
}

const bytesOf = ({ head, tail }: Packet): Buffer => Buffer.concat([head, ...tail]);

test('T20: a stream of SFTP packets is cut into the same packets wherever the channel cut it', (t) =>
  fuzz(t, {
    name: 'sftp frames',
    seeds: [...streams, ...handMade],
    cases: 4000,
    bytesMax: 300 * 1024,
    run(input, dice) {
      const whole = readAll(input, undefined);
      const pieces = readAll(input, dice);
      assert.equal(whole.fault === undefined, pieces.fault === undefined);
      assert.equal(whole.left, pieces.left);
      assert.deepEqual(whole.packets.map(bytesOf), pieces.packets.map(bytesOf));
      const parsed = whole.packets.map((one) => kindOf(parseRequest(one)));
      assert.deepEqual(
        pieces.packets.map((one) => kindOf(parseRequest(one))),
        parsed,
      );
      const end = whole.fault !== undefined ? 'fault' : whole.left > 0 ? 'waiting' : 'whole';
      return `${end} after ${'×'.repeat(Math.min(9, whole.packets.length))}`;
    },
  }));

const kindOf = (request: Request): string => request.kind;

/** Extended attributes are dropped, as the draft allows, so such a packet is longer than what it says. */
const holdsDropped = (bytes: Buffer, again: Buffer): boolean => again.length < bytes.length;

test('T20: any SFTP packet is a request, a clean refusal, or unknown, and says what its bytes say', (t) =>
  fuzz(t, {
    name: 'sftp requests',
    seeds: [...new Map(recorded.map((bytes) => [`${bytes[4]} ${bytes.length >> 4}`, bytes])).values(), ...handMade],
    words: handMade.flatMap((bytes) => (bytes[4] === 200 ? [bytes.subarray(9)] : [])),
    cases: 8000,
    run(input) {
      // The length field is the frame reader's; here it is always right.
      const body = input.subarray(4);
      const framed = Buffer.concat([Buffer.alloc(4), body.length === 0 ? Buffer.of(0) : body]);
      framed.writeUInt32BE(framed.length - 4);
      const [one] = readAll(framed, undefined).packets;
      const request = parseRequest(one!);
      if (request.kind === 'malformed')
        return `malformed ${request.id === undefined ? 'id' : request.why.slice(0, 60)}`;
      const again = encodeRequest(request);
      if (again !== undefined && !holdsDropped(framed, again)) {
        // Bits of OPEN that the draft does not name are not kept.
        if (request.kind === 'open')
          framed.writeUInt32BE(framed.readUInt32BE(13 + request.path.length) & 63, 13 + request.path.length);
        assert.deepEqual(again, framed);
      }
      if ('path' in request) nameHolds(request.path);
      return request.kind === 'out_of_range' ? `out of range: ${request.why}` : request.kind;
    },
  }));

/** A name that has text has exactly these bytes as its UTF-8. */
function nameHolds(bytes: Buffer): void {
  const text = decodeName(bytes);
  if (text !== undefined) assert.deepEqual(Buffer.from(text), bytes);
  else assert.notDeepEqual(Buffer.from(bytes.toString('utf8')), bytes);
}

test('T20: names of any bytes are exact text or none', (t) =>
  fuzz(t, {
    name: 'sftp names',
    seeds: ['/a/ä', '\ufeffx', '', '\u{1d160}'].map((text) => Buffer.from(text)),
    words: [Buffer.from('c0af', 'hex'), Buffer.from('eda080', 'hex'), Buffer.from('f4908080', 'hex'), '/', '..'],
    cases: 4000,
    run(input) {
      nameHolds(input);
      return decodeName(input) === undefined ? 'none' : 'text';
    },
  }));

test('T20: replies say to a client what they were made of, whatever the numbers and names', (t) =>
  fuzz(t, {
    name: 'sftp replies',
    seeds: [Buffer.from('name of a file')],
    cases: 2000,
    run(input, dice) {
      const number = (): number =>
        dice.isOneIn(3) ? dice.pick([0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) : dice.below(2 ** 32);
      const sizeBytes = dice.isOneIn(2) ? dice.below(2 ** 32) * 2 ** dice.below(21) : undefined;
      const given = {
        ...(sizeBytes !== undefined && { sizeBytes }),
        ...(dice.isOneIn(2) && { owner: { uid: number(), gid: number() } }),
        ...(dice.isOneIn(2) && { mode: number() }),
        ...(dice.isOneIn(2) && { times: { accessedAt: number(), modifiedAt: number() } }),
      };
      const wanted = {
        ...(sizeBytes !== undefined && { size: sizeBytes }),
        ...given.owner,
        ...('mode' in given && { mode: given.mode }),
        ...(given.times && { mtime: given.times.modifiedAt }),
      };
      const id = number();
      const shown = new Reply(formatAttributes(id, given).subarray(4));
      assert.deepEqual([shown.id, shown.attributes()], [id, wanted]);
      const name = input.toString('utf8');
      const entry = { name, longName: `long ${name}`, attributes: given };
      const [read] = new Reply(formatNames(id, [entry]).subarray(4)).names();
      assert.deepEqual(read, { name, longName: entry.longName, attributes: wanted });
      const status = new Reply(formatStatus(id, 'failure', name).subarray(4));
      assert.deepEqual([status.u32(), status.string().toString()], [4, name]);
      return 'ok';
    },
  }));
