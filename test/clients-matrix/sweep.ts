// Every key exchange, cipher, MAC and host key algorithm that a client can be told to use, with a file there and back in
// each, and what was agreed read from the server's record.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { cipherNames, keyExchangeNames, macNames } from '../../packages/ssh/algorithms.ts';
import { eventually } from '../eventually.ts';
import { type Choice, type ClientProgram, type Slot, slots } from './client-program.ts';
import { type ConnectionRecord, type Lane, takeWell } from './ground.ts';
import { makeFile } from './verbs.ts';

/** What the server has of each. */
export const ours: Readonly<Record<Slot, readonly string[]>> = {
  keyExchange: keyExchangeNames,
  cipher: cipherNames,
  mac: macNames,
  hostKey: ['ssh-ed25519', 'rsa-sha2-512', 'rsa-sha2-256'],
};

export const recorded = (record: ConnectionRecord): Readonly<Record<Slot, string>> => ({
  keyExchange: record.kex,
  cipher: record.cipher,
  mac: record.mac,
  hostKey: record.hostKeyAlgorithm,
});

/** What the client can be told of what the server has. */
export const choosable = (client: ClientProgram, slot: Slot): readonly string[] => {
  const names = client.chooses[slot];
  return typeof names === 'string' ? [] : names.filter((name) => ours[slot].includes(name));
};

/** The choices to try: exchanges and ciphers, in pairs or alone, then MACs under a cipher that needs one, then host keys. */
function choicesOf(client: ClientProgram): Choice[] {
  const [exchanges, ciphers] = [choosable(client, 'keyExchange'), choosable(client, 'cipher')];
  const alone = [...exchanges.map((keyExchange) => ({ keyExchange })), ...ciphers.map((cipher) => ({ cipher }))];
  const crossed = exchanges.flatMap((keyExchange) => ciphers.map((cipher) => ({ keyExchange, cipher })));
  const counter = ciphers.find((cipher) => cipher.endsWith('-ctr'));
  return [
    ...(client.triesPairs ? crossed : alone),
    ...choosable(client, 'mac').map((mac) => ({ mac, ...(counter !== undefined && { cipher: counter }) })),
    ...choosable(client, 'hostKey').map((hostKey) => ({ hostKey })),
  ];
}

/** Shape: the names that were agreed by order, and how many connections that took. */
export async function sweep(lane: Lane, client: ClientProgram, box: string) {
  const { local, bytes } = makeFile(lane, `${client.id}-swept`, 200_001);
  const exercised: Record<Slot, string[]> = { keyExchange: [], cipher: [], mac: [], hostKey: [] };
  const choices = choicesOf(client);
  const seen = new Set((await lane.connections()).map((one) => one.id));
  for (const [index, choice] of choices.entries()) {
    const [remote, back] = [`${box}/swept-${index}`, path.join(lane.folder, `${client.id}-swept-${index}`)];
    const steps = [{ verb: 'put', local, remote } as const, { verb: 'get', remote, local: back } as const];
    await takeWell(client, lane.account, steps, { choice });
    assert.ok(readFileSync(back).equals(bytes), `${client.id} ${JSON.stringify(choice)}: the bytes`);
    const asked = slots.filter((slot) => choice[slot] !== undefined);
    const isAgreed = (record: ConnectionRecord): boolean =>
      asked.every((slot) => recorded(record)[slot] === choice[slot]);
    const found = await eventually(
      async () => (await lane.connections()).find((one) => !seen.has(one.id) && isAgreed(one)),
      { what: `the record of ${client.id} with ${JSON.stringify(choice)}` },
    );
    seen.add(found.id);
    for (const slot of asked) if (!exercised[slot].includes(choice[slot]!)) exercised[slot].push(choice[slot]!);
  }
  return { exercised, connections: choices.length };
}
