// A client's statements: listed, fetched, and told apart from one that was tampered with.
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type HeldFile,
  type ManifestFault,
  type SignedManifest,
  verifyManifests,
} from '@broadgate/contract/manifest.ts';
import type { brokerKey, StatementShape } from '@broadgate/contract/statements.ts';
import { unarmorCertificate, verifyDetached } from '@broadgate/openpgp-writer';
import type { Static } from 'typebox';
import { type Command, type CommandCall, isSet, neededText, optionText } from './commands.ts';
import { exitCodes, Refused } from './faults.ts';
import { formatSize, formatTable, formatTime, print } from './output.ts';

const filterOptions = {
  account: { type: 'string' },
  kind: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
} as const;

export const filterOf = (call: CommandCall): Record<string, string | undefined> => ({
  account: optionText(call, 'account'),
  kind: optionText(call, 'kind'),
  from: optionText(call, 'from'),
  to: optionText(call, 'to'),
});

export function describeStatements(found: readonly StatementShape[]): string {
  const rows = found.map((one) => [
    one.name,
    one.accountNumber,
    whereItIs(one),
    formatSize(one.sizeBytes),
    formatTime(one.issuedAt),
    one.id,
  ]);
  return rows.length === 0 ? 'None.' : formatTable(['Name', 'Account', 'Delivery', 'Size', 'Issued', 'Id'], rows);
}

function whereItIs({ state, delivery }: StatementShape): string {
  if (state !== 'available') return state;
  if (delivery === null) return 'portal';
  if (delivery.state === 'waiting') return `waits for ${delivery.waitsFor.replace('_', ' ')}`;
  return delivery.isEncrypted ? 'sftp, encrypted' : 'sftp';
}

/** Writes a download beside its place and moves it there when it is whole. */
export async function saveDownload(response: Response, file: string): Promise<void> {
  const partial = join(dirname(file), `.${basename(file)}.partial`);
  try {
    await pipeline(Readable.fromWeb(response.body!), createWriteStream(partial, { mode: 0o600 }));
    await rename(partial, file);
  } catch (fault) {
    await rm(partial, { force: true });
    throw fault;
  }
}

export const statementCommands: readonly Command[] = [
  {
    name: 'statements list',
    takes: '[--account NUMBER] [--kind KIND] [--from DAY] [--to DAY]',
    meaning: 'your statements, newest first',
    options: filterOptions,
    async run(call) {
      const found = await Array.fromAsync((await call.caller()).list<StatementShape>('/v1/statements', filterOf(call)));
      print(isSet(call, 'json') ? JSON.stringify(found, null, 2) : describeStatements(found));
    },
  },
  {
    name: 'statements get',
    takes: 'ID [--delivered] [--out FILE]',
    meaning: 'fetch a statement in clear, or with --delivered in the form that lies in the repository',
    options: { delivered: { type: 'boolean' }, out: { type: 'string' } },
    positionals: { min: 1, max: 1 },
    async run(call) {
      const caller = await call.caller();
      const path = `/v1/statements/${encodeURIComponent(call.positionals[0]!)}`;
      const statement = await caller.get<StatementShape>(path);
      const isDelivered = isSet(call, 'delivered');
      const response = await caller.download(`${path}/${isDelivered ? 'delivered' : 'file'}`);
      const { delivery } = statement;
      const name = isDelivered && delivery?.state === 'placed' ? delivery.path : statement.name;
      // Whatever a server says, a download lands in this folder and nowhere else.
      const file = call.path(optionText(call, 'out') ?? basename(name));
      await saveDownload(response, file);
      const sha256 = isDelivered && delivery?.state === 'placed' ? delivery.sha256 : statement.sha256;
      if ((await hashFile(file)).sha256 !== sha256) {
        throw new Refused(
          'download_differs',
          `What arrived is not what the broker issued; ${file} is kept to look at.`,
        );
      }
      print(file);
    },
  },
  {
    name: 'statements test-file',
    takes: '',
    meaning: 'send yourself a test file through the real delivery',
    async run(call) {
      const { name } = await (await call.caller()).send<{ name: string }>('POST', '/v1/delivery/test-file');
      print(`${name} is on its way to your repository.`);
    },
  },
  {
    name: 'broker-key',
    takes: '[--out FILE]',
    meaning: 'the public key that signs for the broker, for gpg --import and verify manifest',
    options: { out: { type: 'string' } },
    async run(call) {
      const key = await (await call.caller()).get<Static<typeof brokerKey>>('/v1/broker-key');
      const out = optionText(call, 'out');
      if (out === undefined) print(key.certificate.trimEnd());
      else {
        await saveDownload(new Response(key.certificate), call.path(out));
        print(`${key.userId}\n${key.fingerprint}`);
      }
    },
  },
];

async function hashFile(file: string): Promise<HeldFile> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  await using handle = await open(file, 'r');
  for await (const chunk of handle.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { path: '', sizeBytes, sha256: hash.digest('hex') };
}

const faultTexts: Readonly<Record<ManifestFault['fault'], string>> = {
  unreadable: 'is no manifest',
  bad_signature: 'is not signed by this key',
  chain_broken: 'does not follow the one before: one is missing, or was exchanged',
  file_missing: 'names a file that is not here, though it is not yet due to be gone',
  file_differs: 'names a file that has other contents here',
};

/** Everything below a folder, with paths as the repository has them. */
async function listHeld(folder: string): Promise<HeldFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files.map(async (file) => ({ ...(await hashFile(file)), path: file.slice(folder.replace(/\/+$/, '').length) })),
  );
}

export const verifyCommands: readonly Command[] = [
  {
    name: 'verify manifest',
    takes: 'MANIFEST… --broker-key FILE [--files FOLDER]',
    meaning: 'check signed daily manifests, their chain and the files they list; needs public keys only, no server',
    notes: [
      'Each manifest_….json needs its signature manifest_….json.sig beside it.',
      "--files: a copy of the repository; without it the folder above the first manifest's own.",
    ],
    options: { 'broker-key': { type: 'string' }, files: { type: 'string' } },
    positionals: { min: 1, max: 1000 },
    async run(call) {
      const certificate = unarmorCertificate(await readFile(call.path(neededText(call, 'broker-key')), 'utf8'));
      const paths = call.positionals.map((path) => call.path(path));
      const manifests = await Promise.all(
        paths.map(
          async (path): Promise<SignedManifest> => ({
            name: basename(path),
            bytes: await readFile(path),
            signature: await readFile(`${path}.sig`),
          }),
        ),
      );
      const given = optionText(call, 'files');
      const folder = given === undefined ? dirname(dirname(paths[0]!)) : call.path(given);
      const verdict = verifyManifests({
        manifests,
        held: await listHeld(folder),
        verify: (data, signature) => verifyDetached({ certificate, signature, data }).good,
        nowMs: Date.now(),
      });
      if (isSet(call, 'json')) print(JSON.stringify(verdict, null, 2));
      else {
        for (const fault of verdict.faults) {
          print(`${fault.manifest} ${faultTexts[fault.fault]}${'path' in fault ? `: ${fault.path}` : ''}.`);
        }
        const gone = verdict.filesGone === 0 ? '' : `, ${verdict.filesGone} are gone as they should be`;
        const outcome = verdict.isGood ? 'Good' : 'Not good';
        print(`${outcome}: ${manifests.length} manifests, ${verdict.filesGood} files as listed${gone}.`);
      }
      return verdict.isGood ? exitCodes.done : exitCodes.refused;
    },
  },
];
