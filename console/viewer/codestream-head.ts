/**
 * How much of an HTJ2K codestream a small picture needs: resolutions come one after the other, each in a tile-part of its
 * own (PS3.5 10.18; T.800 A.4.2), so that the first bytes are enough.
 */
import { parseMainHeader } from '../../shared/pixels/htj2k/codestream.ts';

const SOT = 0xff90;
const SOT_BYTES = 12;

/**
 * Bytes up to the end of the resolution `level` halvings below the full one. Undefined where what is there of the
 * codestream does not tell. Pure.
 */
export function bytesOfLevel(head: Uint8Array, level: number): number | undefined {
  const header = headerOf(head);
  if (header?.progression !== 'RPCL' || header.tiles !== 1 || level > header.decompositions) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  let at = header.headerBytes;
  for (let part = 0; part <= header.decompositions - level; part++) {
    if (at + SOT_BYTES > head.length || view.getUint16(at) !== SOT) return undefined;
    const [length, parts] = [view.getUint32(at + 6), view.getUint8(at + 11)];
    if (length === 0 || parts !== header.decompositions + 1) return undefined;
    at += length;
  }
  return at;
}

function headerOf(head: Uint8Array) {
  try {
    return parseMainHeader(head);
  } catch {
    return undefined;
  }
}
