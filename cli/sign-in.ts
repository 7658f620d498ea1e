// Signing in and out: the token lies in a file that only its owner can read.
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Me } from '@broadgate/contract/identity.ts';
import { createCaller } from './calls.ts';
import { isSet, neededText, type OpenedCaller, optionText, type Command, type CommandCall } from './commands.ts';
import { Misuse, Refused } from './faults.ts';
import { formatFacts, print } from './output.ts';
import { takePassword } from './prompts.ts';

interface KeptToken {
  readonly url: string;
  readonly token: string;
}

type Call = Omit<CommandCall, 'caller' | 'end'>;

const tokenFileOf = (call: Call): string => {
  const given = optionText(call, 'token-file');
  return given === undefined ? call.surroundings.tokenFile : call.path(given);
};

async function readToken(call: Call): Promise<KeptToken | undefined> {
  const found = await readFile(tokenFileOf(call), 'utf8').catch(() => undefined);
  return found === undefined ? undefined : (JSON.parse(found) as KeptToken);
}

/** The file appears whole and never with wider rights, even for a moment. */
async function writeToken(file: string, kept: KeptToken): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.partial`, `${JSON.stringify(kept)}\n`, { mode: 0o600 });
  await chmod(`${file}.partial`, 0o600);
  await rename(`${file}.partial`, file);
}

/** Said by the call, by the environment, by the kept token, or by a server that runs here. */
async function findUrl(call: Call): Promise<string> {
  const { url, urlBeside } = call.surroundings;
  const found = optionText(call, 'url') ?? url ?? (await readToken(call))?.url ?? urlBeside;
  if (found === undefined) throw new Misuse('No server is known. Give its address with --url or BROADGATE_URL.');
  return found.replace(/\/+$/, '');
}

/** A caller that may still be nobody: with --login it signs in for this one command, otherwise the kept token serves. */
export async function openCaller(call: Call): Promise<OpenedCaller> {
  const login = optionText(call, 'login');
  const url = await findUrl(call);
  if (login !== undefined) {
    const caller = createCaller({ url, token: await signInAs(call, login) });
    return { caller, end: () => caller.send('DELETE', '/v1/sign-ins/current') };
  }
  const kept = await readToken(call);
  // A token is only ever shown to the server that gave it.
  return { caller: createCaller({ url, token: kept?.url === url ? kept.token : undefined }) };
}

async function signInAs(call: Call, login: string): Promise<string> {
  const file = optionText(call, 'password-file');
  const password = await takePassword({
    label: `Password of ${login}`,
    file: file === undefined ? undefined : call.path(file),
  });
  const nobody = createCaller({ url: await findUrl(call) });
  const { token } = await nobody.send<{ token: string | null }>('POST', '/v1/sign-ins', {
    login,
    password,
    deliver: 'token',
  });
  if (token === null) throw new Refused('token_missing', 'The server signed you in without a token.');
  return token;
}

const describe = (me: Me): string =>
  formatFacts([
    ['Signed in as', `${me.login} (${me.name})`],
    ['Desks', me.desks.length === 0 ? undefined : me.desks.join(', ')],
    ['Accounts', me.accountNumbers.length === 0 ? undefined : me.accountNumbers.join(', ')],
  ]);

export const signInCommands: readonly Command[] = [
  {
    name: 'sign-in',
    takes: '--login LOGIN [--password-file FILE] [--url ADDRESS]',
    meaning: 'sign in and keep the token for the next commands',
    async run(call) {
      const login = neededText(call, 'login');
      const url = await findUrl(call);
      const token = await signInAs(call, login);
      await writeToken(tokenFileOf(call), { url, token });
      print(describe(await createCaller({ url, token }).get<Me>('/v1/me')));
    },
  },
  {
    name: 'sign-out',
    takes: '',
    meaning: 'end the sign-in and forget the token',
    async run(call) {
      const kept = await readToken(call);
      if (kept) {
        const caller = createCaller(kept);
        await caller.send('DELETE', '/v1/sign-ins/current').catch((fault: unknown) => {
          // A token that has ended needs no ending.
          if (!(fault instanceof Refused && fault.status === 401)) throw fault;
        });
      }
      await rm(tokenFileOf(call), { force: true });
      print('Signed out.');
    },
  },
  {
    name: 'who-am-i',
    takes: '',
    meaning: 'who the kept token belongs to',
    async run(call) {
      const me = await (await call.caller()).get<Me>('/v1/me');
      print(isSet(call, 'json') ? JSON.stringify(me, null, 2) : describe(me));
    },
  },
  {
    name: 'accept',
    takes: '[INVITATION] [--invitation-file FILE] [--password-file FILE]',
    meaning: 'set the password that a one-time invitation allows',
    notes: ['Without INVITATION it is asked for: other users of this machine can read the arguments of a command.'],
    options: { 'invitation-file': { type: 'string' } },
    positionals: { min: 0, max: 1 },
    async run(call) {
      const invitationFile = optionText(call, 'invitation-file');
      const invitation =
        call.positionals[0] ??
        (await takePassword({
          label: 'Invitation',
          file: invitationFile === undefined ? undefined : call.path(invitationFile),
        }));
      // An invitation may be pasted as its whole address.
      const token = URL.parse(invitation)?.hash.replace(/^#/, '') ?? invitation;
      const file = optionText(call, 'password-file');
      const password = await takePassword({
        label: 'New password',
        file: file === undefined ? undefined : call.path(file),
        isNew: true,
      });
      const nobody = createCaller({ url: await findUrl(call) });
      const { login } = await nobody.send<{ login: string }>('POST', '/v1/invitations/accept', { token, password });
      print(`The password is set. Sign in with: broadgate sign-in --login ${login}`);
    },
  },
];
