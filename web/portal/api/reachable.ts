// Whether the server can be reached, as the last word from it says.

let isReachable = true;
const listeners = new Set<() => void>();

/** For `useSyncExternalStore`. */
export const readReachable = (): boolean => isReachable && navigator.onLine;
export function watchReachable(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function noteReachable(now: boolean): void {
  if (now === isReachable) return;
  isReachable = now;
  tell();
}

function tell(): void {
  for (const listener of listeners) listener();
}

addEventListener('online', tell);
addEventListener('offline', tell);
