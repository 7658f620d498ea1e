// The ZIP writer beside unzip and Python: every byte comes back, the size is as announced, and a short file breaks the archive.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { writeZip, type ZipFile, zipSize } from './zip.ts';

const fileOf = (name: string, bytes: Buffer, pieceBytes = 7000): ZipFile => ({
  name,
  sizeBytes: bytes.length,
  modifiedAtMs: Date.UTC(2026, 10, 24, 12, 30, 10),
  async *open() {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  },
});

async function collect(files: readonly ZipFile[]): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of writeZip(files)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

test('Other programs read back every byte, name and time, at both sides of a block, and the size is as announced', async () => {
  const sizes = [0, 1, 65_534, 65_535, 65_536, 200_000];
  const bodies = sizes.map((size, index) => Buffer.alloc(size, index + 65));
  const names = sizes.map((size) => `U1/größe ${size}.bin`);
  const files = bodies.map((body, index) => fileOf(names[index]!, body));
  const zip = await collect(files);
  assert.equal(zip.length, zipSize(files));
  const folder = mkdtempSync(path.join(tmpdir(), 'broadgate-zip-'));
  try {
    const file = path.join(folder, 'a.zip');
    writeFileSync(file, zip);
    execFileSync('unzip', ['-tq', file]);
    const script =
      'import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; z.extractall(sys.argv[2]);' +
      'print("\\n".join(i.filename for i in z.infolist())); print(z.infolist()[0].date_time)';
    const printed = execFileSync('python3', ['-c', script, file, folder], {
      env: { ...process.env, PYTHONUTF8: '1' },
    }).toString();
    assert.deepEqual(printed.trim().split('\n'), [...names, '(2026, 11, 24, 12, 30, 10)']);
    bodies.forEach((body, index) => assert.ok(readFileSync(path.join(folder, names[index]!)).equals(body)));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('A file that gives fewer or more bytes than announced breaks the archive', async () => {
  for (const off of [-1, 1]) {
    const file = fileOf('a', Buffer.alloc(1000));
    await assert.rejects(collect([{ ...file, sizeBytes: file.sizeBytes + off }]));
  }
});

test('An archive of nothing is an archive', async () => {
  assert.equal((await collect([])).length, zipSize([]));
});
