// Recorded dialogues of test/corpus/dialogues: what real clients sent, message by message and in clear.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface Dialogue {
  readonly name: string;
  /** The client's identification line. */
  readonly line: string;
  /** Payloads of its packets, from KEXINIT on. */
  readonly messages: readonly Buffer[];
}

const folder = path.join(import.meta.dirname, '../corpus/dialogues');

export function readDialogues(): Dialogue[] {
  const names = readdirSync(folder).sort();
  if (names.length < 5) throw new Error(`only ${names.length} dialogues are kept in ${folder}`);
  return names.map((name) => {
    const [line = '', ...messages] = readFileSync(path.join(folder, name), 'utf8').trimEnd().split('\n');
    return { name, line, messages: messages.map((message) => Buffer.from(message, 'hex')) };
  });
}

const channelData = 94;

/** What the client said on its first channel: a stream of SFTP packets. */
export const sftpStreamOf = ({ messages }: Dialogue): Buffer =>
  Buffer.concat(messages.filter((message) => message[0] === channelData).map((message) => message.subarray(9)));

/** The whole SFTP packets of a stream, length fields included. */
export function cutPackets(stream: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  for (let at = 0; at + 4 <= stream.length; ) {
    const end = at + 4 + stream.readUInt32BE(at);
    if (end > stream.length) break;
    packets.push(stream.subarray(at, end));
    at = end;
  }
  return packets;
}
