/** Byte equality at memcmp speed on Node, by 32-bit words elsewhere. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  if (typeof Buffer !== 'undefined') return Buffer.compare(a, b) === 0;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
