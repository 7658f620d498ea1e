// The demo's first screen: what runs, who may sign in, and three commands to paste; calm, in line, within 100 columns.

export interface ScreenParts {
  readonly broker: string;
  readonly portalUrl: string;
  readonly sftpAddress: string;
  readonly hostKeyFingerprint: string;
  readonly people: readonly ScreenPerson[];
  readonly commands: readonly ScreenCommand[];
  readonly peopleFile: string;
  /** Ports that were wanted but taken. */
  readonly moved: readonly string[];
  readonly colour: boolean;
}

export interface ScreenPerson {
  readonly name: string;
  readonly role: string;
  readonly login: string;
  readonly password: string;
}

export interface ScreenCommand {
  readonly title: string;
  /** Words that stay together; a line ends between them. */
  readonly words: readonly string[];
}

const columns = 100;
const escape = '\u001b[';

/** Shape: lines with an empty one at both ends. */
export function formatScreen(parts: ScreenParts): string {
  const paint = (code: string, text: string): string => (parts.colour ? `${escape}${code}m${text}${escape}0m` : text);
  const strong = (text: string): string => paint('1', text);
  const quiet = (text: string): string => paint('2', text);
  const fact = (label: string, value: string): string => `  ${quiet(label.padEnd(12))}${value}`;

  const widths = widthsOf(parts.people);
  const person = ({ name, role, login, password }: ScreenPerson): string =>
    `  ${name.padEnd(widths.name)}${quiet(role.padEnd(widths.role))}${login.padEnd(widths.login)}${password}`;

  return [
    '',
    `  ${strong('Broadgate')} ${quiet(`demo broker ${parts.broker}, on this machine only`)}`,
    '',
    fact('Portal', parts.portalUrl),
    fact('SFTP', parts.sftpAddress),
    fact('Host key', parts.hostKeyFingerprint),
    ...parts.moved.map((text) => fact('', quiet(text))),
    '',
    `  ${strong('People')} ${quiet('sign in with login and password')}`,
    ...parts.people.map(person),
    '',
    `  ${strong('Paste into another terminal')}`,
    ...parts.commands.flatMap(({ title, words }, index) => [
      ...(index === 0 ? [] : ['']),
      `  ${quiet(title)}`,
      ...wrapCommand(words).map((line) => `  ${line}`),
    ]),
    '',
    `  ${quiet(`All of this for scripts: ${parts.peopleFile}`)}`,
    `  ${quiet('Ctrl-C stops it; npm start serves the same again.')}`,
    '',
    '',
  ].join('\n');
}

function widthsOf(people: readonly ScreenPerson[]): Record<'name' | 'role' | 'login', number> {
  const width = (key: 'name' | 'role' | 'login'): number => Math.max(...people.map((one) => one[key].length)) + 3;
  return { name: width('name'), role: width('role'), login: width('login') };
}

/** A command over as many lines as it takes, each but the last ended with a backslash, so that it pastes as one. */
function wrapCommand(words: readonly string[]): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    // A newline among the words ends one command and begins the next.
    if (word === '\n') {
      lines.push(line);
      line = '';
    } else if (line !== '' && line.length + word.length + 7 > columns) {
      lines.push(`${line} \\`);
      line = `    ${word}`;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** A word as a POSIX shell takes it literally. */
export const quoteWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
