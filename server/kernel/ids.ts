// Opaque identifiers: UUID version 7 (RFC 9562 §5.7), ordered by time so that indexes stay compact.
import type { Clock } from './clock.ts';
import type { Random } from './random.ts';

export type Ids = ReturnType<typeof createIds>;

export function createIds(parts: { clock: Clock; random: Random }) {
  return {
    /** A new id, 36 characters. */
    next(): string {
      const bytes = parts.random.bytes(16);
      bytes.writeUIntBE(parts.clock.nowMs(), 0, 6);
      bytes[6] = (bytes[6]! & 0x0f) | 0x70;
      bytes[8] = (bytes[8]! & 0x3f) | 0x80;
      const hex = bytes.toString('hex');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    },
  };
}
