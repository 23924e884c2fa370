/**
 * Wraps a codestream in JP2 boxes whose palette (T.800 I.5.3.4, I.5.3.5) maps one component, as it is, to the only
 * channel: any decoder of JP2 then gives that component alone. Needed where a wrapper hands out only the first one.
 */
import type { Codestream } from './codestream.ts';

export interface WrappedCodestream {
  readonly bytes: Uint8Array;
  /** Where the codestream begins in `bytes`. */
  readonly codestreamAt: number;
}

const SIGNATURE = [0x0d, 0x0a, 0x87, 0x0a];
const SRGB = [1, 0, 0, 0, 0, 0, 17];
/** Compression type of ihdr: the only one that T.800 knows. */
const WAVELETS = 7;

export function singleComponent({ bytes, header }: Codestream, component: number): WrappedCodestream {
  const { precision, signed } = header.components[component]!;
  const depth = (precision - 1) | (signed ? 0x80 : 0);
  const size = new DataView(new ArrayBuffer(14));
  size.setUint32(0, header.rows);
  size.setUint32(4, header.columns);
  size.setUint16(8, header.components.length);
  size.setUint8(10, depth);
  size.setUint8(11, WAVELETS);
  const oneEntry = new Uint8Array(Math.ceil(precision / 8));
  const boxes = [
    box('jP  ', SIGNATURE),
    box('ftyp', [...ascii('jp2 '), 0, 0, 0, 0, ...ascii('jp2 ')]),
    box('jp2h', [
      ...box('ihdr', new Uint8Array(size.buffer)),
      ...box('colr', SRGB),
      ...box('pclr', [0, 1, 1, depth, ...oneEntry]),
      ...box('cmap', [component >> 8, component & 0xff, 0, 0]),
    ]),
    box('jp2c', [], bytes.length),
  ];
  const codestreamAt = boxes.reduce((sum, part) => sum + part.length, 0);
  const out = new Uint8Array(codestreamAt + bytes.length);
  let at = 0;
  for (const part of [...boxes, bytes]) {
    out.set(part, at);
    at += part.length;
  }
  return { bytes: out, codestreamAt };
}

/** `following`: bytes of the content that come behind what is given. */
function box(type: string, content: ArrayLike<number>, following = 0): Uint8Array {
  const out = new Uint8Array(8 + content.length);
  new DataView(out.buffer).setUint32(0, out.length + following);
  out.set(ascii(type), 4);
  out.set(content, 8);
  return out;
}

const ascii = (text: string): number[] => [...text].map((character) => character.charCodeAt(0));
