// `doctor`: prints the settings in force with secrets masked, then what is well, unsafe, or at fault.
import { effectiveSettings, type Settings, wantsColour } from '../config.ts';
import { examineDatabase, examineMachine, examineSettings, type Finding } from '../doctor.ts';
import { attachInstallation } from './installation.ts';
import { stat } from 'node:fs/promises';

const marks = { well: 'well  ', unsafe: 'unsafe', fault: 'fault ' } as const;
const colours = { well: '32', unsafe: '33', fault: '31' } as const;

/** Shape: 1 when there is a fault; what is unsafe alone is told and no more. */
export async function runDoctor(settings: Settings): Promise<number> {
  const effective = effectiveSettings();
  const width = Math.max(...effective.map((row) => row.name.length)) + 2;
  const lines = effective.map(({ name, shown, from }) => {
    const where = from === 'default' ? 'default' : `from ${from}`;
    return `  ${name.padEnd(width)}${(shown === '' ? '-' : shown).padEnd(34)} ${where}`;
  });
  const findings = [...examineSettings(settings, effective), ...(await examineMachine(settings))];
  if (await isMade(settings)) {
    await using installation = await attachInstallation(settings);
    findings.push(...(await examineDatabase(settings, installation.databaseUrl)));
  }
  process.stdout.write(['Settings', ...lines, '', 'Findings', ...findings.map(formatFinding), ''].join('\n'));
  return findings.some(({ level }) => level === 'fault') ? 1 : 0;
}

/** Looking must not make anything: an installation that was never started has no database to look at. */
const isMade = async (settings: Settings): Promise<boolean> =>
  settings.databaseUrl !== undefined ||
  (await stat(settings.dataDir).then(
    () => true,
    () => false,
  ));

function formatFinding({ level, text }: Finding): string {
  const mark = wantsColour(process.stdout) ? `\u001b[${colours[level]}m${marks[level]}\u001b[0m` : marks[level];
  return `  ${mark}  ${text}`;
}
