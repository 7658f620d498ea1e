// Starts the demo as a stranger would, pastes what it prints, stops it, and starts it again on the same folder.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { openTempFolder, run, withClients } from '../../test/clients.ts';
import { openInstallation } from '../../test/installation.ts';

interface People {
  readonly portalUrl: string;
  readonly sftp: { host: string; port: number; user: string; privateKeyFile: string; hostKeyFingerprint: string };
  readonly openpgp: { privateKeyFile: string; brokerPublicKeyFile: string };
  readonly clients: readonly { login: string; password: string; accountNumber: string }[];
  readonly operators: readonly { login: string; password: string; desk: string }[];
}

const readPeople = (dataDir: string): People =>
  JSON.parse(readFileSync(join(dataDir, 'demo/people.json'), 'utf8')) as People;

/** The commands of the screen in the order of their printing, each as it would be pasted. */
function commandsOf(screen: string): string[] {
  const [, pasted = ''] = screen.split('Paste into another terminal\n');
  const [commands = ''] = pasted.split('  All of this');
  return commands
    .trim()
    .split('\n\n')
    .map((block) => block.split('\n').slice(1).join('\n'));
}

test(
  'the demo seeds an empty folder, its printed commands work when pasted, and it is served again unchanged',
  withClients,
  async () => {
    using temporary = openTempFolder('demo-');
    const dataDir = join(temporary.folder, 'data');
    const first = await openInstallation({ command: 'demo', dataDir });
    const people = readPeople(dataDir);
    try {
      assert.deepEqual(people.clients.map(({ accountNumber }) => accountNumber).sort(), [
        'F2200315',
        'F2200488',
        'U7041826',
      ]);
      assert.equal(new Set(people.operators.map(({ desk }) => desk)).size, 2);
      assert.equal(statSync(join(dataDir, 'demo')).mode & 0o777, 0o700);
      for (const name of readdirSync(join(dataDir, 'demo'), { withFileTypes: true })) {
        if (name.isFile()) assert.equal(statSync(join(dataDir, 'demo', name.name)).mode & 0o777, 0o600, name.name);
      }

      const [fetch, open, why] = commandsOf(first.output());
      const paste = (command: string) => run('sh', ['-c', command], { timeoutMs: 60_000 });
      const fetched = await paste(fetch!);
      assert.equal(fetched.status, 0, fetched.stderr);
      const opened = await paste(open!);
      assert.equal(opened.status, 0, opened.stderr);
      assert.match(opened.stderr, /Good signature from "Harbour & Vale/);
      const pdf = readdirSync(join(dataDir, 'demo')).find((name) => name.endsWith('.pdf'));
      assert.equal(
        readFileSync(join(dataDir, 'demo', pdf!))
          .subarray(0, 5)
          .toString(),
        '%PDF-',
      );
      const told = await paste(why!);
      const offered = await run('ssh-keygen', ['-lf', join(dataDir, 'demo/wrong-ssh-key')]);
      const fingerprint = /SHA256:\S+/.exec(offered.stdout.toString())![0];
      assert.ok(told.stdout.toString().includes(fingerprint), told.stdout.toString() + told.stderr);

      // Ctrl-C reaches the whole foreground group; a worker leaves it to the supervisor.
      for (const pid of first.workers()) process.kill(pid, 'SIGINT');
      assert.equal((await globalThis.fetch(`${first.url}/healthz`)).status, 200);
    } finally {
      await first.stop();
    }
    assert.ok(!existsSync(join(dataDir, 'run.json')) && !existsSync(join(dataDir, 'demo/people.json')));

    await using again = await openInstallation({ command: 'demo', dataDir });
    const served = readPeople(dataDir);
    const sftp = { ...people.sftp, port: again.sftpPort };
    assert.deepEqual(served, { ...people, portalUrl: again.url, sftp });
  },
);

test('a folder that the demo did not make is refused with the command that serves it', async () => {
  using temporary = openTempFolder('demo-');
  const dataDir = join(temporary.folder, 'data');
  mkdirSync(dataDir);
  writeFileSync(join(dataDir, 'master.key'), 'mine');
  const env = { BROADGATE_DATA_DIR: dataDir };
  const refused = await run(process.execPath, [join(import.meta.dirname, '../main.ts'), 'demo'], { env });
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /npm run serve.*\[demo_folder_foreign\]/);
  assert.deepEqual(readdirSync(dataDir), ['master.key']);
});

test('the demo does not answer on any address but loopback', async () => {
  using temporary = openTempFolder('demo-');
  const env = { BROADGATE_DATA_DIR: join(temporary.folder, 'data'), BROADGATE_SFTP_ADDRESS: '::' };
  const refused = await run(process.execPath, [join(import.meta.dirname, '../main.ts'), 'demo'], { env });
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /\[demo_loopback_only\]/);
});
