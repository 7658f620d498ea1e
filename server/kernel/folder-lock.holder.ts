// A process for the test of the folder lock: takes the lock and holds it until it is ended.
import { lockFolder } from './folder-lock.ts';

await lockFolder(process.argv[2]!);
process.send!('held');
process.on('message', () => process.exit());
