// From an empty installation to a first delivered statement by commands alone, with the real `sftp` and `gpg` at the end.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { openGpgHome, openTempFolder, run, withClients } from '../clients.ts';
import { openInstallation } from '../installation.ts';

const root = path.join(import.meta.dirname, '..', '..');

/** The `broadgate` tool for one person: a token file of its own. */
function openTool(person: string, folder: string, url: string) {
  const token = path.join(folder, `${person}.token`);
  const password = path.join(folder, `${person}.password`);
  writeFileSync(password, 'seven quiet harbour lamps\n', { mode: 0o600 });
  const call = async (...words: string[]) => {
    const env = { BROADGATE_URL: url, BROADGATE_TOKEN_FILE: token, NO_COLOR: '1', INIT_CWD: folder };
    const ran = await run(process.execPath, [path.join(root, 'cli/main.ts'), ...words], { env });
    return { status: ran.status, text: ran.stdout.toString(), stderr: ran.stderr };
  };
  const good = async (...words: string[]): Promise<string> => {
    const { status, text, stderr } = await call(...words);
    assert.equal(status, 0, `${words.join(' ')}: ${text}${stderr}`);
    return text;
  };
  return {
    call,
    good,
    password,
    json: async <Value>(...words: string[]): Promise<Value> => JSON.parse(await good(...words, '--json')) as Value,
    async accept(invitation: string): Promise<void> {
      await good('accept', '--password-file', password, invitation);
      await good('sign-in', '--login', person, '--password-file', password);
    },
  };
}

const invitationOf = (printed: string): string => /^ {2}([\w-]{43})$/m.exec(printed)![1]!;

test(
  'commands alone lead from an empty installation to a first statement that sftp fetches and gpg opens',
  withClients,
  async () => {
    using temporary = openTempFolder();
    const { folder } = temporary;
    await using installation = await openInstallation({
      env: {
        BROADGATE_PRIVATE_ADDRESSES: 'on',
        BROADGATE_BROKER_NAME: 'Harbour & Vale',
        BROADGATE_SFTP_HOST_NAME: '127.0.0.1',
      },
    });
    const command = async (...words: string[]): Promise<string> => {
      const { status, output } = await installation.command(...words);
      assert.equal(status, 0, `${words.join(' ')}: ${output}`);
      return output;
    };
    const desk = openTool('ana', folder, installation.url);
    const client = openTool('alder', folder, installation.url);

    await desk.accept(
      invitationOf(await command('operator', 'add', '--login', 'ana', '--name', 'Ana Lima', '--desk', 'delivery')),
    );
    const added = await command(
      'client',
      'add',
      '--login',
      'alder',
      '--name',
      'Alder Fund',
      '--account',
      'U1',
      '--institution',
    );
    await client.accept(invitationOf(added));

    // The client elects SFTP, hands in its key and address, and confirms what it compared.
    await client.good('delivery', 'elect', '--sftp', '--portal');
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path.join(folder, 'key')]);
    await client.good('delivery', 'key', 'add', 'key.pub');
    await client.good('delivery', 'address', 'add', '127.0.0.1');
    await client.good('delivery', 'confirm', '--password-file', client.password);

    const [setUp] = await desk.json<{ id: string; kind: string }[]>('desk', 'requests');
    assert.equal(setUp?.kind, 'set_up');
    await desk.good('desk', 'approve', setUp.id);
    const { userName } = await desk.json<{ userName: string }>('desk', 'configure', 'U1');
    assert.match(await client.good('notices', '--unread'), /connection_configured/);

    // Encryption: the certificate takes the same way, then the client switches it on.
    using home = openGpgHome();
    await home.gpg(['--quick-generate-key', 'Alder Fund <ops@alder.example>', 'future-default', 'default', 'never']);
    const exported = await home.gpg(['--armor', '--export']);
    writeFileSync(path.join(folder, 'alder.asc'), exported.stdout);
    await client.good('delivery', 'key', 'add', 'alder.asc');
    await client.good('delivery', 'confirm', '--password-file', client.password);
    const [imported] = await desk.json<{ id: string }[]>('desk', 'requests');
    await desk.good('desk', 'approve', imported!.id);
    await client.good('delivery', 'encryption', 'on');

    const generator = path.join(root, 'tools/activity-statement.ts');
    await run(process.execPath, [generator, '--out', folder, '--account', 'U1', '--on', '2026-11-20']);
    const statement = 'activity-daily-2026-11-20.pdf';
    await desk.good('desk', 'issue', statement, '--account', 'U1', '--kind', 'daily', '--period', '2026-11-20');

    const [listed] = await client.json<{ delivery: { path: string; isEncrypted: boolean } }[]>('statements', 'list');
    assert.equal(listed?.delivery.isEncrypted, true);

    // Everything that `sftp` needs comes from what the client is shown.
    const { instructions } = await client.json<{ instructions: { knownHosts: string[] } }>('delivery', 'status');
    writeFileSync(path.join(folder, 'known_hosts'), instructions.knownHosts.map((line) => `${line}\n`).join(''));
    mkdirSync(path.join(folder, 'fetched'));
    const fetched = await run(
      'sftp',
      [
        ...['-F', 'none', '-b', '-', '-P', String(installation.sftpPort), '-i', path.join(folder, 'key')],
        ...['-o', 'IdentitiesOnly=yes', '-o', 'StrictHostKeyChecking=yes'],
        ...['-o', `UserKnownHostsFile=${path.join(folder, 'known_hosts')}`, `${userName}@127.0.0.1`],
      ],
      { input: `get ${listed.delivery.path} fetched/statement.pgp\n`, cwd: folder },
    );
    assert.equal(fetched.status, 0, fetched.stderr);

    await client.good('broker-key', '--out', 'broker.asc');
    await home.gpg(['--import', path.join(folder, 'broker.asc')]);
    const opened = await home.gpg(['--status-fd', '2', '--decrypt', path.join(folder, 'fetched/statement.pgp')]);
    assert.match(opened.stderr, /\[GNUPG:\] GOODSIG /);
    assert.deepEqual(opened.stdout, readFileSync(path.join(folder, statement)));
  },
);
