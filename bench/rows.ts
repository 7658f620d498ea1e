// Every row of the benchmark, in the order in which a whole run takes them.
import { growthRows } from './growth.ts';
import { largeRow } from './issuing-large.ts';
import { runRows } from './issuing-runs.ts';
import { sealRows } from './issuing-seal.ts';
import { portalRow } from './portal-statements.ts';
import type { Row } from './row.ts';
import { idleRows } from './sftp-idle.ts';
import { listingRow } from './sftp-listing.ts';
import { signInRows } from './sftp-sign-ins.ts';
import { smallFileRows } from './sftp-small-files.ts';
import { transferRows } from './sftp-transfer.ts';

const issuingRows = [...sealRows, largeRow, ...runRows];

export const rows: readonly Row[] = [
  ...transferRows,
  ...smallFileRows,
  listingRow,
  ...signInRows,
  ...idleRows,
  ...issuingRows,
  ...growthRows,
  portalRow,
];
