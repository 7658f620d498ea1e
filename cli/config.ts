// What the tool takes from its surroundings: where the server is, where the token lies, how the terminal wants to be written to.
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export interface Surroundings {
  /** Where relative paths of the caller start: `npm run` changes the folder and says here where it was called. */
  readonly folder: string;
  /** The server's address, as BROADGATE_URL gives it. */
  readonly url: string | undefined;
  /** The address of a server that runs on this folder's data. */
  readonly urlBeside: string | undefined;
  readonly tokenFile: string;
  readonly home: string;
}

/** Reads the environment, once. */
export function readSurroundings(environment = process.env): Surroundings {
  const folder = environment['INIT_CWD'] ?? process.cwd();
  const home = environment['HOME'] ?? homedir();
  const configuration = environment['XDG_CONFIG_HOME'] ?? join(home, '.config');
  return {
    folder,
    url: environment['BROADGATE_URL'],
    urlBeside: findServerBeside(environment['BROADGATE_DATA_DIR'] ?? './data'),
    tokenFile: resolve(folder, environment['BROADGATE_TOKEN_FILE'] ?? join(configuration, 'broadgate', 'token.json')),
    home,
  };
}

/** A server that runs on the data folder of this working folder tells its port in `run.json`. */
function findServerBeside(dataDir: string): string | undefined {
  try {
    const { httpsPort } = JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8')) as { httpsPort: number };
    return `http://127.0.0.1:${httpsPort}`;
  } catch {
    // No server runs here, or its folder is not ours to read: then the address must be given.
    return undefined;
  }
}

export const wantsColour = (stream: { readonly isTTY?: boolean }, environment = process.env): boolean =>
  stream.isTTY === true && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
