// Started as root, the program begins again as the user that BROADGATE_RUN_AS names; nothing of it stays root but a watcher.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { environmentWith, type Settings } from '../config.ts';
import { type Account, findAccount, giveFolder } from './accounts.ts';
import { refusals } from './rules.ts';

/**
 * Serves as the right user. Shape: the exit code when another process served for us; undefined when this one shall.
 * Refuses: serve_as_root, run_as_not_root, run_as_unknown, run_as_needs_setpriv.
 */
export async function becomeUser(settings: Settings): Promise<number | undefined> {
  const user = settings.runAs;
  const isRoot = process.getuid!() === 0;
  if (user === undefined) {
    if (isRoot) throw refusals.serve_as_root();
    return undefined;
  }
  const account = await findAccount(user);
  if (process.getuid!() === account.uid && account.uid !== 0) return undefined;
  if (!isRoot) throw refusals.run_as_not_root({ user });
  if (account.uid === 0) throw refusals.serve_as_root();
  await giveFolder(settings.dataDir, account);
  return startAs(user, account, settings);
}

async function startAs(user: string, account: Account, settings: Settings): Promise<number> {
  const lowPort = [settings.sftpPort, settings.httpsPort].find((port) => port > 0 && port < 1024);
  const setpriv = await findProgram('setpriv');
  if (lowPort !== undefined && setpriv === undefined) throw refusals.run_as_needs_setpriv({ port: lowPort, user });
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const environment = environmentWith({ HOME: account.home, USER: user, LOGNAME: user });
  const right = lowPort === undefined ? '-all' : '-all,+net_bind_service';
  // An ambient capability is the one right that survives the change of user and the start of a program (capabilities(7)).
  const rights = [`--inh-caps=${right}`, `--ambient-caps=${right}`, `--bounding-set=${right}`, '--no-new-privs'];
  const [file, ...words] =
    setpriv === undefined
      ? command
      : [setpriv, `--reuid=${account.uid}`, `--regid=${account.gid}`, '--init-groups', ...rights, ...command];
  const becomes = setpriv === undefined ? { uid: account.uid, gid: account.gid } : {};
  const child = spawn(file!, words, { ...becomes, env: environment, stdio: 'inherit' });
  // Ctrl-C reaches the child by itself; the other signals are aimed at us alone.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return code ?? (signal === 'SIGKILL' ? 137 : 1);
}

async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of ['/usr/bin', '/bin', '/usr/sbin', '/usr/local/bin']) {
    const file = join(folder, name);
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  return undefined;
}
