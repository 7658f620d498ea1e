// The program: reads its arguments, runs one command, and answers with an exit code. `server/main.ts help` lists the commands.
import { SettingFaults } from './config.ts';
import { Outage, Refusal } from './kernel/refusal.ts';
import { type Command, commands, findCommand, runCommand, usageOf } from './commands/commands.ts';
import { Misuse } from './commands/misuse.ts';

/** 0 done, 1 refused, 2 wrongly called or wrongly set, 3 something needed is not available, 70 our own fault. */
async function main(words: readonly string[]): Promise<number> {
  const found = findCommand(words);
  if (found === undefined || words.includes('--help') || words[0] === 'help') {
    const isAskedFor = words.length === 0 || words.includes('--help') || words[0] === 'help';
    (isAskedFor ? process.stdout : process.stderr).write(describeCommands(found?.command));
    return isAskedFor ? 0 : 2;
  }
  try {
    return await runCommand(found.command, found.rest);
  } catch (fault) {
    return explain(fault);
  }
}

function describeCommands(one?: Command): string {
  const rows = (one === undefined ? commands : [one]).flatMap((row) => [`  ${usageOf(row)}`, `      ${row.meaning}`]);
  return `Usage: node server/main.ts COMMAND\n\n${rows.join('\n')}\n`;
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);

function explain(fault: unknown): number {
  if (fault instanceof SettingFaults) {
    say(`Not started: ${fault.message}.`);
    for (const { name, text } of fault.faults) say(`  ${name} ${text}`);
    return 2;
  }
  if (fault instanceof Misuse) {
    say(fault.message);
    return 2;
  }
  if (fault instanceof Refusal) {
    say(`${fault.message} [${fault.code}]`);
    return 1;
  }
  if (fault instanceof Outage) {
    say(`${fault.message}. Try again later.`);
    return 3;
  }
  say(fault instanceof Error ? (fault.stack ?? fault.message) : String(fault));
  return 70;
}

// Timers and idle connections of what a command used must not keep the program; everything that matters was awaited.
process.exit(await main(process.argv.slice(2)));
