// A process for the test of the blob store: fills a small file system and goes on when there is room again.
import { createHash } from 'node:crypto';
import { systemClock } from './clock.ts';
import { openFileBlobs } from './file-blobs.ts';
import { createIds } from './ids.ts';
import { systemRandom } from './random.ts';
import { Outage } from './refusal.ts';

const dataKey = { dataKeyId: '00000000-0000-7000-8000-000000000001', key: Buffer.alloc(32, 7) };
const blobs = await openFileBlobs({
  folder: process.argv[2]!,
  keys: { current: () => Promise.resolve(dataKey), find: () => Promise.resolve(dataKey) },
  ids: createIds({ clock: systemClock, random: systemRandom }),
});

const isOutage = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => false,
    (fault: unknown) => fault instanceof Outage,
  );

const filler = await blobs.put(systemRandom.bytes(2_500_000));
const putFails = await isOutage(blobs.put(systemRandom.bytes(2_500_000)));

const bytes = systemRandom.bytes(3_000_000);
const staged = await blobs.stage();
let written = 0;
const write = async (): Promise<void> => {
  while (written < bytes.length) {
    await staged.writeAt(written, bytes.subarray(written, written + 50_000));
    written += 50_000;
  }
  await staged.sync();
};
const stagedFails = await isOutage(write());

await blobs.remove(filler.blobId);
await write();
const sealed = await staged.seal();
await using reader = await blobs.open(sealed.blobId);
const digest = createHash('sha256');
for await (const piece of reader.stream()) digest.update(piece);
const isWhole = digest.digest('hex') === createHash('sha256').update(bytes).digest('hex');
console.log(
  `${putFails ? 'outage' : 'no outage'} for put, ${stagedFails ? 'outage' : 'no outage'} for staged, ${isWhole ? 'resumed whole' : 'torn'}`,
);
