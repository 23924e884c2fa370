/** Finds the raw codestream inside JP2/JPH boxes (T.800 Annex I); a bare codestream is returned as it is. */
import { CodecError } from '../errors.ts';

const CODESTREAM_BOX = 0x6a703263; // 'jp2c'

/** A view of the same bytes, starting at SOC. Throws FrameCorrupt when there is none. */
export function unwrapBoxes(bytes: Uint8Array): Uint8Array {
  if (bytes.length >= 2 && bytes[0] === 0xff && bytes[1] === 0x4f) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + 8 <= bytes.length) {
    const { start, end, type } = readBox(view, at);
    if (type === CODESTREAM_BOX) return bytes.subarray(start, end);
    at = end;
  }
  throw new CodecError('FrameCorrupt', 'codestream: neither a SOC marker nor a jp2c box');
}

function readBox(view: DataView, at: number): { start: number; end: number; type: number } {
  const type = view.getUint32(at + 4);
  let length = view.getUint32(at);
  let start = at + 8;
  if (length === 1) {
    if (at + 16 > view.byteLength) throw outside(at);
    length = Number(view.getBigUint64(at + 8));
    start = at + 16;
  }
  // A length of 0 means "to the end"; a codestream box that claims more than there is is cut to what is there.
  let end = length === 0 ? view.byteLength : at + length;
  if (type === CODESTREAM_BOX) end = Math.min(end, view.byteLength);
  if (end < start || end > view.byteLength) throw outside(at);
  return { start, end, type };
}

function outside(at: number): CodecError {
  return new CodecError('FrameCorrupt', `codestream: the JP2 box at ${at} leaves the frame`, { at });
}
