// FileZilla's engine `fzsftp` driven as FileZilla drives it: commands on its input, events on its output, and file bytes
// through a piece of memory that both map. Takes account, steps and choice as JSON, prints the names that it lists.
import { spawn } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import type { Account, Step } from './client-program.ts';

const { account, steps } = JSON.parse(process.argv[2]!) as { account: Account; steps: readonly Step[] };

/** The first letter of an event; protocol 11 of FileZilla 3.63. */
const event = {
  reply: '0',
  done: '1',
  error: '2',
  listEntry: '8',
  askHostKey: '9',
  quotaReceived: '@',
  quotaSent: 'A',
  fileOpen: 'K',
  fileNext: 'L',
  fileEnd: 'M',
} as const;

/** Lines that follow the first of an event. */
const linesAfter: Readonly<Record<string, number>> = { [event.listEntry]: 2, [event.askHostKey]: 1 };

const memoryBytes = 1024 * 1024;
const bufferBytes = memoryBytes / 4;
// The program finds the memory at this descriptor of its own.
const memoryFd = 3;
const memoryFile = `/dev/shm/fzsftp-${process.pid}`;
const memory = openSync(memoryFile, 'wx+');
ftruncateSync(memory, memoryBytes);
rmSync(memoryFile);

const child = spawn('fzsftp', ['-v'], {
  stdio: ['pipe', 'pipe', 'inherit', memory],
  env: { ...process.env, HOME: account.home },
});
const [input, output] = [child.stdin!, child.stdout!];
child.on('exit', () => process.exit(1));

interface Transfer {
  readonly fd: number;
  readonly isUpload: boolean;
  at: number;
}

/** The file of the transfer that runs. */
let transfer: Transfer | undefined;
let names: string[] = [];
let whenDone = Promise.withResolvers<void>();
const buffer = Buffer.alloc(bufferBytes);

const say = (line: string): void => void input.write(`${line}\n`);

function openFile(offset: string): void {
  // The largest number stands for the end of a file that is to go on.
  const goesOn = !transfer!.isUpload && BigInt(offset) === 2n ** 64n - 1n;
  transfer!.at = goesOn ? fstatSync(transfer!.fd).size : Number(offset);
  if (!goesOn && !transfer!.isUpload) ftruncateSync(transfer!.fd, 0);
  say(`-${memoryFd} ${memoryBytes}${goesOn ? ` ${transfer!.at}` : ''}`);
}

/** Of a download: the program has filled so many bytes of the buffer. */
function writeOut(sizeBytes: number): void {
  if (sizeBytes === 0) return;
  readSync(memory, buffer, 0, sizeBytes, 0);
  writeSync(transfer!.fd, buffer, 0, sizeBytes, transfer!.at);
  transfer!.at += sizeBytes;
}

function giveNext(filledBytes: number): void {
  if (!transfer!.isUpload) {
    writeOut(filledBytes);
    return say(`-0 ${bufferBytes}`);
  }
  const sizeBytes = readSync(transfer!.fd, buffer, 0, bufferBytes, transfer!.at);
  transfer!.at += sizeBytes;
  if (sizeBytes === 0) return say('-');
  writeSync(memory, buffer, 0, sizeBytes, 0);
  say(`-0 ${sizeBytes}`);
}

function handle(kind: string, lines: readonly string[]): void {
  const [text = ''] = lines;
  switch (kind) {
    case event.reply:
      return whenDone.resolve();
    case event.done:
      return text === '1' ? whenDone.resolve() : whenDone.reject(new Error(`the command ended with ${text}`));
    case event.error:
      return console.error(text);
    case event.listEntry:
      return void names.push(lines[2]!);
    case event.askHostKey:
      // "n" trusts it for this time.
      return say('n');
    case event.fileOpen:
      return openFile(text);
    case event.fileNext:
      return giveNext(Number(text));
    case event.fileEnd:
      writeOut(Number(text));
      return say('-1');
  }
}

let unread = '';
output.on('data', (bytes: Buffer) => {
  unread += bytes.toString();
  for (;;) {
    const kind = unread[0];
    // A question about speed is a letter alone; the answer is that there is no limit.
    if (kind === event.quotaReceived || kind === event.quotaSent) {
      unread = unread.slice(1);
      say(kind === event.quotaReceived ? '-0-' : '-1-');
      continue;
    }
    const wanted = 1 + (linesAfter[kind ?? ''] ?? 0);
    const lines = unread.split('\n');
    if (kind === undefined || lines.length <= wanted) return;
    unread = lines.slice(wanted).join('\n');
    handle(kind, [lines[0]!.slice(1), ...lines.slice(1, wanted)]);
  }
});

async function command(line: string): Promise<void> {
  whenDone = Promise.withResolvers();
  say(line);
  await whenDone.promise;
}

async function move(line: string, local: string, isUpload: boolean): Promise<void> {
  transfer = { fd: openSync(local, isUpload ? 'r' : 'a+'), isUpload, at: 0 };
  await command(line);
  closeSync(transfer.fd);
}

async function list(remote: string): Promise<string[]> {
  names = [];
  await command(`ls "${remote}"`);
  return names;
}

const get = (word: string, remote: string, local: string): Promise<void> =>
  move(`${word} "${remote}" "${local}"`, local, false);
const put = (word: string, local: string, remote: string): Promise<void> =>
  move(`${word} "${local}" "${remote}"`, local, true);

async function take(step: Step): Promise<void> {
  switch (step.verb) {
    case 'list':
      return console.log((await list(step.remote)).join('\n'));
    case 'get':
      return get('get', step.remote, step.local);
    case 'resumeGet':
      return get('reget', step.remote, step.local);
    case 'put':
      return put('put', step.local, step.remote);
    case 'resumePut':
      return put('reput', step.local, step.remote);
    case 'getFolder':
      mkdirSync(step.local);
      for (const name of await list(step.remote))
        await get('get', `${step.remote}/${name}`, path.join(step.local, name));
      return;
    case 'putFolder':
      await command(`mkdir "${step.remote}"`);
      for (const name of readdirSync(step.local))
        await put('put', path.join(step.local, name), `${step.remote}/${name}`);
      return;
    case 'rename':
      return command(`mv "${step.remote}" "${step.to}"`);
  }
}

// The program greets with a reply.
await whenDone.promise;
await command(`keyfile "${account.ppkFile}"`);
await command(`open "${account.user}@127.0.0.1" ${account.port}`);
for (const step of steps) await take(step);
child.removeAllListeners('exit');
input.end();
child.kill();
