// The SHA-256 of a file before it is sent, so that the server notices when other bytes arrive.

// It is taken in memory; larger files go without, and the server takes it of what arrives.
const sizeBytesMax = 64 * 1024 * 1024;

/** Shape: hexadecimal; undefined where the file is too large or the page does not stand on a safe connection. */
export async function hashFile(file: File): Promise<string | undefined> {
  if (file.size > sizeBytesMax || !globalThis.isSecureContext) return undefined;
  const hash = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
