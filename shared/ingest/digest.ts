/** SHA-256 in hex, the one digest that names things here. Pure. */
import { createHash } from 'node:crypto';

/** 64 lower-case hex digits. */
export function sha256(value: string | Uint8Array): string {
  return createHash('sha256').update(value).digest('hex');
}
