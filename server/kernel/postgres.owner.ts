// A process for the tests of the embedded PostgreSQL: opens it, tells its address, and stays until it is ended.
import { openEmbeddedPostgres } from './postgres.ts';

const { pid, url } = await openEmbeddedPostgres({ dataDir: process.argv[2]!, durable: false });
process.send!({ pid, url });
process.on('message', () => process.exit());
