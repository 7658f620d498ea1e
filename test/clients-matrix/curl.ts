// curl, whose SSH is libssh2: one transfer a command line, or thousands from a list.
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../clients.ts';
import { type ClientProgram, linesOf } from './client-program.ts';

const noChoice = 'curl has no option for it';

/** A list of transfers for `--config`, all over one connection. */
function writeList(home: string, pairs: readonly (readonly [string, string])[]): string {
  const file = path.join(home, `curl-${process.hrtime.bigint()}`);
  writeFileSync(file, pairs.map(([word, value]) => `${word} = "${value}"\n`).join(''));
  return file;
}

export const curl: ClientProgram = {
  name: 'curl',
  id: 'curl',
  cannot: { rekeyByIt: 'curl has no option for it, and libssh2 never begins a key exchange by itself' },
  chooses: { keyExchange: noChoice, cipher: noChoice, mac: noChoice, hostKey: noChoice },
  takesManySteps: false,
  async readVersion() {
    const said = (await run('curl', ['--version'])).stdout.toString();
    return `${/^curl (\S+)/.exec(said)?.[1]}, ${/libssh2\S*/.exec(said)?.[0]}`;
  },
  command(account, [step]) {
    const there = (remote: string): string => `sftp://127.0.0.1:${account.port}${remote}`;
    const base = [
      ...['-q', '-sS', '--fail', '--user', `${account.user}:`],
      ...['--key', account.keyFile, '--pubkey', `${account.keyFile}.pub`],
      ...['--hostpubsha256', account.hostKeyFingerprints[0]!.replace('SHA256:', '')],
    ];
    const curlWith = (...args: string[]) => ({
      program: 'curl',
      args: [...base, ...args],
      env: { HOME: account.home },
    });
    switch (step?.verb) {
      case 'list':
        return curlWith('--list-only', there(`${step.remote}/`));
      case 'get':
        return curlWith('-o', step.local, there(step.remote));
      case 'resumeGet':
        return curlWith('-C', '-', '-o', step.local, there(step.remote));
      case 'put':
        return curlWith('-T', step.local, there(step.remote));
      case 'resumePut':
        return curlWith('-C', '-', '-T', step.local, there(step.remote));
      case 'rename':
        return curlWith('-Q', `rename ${step.remote} ${step.to}`, '--list-only', '-o', '/dev/null', there('/'));
      case 'putFolder': {
        const files = readdirSync(step.local);
        const pairs = files.flatMap((name) => [
          ['upload-file', path.join(step.local, name)] as const,
          ['url', there(`${step.remote}/${name}`)] as const,
        ]);
        return curlWith('--ftp-create-dirs', '--config', writeList(account.home, pairs));
      }
      case 'getFolder':
        // It follows no listing by itself: a script asks for the names first, as its users do.
        return {
          program: 'sh',
          args: [
            '-c',
            `list="$1"; from="$2"; to="$3"; shift 3; mkdir "$to" && curl "$@" --list-only "$from" > "$list.names" &&
             sed -n -e '/^\\.\\{1,2\\}$/d' -e "s|.*|url = \\"$from&\\"\\noutput = \\"$to/&\\"|p" "$list.names" > "$list" &&
             curl "$@" --config "$list"`,
            'sh',
            path.join(account.home, `curl-${process.hrtime.bigint()}`),
            there(`${step.remote}/`),
            step.local,
            ...base,
          ],
          env: { HOME: account.home },
        };
      default:
        throw new Error('curl takes one step');
    }
  },
  readNames: linesOf,
};
