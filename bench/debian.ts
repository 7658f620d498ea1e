// Brings the peers that a row is measured against from Debian, without letting Debian start them.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { environmentWith } from '../server/config.ts';

// Debian asks this file before it starts a service of a package that it installs; 101 means no (invoke-rc.d(8)).
const policyFile = '/usr/sbin/policy-rc.d';

/** Installs the packages whose file is not there. Refuses: an error that names what is missing. */
export function needPackages(fileOf: Readonly<Record<string, string>>): void {
  const missing = (): string[] =>
    Object.entries(fileOf)
      .filter(([, file]) => !existsSync(file))
      .map(([name]) => name);
  const wanted = missing();
  if (wanted.length === 0) return;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) install(wanted);
  const left = missing();
  if (left.length > 0) throw new Error(`install these Debian packages first: ${left.join(', ')}`);
}

function install(names: readonly string[]): void {
  const isOurPolicy = !existsSync(policyFile);
  if (isOurPolicy) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const env = environmentWith({ DEBIAN_FRONTEND: 'noninteractive' });
    for (const words of [['update'], ['install', '-y', '--no-install-recommends', ...names]]) {
      spawnSync('apt-get', ['-q', ...words], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    }
  } finally {
    if (isOurPolicy) rmSync(policyFile);
  }
}
