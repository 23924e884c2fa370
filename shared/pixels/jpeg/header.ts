/** Frame header of a JPEG (ITU-T T.81 B.2.2) or JPEG-LS (T.87 C.2.2) stream, bounds-checked, before a codec sees it. */
import { CodecError } from '../errors.ts';

export interface JpegHeader {
  /** Low byte of the SOF marker: 0xc0 baseline, 0xc1 extended, 0xc2 progressive, 0xc3 lossless, 0xf7 JPEG-LS. */
  readonly process: number;
  readonly precision: number;
  readonly rows: number;
  readonly columns: number;
  readonly components: number;
}

const SOI = 0xffd8;
/** Start-of-frame markers; C4, C8 and CC are other things. */
const SOF = new Set([0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf, 0xf7]);
const SOS = 0xda;
const EOI = 0xd9;

/** Throws FrameCorrupt when no frame header comes before the first scan. */
export function parseJpegHeader(bytes: Uint8Array): JpegHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0) !== SOI) throw corrupt('no SOI marker at the start');
  let at = 2;
  for (;;) {
    while (at + 1 < bytes.length && bytes[at] === 0xff && bytes[at + 1] === 0xff) at++; // T.81 B.1.1.2: fill bytes
    if (at + 4 > bytes.length || bytes[at] !== 0xff) throw corrupt('the headers are cut short');
    const marker = bytes[at + 1]!;
    if (marker === SOS || marker === EOI) throw corrupt('no frame header before the scan');
    const length = view.getUint16(at + 2);
    if (length < 2 || at + 2 + length > bytes.length) throw corrupt('a marker segment leaves the frame');
    if (SOF.has(marker)) return frameHeader(view, at + 4, length - 2, marker);
    at += 2 + length;
  }
}

function frameHeader(view: DataView, at: number, length: number, process: number): JpegHeader {
  if (length < 6) throw corrupt('the frame header is too short');
  const header = {
    process,
    precision: view.getUint8(at),
    rows: view.getUint16(at + 1),
    columns: view.getUint16(at + 3),
    components: view.getUint8(at + 5),
  };
  if (length < 6 + 3 * header.components || header.components === 0)
    throw corrupt('the frame header is cut short');
  if (header.precision < 2 || header.precision > 16) throw corrupt(`a precision of ${header.precision} bits`);
  return header;
}

function corrupt(message: string): CodecError {
  return new CodecError('FrameCorrupt', `JPEG: ${message}`);
}
