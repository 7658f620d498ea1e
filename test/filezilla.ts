// Drives FileZilla itself under a virtual display: a saved site with a key file, its dialogs, its listing, its transfers.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from './clients.ts';
import { eventually } from './eventually.ts';

export interface Site {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** A .ppk or OpenSSH private key. */
  readonly keyFile: string;
}

// Where the remote listing's rows stand in a window of 1000 × 700: the first row is "..".
const firstRow = { x: 560, y: 422, heightPx: 23 };

/** Starts FileZilla with one saved site and connects to it. Shape: `downloads` is where a double-clicked file arrives. */
export async function openFileZilla(site: Site) {
  const home = mkdtempSync(path.join(tmpdir(), 'filezilla-'));
  const downloads = path.join(home, 'downloads');
  const settings = path.join(home, '.config/filezilla');
  mkdirSync(settings, { recursive: true });
  mkdirSync(downloads);
  const log = path.join(home, 'messages.log');
  writeFileSync(path.join(settings, 'filezilla.xml'), settingsXml(log));
  writeFileSync(path.join(settings, 'sitemanager.xml'), siteXml(site));

  const { display, server } = await openDisplay();
  const env = { HOME: home, XDG_CONFIG_HOME: settings.replace(/\/filezilla$/, ''), DISPLAY: display };
  const program = spawn('filezilla', ['--site=0/broker', `--local=${downloads}`], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
  const xdo = (...args: string[]) => run('xdotool', args, { env });

  return {
    downloads,
    /** Answers the question for the unknown host key with OK. */
    async acceptHostKey(): Promise<void> {
      const found = await eventually(
        async () => (await xdo('search', '--name', 'Unknown host key')).stdout.toString().trim().split('\n').at(-1),
        { timeoutMs: 30_000 },
      );
      const shape = Object.fromEntries(
        (await xdo('getwindowgeometry', '--shell', found)).stdout
          .toString()
          .split('\n')
          .map((line) => line.split('=') as [string, string]),
      );
      const right = Number(shape['X']) + Number(shape['WIDTH']);
      const bottom = Number(shape['Y']) + Number(shape['HEIGHT']);
      await xdo('mousemove', String(right - 60), String(bottom - 22), 'click', '1');
    },
    /** Double-clicks a row of the remote listing, which FileZilla takes as "transfer". Shape: row 0 is "..". */
    async transferRow(row: number): Promise<void> {
      const y = firstRow.y + row * firstRow.heightPx;
      await xdo('mousemove', String(firstRow.x), String(y), 'click', '--repeat', '2', '--delay', '60', '1');
    },
    /** Waits until FileZilla's own message log says something. Shape: the whole log. */
    async readLog(wanted: RegExp, timeoutMs: number): Promise<string> {
      const read = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '');
      return eventually(() => (wanted.test(read()) ? read() : undefined), { timeoutMs });
    },
    /** Keeps a picture of the whole display. */
    screenshot: (file: string) => run('import', ['-window', 'root', file], { env }),
    async [Symbol.asyncDispose]() {
      await end(program);
      await end(server);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** A display of its own; Xvfb picks a free number and writes it to the descriptor it is given. */
async function openDisplay(): Promise<{ display: string; server: ChildProcess }> {
  const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1000x700x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const said = await new Promise<string>((done, failed) => {
    server.on('error', failed);
    server.on('exit', () => failed(new Error('Xvfb ended before it had a display')));
    server.stdio[3]!.once('data', (bytes: Buffer) => done(bytes.toString().trim()));
  });
  return { display: `:${said}`, server };
}

function end(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    program.on('exit', () => done());
    program.kill('SIGKILL');
  });
}

// A high "Greeting version" keeps the welcome dialog away.
const settingsXml = (log: string): string => `<?xml version="1.0" encoding="UTF-8"?>
<FileZilla3><Settings>
  <Setting name="Update Check">0</Setting>
  <Setting name="Greeting version">99.0.0</Setting>
  <Setting name="Logging file">${log}</Setting>
  <Setting name="Logging filesize limit">0</Setting>
  <Setting name="Window position and size">0 0 0 1000 700 </Setting>
</Settings></FileZilla3>
`;

// Protocol 1 is SFTP, logon type 5 is "Key file".
const siteXml = (site: Site): string => `<?xml version="1.0" encoding="UTF-8"?>
<FileZilla3><Servers><Server>
  <Host>${site.host}</Host><Port>${site.port}</Port><Protocol>1</Protocol><Type>0</Type>
  <User>${site.user}</User><Keyfile>${site.keyFile}</Keyfile><Logontype>5</Logontype>
  <EncodingType>Auto</EncodingType><BypassProxy>0</BypassProxy><Name>broker</Name>
</Server></Servers></FileZilla3>
`;
