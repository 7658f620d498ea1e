// A codec that is published must run where there is no TypeScript and nothing of ours.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { openTempFolder, run } from '../test/clients.ts';
import { pack } from './pack.ts';

const programs: Readonly<Record<string, string>> = {
  ssh: `import { generateHostKey } from '@broadgate/ssh'; console.log(typeof generateHostKey);`,
  sftp: `import * as sftp from '@broadgate/sftp'; console.log(Object.keys(sftp).length > 3 ? 'function' : 'too little');`,
  'openpgp-writer': `import { encryptMessage } from '@broadgate/openpgp-writer'; console.log(typeof encryptMessage);`,
};

for (const [name, program] of Object.entries(programs)) {
  test(`the packed ${name} package runs from its tarball alone`, async () => {
    using temp = openTempFolder();
    const tarball = pack(name, temp.folder);
    const home = path.join(temp.folder, 'home');
    mkdirSync(home);
    writeFileSync(path.join(home, 'package.json'), '{"type":"module","private":true}');
    writeFileSync(path.join(home, 'program.js'), program);
    const install = await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: home });
    assert.equal(install.status, 0, install.stderr);
    const ran = await run(process.execPath, ['program.js'], { cwd: home });
    assert.equal(ran.stdout.toString().trim(), 'function', ran.stderr);
  });
}
