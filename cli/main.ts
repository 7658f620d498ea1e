#!/usr/bin/env node
// The `broadgate` tool: for clients, for the desks, and for whoever runs the installation. `broadgate --help` lists its commands.
import { type Command, isSet, readCall, usageOf } from './commands.ts';
import { deliveryCommands } from './delivery.ts';
import { deskIssueCommands } from './desk-issue.ts';
import { deskRequestCommands } from './desk-requests.ts';
import { deskRunCommands } from './desk-run.ts';
import { exitCodes, Misuse, Refused, Unavailable } from './faults.ts';
import { print, quiet, strong } from './output.ts';
import { runServerCommand, serverCommands } from './server-commands.ts';
import { openCaller, signInCommands } from './sign-in.ts';
import { statementCommands, verifyCommands } from './statements.ts';
import { deskRefusalCommands, whyCommands } from './why.ts';

const groups: readonly { readonly title: string; readonly commands: readonly Command[] }[] = [
  { title: 'Sign in', commands: signInCommands },
  { title: 'Clients', commands: [...statementCommands, ...deliveryCommands, ...whyCommands] },
  {
    title: 'The delivery desk',
    commands: [...deskRequestCommands, ...deskIssueCommands, ...deskRunCommands, ...deskRefusalCommands],
  },
  { title: 'Proof (public keys only)', commands: verifyCommands },
];

const own = groups.flatMap((group) => group.commands);

/** Shape: the exit code. */
async function main(words: readonly string[]): Promise<number> {
  const handed = serverCommands.find((command) => startsWith(words, command.name));
  if (handed) return runServerCommand(words);
  const command = own.find((one) => startsWith(words, one.name));
  if (!command) return help(words);
  const call = readCall(command, words.slice(command.name.split(' ').length), openCaller);
  if (isSet(call, 'help')) {
    print([`Usage: ${usageOf(command)}`, '', command.meaning, ...(command.notes ?? [])].join('\n'));
    return exitCodes.done;
  }
  try {
    return (await command.run(call)) ?? exitCodes.done;
  } finally {
    await call.end();
  }
}

const startsWith = (words: readonly string[], name: string): boolean =>
  name.split(' ').every((word, index) => words[index] === word);

function help(words: readonly string[]): number {
  const asked = words.filter((word) => !word.startsWith('-')).join(' ');
  const isKnown = [...own, ...serverCommands].some((command) => command.name.startsWith(asked));
  if (asked !== '' && !isKnown) throw new Misuse(`There is no command "${asked}". broadgate --help lists them.`);
  const shown = [...groups, { title: 'The installation (on its own machine)', commands: serverCommands }];
  const lines = shown.flatMap(({ title, commands }) => {
    const rows = commands.filter((command) => asked === '' || command.name.startsWith(asked));
    if (rows.length === 0) return [];
    return [
      '',
      strong(title),
      ...rows.flatMap(({ name, takes, meaning }) => [`  ${`${name} ${takes}`.trim()}`, `      ${quiet(meaning)}`]),
    ];
  });
  print(
    [
      'Usage: broadgate COMMAND [OPTIONS]',
      ...lines,
      '',
      'Every command: --url ADDRESS, --login LOGIN with --password-file FILE (or the password on standard input), --json, --help.',
      'The address may come from BROADGATE_URL, and else from the token that sign-in kept or from a server that runs here.',
      'Exit codes: 0 done, 1 refused, 2 wrongly called, 3 not available.',
    ].join('\n'),
  );
  return asked === '' ? exitCodes.done : exitCodes.misuse;
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);

function explain(fault: unknown): number {
  if (fault instanceof Refused) {
    say(`${fault.message} [${fault.code}]`);
    for (const detail of fault.details) say(`  ${detail}`);
    return exitCodes.refused;
  }
  if (fault instanceof Misuse) {
    say(fault.message);
    return exitCodes.misuse;
  }
  if (fault instanceof Unavailable) {
    say(`${fault.message}. Try again later.`);
    return exitCodes.unavailable;
  }
  const { code, path } = fault as { code?: string; path?: string };
  if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR') {
    say(`${path ?? 'A file'} cannot be read (${code}).`);
    return exitCodes.misuse;
  }
  say(fault instanceof Error ? (fault.stack ?? fault.message) : String(fault));
  return exitCodes.unavailable;
}

process.exitCode = await main(process.argv.slice(2)).catch(explain);
