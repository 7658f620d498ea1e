// Stands in for packages/ssh/packet-input.ts while tools/corpus.ts records: the same decoder, and every packet is told.
import { createPacketInput as createReal, type PacketInput } from '../packages/ssh/packet-input.ts';

/** What each connection since the last `takeDialogues` sent: its identification line, then its messages in clear. */
let dialogues: { line: string; messages: Buffer[] }[] = [];

export function takeDialogues(): { readonly line: string; readonly messages: readonly Buffer[] }[] {
  const taken = dialogues;
  dialogues = [];
  return taken;
}

export function createPacketInput(): PacketInput {
  const real = createReal();
  const dialogue: (typeof dialogues)[number] = { line: '', messages: [] };
  dialogues.push(dialogue);
  return Object.create(real, {
    takeLine: {
      value(bytesMax: number) {
        const line = real.takeLine(bytesMax);
        if (line !== undefined) dialogue.line = line.toString('latin1');
        return line;
      },
    },
    takePacket: {
      value(packetBytesMax: number) {
        const payload = real.takePacket(packetBytesMax);
        if (payload !== undefined) dialogue.messages.push(Buffer.from(payload));
        return payload;
      },
    },
  }) as PacketInput;
}
