// A process for the test of the blob store: writes a staged blob without end, until it is killed.
import { systemClock } from './clock.ts';
import { openFileBlobs } from './file-blobs.ts';
import { createIds } from './ids.ts';
import { systemRandom } from './random.ts';

const dataKey = { dataKeyId: '00000000-0000-7000-8000-000000000001', key: Buffer.alloc(32, 7) };
const blobs = await openFileBlobs({
  folder: process.argv[2]!,
  keys: { current: () => Promise.resolve(dataKey), find: () => Promise.resolve(dataKey) },
  ids: createIds({ clock: systemClock, random: systemRandom }),
});
const staged = await blobs.stage();
process.send!(staged.blobId);
for (let count = 0; ; count += 1) {
  await staged.writeAt(count * 30_000, Buffer.alloc(30_000, count % 251));
  if (count === 40) await staged.sync();
  if (count === 60) process.send!('synced');
}
