// Fuzz of the connection with what real clients once said: messages changed, left out, repeated and in another order.
import assert from 'node:assert/strict';
import test from 'node:test';
import { fuzz } from '../../test/fuzz/campaign.ts';
import { readDialogues } from '../../test/fuzz/dialogues.ts';
import type { Dice } from '../../test/fuzz/dice.ts';
import { mutate, mutateField } from '../../test/fuzz/mutate.ts';
import { createTestKey, formatSignIn, openPair, type Pair, settle } from './test/adversary.ts';
import { serve } from './test/echo-server.ts';
import { formatByte, formatString, formatUint32 } from './wire.ts';

/** A dialogue after its NEWKEYS as one input: each message with its length. Long runs of data say nothing new. */
const flatten = (messages: readonly Buffer[]): Buffer =>
  Buffer.concat(messages.flatMap((message) => [formatUint32(message.length), message]));

function unflatten(input: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 4 <= input.length && messages.length < 200; ) {
    const size = Math.max(1, Math.min(input.readUInt32BE(at), 60_000, input.length - at - 4));
    const message = input.subarray(at + 4, at + 4 + size);
    if (message.length > 0) messages.push(message);
    at += 4 + size;
  }
  return messages;
}

const dialogues = readDialogues().map(({ messages }) =>
  messages.slice(messages.findIndex((message) => message[0] === 21) + 1).slice(0, 40),
);
const everyMessage = dialogues.flat();
const testKey = createTestKey();

/** Leaves out, repeats, moves and borrows whole messages, or changes the fields of one. */
function mutateMessages(dice: Dice, input: Buffer): Buffer {
  const messages = unflatten(input);
  if (messages.length === 0) return mutate(dice, input, { pool: [input], bytesMax: 60_000 });
  const at = dice.below(messages.length);
  switch (dice.below(6)) {
    case 0:
      messages.splice(at, 1);
      break;
    case 1:
      messages.splice(at, 0, dice.pick(messages));
      break;
    case 2:
      messages.splice(at, 0, dice.pick(everyMessage));
      break;
    case 3:
      messages.push(...messages.splice(at, 1 + dice.below(3)));
      break;
    case 4:
      messages[at] = mutate(dice, messages[at]!, { pool: everyMessage, bytesMax: 60_000 });
      break;
    default:
      messages[at] = mutateField(
        dice,
        messages[at]!,
        { pool: everyMessage, bytesMax: 60_000 },
        dice.isOneIn(2) ? 1 : 5,
      );
  }
  return flatten(messages);
}

/** The recorded sign-in is for another connection; one that holds here lets the rest be reached. */
const isSignedTry = (message: Buffer): boolean =>
  message[0] === 50 && message.includes('publickey') && message.length > 200;

async function say(pair: Pair, messages: readonly Buffer[], dice: Dice): Promise<void> {
  const isHonest = !dice.isOneIn(4);
  for (const message of messages) {
    if (pair.endReason !== undefined) return;
    const own = isHonest && isSignedTry(message);
    const bytes = pair.seal(own ? formatSignIn({ user: 'u', key: testKey, sessionId: pair.sessionId }) : message);
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + dice.below(Math.min(bytes.length - at, 1 << dice.below(14)));
      pair.raw(bytes.subarray(at, at + size));
      at += size;
      if (dice.isOneIn(8)) await settle();
    }
    assert.ok(pair.connection.bufferedBytes < 8 * 1024 * 1024, 'more is kept than the limits allow');
    if (message[0] === 50) await settle();
  }
}

test('T20: what OpenSSH, PuTTY, FileZilla, lftp and curl said, changed in any way, ends cleanly or goes on', (t) =>
  fuzz(t, {
    name: 'ssh dialogues',
    seeds: dialogues.map(flatten),
    cases: 400,
    mutate: mutateMessages,
    async run(input, dice) {
      const pair = openPair({ subsystem: (channel, name) => serve(channel, name === 'sftp' ? 'echo' : name) });
      pair.handshake();
      // Most cases begin behind the sign-in, where most of the code is.
      if (!dice.isOneIn(3)) await pair.signIn();
      await say(pair, unflatten(input), dice);
      await settle();
      const { endReason, connection, sentBytes } = pair;
      if (endReason?.kind === 'internal_fault') throw endReason.fault;
      if (endReason !== undefined) {
        assert.equal(connection.bufferedBytes, 0);
        pair.raw(pair.seal(formatByte(2), formatString('')));
        pair.advance(100_000);
        assert.deepEqual([pair.ends.length, pair.sentBytes], [1, sentBytes]);
      }
      const detail = endReason && 'detail' in endReason ? endReason.detail : '';
      return `${connection.summary.user === undefined ? '' : 'signed in '}${endReason?.kind ?? 'open'} ${detail}`;
    },
  }));
