// Makes test/corpus again with the real programs: recorded dialogues, keys of every form, OpenPGP certificates.
//   node tools/corpus.ts dialogues|ssh-keys|openpgp …      all three without a word
// The keys are thrown away with the folder they were made in; what is kept of private ones is for detecting such files.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import path from 'node:path';
import { makeOpenPgpKeys, makeSshKeys } from './corpus-keys.ts';
import { takeDialogues } from './corpus-tap.ts';

const corpus = path.join(import.meta.dirname, '../test/corpus');

// Before anything imports the SSH package: its transport then reads packets through the tap.
registerHooks({
  resolve(specifier, context, next) {
    const isTransport = context.parentURL?.endsWith('/packages/ssh/transport.ts') === true;
    if (isTransport && specifier === './packet-input.ts') return next(new URL('corpus-tap.ts', import.meta.url).href);
    return next(specifier, context);
  },
});

/** One line a message, so that a difference can be read. */
const formatDialogue = ({ line, messages }: ReturnType<typeof takeDialogues>[number]): string =>
  `${[line, ...messages.map((message) => message.toString('hex'))].join('\n')}\n`;

/** Bytes of one dialogue that are worth keeping: a long transfer says nothing new. */
const dialogueBytesMax = 60_000;

async function recordDialogues(): Promise<void> {
  const { openTestFace } = await import('../test/fakes/sftp-face.ts');
  const { openFileZilla } = await import('../test/filezilla.ts');
  const { run } = await import('../test/clients.ts');
  const folder = path.join(corpus, 'dialogues');
  mkdirSync(folder, { recursive: true });
  await using face = await openTestFace();
  face.tree.folder('/reports');
  face.tree.put('/a.csv', Buffer.alloc(3000, 'a,b,c\n'), false);
  face.tree.put('/reports/b.bin', Buffer.alloc(100_000, 7));
  writeFileSync(path.join(face.folder, 'up.txt'), 'upload\n'.repeat(300));
  const keep = (name: string): void => {
    const spoken = takeDialogues().filter(({ messages }) => messages.length > 5);
    if (spoken.length === 0) throw new Error(`${name} said nothing`);
    spoken.forEach((dialogue, index) => {
      let sizeBytes = 0;
      const messages = dialogue.messages.filter((message) => (sizeBytes += message.length) <= dialogueBytesMax);
      const file = path.join(folder, `${name}${index === 0 ? '' : `-${index + 1}`}.txt`);
      writeFileSync(file, formatDialogue({ line: dialogue.line, messages }));
    });
    console.log(`${name}: ${spoken.length} connections`);
  };
  const work = [
    'pwd',
    'ls -l',
    'cd reports',
    'get b.bin got.bin',
    'cd /',
    'put up.txt',
    'put -p up.txt reports/up.txt',
  ];
  const more = [
    'mkdir in',
    'rename up.txt in/up.txt',
    'chmod 600 in/up.txt',
    '-ln -s a b',
    'df',
    'reget b.bin got.bin',
  ];
  await face.sftp([
    ...work,
    ...more.slice(0, -1),
    '-reput up.txt in/up.txt',
    'rm in/up.txt',
    'rmdir in',
    '-copy a.csv c.csv',
  ]);
  keep('openssh');
  for (const cipher of ['aes256-ctr', 'chacha20-poly1305@openssh.com'])
    await face.sftp(['ls', 'get a.csv got.csv'], {
      args: [`-oCiphers=${cipher}`, '-oKexAlgorithms=ecdh-sha2-nistp256'],
    });
  keep('openssh-other-algorithms');
  await face.psftp([
    'ls',
    'cd reports',
    'get b.bin put.bin',
    'put up.txt u2.txt',
    'mkdir p',
    'mv u2.txt p',
    'ren p q',
    'del q/*',
    'rmdir q',
    'quit',
  ]);
  keep('psftp');
  await face.lftp(
    'ls; cd reports; get b.bin -o lftp.bin; put up.txt; mv up.txt l.txt; mkdir d; mirror . copy; rm l.txt; rmdir d',
  );
  keep('lftp');
  const login = ['-k', '--key', face.keyFile, '--pubkey', `${face.keyFile}.pub`, '-u', `${face.user}:`];
  const url = `sftp://127.0.0.1:${face.port}`;
  const curled = [
    [`${url}/`],
    [`${url}/reports/b.bin`, '-o', path.join(face.folder, 'curl.bin')],
    ['-T', path.join(face.folder, 'up.txt'), `${url}/c.txt`, '-Q', '-rename /c.txt /d.txt', '-Q', '-rm /d.txt'],
  ];
  for (const args of curled) await run('curl', ['-sS', ...login, ...args]);
  keep('curl');
  {
    const site = { host: '127.0.0.1', port: face.port, user: face.user, keyFile: face.keyFile };
    await using filezilla = await openFileZilla(site);
    await filezilla.acceptHostKey();
    await filezilla.readLog(/Directory listing of "\/" successful/, 30_000);
    await filezilla.transferRow(2);
    await filezilla.readLog(/File transfer successful/, 30_000);
  }
  keep('filezilla');
}

const makers: Readonly<Record<string, () => void | Promise<void>>> = {
  dialogues: recordDialogues,
  'ssh-keys': () => makeSshKeys(path.join(corpus, 'ssh-keys')),
  openpgp: () => makeOpenPgpKeys(path.join(corpus, 'openpgp')),
};

const asked = process.argv.slice(2);
for (const name of asked.length > 0 ? asked : Object.keys(makers)) {
  const make = makers[name];
  if (make === undefined) throw new Error(`${name} is none of ${Object.keys(makers).join(', ')}`);
  rmSync(path.join(corpus, name), { recursive: true, force: true });
  await make();
  console.log(`${name}: ${readdirSync(path.join(corpus, name)).length} files`);
}
