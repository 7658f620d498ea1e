// What the program declines before it serves or runs a command: each text names the setting or the command that helps.
import { defineRefusals } from '../kernel/refusal.ts';

export const refusals = defineRefusals({
  serve_as_root: {
    kind: 'forbidden',
    text: 'serve does not run as root. Name the user it shall become with BROADGATE_RUN_AS, or start it as that user.',
  },
  run_as_unknown: {
    kind: 'invalid',
    text: 'BROADGATE_RUN_AS names {user}, and this machine has no such user. Make it with adduser, or name another.',
  },
  run_as_not_root: {
    kind: 'invalid',
    text: 'BROADGATE_RUN_AS names {user}, but only root can become another user. Start as root, or start as {user} without it.',
  },
  run_as_needs_setpriv: {
    kind: 'unsupported',
    text: 'Port {port} needs a right that only the program setpriv (package util-linux) can hand to {user}. Install it, or choose ports from 1024 on.',
  },
  port_taken: {
    kind: 'conflict',
    text: 'Another program listens on port {port} of {host}. Stop it, or set {setting} to another port.',
  },
  port_needs_right: {
    kind: 'forbidden',
    text: 'Port {port} is below 1024 and this user may not open it. Give the service CAP_NET_BIND_SERVICE, start as root with BROADGATE_RUN_AS, or set {setting}.',
  },
  address_not_here: {
    kind: 'invalid',
    text: 'This machine has no address {host}. Set {setting} to one of its own, or to :: for all.',
  },
  demo_folder_foreign: {
    kind: 'conflict',
    text: 'The demo did not make {folder}, so it leaves it alone. Serve it with: npm run serve. For a demo, set BROADGATE_DATA_DIR to an empty folder.',
  },
  demo_loopback_only: {
    kind: 'forbidden',
    text: 'The demo answers on loopback only. Remove {setting}, or run a real installation with: npm run serve.',
  },
  master_key_missing: {
    kind: 'not_found',
    text: 'A backup opens only with the master key of its installation, and there is none in {file}. Put your copy of it there, or give it with BROADGATE_MASTER_KEY.',
  },
  nobody_found: {
    kind: 'not_found',
    text: 'There is no client with the login or account number {who}. List them with: npm run -s broadgate -- client list.',
  },
});
