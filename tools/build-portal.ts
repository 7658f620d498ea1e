// `npm run build`: builds the portal into web/portal/dist. With --if-changed it looks first whether its sources are those of the last build.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, globSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

const root = path.join(import.meta.dirname, '..');
const portal = path.join(root, 'web/portal');
const dist = path.join(portal, 'dist');
const stampFile = path.join(dist, 'stamp');

/** One hash over everything that a build reads; the lock file stands for all packages. */
function stampOfSources(): string {
  const names = globSync(['web/portal/**/*', 'packages/languages/**/*', 'package-lock.json', 'tsconfig.json'], {
    cwd: root,
    withFileTypes: true,
    exclude: (entry) => /^(node_modules|dist.*)$/.test(entry.name),
  })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
  const hash = createHash('sha256');
  for (const name of names)
    hash
      .update(`${path.relative(root, name)}\0`)
      .update(readFileSync(name))
      .update('\0');
  return hash.digest('hex');
}

const { values } = parseArgs({ options: { 'if-changed': { type: 'boolean' } } });
const stamp = stampOfSources();
const isBuilt = existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp;
if (values['if-changed'] === true && isBuilt) process.exit(0);

const vite = path.join(root, 'node_modules/vite/bin/vite.js');
if (!existsSync(vite)) {
  if (values['if-changed'] === true && existsSync(stampFile)) process.exit(0);
  console.error('The tools that build the portal are not installed. Run: npm ci');
  process.exit(1);
}

const startedMs = performance.now();
// Built beside and put in place whole: a server that starts meanwhile finds the old one or the new one.
const fresh = mkdtempSync(path.join(portal, 'dist-'));
const run = spawnSync(process.execPath, [vite, 'build', '--outDir', fresh, '--logLevel', 'warn'], {
  cwd: portal,
  encoding: 'utf8',
});
if (run.status !== 0) {
  rmSync(fresh, { recursive: true, force: true });
  console.error(`The portal could not be built:\n${run.stdout}${run.stderr}`);
  process.exit(1);
}
if (run.stderr !== '') console.error(run.stderr);
writeFileSync(path.join(fresh, 'stamp'), stamp);
// Whoever serves may be another user than who built.
chmodSync(fresh, 0o755);
rmSync(dist, { recursive: true, force: true });
renameSync(fresh, dist);
console.log(`The portal was built in ${((performance.now() - startedMs) / 1000).toFixed(1)} s.`);
