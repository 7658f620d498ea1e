// What crosses the wire about statements: the documents, their delivery and timeline, the repository, runs and the proof.
import { type Static, Type } from 'typebox';
import { closed, count, date, id, instant, line, nullable, oneOf } from './contract.ts';
import { accountNumber } from './identity.ts';

export const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256, hexadecimal.' });
const fingerprint = Type.String({ maxLength: 64, description: 'OpenPGP fingerprint, hexadecimal.' });

export const statementKind = Type.String({
  pattern: '^[a-z][a-z0-9-]{0,23}$',
  description: 'What it is: daily, monthly, annual, confirmation, document, …',
});

export const statementDelivery = Type.Union([
  closed({
    state: Type.Literal('waiting'),
    waitsFor: oneOf(
      ['connection', 'usable_key', 'encryption'],
      'connection: not configured yet; usable_key: encryption is on and no key on file can be used; encryption: its turn.',
    ),
    since: instant('When it began to wait.'),
  }),
  closed({
    state: Type.Literal('placed'),
    path: Type.String({ description: 'Where it lies in the repository.' }),
    isEncrypted: Type.Boolean(),
    certificateFingerprint: nullable(fingerprint),
    subkeyId: nullable(Type.String({ description: 'The subkey that it was encrypted to.' })),
    sizeBytes: count('Bytes of the delivered form.'),
    sha256,
    placedAt: instant('When it appeared there; its 100 days count from here.'),
    expiresAt: instant('It is kept until then.'),
  }),
]);

export const statement = closed(
  {
    id: id('statement'),
    clientId: id('client'),
    accountNumber,
    kind: statementKind,
    periodFrom: date('First day it tells of.'),
    periodTo: date('Last day it tells of.'),
    name: Type.String({ description: 'File name.' }),
    title: nullable(Type.String()),
    version: Type.Integer({ minimum: 1, description: '2 and more are corrections.' }),
    sizeBytes: count('Bytes of the file in clear.'),
    sha256,
    state: oneOf(['available', 'expired', 'withdrawn']),
    issuedAt: instant('When it was issued.'),
    expiresAt: nullable(instant('It is kept until then; null while it waits to be placed.')),
    withdrawn: nullable(closed({ at: instant('When the desk withdrew it.'), reason: Type.String() })),
    delivery: nullable(statementDelivery),
  },
  { title: 'Statement' },
);
export type StatementShape = Static<typeof statement>;

export const receipt = closed(
  {
    id: id('receipt'),
    statementId: nullable(id('statement')),
    form: oneOf(
      ['portal', 'delivered', 'upload', 'manifest'],
      'What was read: the copy in clear, the delivered form, …',
    ),
    path: Type.String(),
    sha256: nullable(sha256),
    sizeBytes: count('Bytes of the whole file.'),
    actor: Type.String({ description: 'client:<id> or operator:<id>.' }),
    face: oneOf(['https', 'sftp', 'ftp', 'console', 'system']),
    address: nullable(Type.String({ description: 'Address it was fetched from.' })),
    through: nullable(Type.String({ description: 'Id of the sign-in or connection.' })),
    keyFingerprint: nullable(Type.String({ description: 'The SSH key that signed in.' })),
    openedAt: instant('When reading began.'),
    closedAt: instant('When it ended.'),
    sentBytes: count('Bytes that went out.'),
    ranges: Type.Array(closed({ start: count('First byte.'), end: count('Byte after the last.') }), { maxItems: 64 }),
    isWhole: Type.Boolean({ description: 'All bytes went out and the reader closed the file after them.' }),
    isCut: Type.Boolean({ description: 'The connection was lost first.' }),
  },
  { title: 'Receipt' },
);

export const timelineStep = closed(
  {
    step: oneOf(['issued', 'waiting', 'encrypted', 'published', 'fetched', 'withdrawn', 'expired', 'expires']),
    at: instant('When; `expires` lies ahead.'),
    waitsFor: Type.Optional(Type.String()),
    certificateFingerprint: Type.Optional(fingerprint),
    subkeyId: Type.Optional(Type.String()),
    reason: Type.Optional(Type.String()),
    receipt: Type.Optional(receipt),
  },
  { title: 'TimelineStep' },
);
export const timeline = closed({ steps: Type.Array(timelineStep, { maxItems: 1000 }) }, { title: 'Timeline' });

export const statementFilter = {
  account: Type.Optional(accountNumber),
  kind: Type.Optional(statementKind),
  from: Type.Optional(date('Periods that end on this day or later.')),
  to: Type.Optional(date('Periods that begin on this day or earlier.')),
};

export const archiveQuery = closed({
  ids: Type.String({
    maxLength: 200 * 37,
    pattern: '^[0-9a-f-]{36}(,[0-9a-f-]{36})*$',
    description: 'Ids of at most 200 statements, with commas between.',
  }),
});

export const issueQuery = closed({
  account: accountNumber,
  kind: statementKind,
  period: Type.String({
    maxLength: 21,
    description: 'A day (2026-11-24), a month (2026-11), a year (2026), or two days with a slash between.',
  }),
  file: line(255, 'File name; its ending says what it is.'),
  title: Type.Optional(line(120, 'What people call it.')),
  sha256: Type.Optional(sha256),
});

export const issued = closed(
  {
    id: id('statement'),
    name: Type.String(),
    version: Type.Integer({ minimum: 1 }),
    sha256,
    sizeBytes: count('Bytes of the file in clear.'),
  },
  { title: 'Issued' },
);

export const withdrawal = closed({ reason: line(500, 'Why, for the record of the desk.') });

export const repositoryPath = Type.String({
  minLength: 1,
  maxLength: 4096,
  description: 'Path in the repository, from `/`.',
});

export const entry = closed(
  {
    id: nullable(id('entry')),
    path: Type.String(),
    name: Type.String(),
    kind: oneOf(['file', 'folder']),
    origin: oneOf(['broker', 'client'], 'Who put it there; what the broker put there cannot be changed.'),
    sizeBytes: count('0 for folders.'),
    sha256: nullable(sha256),
    placedAt: instant('When it was put there.'),
    modifiedAt: instant('The time that the file carries.'),
    expiresAt: nullable(instant('It is kept until then; null for folders.')),
    statementId: nullable(id('statement')),
    isPartial: Type.Boolean({ description: 'An upload that is not finished: no list shows it.' }),
  },
  { title: 'Entry' },
);

export const space = closed(
  {
    usedBytes: count('Bytes of uploads, unfinished ones included.'),
    quotaBytes: count('Bytes allowed.'),
    usedEntries: count('Files and folders the client made.'),
    quotaEntries: count('Files and folders allowed.'),
  },
  { title: 'Space' },
);

export const move = closed({ from: repositoryPath, to: repositoryPath, replace: Type.Optional(Type.Boolean()) });
export const newFolder = closed({ path: repositoryPath });

export const upload = closed(
  {
    id: id('entry'),
    clientId: id('client'),
    path: Type.String(),
    sizeBytes: count('Bytes.'),
    sha256,
    uploadedAt: instant('When it was uploaded.'),
    expiresAt: instant('It is kept until then.'),
  },
  { title: 'Upload' },
);

export const runReference = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
  description: 'Id that you give the run; sending the same run again under it changes nothing.',
});

export const run = closed(
  {
    id: id('run'),
    reference: runReference,
    state: oneOf(
      ['receiving', 'refused', 'checked', 'running', 'done'],
      'refused: nothing was issued, the outcomes say why; checked: a dry run without faults.',
    ),
    isDryRun: Type.Boolean(),
    rows: closed({
      total: count('Rows of run.csv.'),
      done: count('Rows that were issued or failed.'),
      failed: count('Rows at fault.'),
      waiting: count('Rows issued, whose file waits to be placed.'),
    }),
    askedBy: Type.String(),
    begunAt: instant('When it was handed over.'),
    checkedAt: nullable(instant('When it was checked whole.')),
    doneAt: nullable(instant('When the last row was done.')),
  },
  { title: 'Run' },
);

export const runRow = closed(
  {
    row: Type.Integer({ minimum: 1, description: 'Its place in run.csv.' }),
    account: Type.String(),
    kind: Type.String(),
    period: Type.String(),
    file: Type.String(),
    state: oneOf(['waiting', 'issued', 'failed', 'refused']),
    code: nullable(Type.String({ description: 'Code of the refusal.' })),
    detail: nullable(Type.String({ description: 'The same in English.' })),
    statementId: nullable(id('statement')),
    delivery: nullable(oneOf(['waiting', 'placed'])),
  },
  { title: 'RunRow' },
);
export const runRowFilter = closed({ state: Type.Optional(oneOf(['waiting', 'issued', 'failed', 'refused'])) });

export const manifestCheck = closed(
  {
    manifests: count('Lists that were checked.'),
    faults: Type.Array(
      closed({
        manifest: Type.String({ description: 'Name of the list.' }),
        fault: Type.String({ description: 'What is wrong, in snake case.' }),
        path: nullable(Type.String()),
      }),
      { maxItems: 1000 },
    ),
  },
  { title: 'ManifestCheck' },
);

export const deletionCheck = closed(
  {
    isWhole: Type.Boolean(),
    rows: nullable(count('Rows of the whole log.')),
    brokenAt: nullable(count('The first row that does not fit.')),
  },
  { title: 'DeletionCheck' },
);

export const manifest = closed(
  {
    number: Type.Integer({ minimum: 1 }),
    day: date('The day it lists.'),
    path: Type.String({ description: 'Where it lies; its signature lies beside it with the ending .sig.' }),
    sha256,
    isFinal: Type.Boolean({ description: 'False while its day goes on.' }),
    madeAt: instant('When it was written.'),
  },
  { title: 'ManifestItem' },
);

export const brokerKey = closed(
  {
    fingerprint,
    userId: Type.String(),
    certificate: Type.String({ description: 'Armoured public certificate, for `gpg --import`.' }),
  },
  { title: 'BrokerKey' },
);

export const deletion = closed(
  {
    number: count('Place in the log.'),
    clientId: id('client'),
    what: oneOf(['file', 'portal_copy', 'partial_upload']),
    why: oneOf(['retention', 'withdrawn']),
    path: Type.String(),
    sha256: nullable(sha256),
    sizeBytes: count('Bytes.'),
    statementId: nullable(id('statement')),
    placedAt: instant('When it was placed.'),
    deletedAt: instant('When it was taken away.'),
    hash: sha256,
  },
  { title: 'Deletion' },
);

export const purgePreview = closed(
  {
    files: count('Files of repositories that are due.'),
    fileBytes: count('Their bytes.'),
    portalCopies: count('Copies in clear that are due.'),
    partialUploads: count('Unfinished uploads that are due.'),
    isHeld: Type.Boolean({ description: 'The clock jumped: nothing is purged until it is confirmed.' }),
    lastPurgeAt: nullable(instant('The last purge.')),
    now: instant('The clock of the server.'),
  },
  { title: 'PurgePreview' },
);
