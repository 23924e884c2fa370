/** JPEG-LS, lossless and near-lossless (.80 .81), by CharLS. */

import { CodecError } from '../errors.ts';
import { describeThrown } from '../htj2k/decode.ts';
import { interleavePlanes, splitPlanes } from '../interleave.ts';
import type { SampleBlock } from '../samples.ts';
import type { JpegHeader } from './header.ts';

export interface CharLsModule {
  readonly HEAPU8: Uint8Array;
  readonly JpegLSDecoder: new () => {
    getEncodedBuffer(bytes: number): Uint8Array;
    getDecodedBuffer(): Uint8ClampedArray;
    decode(): void;
    getFrameInfo(): { width: number; height: number; bitsPerSample: number; componentCount: number };
    /** 0: planes; 1: lines; 2: pixels. CharLS delivers lines as pixels. */
    getInterleaveMode(): number;
    delete(): void;
  };
}

/** Decodes a frame whose header was checked. Throws CodecError; then the module must be dropped. */
export function decodeJpegLs(module: CharLsModule, encoded: Uint8Array, header: JpegHeader): SampleBlock {
  if (!endsWithEoi(encoded)) throw new CodecError('FrameCorrupt', 'JPEG-LS: no EOI marker at the end');
  const decoder = new module.JpegLSDecoder();
  try {
    decoder.getEncodedBuffer(encoded.length).set(encoded);
    decoder.decode();
    const info = decoder.getFrameInfo();
    const { rows, columns, components, precision } = header;
    if (
      info.width !== columns ||
      info.height !== rows ||
      info.componentCount !== components ||
      info.bitsPerSample !== precision
    )
      throw new CodecError('FrameCorrupt', 'JPEG-LS: the decoder read another header than we did');
    const decoded = decoder.getDecodedBuffer();
    const bytes = new Uint8Array(decoded.buffer, decoded.byteOffset, decoded.byteLength);
    const width = precision <= 8 ? 1 : 2;
    if (bytes.length !== rows * columns * components * width)
      throw new CodecError('FrameCorrupt', `JPEG-LS: got ${bytes.length} decoded bytes`);
    const pixels =
      decoder.getInterleaveMode() === 0 && components > 1
        ? interleavePlanes(splitPlanes(bytes, components), width)
        : bytes;
    return { pixels, rows, columns, samplesPerPixel: components, precision, signed: false, owned: true };
  } catch (cause) {
    if (cause instanceof CodecError) throw cause;
    throw new CodecError('FrameCorrupt', `JPEG-LS: the decoder gave up (${describeThrown(cause)})`);
  } finally {
    decoder.delete();
  }
}

/** CharLS does not come back from a stream that is cut within its scan. Padding after EOI does no harm. */
function endsWithEoi(encoded: Uint8Array): boolean {
  let end = encoded.length;
  while (end > 2 && encoded[end - 1] === 0) end--;
  return encoded[end - 2] === 0xff && encoded[end - 1] === 0xd9;
}
