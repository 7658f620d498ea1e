// Shows that the first screen fits its columns, pastes as it stands, and is plain where nobody looks.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { formatScreen, quoteWord, type ScreenParts } from './screen.ts';

const parts: ScreenParts = {
  broker: 'Harbour & Vale',
  portalUrl: 'http://127.0.0.1:2080',
  sftpAddress: '127.0.0.1 port 2032, user d8k2m4q6s8v0xz',
  hostKeyFingerprint: 'SHA256:LlZJZbM7Ns+C2i4zpThlDKibTouzbEF1x444aM/C8x8',
  people: [
    {
      name: 'Alder Rock Capital Fund',
      role: 'fund, SFTP and encryption on',
      login: 'alderrock',
      password: 'zb24-jg4r-j7jz-hzmc',
    },
    { name: 'Inés Moreau', role: 'delivery desk', login: 'ines', password: '5p5x-94mh-n8b2-pdpe' },
  ],
  commands: [
    {
      title: 'Say four words',
      words: [
        'printf',
        "'%s\\n'",
        ...['one', 'two', 'three', 'four'].map((word) => word.repeat(9)),
        '\n',
        'printf',
        'end',
      ],
    },
  ],
  peopleFile: '/srv/broadgate/data/demo/people.json',
  moved: ['port 2032 was taken'],
  colour: false,
};

test('the first screen is at most 100 columns wide and has no control characters where nobody looks', () => {
  const lines = formatScreen(parts).split('\n');
  assert.ok(lines.every((line) => Array.from(line).length <= 100));
  assert.ok(lines.every((line) => !/\p{Cc}/u.test(line)));
});

test('colour adds nothing but colour', () => {
  const painted = formatScreen({ ...parts, colour: true });
  assert.notEqual(painted, formatScreen(parts));
  assert.equal(stripVTControlCharacters(painted), formatScreen(parts));
});

test('a command that was broken over lines still runs when it is pasted', () => {
  const screen = formatScreen(parts);
  const pasted = screen.slice(screen.indexOf('printf'), screen.indexOf('  All of this'));
  const printed = execFileSync('sh', ['-c', pasted]).toString();
  assert.equal(printed, `${['one', 'two', 'three', 'four'].map((word) => word.repeat(9)).join('\n')}\nend`);
});

test('a path with blanks and quotes is one word for the shell', () => {
  for (const word of ["/srv/it's here/key", '/plain/path-1.asc', '$HOME;ls', '']) {
    assert.equal(execFileSync('sh', ['-c', `printf %s ${quoteWord(word)}`]).toString(), word);
  }
});
