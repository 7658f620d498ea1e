// New keys in the middle of transfers, by the server's wish after every MiB, and by the client's where it has a setting.
//
// The whole SFTP face stands behind this, over a tree in memory: an installation renews keys at 1 GiB and has no setting.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fingerprint } from '@broadgate/ssh';
import { run } from '../clients.ts';
import { eventually } from '../eventually.ts';
import { openTestFace, type TestFace } from '../fakes/sftp-face.ts';
import type { ClientProgram } from './client-program.ts';
import { openAccount, takeWell } from './ground.ts';
import { type Cells, cellOf } from './verbs.ts';

const mib = 1024 * 1024;

/** Moves a file both ways. Shape: the fewest key exchanges of a connection that moved it; one is the sign-in's. */
async function countExchanges(face: TestFace, client: ClientProgram, rekeyBytes: number | undefined): Promise<number> {
  const made = await run('puttygen', [face.keyFile, '-O', 'private', '-o', `${face.keyFile}.ppk`]);
  assert.equal(made.status, 0, made.stderr);
  const at = { port: face.port, user: face.user, hostKeyFingerprints: [fingerprint(face.hostKey.blob)] };
  const account = await openAccount(face.folder, at, face.keyFile);
  const [local, back] = [path.join(face.folder, 'sent'), path.join(face.folder, 'back')];
  const bytes = randomBytes(8 * mib + 5);
  writeFileSync(local, bytes);
  // It replaces a file: sshfs looks at the path while it writes, and the tree in memory shows no upload before its end.
  face.tree.put('/moved', '');
  const choice = rekeyBytes === undefined ? {} : { rekeyBytes };
  await takeWell(client, account, [{ verb: 'put', local, remote: '/moved' }], { choice });
  assert.ok(face.tree.nodes.get('/moved')!.bytes.equals(bytes), `${client.id}: what it put`);
  await takeWell(client, account, [{ verb: 'get', remote: '/moved', local: back }], { choice });
  assert.ok(readFileSync(back).equals(bytes), `${client.id}: what it got`);
  const carriers = await eventually(() => {
    const found = face.summaries.filter((one) => one.fileBytesRead + one.fileBytesWritten >= bytes.length);
    return found.length >= 2 ? found : undefined;
  });
  return Math.min(...carriers.map((one) => one.keyExchanges));
}

export async function checkRekey(client: ClientProgram): Promise<Cells> {
  if (client.cannot.rekeyByUs === undefined) {
    await using face = await openTestFace({ parts: { sshLimits: { rekeyBytes: mib } } });
    const exchanges = await countExchanges(face, client, undefined);
    assert.ok(exchanges > 1, `${client.id}: ${exchanges} key exchanges where the server asks for them`);
  }
  if (client.cannot.rekeyByIt === undefined) {
    await using face = await openTestFace();
    const exchanges = await countExchanges(face, client, mib);
    assert.ok(exchanges > 1, `${client.id}: ${exchanges} key exchanges where it asks for them`);
  }
  return { 'rekey by us': cellOf(client, 'rekeyByUs'), 'rekey by it': cellOf(client, 'rekeyByIt') };
}
