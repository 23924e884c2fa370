/**
 * Joins single-component codestreams of one size into one of several components without colour transform: of RPCL with
 * a tile-part a resolution, or of CPRL with one tile-part, where all packets of a component come before the next one's.
 * In RPCL with one precinct a resolution, a resolution's packets are those of component 0, then 1, … (T.800
 * B.12.1.3), and no packet depends on another component: the packets can be strung together as they are.
 */
import { CodecError } from '../errors.ts';
import { type Codestream, openCodestream, tileParts } from './codestream.ts';

const SOT_BYTES = 12;
const TLM = 0xff55;
const SIZ = 0xff51;

export function joinComponents(codestreams: readonly Uint8Array[]): Uint8Array {
  const opened = codestreams.map(openCodestream);
  const bodies = opened.map(tilePartBodies);
  const resolutions = bodies[0]?.length ?? 0;
  if (bodies.some((parts) => parts.length !== resolutions))
    throw new CodecError('EncodeMismatch', 'components with differing numbers of tile-parts');
  const parts = Array.from({ length: resolutions }, (_, resolution) =>
    tilePart(
      resolution,
      resolutions,
      bodies.map((component) => component[resolution]!),
    ),
  );
  return concat([...mainHeader(opened[0]!, codestreams.length, parts), ...parts, Uint8Array.of(0xff, 0xd9)]);
}

/** What follows SOD in each tile-part. */
function tilePartBodies(codestream: Codestream): Uint8Array[] {
  return tileParts(codestream).map(({ start, end }) => {
    const body = start + SOT_BYTES;
    if (codestream.bytes[body] !== 0xff || codestream.bytes[body + 1] !== 0x93)
      throw new CodecError('EncodeMismatch', 'a tile-part header with more than SOT');
    return codestream.bytes.subarray(body + 2, end);
  });
}

function tilePart(index: number, count: number, bodies: Uint8Array[]): Uint8Array {
  const header = new DataView(new ArrayBuffer(SOT_BYTES + 2));
  const bytes = bodies.reduce((sum, body) => sum + body.length, header.byteLength);
  header.setUint16(0, 0xff90);
  header.setUint16(2, 10);
  header.setUint16(4, 0);
  header.setUint32(6, bytes);
  header.setUint8(10, index);
  header.setUint8(11, count);
  header.setUint16(12, 0xff93);
  return concat([new Uint8Array(header.buffer), ...bodies]);
}

/** The first component's header, with SIZ naming all components and TLM the joined lengths. */
function mainHeader(codestream: Codestream, components: number, parts: Uint8Array[]): Uint8Array[] {
  const { bytes, header } = codestream;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const segments: Uint8Array[] = [bytes.slice(0, 2)];
  for (let at = 2; at < header.headerBytes; ) {
    const end = at + 2 + view.getUint16(at + 2);
    const marker = view.getUint16(at);
    if (marker === SIZ) segments.push(sizOf(bytes.subarray(at, end), components));
    else if (marker === TLM) segments.push(tlmOf(parts));
    else segments.push(bytes.slice(at, end));
    at = end;
  }
  return segments;
}

function sizOf(single: Uint8Array, components: number): Uint8Array {
  const component = single.slice(-3);
  const siz = concat([single, ...Array.from({ length: components - 1 }, () => component)]);
  const view = new DataView(siz.buffer);
  view.setUint16(2, siz.length - 2);
  view.setUint16(38, components);
  return siz;
}

/** T.800 A.7.1 with 16-bit tile indices and 32-bit lengths. */
function tlmOf(parts: Uint8Array[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(6 + 6 * parts.length));
  view.setUint16(0, TLM);
  view.setUint16(2, view.byteLength - 2);
  view.setUint8(4, 0);
  view.setUint8(5, 0x60);
  parts.forEach((part, index) => {
    view.setUint16(6 + 6 * index, 0);
    view.setUint32(8 + 6 * index, part.length);
  });
  return new Uint8Array(view.buffer);
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}
