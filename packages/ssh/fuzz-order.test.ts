// Fuzz of the connection's state machine: random legal and illegal orders of messages, cut at any byte, against a model.
import assert from 'node:assert/strict';
import test from 'node:test';
import { fuzz } from '../../test/fuzz/campaign.ts';
import type { Dice } from '../../test/fuzz/dice.ts';
import { createTestKey, formatQuery, formatSignIn, looseOffer, openPair, type Pair, settle } from './test/adversary.ts';
import { serve } from './test/echo-server.ts';
import { createModel, type Model, modelLimits, type Step } from './test/order-model.ts';
import { formatByte, formatString } from './wire.ts';

const key = createTestKey();
const freeNumbers = [2, 3, 4, 6, 7, 8, 19, 51, 52, 60, 79, 91, 92, 99, 100, 127, 128, 191, 193, 255];
const wrongNumbers = [0, 21, 22, 30, 31, 49, 81, 82];

/** One step, legal most of the time. */
function draw(model: Model, pair: Pair, dice: Dice, isFirst: boolean): Step {
  const ids = [...model.channels.keys()];
  // Now and then a channel that is not there.
  const id = ids.length === 0 || dice.isOneIn(150) ? dice.pick([0, 3, 7, 0xffff_ffff]) : dice.pick(ids);
  const attempt = (method: string): Buffer =>
    Buffer.concat([formatByte(50), ...['u', 'ssh-connection', method].map((text) => formatString(text)), Buffer.of(0)]);
  if (!model.isSignedIn && !dice.isOneIn(40)) {
    if (!model.hasService && !dice.isOneIn(20)) return model.service('ssh-userauth');
    switch (dice.below(9)) {
      case 0:
        return model.service(dice.isOneIn(12) ? 'ssh-connection' : 'ssh-userauth');
      case 2:
        return model.none(attempt('none'));
      case 3:
        return model.badTry('password', attempt('password'));
      case 4:
        return model.badTry('unknown algorithm', formatQuery('u', { ...key, algorithm: 'ssh-dss' }));
      case 5:
        return model.badTry('foreign signature', formatSignIn({ user: 'u', key, sessionId: dice.bytes(32) }));
      case 6:
        return model.query(formatQuery('u', key));
      default:
        return model.signIn(formatSignIn({ user: 'u', key, sessionId: pair.sessionId }));
    }
  }
  // Without a channel most messages are a fault, which ends the story too soon.
  switch (model.isSignedIn && model.channels.size === 0 && !dice.isOneIn(12) ? 0 : dice.below(20)) {
    case 0:
      return model.open(
        dice.isOneIn(6) ? 'direct-tcpip' : 'session',
        dice.pick([0, 1, 500, 100_000, 0xffff_ffff]),
        dice.pick([1024, 1024, 32_768, 32_768, 0xffff_ffff, dice.pick([0, 1023])]),
      );
    case 1:
    case 2:
    case 3:
    case 4:
      return model.request(
        id,
        'subsystem',
        dice.pick(['echo', 'echo', 'sink', 'hoard', 'hoard', 'sftp', '']),
        dice.isOneIn(2),
      );
    case 5:
      return model.request(id, dice.pick(['shell', 'exec', 'env', 'pty-req', 'x11-req']), 'x', dice.isOneIn(2));
    case 6:
    case 7:
    case 8:
    case 9:
      return model.data(id, dice.bytes(dice.pick([0, 1, 100, 3000, modelLimits.channelPacketBytes - dice.below(2)])));
    case 10:
      return model.data(id, dice.bytes(dice.isOneIn(20) ? modelLimits.channelPacketBytes + 1 : 1000));
    case 11:
      return model.extendedData(id, dice.pick([0, 10, 4000]));
    case 12:
    case 13:
      return adjust(model, id, dice.pick([0, 1, 1000, 5000, 50_000, dice.isOneIn(10) ? 0x7fff_ffff : 1]), isFirst);
    case 14:
      return model.eof(id);
    case 15:
      return model.close(id);
    case 16:
      return model.global(dice.isOneIn(2));
    case 17:
      return dice.isOneIn(3) ? model.service('ssh-userauth') : model.ping();
    case 18:
      return model.bare(dice.isOneIn(20) ? dice.pick(wrongNumbers) : dice.pick(freeNumbers), dice.bytes(dice.below(9)));
    default:
      return dice.isOneIn(10)
        ? model.goodbye()
        : model.signIn(formatSignIn({ user: 'u', key, sessionId: pair.sessionId }));
  }
}

/** Near its limit a window depends on whether data that was just caused has left, so there it grows first thing only. */
function adjust(model: Model, id: number, bytes: number, isFirst: boolean): Step {
  const isNear = (model.channels.get(id)?.peerWindow ?? 0) + bytes > 0xffff_0000;
  return isNear && !isFirst ? model.ping() : model.adjust(id, bytes);
}

/** What the server said since the last look, without data and without what waits for windows. */
function answersOf(pair: Pair): string[] {
  const answers = pair.received
    .filter(([number]) => ![1, 94, 96, 98].includes(number!))
    .map((payload) => {
      const number = payload[0]!;
      if (number < 91 || number > 100) return `${number}`;
      const to = `${number} to ${payload.readUInt32BE(1)}`;
      return number === 93 ? `${to} of ${payload.readUInt32BE(5)}` : to;
    });
  return answers;
}

/** Sends steps in one stream, cut anywhere. Answers what the server had to say in return. */
async function play(pair: Pair, steps: readonly Step[], dice: Dice): Promise<void> {
  const bytes = pair.seal(...steps.flatMap((step) => step.payloads));
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + dice.below(Math.min(bytes.length - at, 1 << dice.below(16)));
    pair.raw(bytes.subarray(at, at + size));
    at += size;
    if (dice.isOneIn(6)) await settle();
  }
  await settle();
  await settle();
}

/** Channels that the server said goodbye to by itself, in one look. */
const goodbyes = (model: Model, before: ReadonlySet<number>): string[] =>
  [...model.channels.values(), ...model.past]
    .filter((channel) => channel.hasSentClose && !before.has(channel.peerId))
    .map(({ peerId }) => `97 to ${peerId}`);

const closing = (model: Model): Set<number> =>
  new Set(
    [...model.channels.values(), ...model.past].flatMap((channel) => (channel.hasSentClose ? [channel.peerId] : [])),
  );

/** New keys, sometimes with a message inside the exchange: three may stand there (RFC 4253 §7.1), any other is a fault. */
async function renewKeys(pair: Pair, dice: Dice, story: string[]): Promise<string | undefined> {
  const offer = pair.offer({ keyExchanges: looseOffer });
  pair.send(offer);
  const number = dice.pick([2, 3, 4, 2, 3, 4, 5, 7, 20, 21, 31, 50, 80, 90, 94, 192, 255]);
  const hasStray = dice.isOneIn(3);
  story.push(hasStray ? `new keys with message ${number} inside` : 'new keys');
  const whole: Partial<Record<number, Buffer>> = { 5: formatString('ssh-userauth'), 192: formatString('x') };
  if (hasStray) pair.send(formatByte(number), whole[number] ?? dice.bytes(dice.below(20)));
  const end = hasStray && ![2, 3, 4].includes(number) ? 'protocol_fault' : undefined;
  if (end === undefined) pair.finishExchange(offer);
  await settle();
  assert.equal(pair.endReason?.kind, end, story.join('; '));
  return end;
}

async function runOrder(dice: Dice): Promise<string> {
  let opened = 0;
  let closed = 0;
  const pair = openPair({
    limits: modelLimits,
    subsystem(channel, name) {
      const isServed = name === 'hoard' || (name !== 'sftp' && serve(channel, name));
      if (name === 'hoard') channel.onData = () => undefined;
      if (isServed) {
        opened++;
        channel.onClosed = () => void closed++;
      }
      return isServed;
    },
  });
  pair.identify();
  pair.exchangeKeys(dice.isOneIn(2) ? {} : { keyExchanges: looseOffer });
  pair.forget();
  const model = createModel();
  const story: string[] = [];
  const data = new Map<number, Buffer[]>();
  let end: string | undefined;
  let exchanges = 0;
  const rounds = 3 + dice.below(20);
  for (let round = 0; round < rounds && end === undefined; round++) {
    const before = closing(model);
    const steps: Step[] = [];
    while (steps.length < 1 + dice.below(6) && end === undefined && steps.at(-1)?.isLast !== true) {
      const next = draw(model, pair, dice, steps.length === 0);
      steps.push(next);
      end = next.end;
    }
    story.push(...steps.map(({ name }) => name));
    await play(pair, steps, dice);
    const wanted = steps.flatMap((step) => step.answers);
    // A channel whose goodbye is due may be closed by the peer in the same round: then it is said once all the same.
    const own = goodbyes(model, before).filter((answer) => !wanted.includes(answer));
    const heard = answersOf(pair);
    const told = story.join('; ');
    const answers = heard.filter((answer) => !own.includes(answer));
    // Who said goodbye is told nothing more, so answers that had not left yet are dropped.
    assert.deepEqual(answers, end === 'peer_disconnected' ? wanted.slice(0, answers.length) : wanted, told);
    if (end === undefined) assert.deepEqual(heard.filter((answer) => own.includes(answer)).sort(), own.sort(), told);
    assert.equal(pair.endReason?.kind, end, `${told}: ${JSON.stringify(pair.endReason)}`);
    for (const payload of pair.received.filter(([number]) => number === 94)) {
      const peerId = payload.readUInt32BE(1);
      data.set(peerId, [...(data.get(peerId) ?? []), payload.subarray(9)]);
    }
    pair.forget();
    if (end !== undefined) break;
    if (exchanges < 15 && dice.isOneIn(6)) {
      exchanges++;
      end = await renewKeys(pair, dice, story);
      pair.forget();
    }
    if (dice.isOneIn(5)) pair.advance(1000);
  }
  // After an end what was under way may be cut, and a CLOSE drops what waits; otherwise every byte has come, in order.
  const open = new Set(model.channels.values());
  for (const channel of end === undefined ? [...open, ...model.past] : []) {
    const pieces = data.get(channel.peerId) ?? [];
    const got = Buffer.concat(pieces);
    const due = open.has(channel) ? channel.sent : channel.sent.subarray(0, got.length);
    assert.ok(got.equals(due), `data to ${channel.peerId}: ${story.join('; ')}`);
    assert.ok(pieces.every((piece) => piece.length <= channel.packetBytes));
  }
  const { sentBytes } = pair;
  pair.connection.lost();
  pair.raw(Buffer.alloc(64));
  assert.deepEqual([pair.ends.length, pair.connection.bufferedBytes, closed], [1, 0, opened], story.join('; '));
  if (end !== undefined) assert.equal(pair.sentBytes, sentBytes);
  return `${end ?? 'open'} after ${story.at(-1)}`;
}

test('T20: any order of messages, legal or not and cut at any byte, is answered and ended as the model says', (t) =>
  fuzz(t, { name: 'ssh order of messages', cases: 500, run: (_, dice) => runOrder(dice) }));
