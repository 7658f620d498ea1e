// The time zone that instants are shown in: the reader's choice, or else that of the device.

const deviceZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
let zone = deviceZone;
const listeners = new Set<() => void>();

export const readZone = (): string => zone;

export function watchZone(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Shape: null means that of the device. */
export function changeZone(chosen: string | null): void {
  const next = chosen ?? deviceZone;
  if (next === zone) return;
  zone = next;
  for (const listener of listeners) listener();
}
