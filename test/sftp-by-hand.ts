// SFTP packets written by hand through OpenSSH's own `ssh`: what no client program would send, over a real connection.
import { spawn } from 'node:child_process';
import { client, createReplyReader, type Reply } from './fakes/sftp-client.ts';
import { plainSsh, type Target } from './sftp-programs.ts';

export interface Status {
  readonly code: number;
  readonly text: string;
}

/** A session after its greeting. Replies find their request by its number. */
export async function openByHand(target: Target) {
  const child = spawn('ssh', [...plainSsh(target), '-s', 'sftp'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const replies = createReplyReader();
  const waiting = new Map<number, { done(reply: Reply): void; failed(fault: Error): void }>();
  let requests = 100;
  child.stdin.on('error', () => undefined);
  child.stdout.on('data', (bytes: Buffer) => {
    for (const reply of replies.push(bytes)) {
      waiting.get(reply.id)?.done(reply);
      waiting.delete(reply.id);
    }
  });
  child.on('close', (status) => {
    for (const one of waiting.values()) one.failed(new Error(`the connection ended with ${status}`));
    waiting.clear();
  });

  const send = (id: number, bytes: Buffer): Promise<Reply> =>
    new Promise((done, failed) => {
      waiting.set(id, { done, failed });
      child.stdin.write(bytes);
    });
  await send(greetingId, client.init());

  const ask = (build: (id: number) => Buffer): Promise<Reply> => {
    requests += 1;
    return send(requests, build(requests));
  };
  return {
    ask,
    /** The status of a request; one that was granted with something else than a status counts as code 0. */
    async status(build: (id: number) => Buffer): Promise<Status> {
      const reply = await ask(build);
      if (reply.type !== statusType) return { code: 0, text: '' };
      const code = reply.u32();
      return { code, text: reply.string().toString() };
    },
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  };
}

const statusType = 101;
// VERSION carries the version where a reply carries its number.
const greetingId = 3;
