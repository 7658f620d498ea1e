// What callers were promised: by every acknowledged act one state is sure, and by every broken one two are possible.
import { createHash } from 'node:crypto';
import { createSeededRandom } from '../../server/kernel/random.ts';

/** Bytes that no other file has, made again whenever they are needed. */
export interface Content {
  readonly label: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export const bytesOf = ({ label, sizeBytes }: Pick<Content, 'label' | 'sizeBytes'>): Buffer =>
  createSeededRandom(label).bytes(sizeBytes);

export const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export const makeContent = (label: string, sizeBytes: number): Content => ({
  label,
  sizeBytes,
  sha256: hashOf(bytesOf({ label, sizeBytes })),
});

/** What is promised does not hold. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export function demand(holds: unknown, text: string): asserts holds {
  if (!holds) throw new Violation(text);
}

/** Nothing: the file is not there, or the content is nowhere. */
const nothing = '';

/** The files of one client, as it may believe them to be: by path what may stand there, by content where it may be. */
export function createTreeLedger() {
  const paths = new Map<string, Set<string>>();
  const places = new Map<string, Set<string>>();
  const contents = new Map<string, Content>();

  const at = (path: string): Set<string> => paths.get(path) ?? new Set([nothing]);
  const of = (sha256: string): Set<string> => places.get(sha256) ?? new Set([nothing]);

  /** Whatever may have stood there may be gone; it is gone for sure where it can be nowhere else. */
  function displace(path: string, isSure: boolean): void {
    for (const sha256 of at(path)) {
      if (sha256 === nothing) continue;
      const possible = of(sha256);
      possible.add(nothing);
      if (isSure) possible.delete(path);
      places.set(sha256, possible);
    }
  }

  return {
    contents,
    /** Paths where something may stand. */
    paths: (): string[] => [...paths].filter(([, found]) => [...found].some((one) => one !== nothing)).map(([p]) => p),
    mayBeAt: at,

    put(path: string, content: Content, isSure: boolean): void {
      displace(path, isSure);
      contents.set(content.sha256, content);
      paths.set(path, isSure ? new Set([content.sha256]) : new Set([...at(path), content.sha256]));
      places.set(content.sha256, isSure ? new Set([path]) : new Set([nothing, path]));
    },
    remove(path: string, isSure: boolean): void {
      displace(path, isSure);
      paths.set(path, isSure ? new Set([nothing]) : new Set([...at(path), nothing]));
    },
    /** To a path where nothing can stand. */
    move(from: string, to: string, isSure: boolean): void {
      const moved = [...at(from)].filter((sha256) => sha256 !== nothing);
      for (const sha256 of moved) {
        const possible = of(sha256);
        if (isSure) possible.delete(from);
        possible.add(to);
        places.set(sha256, possible);
      }
      paths.set(to, new Set(isSure ? moved : [...moved, nothing]));
      paths.set(from, new Set(isSure ? [nothing] : [...at(from), nothing]));
    },

    clear(): void {
      for (const known of [paths, places, contents]) known.clear();
    },

    /** Compares with what is there, and believes it from now on. Shape: `found` gives the hash at every path. */
    check(found: ReadonlyMap<string, string>): void {
      for (const path of new Set([...paths.keys(), ...found.keys()])) {
        const sha256 = found.get(path) ?? nothing;
        const wanted = at(path);
        const text = [...wanted].map((one) => one.slice(0, 8) || 'nothing').join(' or ');
        demand(wanted.has(sha256), `${path} holds ${sha256.slice(0, 8) || 'nothing'}, and may hold ${text}`);
      }
      for (const [sha256, possible] of places) {
        const where = [...found].filter(([, one]) => one === sha256).map(([path]) => path);
        const what = `the content ${contents.get(sha256)!.label}`;
        demand(where.length <= 1, `${what} is there twice: ${where.join(', ')}`);
        demand(
          possible.has(where[0] ?? nothing),
          `${what} is at ${where[0] ?? 'no path'}, not ${[...possible].join()}`,
        );
      }
      paths.clear();
      places.clear();
      for (const [path, sha256] of found) {
        paths.set(path, new Set([sha256]));
        places.set(sha256, new Set([path]));
      }
    },
  };
}

export type TreeLedger = ReturnType<typeof createTreeLedger>;

/** A statement that the desk asked for: alone under a request id, or as a row of a run. */
export interface AskedStatement {
  readonly clientId: string;
  readonly accountNumber: string;
  readonly period: string;
  readonly content: Content;
  /** Of the request, or of the run. */
  readonly reference: string;
  readonly isOfRun: boolean;
  statementId: string | undefined;
  withdrawn: 'no' | 'maybe' | 'yes';
}

/** A read that was closed: acknowledged when its receipt was said to be durable. */
export interface Fetched {
  readonly through: string;
  readonly path: string;
  readonly sha256: string;
  readonly isSure: boolean;
}
