// Starts: what is declined before a port opens, all faults of the settings at once, and the folders that the demo takes.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once as onceOf } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { after, test } from 'node:test';
import { type Caller, signIn } from '../broker.ts';
import { openTempFolder, run, withClients } from '../clients.ts';
import { openInstallation, startInVain } from '../installation.ts';
import { once } from '../once.ts';

const temp = openTempFolder();
after(temp[Symbol.dispose]);
const local = (name: string): string => path.join(temp.folder, name);

const isRoot = process.getuid?.() === 0;

test('serve does not run as root', { skip: isRoot ? false : 'only root can try' }, async () => {
  const { status, output } = await startInVain(local('as-root'), { prefix: [] });
  assert.equal(status, 1, output);
  assert.match(output, /\[serve_as_root\]/);
  assert.ok(!existsSync(local('as-root')), 'a refused start left something behind');
});

test('an address other than loopback needs a certificate or a trusted proxy', async () => {
  for (const BROADGATE_HTTPS_ADDRESS of ['0.0.0.0', '::']) {
    const { status, output } = await startInVain(local('open'), { env: { BROADGATE_HTTPS_ADDRESS } });
    assert.equal(status, 1, output);
    assert.match(output, /\[address_needs_tls\]/);
  }
  assert.ok(!existsSync(local('open')), 'a refused start left something behind');
});

test('without its built pages the server does not start, and names the command that builds them', async () => {
  const env = { BROADGATE_PORTAL: 'on', BROADGATE_PORTAL_DIR: local('no-pages') };
  const { status, output } = await startInVain(local('unbuilt'), { env });
  assert.equal(status, 1, output);
  assert.match(output, /\[portal_not_built\]/);
  assert.match(output, /npm run build/);
  assert.ok(!existsSync(local('unbuilt')), 'a refused start left something behind');
});

test('all faults of the settings are named together', async () => {
  const wrong = {
    BROADGATE_WORKERS: '0',
    BROADGATE_ZONE: 'Europe/Atlantis',
    BROADGATE_QUOTA: 'plenty',
    BROADGATE_SFTP_PROT: '32',
  };
  const { status, output } = await startInVain(local('misset'), { env: wrong });
  assert.equal(status, 2, output);
  for (const name of Object.keys(wrong)) assert.ok(output.includes(name), `${name} is missing in: ${output}`);
  assert.ok(!existsSync(local('misset')), 'a refused start left something behind');
});

test('the demo leaves a folder alone that it did not make', async () => {
  mkdirSync(local('foreign'));
  writeFileSync(path.join(local('foreign'), 'letters.txt'), 'not the demo’s');
  const { status, output } = await startInVain(local('foreign'), { command: 'demo' });
  assert.equal(status, 1, output);
  assert.match(output, /\[demo_folder_foreign\]/);
  assert.deepEqual(readdirSync(local('foreign')), ['letters.txt']);
});

test('the demo answers on loopback only', async () => {
  for (const name of ['BROADGATE_HTTPS_ADDRESS', 'BROADGATE_SFTP_ADDRESS']) {
    const { status, output } = await startInVain(local('wide'), { command: 'demo', env: { [name]: '0.0.0.0' } });
    assert.equal(status, 1, output);
    assert.match(output, /\[demo_loopback_only\]/);
  }
});

interface People {
  readonly portalUrl: string;
  readonly sftp: { readonly port: number; readonly user: string; readonly hostKeyFingerprint: string };
  readonly clients: readonly { readonly login: string; readonly password: string; readonly accountNumber: string }[];
  readonly operators: readonly { readonly login: string; readonly password: string; readonly desk: string }[];
}

const demoFolder = local('demo-data');
const readPeople = (): People => JSON.parse(readFileSync(path.join(demoFolder, 'demo/people.json'), 'utf8')) as People;

/** Contents of what the demo hands out, without what names the ports of one start. */
const readMaterial = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(path.join(demoFolder, 'demo'))
      .filter((name) => !['people.json', 'known_hosts', 'gnupg'].includes(name))
      .map((name) => [name, hashOf(path.join(demoFolder, 'demo', name))]),
  );
const hashOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Everything that was issued, as the delivery desk lists it. */
async function listIssued(people: People): Promise<unknown[]> {
  const operator = people.operators.find((one) => one.desk === 'delivery')!;
  const desk: Caller = await signIn(people.portalUrl, operator.login, operator.password);
  return desk.list('/v1/delivery-desk/statements?limit=100');
}

/** The commands of the screen in the order of their printing, each as it would be pasted. */
function commandsOf(screen: string): string[] {
  const [, pasted = ''] = screen.split('Paste into another terminal\n');
  const [commands = ''] = pasted.split('  All of this');
  return commands
    .trim()
    .split('\n\n')
    .map((block) => block.split('\n').slice(1).join('\n'));
}

const served = once(serveTwice);

/** A demo that is seeded, used, stopped, and served again while another program has the port that it asks for. */
async function serveTwice() {
  const first = await openInstallation({ command: 'demo', dataDir: demoFolder });
  const modes = readdirSync(path.join(demoFolder, 'demo'), { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(path.join(entry.parentPath, entry.name)).mode & 0o777);
  const pasted = [];
  for (const command of withClients.skip === false ? commandsOf(first.output()) : []) {
    pasted.push(await run('sh', ['-c', command], { timeoutMs: 60_000 }));
  }
  const seeded = { people: readPeople(), material: readMaterial(), issued: await listIssued(readPeople()) };
  await first.stop();
  const leftAfterStop = ['run.json', 'demo/people.json'].filter((name) => existsSync(path.join(demoFolder, name)));

  const neighbour = net.createServer().listen(0, '127.0.0.1');
  await onceOf(neighbour, 'listening');
  const { port } = neighbour.address() as AddressInfo;
  await using again = await openInstallation({
    command: 'demo',
    dataDir: demoFolder,
    env: { BROADGATE_HTTPS_PORT: `${port}` },
  });
  const found = { people: readPeople(), material: readMaterial(), issued: await listIssued(readPeople()) };
  neighbour.close();
  return {
    seeded,
    pasted,
    found,
    modes,
    leftAfterStop,
    taken: port,
    httpsPort: again.httpsPort,
    printed: again.output(),
  };
}

test('the demo seeds an empty folder, and serves it again unchanged', async () => {
  const { seeded, found } = await served();
  const { clients, operators, sftp } = seeded.people;
  assert.equal(clients.length, 3);
  assert.ok(operators.length >= 2);
  assert.ok(seeded.issued.length > 0);
  assert.deepEqual([found.people.clients, found.people.operators], [clients, operators]);
  assert.equal(found.people.sftp.user, sftp.user);
  assert.equal(found.people.sftp.hostKeyFingerprint, sftp.hostKeyFingerprint);
  assert.deepEqual(found.material, seeded.material);
  assert.deepEqual(found.issued, seeded.issued);
});

test(
  'the commands that the demo prints work when pasted: fetch, open, and why a wrong key was refused',
  withClients,
  async () => {
    const [fetched, opened, told] = (await served()).pasted;
    assert.equal(fetched!.status, 0, fetched!.stderr);
    assert.equal(opened!.status, 0, opened!.stderr);
    assert.match(opened!.stderr, /Good signature from "Harbour & Vale/);
    const pdf = readdirSync(path.join(demoFolder, 'demo')).find((name) => name.endsWith('.pdf'))!;
    assert.match(readFileSync(path.join(demoFolder, 'demo', pdf), 'latin1'), /^%PDF-/);
    const offered = await run('ssh-keygen', ['-lf', path.join(demoFolder, 'demo/wrong-ssh-key')]);
    const [fingerprint] = /SHA256:\S+/.exec(offered.stdout.toString())!;
    assert.ok(told!.stdout.toString().includes(fingerprint), told!.stdout.toString() + told!.stderr);
  },
);

test('what the demo hands out is its owner’s alone, and what names a running server goes when it stops', async () => {
  const { modes, leftAfterStop } = await served();
  assert.deepEqual(new Set(modes), new Set([0o600]));
  assert.equal(statSync(path.join(demoFolder, 'demo')).mode & 0o777, 0o700);
  assert.deepEqual(leftAfterStop, []);
});

test('where the demo finds its port taken it takes another, and prints that one', async () => {
  const { taken, httpsPort, found, printed } = await served();
  assert.notEqual(httpsPort, taken);
  assert.equal(found.people.portalUrl, `http://127.0.0.1:${httpsPort}`);
  assert.ok(printed.includes(`127.0.0.1:${httpsPort}`));
});
