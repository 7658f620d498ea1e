// Tables of delivery's pure decisions, on both sides of every limit.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../../kernel/refusal.ts';
import {
  checkAddedKey,
  checkElection,
  dueWarning,
  isExpiring,
  isSameSet,
  requestKindOf,
  userNameOf,
  userNameRandomCharacters,
} from './rules.ts';
import {
  connectionMoves,
  type ConnectionState,
  isOpenForSignIn,
  settledSetUpState,
  wayBetween,
} from './state-rules.ts';

const codeOf = (work: () => void): string | undefined => {
  try {
    work();
    return undefined;
  } catch (fault) {
    return fault instanceof Refusal ? fault.code : 'not a refusal';
  }
};
const dayMs = 86_400_000;

test('EN-17: SFTP and the portal are offered, FTP and e-mail have their place and are refused by name', () => {
  const none = { sftp: false, portal: false, ftp: false, email: false };
  const table: [Partial<typeof none>, string | undefined][] = [
    [{ sftp: true }, undefined],
    [{ portal: true }, undefined],
    [{ sftp: true, portal: true }, undefined],
    [{ sftp: true, ftp: true }, 'channel_not_offered'],
    [{ portal: true, email: true }, 'channel_not_offered'],
    [{}, 'no_channel_elected'],
  ];
  for (const [wanted, code] of table)
    assert.equal(
      codeOf(() => checkElection({ ...none, ...wanted })),
      code,
    );
});

test('SF-29: a key handed in after the set-up is a replacement unless it is said to be added', () => {
  const table: [Parameters<typeof requestKindOf>[0], string][] = [
    [{ isSetUp: false, sort: 'ssh', purpose: 'replace', hasKeyInForce: false }, 'set_up'],
    [{ isSetUp: false, sort: undefined, purpose: 'replace', hasKeyInForce: false }, 'set_up'],
    [{ isSetUp: true, sort: 'ssh', purpose: 'replace', hasKeyInForce: true }, 're_key'],
    [{ isSetUp: true, sort: 'ssh', purpose: 'add', hasKeyInForce: true }, 'new_key'],
    [{ isSetUp: true, sort: undefined, purpose: 'replace', hasKeyInForce: true }, 'new_address'],
    [{ isSetUp: false, sort: 'openpgp', purpose: 'replace', hasKeyInForce: false }, 'new_key'],
    [{ isSetUp: true, sort: 'openpgp', purpose: 'replace', hasKeyInForce: true }, 're_key'],
    [{ isSetUp: true, sort: 'openpgp', purpose: 'add', hasKeyInForce: true }, 'new_key'],
  ];
  for (const [submission, kind] of table) assert.equal(requestKindOf(submission), kind);
});

test('SF-X8: a second SSH key needs the setting and an end that is still to come', () => {
  const table: [boolean, number | undefined, string | undefined][] = [
    [false, 2000, 'several_keys_not_offered'],
    [true, undefined, 'key_expiry_missing'],
    [true, 1000, 'key_expiry_missing'],
    [true, 1001, undefined],
  ];
  for (const [severalKeys, expiresAtMs, code] of table) {
    assert.equal(
      codeOf(() => checkAddedKey({ severalKeys, expiresAtMs, nowMs: 1000 })),
      code,
    );
  }
});

test('what is confirmed must be what waits: no more, no less, nothing twice', () => {
  const table: [string[], string[], boolean][] = [
    [['a', 'b'], ['b', 'a'], true],
    [['a'], ['a', 'b'], false],
    [['a', 'b'], ['a'], false],
    [['a', 'a'], ['a', 'b'], false],
    [['a', 'c'], ['a', 'b'], false],
    [[], [], true],
  ];
  for (const [shown, waiting, isSame] of table) assert.equal(isSameSet(shown, waiting), isSame);
});

test('a key is warned of once at 60, 30 and 7 days, also when days were missed', () => {
  const nowMs = 1_000_000_000_000;
  const table: [number, number | undefined, number | undefined][] = [
    [60 * dayMs + 1, undefined, undefined],
    [60 * dayMs, undefined, 60],
    [60 * dayMs, 60, undefined],
    [30 * dayMs + 1, 60, undefined],
    [30 * dayMs, 60, 30],
    [7 * dayMs, 30, 7],
    [7 * dayMs, 60, 7],
    [1, undefined, 7],
    [1, 7, undefined],
    [0, undefined, undefined],
    [-1, 30, undefined],
  ];
  for (const [leftMs, warnedDays, days] of table) {
    assert.equal(dueWarning({ expiresAtMs: nowMs + leftMs, warnedDays, nowMs }), days, `${leftMs} ${warnedDays}`);
  }
  assert.equal(isExpiring(nowMs + 60 * dayMs, nowMs), true);
  assert.equal(isExpiring(nowMs + 60 * dayMs + 1, nowMs), false);
  assert.equal(isExpiring(undefined, nowMs), false);
});

test('a set-up waits for whatever is missing first', () => {
  const table: [[number, number, number], string][] = [
    [[0, 0, 0], 'waiting_for_keys'],
    [[0, 0, 1], 'waiting_for_keys'],
    [[1, 0, 0], 'waiting_for_confirmation'],
    [[0, 1, 0], 'waiting_for_confirmation'],
    [[1, 1, 1], 'waiting_for_confirmation'],
    [[0, 1, 1], 'waiting_for_approval'],
  ];
  for (const [[unconfirmed, confirmedSshKeys, confirmedAddresses], state] of table) {
    assert.equal(settledSetUpState({ unconfirmed, confirmedSshKeys, confirmedAddresses }), state);
  }
});

test('SF-13: the only states that let anyone in are configured and proven', () => {
  const open = (Object.keys(connectionMoves) as ConnectionState[]).filter(isOpenForSignIn);
  assert.deepEqual(open, ['configured', 'proven']);
});

test('the way between two states is legal step by step and never passes through an act of its own', () => {
  const states = Object.keys(connectionMoves) as ConnectionState[];
  for (const from of states) {
    for (const to of states) {
      const way = wayBetween(from, to);
      let at = from;
      for (const step of way ?? []) {
        assert.ok((connectionMoves[at] as readonly string[]).includes(step), `${at} to ${step}`);
        assert.ok(step === to || !['configured', 'suspended', 'closed'].includes(step));
        at = step;
      }
      if (way !== undefined) assert.equal(at, to);
    }
  }
  assert.equal(wayBetween('configured', 'checking'), undefined);
  assert.equal(wayBetween('elected', 'configured')?.at(-1), 'configured');
});

test('SF-06: an issued user name carries at least 64 random bits', () => {
  const bitsPerCharacter = 5;
  assert.ok(userNameRandomCharacters * bitsPerCharacter >= 64);
  assert.equal(userNameOf('0123456789abc'), 'd0123456789abc');
});
