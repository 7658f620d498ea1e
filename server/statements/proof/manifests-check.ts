// The check of every manifest of this installation: signatures, chains, and the tree as its rows have it. Leaves no receipt.
import { type HeldFile, manifestName, type SignedManifest, verifyManifests } from '@broadgate/contract/manifest.ts';
import { hash } from 'node:crypto';
import { verifyDetached } from '@broadgate/openpgp-writer';
import { type Actor, isAtDesk } from '../../kernel/actor.ts';
import { openPart, partOf } from '../../kernel/blob-parts.ts';
import type { BlobStore } from '../../kernel/blobs.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Database } from '../../kernel/sql.ts';
import { joinPath, manifestFolder } from '../repository/rules.ts';
import { findEntry } from '../repository/store.ts';
import { dueBefore, refusals } from './rules.ts';
import * as store from './manifests-store.ts';

export interface InstallationFault {
  readonly clientId: string;
  readonly manifest: string;
  /** As verifyManifests tells it, or list_missing, list_differs for a list that is not the one its row names. */
  readonly fault: string;
  readonly path?: string;
}

export function createManifestCheck(parts: {
  database: Database;
  clock: Clock;
  blobs: BlobStore;
  /** Armoured certificate of the key that signs for the broker. */
  certificate: string;
}) {
  const { database, clock, blobs, certificate } = parts;

  const verify = (data: Uint8Array, signature: Uint8Array): boolean =>
    verifyDetached({ certificate, signature, data }).good;

  async function readFile(clientId: string, path: string): Promise<{ bytes: Buffer; sha256: string } | undefined> {
    const entry = await findEntry(database.sql, clientId, path);
    if (entry === undefined || entry.blobId === null) return undefined;
    await using reader = await openPart(blobs, partOf(entry));
    const bytes = await reader.read(0, reader.sizeBytes);
    return { bytes, sha256: hash('sha256', bytes) };
  }

  async function checkClient(clientId: string): Promise<{ manifests: number; faults: InstallationFault[] }> {
    const lists: SignedManifest[] = [];
    const faults: InstallationFault[] = [];
    const nowMs = clock.nowMs();
    for (let beforeNumber: number | undefined; ; ) {
      const page = await store.listManifests(database.sql, { clientId, beforeNumber, limit: 100 });
      if (page.length === 0) break;
      beforeNumber = page.at(-1)!.number;
      for (const row of page) {
        const name = manifestName(row.day);
        const path = joinPath(manifestFolder, name);
        const [list, signature] = [await readFile(clientId, path), await readFile(clientId, `${path}.sig`)];
        if (list !== undefined && signature !== undefined) {
          if (list.sha256 !== row.sha256) faults.push({ clientId, manifest: name, fault: 'list_differs' });
          lists.push({ name, bytes: list.bytes, signature: signature.bytes });
        } else if (row.madeAtMs > dueBefore(nowMs)) faults.push({ clientId, manifest: name, fault: 'list_missing' });
      }
    }
    const held: HeldFile[] = await store.listHeld(database.sql, clientId);
    const verdict = verifyManifests({ manifests: lists, held, verify, nowMs });
    // A file that was withdrawn or purged since the last list stands in the deletion log, and in the next list; also where the
    // clock stood ahead when it went.
    const ever = Number.MAX_SAFE_INTEGER;
    const unlisted = new Set(
      (await store.listGone(database.sql, [{ clientId, number: -1, beforeMs: ever }])).map((row) => row.path),
    );
    for (const fault of verdict.faults) {
      if (fault.fault === 'file_missing' && unlisted.has(fault.path)) continue;
      faults.push({ clientId, ...fault });
    }
    return { manifests: lists.length, faults };
  }

  return {
    /** Checks one client's lists: a client its own, the desk anyone's. Refuses: proof_not_yours. */
    async checkManifests(actor: Actor, asked: { clientId?: string | undefined }) {
      const clientId = actor.kind === 'client' ? actor.clientId : asked.clientId;
      if (clientId === undefined || (actor.kind !== 'client' && !isAtDesk(actor, 'delivery')))
        throw refusals.proof_not_yours();
      const { manifests, faults } = await checkClient(clientId);
      return { manifests, faults: faults.slice(0, faultsMax) };
    },

    /** Checks all clients. Shape: at most a thousand faults are told. */
    async verifyAll(): Promise<{ clients: number; manifests: number; faults: InstallationFault[] }> {
      const total = { clients: 0, manifests: 0, faults: [] as InstallationFault[] };
      for (let afterClientId = ''; ; ) {
        const clientIds = await store.listClientsWithManifests(database.sql, afterClientId, 100);
        if (clientIds.length === 0) return total;
        afterClientId = clientIds.at(-1)!;
        for (const clientId of clientIds) {
          const { manifests, faults } = await checkClient(clientId);
          total.clients += 1;
          total.manifests += manifests;
          total.faults.push(...faults.slice(0, faultsMax - total.faults.length));
        }
      }
    },
  };
}

export type ManifestCheck = ReturnType<typeof createManifestCheck>;

const faultsMax = 1000;
