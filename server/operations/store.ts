// Rows of workers' samples, and what the job queue says of itself.
import type { Sql } from '../kernel/sql.ts';

export interface Sample {
  readonly workerId: string;
  readonly atMs: number;
  readonly periodMs: number;
  readonly startedAtMs: number;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly rssBytes: number;
  readonly lagMs: number;
  readonly connections: number;
  readonly streams: number;
  readonly answers: number;
  readonly refused: number;
  readonly failed: number;
}

export async function insertSample(sql: Sql, sample: Sample): Promise<void> {
  await sql`
    insert into worker_samples (worker_id, at_ms, period_ms, started_at_ms, host, pid, version, rss_bytes, lag_ms, connections,
      streams, answers, refused, failed)
    values (${sample.workerId}, ${sample.atMs}, ${sample.periodMs}, ${sample.startedAtMs}, ${sample.host}, ${sample.pid},
      ${sample.version}, ${sample.rssBytes}, ${sample.lagMs}, ${sample.connections}, ${sample.streams}, ${sample.answers},
      ${sample.refused}, ${sample.failed})
    on conflict do nothing`;
}

export async function deleteSamplesBefore(sql: Sql, beforeMs: number): Promise<void> {
  await sql`delete from worker_samples where at_ms < ${beforeMs}`;
}

/** A worker that stops takes its name off the list; what it read stays for the series. */
export async function updateEnded(sql: Sql, workerId: string, atMs: number): Promise<void> {
  await sql`update worker_samples set has_ended = true where worker_id = ${workerId} and at_ms = ${atMs}`;
}

/** The last sample of each worker that told of itself since then, and did not say that it stops. */
export const listWorkers = (sql: Sql, sinceMs: number): Promise<Sample[]> => sql<Sample>`
  select * from (
    select distinct on (worker_id) worker_id as "workerId", at_ms as "atMs", period_ms as "periodMs",
      started_at_ms as "startedAtMs", host, pid, version, rss_bytes as "rssBytes", lag_ms as "lagMs", connections, streams,
      answers, refused, failed, has_ended
    from worker_samples where at_ms > ${sinceMs} order by worker_id, at_ms desc
  ) as latest where not has_ended limit 1000`;

export interface Point {
  readonly atMs: number;
  readonly answers: number;
  readonly refused: number;
  readonly failed: number;
  readonly connections: number;
  readonly streams: number;
  readonly rssBytes: number;
  readonly lagMs: number;
}

/** All workers together: what is counted is added up, what is measured is each worker's average in the step, added up. */
export const listPoints = (sql: Sql, asked: { sinceMs: number; stepMs: number }): Promise<Point[]> => sql<Point>`
  select step * ${asked.stepMs}::bigint as "atMs", sum(answers)::int as answers, sum(refused)::int as refused,
    sum(failed)::int as failed, round(sum(connections))::int as connections, round(sum(streams))::int as streams,
    round(sum(rss))::bigint as "rssBytes", max(lag)::float8 as "lagMs"
  from (
    select worker_id, at_ms / ${asked.stepMs}::bigint as step, sum(answers) as answers, sum(refused) as refused,
      sum(failed) as failed, avg(connections) as connections, avg(streams) as streams, avg(rss_bytes) as rss, max(lag_ms) as lag
    from worker_samples where at_ms >= ${asked.sinceMs} group by worker_id, step
  ) as of_worker group by step order by step limit 300`;

export interface QueueRow {
  readonly task: string;
  readonly waiting: number;
  readonly running: number;
  readonly failed: number;
  readonly nextAtMs: number | null;
}

export const listQueues = (sql: Sql): Promise<QueueRow[]> => sql<QueueRow>`
  select task_identifier as task,
    count(*) filter (where locked_at is null and attempts < max_attempts)::int as waiting,
    count(*) filter (where locked_at is not null)::int as running,
    count(*) filter (where locked_at is null and attempts >= max_attempts)::int as failed,
    (extract(epoch from min(run_at) filter (where locked_at is null and attempts < max_attempts)) * 1000)::bigint as "nextAtMs"
  from graphile_worker.jobs group by task_identifier order by task_identifier limit 200`;

export interface FailedJob {
  readonly id: string;
  readonly task: string;
  readonly attempts: number;
  readonly fault: string | null;
  readonly sinceMs: number;
}

export const listFailedJobs = (sql: Sql, limit: number): Promise<FailedJob[]> => sql<FailedJob>`
  select id::text, task_identifier as task, attempts, last_error as fault,
    (extract(epoch from created_at) * 1000)::bigint as "sinceMs"
  from graphile_worker.jobs where locked_at is null and attempts >= max_attempts order by id limit ${limit}`;

/** Lets a job that was given up run now, with all its tries. Shape: false where it was not given up. */
export async function retryJob(sql: Sql, jobId: string): Promise<boolean> {
  const rows = await sql`
    select rescheduled.id from graphile_worker.jobs given,
      lateral graphile_worker.reschedule_jobs(array[given.id], run_at := now(), attempts := 0) as rescheduled
    where given.id = ${jobId}::bigint and given.locked_at is null and given.attempts >= given.max_attempts`;
  return rows.length > 0;
}

export async function findDatabase(sql: Sql): Promise<{ version: string; sizeBytes: number; unsealed: number }> {
  const [row] = await sql<{ version: string; sizeBytes: number; unsealed: number }>`
    select current_setting('server_version') as version, pg_database_size(current_database()) as "sizeBytes",
      (select count(*)::int from audit where seal_index is null) as unsealed`;
  return row!;
}
