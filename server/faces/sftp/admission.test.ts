// Counts and chances of admission, addresses, and the PROXY header.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createSeededRandom } from '../../kernel/random.ts';
import { canonicalAddress, sourceOf } from './addresses.ts';
import { createAdmission, defaultAdmissionLimits, type Place } from './admission.ts';
import { parseProxyHeader } from './proxy-header.ts';

const limits = { ...defaultAdmissionLimits, strangerSigningInMax: 1000, sourceConnectionsMax: 1000 };

test('an address has one spelling, and an IPv4-mapped one is IPv4', () => {
  const cases: [string, string | undefined][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:0201', '192.0.2.1'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['192.0.2.256', undefined],
    ['', undefined],
  ];
  for (const [text, address] of cases) assert.equal(canonicalAddress(text), address, text);
});

test('an IPv6 peer is counted by its /64', () => {
  assert.equal(sourceOf('2001:db8:1:2:3::9'), sourceOf('2001:db8:1:2::1'));
  assert.notEqual(sourceOf('2001:db8:1:3::1'), sourceOf('2001:db8:1:2::1'));
  assert.equal(sourceOf('::1'), '0:0:0:0::/64');
  assert.equal(sourceOf('192.0.2.1'), '192.0.2.1');
});

test('T7: strangers are dropped early by chance from 10 on and all from 100 on; a known address is not', () => {
  const admission = createAdmission(limits, createSeededRandom('drop'), (address) => address === '192.0.2.9');
  let droppedBelow50 = 0;
  for (let asked = 0; admission.counts.strangersSigningIn < 100; asked++) {
    const before = admission.counts.strangersSigningIn;
    const { verdict } = admission.admit('192.0.2.1');
    if (before < 10) assert.equal(verdict, 'take');
    else if (before < 50 && verdict === 'dropped_early') droppedBelow50++;
    assert.ok(asked < 10_000);
  }
  // Between 30 % and 61 % are dropped on the way from 10 to 50.
  assert.ok(droppedBelow50 > 12 && droppedBelow50 < 80, `${droppedBelow50}`);
  for (let asked = 0; asked < 50; asked++) assert.equal(admission.admit('192.0.2.1').verdict, 'dropped_early');
  for (let asked = 0; asked < defaultAdmissionLimits.knownSigningInMax; asked++) {
    assert.equal(admission.admit('192.0.2.9').verdict, 'take');
  }
  assert.equal(admission.admit('192.0.2.9').verdict, 'too_many_connections');
});

test('places come back when connections sign in or leave, once each', () => {
  const admission = createAdmission({ ...limits, strangerSigningInMax: 2 }, createSeededRandom('p'), () => false);
  const take = (): Place => {
    const admitted = admission.admit('2001:db8::1');
    assert.ok(admitted.verdict === 'take');
    return admitted.place;
  };
  const [one, two] = [take(), take()];
  assert.equal(admission.admit('2001:db8::2').verdict, 'too_many_connections');
  assert.equal(admission.admit('2001:db8:0:1::2').verdict, 'take');
  one.leaveSignIn();
  one.leaveSignIn();
  const three = take();
  assert.deepEqual(admission.counts, { connections: 4, signingIn: 3, strangersSigningIn: 3 });
  for (const place of [one, two, three, three]) place.leave();
  assert.deepEqual(admission.counts, { connections: 1, signingIn: 1, strangersSigningIn: 1 });
});

test('there is a cap for all connections of a source and of all sources', () => {
  const small = { ...limits, sourceConnectionsMax: 2, connectionsMax: 3 };
  const admission = createAdmission(small, createSeededRandom('c'), () => true);
  const verdicts = ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.3'].map(
    (address) => admission.admit(address).verdict,
  );
  assert.deepEqual(verdicts, ['take', 'take', 'too_many_connections', 'take', 'too_many_connections']);
});

const v2 = (command: number, family: number, body: Buffer): Buffer => {
  const head = Buffer.from('0d0a0d0a000d0a515549540a00000000', 'hex');
  head[12] = command;
  head[13] = family;
  head.writeUInt16BE(body.length, 14);
  return Buffer.concat([head, body]);
};

test('a PROXY header of either version names the peer and its own end', () => {
  const v6 = Buffer.concat([Buffer.from('20010db8000000000000000000000001', 'hex'), Buffer.alloc(20)]);
  const cases: [Buffer, string | undefined][] = [
    [Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 40000 32\r\n'), '192.0.2.7'],
    [Buffer.from('PROXY TCP6 2001:db8::7 2001:db8::1 40000 32\r\n'), '2001:db8::7'],
    [Buffer.from('PROXY UNKNOWN\r\n'), undefined],
    [v2(0x21, 0x11, Buffer.from([192, 0, 2, 7, 1, 2, 3, 4, 0, 1, 0, 2])), '192.0.2.7'],
    [v2(0x21, 0x11, Buffer.from([192, 0, 2, 7, 1, 2, 3, 4, 0, 1, 0, 2, 9, 9, 9])), '192.0.2.7'],
    [v2(0x21, 0x21, v6), '2001:db8:0:0:0:0:0:1'],
    [v2(0x20, 0, Buffer.alloc(0)), undefined],
  ];
  for (const [bytes, address] of cases) {
    const header = parseProxyHeader(Buffer.concat([bytes, Buffer.from('SSH-2.0-x\r\n')]));
    assert.deepEqual(header, { kind: 'header', address, headerBytes: bytes.length });
    for (let cut = 0; cut < bytes.length; cut++) assert.equal(parseProxyHeader(bytes.subarray(0, cut)).kind, 'more');
  }
});

test('what is no PROXY header is a fault as soon as that is certain', () => {
  const cases = [
    Buffer.from('SSH-2.0-OpenSSH\r\n'),
    Buffer.from('S'),
    Buffer.from('PROXY TCP4 x y 1 2\r\n'),
    Buffer.from(`PROXY TCP4 ${'1'.repeat(100)}`),
    v2(0x31, 0x11, Buffer.alloc(12)),
    v2(0x22, 0x11, Buffer.alloc(12)),
    v2(0x21, 0x31, Buffer.alloc(216)),
    v2(0x21, 0x11, Buffer.alloc(4)),
    v2(0x21, 0x11, Buffer.alloc(5000)).subarray(0, 16),
  ];
  for (const bytes of cases) assert.equal(parseProxyHeader(bytes).kind, 'fault', bytes.toString('latin1'));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parseProxyHeader(Buffer.from(bytes))));
});
