// Which of a client's accounts the pages show: one, or all of them. Kept for this tab, so that two tabs may show two accounts.
import { useSyncExternalStore } from 'react';
import { useMe } from '../api/me.ts';

const storageName = 'account';
let chosen = sessionStorage.getItem(storageName) ?? undefined;
const listeners = new Set<() => void>();

function watch(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Shape: undefined means all accounts. */
export function chooseAccount(accountNumber: string | undefined): void {
  chosen = accountNumber;
  if (accountNumber === undefined) sessionStorage.removeItem(storageName);
  else sessionStorage.setItem(storageName, accountNumber);
  for (const listener of listeners) listener();
}

/** The number of the chosen account; undefined for all. One that the person no longer has counts as none. */
export function useAccount(): string | undefined {
  const { accountNumbers } = useMe();
  const kept = useSyncExternalStore(watch, () => chosen);
  return kept !== undefined && accountNumbers.includes(kept) ? kept : undefined;
}
