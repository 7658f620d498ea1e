// What crosses the wire about the machine: health, workers, jobs, the audit trail, and short series to draw.
import { Type } from 'typebox';
import { closed, count, id, instant, line, nullable, oneOf } from './contract.ts';

export const worker = closed(
  {
    id: id('worker'),
    host: Type.String(),
    pid: Type.Integer(),
    version: Type.String(),
    startedAt: instant('When it began.'),
    seenAt: instant('When it last told of itself.'),
    isSilent: Type.Boolean({ description: 'It has not told of itself for a minute: it stopped, or it is stuck.' }),
    rssBytes: count('Memory of the process.'),
    lagMs: Type.Number({ description: 'Longest wait of its event loop since it last told. Units: ms.' }),
    connections: count('SFTP connections.'),
    streams: count('Pages that follow changes.'),
  },
  { title: 'Worker' },
);

export const health = closed(
  {
    isReady: Type.Boolean(),
    checks: Type.Array(closed({ name: Type.String(), state: oneOf(['ok', 'failed', 'late', 'stopping']) })),
    version: Type.String(),
    node: Type.String(),
    now: instant('The clock of the server.'),
    database: closed({ version: Type.String(), sizeBytes: count('Bytes of the database.') }),
    freeBytes: nullable(count('Room where files lie; null where it is not known.')),
    workers: Type.Array(worker, { maxItems: 1000 }),
    queues: closed({
      jobsWaiting: count('Jobs that are due or will be.'),
      jobsFailed: count('Jobs that were given up.'),
      eventsWaiting: count('Events whose consequences are still to come.'),
      eventsFailed: count('Events that were given up.'),
      oldestEventAt: nullable(instant('Since when the oldest of them waits.')),
      auditUnsealed: count('Rows of the audit trail that are not sealed yet.'),
    }),
  },
  { title: 'Health' },
);

export const jobQueue = closed(
  {
    task: Type.String(),
    waiting: count('Jobs not begun.'),
    running: count('Jobs begun.'),
    failed: count('Jobs given up.'),
    nextAt: nullable(instant('When the next is due.')),
  },
  { title: 'JobQueue' },
);
export const jobQueues = closed({ queues: Type.Array(jobQueue, { maxItems: 200 }) }, { title: 'JobQueues' });

export const failedWork = closed(
  {
    id: Type.String({ description: 'Send it back to try again.' }),
    sort: oneOf(['job', 'event']),
    name: Type.String({ description: 'The task, or the kind of the event.' }),
    attempts: count('How often it was tried.'),
    fault: Type.String({ description: 'What went wrong the last time, for whoever looks after the machine.' }),
    since: instant('When it was recorded.'),
  },
  { title: 'FailedWork' },
);
export const failedWorkPath = closed({ workId: Type.String({ pattern: '^(job:[0-9]{1,18}|event:[0-9a-f-]{36})$' }) });

export const auditRow = closed(
  {
    sequence: count('Place in the trail.'),
    at: instant('When.'),
    actor: Type.String({ description: 'client:<id>, operator:<id> or system:<part>.' }),
    face: nullable(Type.String()),
    address: nullable(Type.String()),
    action: Type.String({ description: 'What was done, as noun.verb.' }),
    subject: Type.String({ description: 'What it was done to, as noun:id.' }),
    detail: Type.String({ description: 'Facts beside them, as JSON.' }),
  },
  { title: 'AuditRow' },
);
export const auditFilter = closed({
  subject: Type.Optional(line(200, 'As noun:id.')),
  actor: Type.Optional(line(200, 'As client:<id>, operator:<id> or system:<part>.')),
});
export const auditCheck = closed(
  {
    isWhole: Type.Boolean(),
    rows: nullable(count('Sealed rows of the whole trail.')),
    unsealed: nullable(count('Rows that are not sealed yet.')),
    hash: nullable(Type.String({ description: 'Of the last sealed row: note it elsewhere.' })),
    brokenAt: nullable(count('Place in the chain of the first row that does not fit.')),
    reason: nullable(Type.String()),
  },
  { title: 'AuditCheck' },
);

export const seriesQuery = closed({
  hours: Type.Optional(Type.Integer({ minimum: 1, maximum: 24, description: 'Default 1.' })),
});
export const series = closed(
  {
    stepSeconds: count('Between two points.'),
    points: Type.Array(
      closed({
        at: instant('Beginning of the step.'),
        answers: count('Requests answered.'),
        refused: count('Answers that said no.'),
        failed: count('Answers that were faults of ours, or of what we need.'),
        connections: count('SFTP connections, on average.'),
        streams: count('Pages that follow changes, on average.'),
        rssBytes: count('Memory of all workers, on average.'),
        lagMs: Type.Number({ description: 'The longest wait of any event loop. Units: ms.' }),
      }),
      { maxItems: 300 },
    ),
  },
  { title: 'Series' },
);
