// Listens to PostgreSQL explain what it just did: every statement of a database, with its plan and the rows that each step read.
import type pg from 'pg';

/** One step of a plan that read a table. */
export interface Reading {
  readonly table: string;
  /** As PostgreSQL names it: `Seq Scan`, `Index Scan`, … */
  readonly how: string;
  /** Rows looked at, whether or not they were wanted, in all rounds together. */
  readonly rows: number;
}

export interface SeenStatement {
  readonly text: string;
  readonly readings: readonly Reading[];
  readonly plan: PlanNode;
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Schema?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** The address of a database whose connections explain every statement. NOTE: it must be a superuser's. */
export function explaining(url: string): string {
  const settings = {
    session_preload_libraries: 'auto_explain',
    // As where pages lie in memory or on flash: with the default a few thousand rows are read whole rather than by an index.
    random_page_cost: 1.1,
    'auto_explain.log_min_duration': 0,
    'auto_explain.log_analyze': 'on',
    'auto_explain.log_timing': 'off',
    'auto_explain.log_verbose': 'on',
    'auto_explain.log_format': 'json',
    'auto_explain.log_level': 'notice',
    'auto_explain.log_nested_statements': 'on',
    'auto_explain.log_parameter_max_length': 0,
  };
  const words = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  const changed = new URL(url);
  changed.searchParams.set('options', words.join(' '));
  return changed.href;
}

/** Hears every connection of a pool from now on, also those that are open already and idle. Shape: what was seen so far. */
export async function watchPlans(pool: pg.Pool): Promise<SeenStatement[]> {
  const seen: SeenStatement[] = [];
  const heard = ({ message }: { message?: string | undefined }): void => {
    const start = message?.indexOf('plan:\n') ?? -1;
    if (start < 0) return;
    const { 'Query Text': text, Plan: plan } = JSON.parse(message!.slice(start + 6)) as {
      'Query Text': string;
      Plan: PlanNode;
    };
    seen.push({ text: normal(text), plan, readings: readingsOf(plan) });
  };
  const watched = new WeakSet<object>();
  const watch = (connection: pg.PoolClient): void => {
    if (watched.has(connection)) return;
    watched.add(connection);
    connection.on('notice', heard);
  };
  pool.on('connect', watch);
  const idle = await Promise.all(Array.from({ length: pool.totalCount }, () => pool.connect()));
  for (const connection of idle) {
    watch(connection);
    connection.release();
  }
  return seen;
}

/** One line, so that the same statement is the same text wherever it stands. */
export const normal = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** NOTE: a bitmap's index steps name no table; the heap step above them does, and counts what they found. */
function readingsOf(plan: PlanNode): Reading[] {
  const found: Reading[] = [];
  const visit = (node: PlanNode): void => {
    if (node['Relation Name'] !== undefined && node['Node Type'].endsWith(' Scan') && node.Schema === 'public') {
      const each =
        (node['Actual Rows'] ?? 0) +
        (node['Rows Removed by Filter'] ?? 0) +
        (node['Rows Removed by Index Recheck'] ?? 0);
      const rows = Math.round(each * (node['Actual Loops'] ?? 0));
      found.push({ table: node['Relation Name'], how: node['Node Type'], rows });
    }
    for (const below of node.Plans ?? []) visit(below);
  };
  visit(plan);
  return found;
}
