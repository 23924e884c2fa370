/** JPEG processes 1, 2 & 4, 6 & 8 and lossless 14 (.50 .51 .53 .55 .57 .70), colours left as they are in the file. */

import { CodecError } from '../errors.ts';
import { describeThrown } from '../htj2k/decode.ts';
import type { SampleBlock } from '../samples.ts';
import type { JpegHeader } from './header.ts';
import type { NativeCodecs } from './native-codecs.ts';

/** libjpeg goes on after damage and makes pixels up; these messages say that it did. Extraneous bytes do no harm. */
const DAMAGE = /premature end|bad huffman|bad arithmetic|found marker|corrupt jpeg data(?!: \d+ extraneous)/i;

/** Decodes a frame whose header was checked. Throws CodecError; then the module must be dropped. */
export function decodeJpeg(module: NativeCodecs, encoded: Uint8Array, header: JpegHeader): SampleBlock {
  const { exports } = module;
  const context = exports.CreateCodecsContext();
  const parameters = exports.CreateDecoderParameters();
  exports.SetConvertColorspaceToRgb(parameters, 0);
  exports.SetColumns(context, header.columns);
  exports.SetRows(context, header.rows);
  exports.SetSamplesPerPixel(context, header.components);
  // The decoder lays rows out by BitsAllocated, but fills them by the stream's precision.
  exports.SetBitsAllocated(context, header.precision <= 8 ? 8 : 16);
  exports.SetBitsStored(context, header.precision);
  exports.SetPixelRepresentation(context, 0);
  exports.SetPlanarConfiguration(context, 0);
  exports.SetPhotometricInterpretation(context, header.components === 1 ? 1 : 3);
  exports.SetEncodedBufferSize(context, encoded.length);
  module.HEAPU8.set(encoded, exports.GetEncodedBuffer(context));
  module.takeMessages();
  try {
    exports.DecodeJpeg(context, parameters);
  } catch (cause) {
    throw new CodecError('FrameCorrupt', `JPEG: ${describeThrown(cause)}`);
  }
  const damage = module.takeMessages().find((message) => DAMAGE.test(message));
  if (damage) throw new CodecError('FrameCorrupt', `JPEG: ${damage}`);
  const { rows, columns, components, precision } = header;
  const wanted = rows * columns * components * (precision <= 8 ? 1 : 2);
  const got = exports.GetDecodedBufferSize(context);
  if (got !== wanted)
    throw new CodecError('FrameCorrupt', `JPEG: wanted ${wanted} decoded bytes, got ${got}`);
  const start = exports.GetDecodedBuffer(context);
  const pixels = module.HEAPU8.slice(start, start + got);
  exports.ReleaseDecoderParameters(parameters);
  exports.ReleaseCodecsContext(context);
  return { pixels, rows, columns, samplesPerPixel: components, precision, signed: false, owned: true };
}
