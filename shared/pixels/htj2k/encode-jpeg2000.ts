/**
 * Encodes canonical pixels as JPEG 2000 Lossless (1.2.840.10008.1.2.4.90), by OpenJPEG: a reversible codestream without
 * a box, for the data stores of format JPEG_2000_LOSSLESS. Works round what the encoder of codec-openjpeg gets wrong.
 */
import type { ImageDescription } from '../description.ts';
import { CodecError } from '../errors.ts';
import { describeThrown } from './decode.ts';
import { markSigned, takeComponent, takesColourTransform } from './encode.ts';
import { joinComponents } from './join-components.ts';

export const JPEG_2000_LOSSLESS = '1.2.840.10008.1.2.4.90';
const DEFAULT_DECOMPOSITIONS = 5;
/** All packets of a component before the next one's: what join-components relies on. */
const CPRL = 4;
/** OpenJPEG's default precinct: up to this size a resolution is one precinct. */
const ONE_PRECINCT = 32_768;

interface FrameInfo {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
  readonly isSigned: boolean;
  readonly isUsingColorTransform: boolean;
}

export interface Jpeg2000EncoderModule {
  readonly HEAPU8: Uint8Array;
  readonly J2KEncoder: new () => {
    getDecodedBuffer(info: FrameInfo): Uint8Array;
    getEncodedBuffer(): Uint8Array;
    setQuality(lossless: boolean, quantisation: number): void;
    setDecompositions(count: number): void;
    setProgressionOrder(order: number): void;
    encode(): void;
    delete(): void;
  };
}

type EncodeRequest = Pick<
  ImageDescription,
  'rows' | 'columns' | 'samplesPerPixel' | 'bitsStored' | 'signed' | 'photometricInterpretation'
>;

/** Canonical pixels to a codestream of its own memory. Throws CodecError; then the module must be dropped. */
export function encodeJpeg2000(
  module: Jpeg2000EncoderModule,
  pixels: Uint8Array,
  request: EncodeRequest,
): Uint8Array {
  const { rows, columns, samplesPerPixel, bitsStored } = request;
  if (bitsStored > 16)
    throw new CodecError('FrameUnsupported', `JPEG 2000 of ${bitsStored} bits a sample`, { bitsStored });
  if (samplesPerPixel === 1 || takesColourTransform(request))
    return encodeImage(module, pixels, request, samplesPerPixel);
  if (Math.max(rows, columns) > ONE_PRECINCT)
    throw new CodecError('FrameUnsupported', `several components over ${ONE_PRECINCT} pixels wide or high`);
  // The encoder dies of more than 8 bits in three components, and of two or four.
  return joinComponents(
    Array.from({ length: samplesPerPixel }, (_, component) =>
      encodeImage(module, takeComponent(pixels, request, component), request, 1),
    ),
  );
}

function encodeImage(
  module: Jpeg2000EncoderModule,
  pixels: Uint8Array,
  request: EncodeRequest,
  componentCount: number,
): Uint8Array {
  const { rows, columns, bitsStored, signed } = request;
  // Up to 8 bits the encoder reads samples as unsigned: offset binary, as in encode.ts, gives the same coefficients.
  const isNarrowSigned = signed && bitsStored <= 8;
  const info: FrameInfo = {
    width: columns,
    height: rows,
    bitsPerSample: bitsStored,
    componentCount,
    isSigned: signed && !isNarrowSigned,
    // The encoder takes the reversible transform for three components, whatever it is told.
    isUsingColorTransform: componentCount === 3,
  };
  const codestream = runEncoder(module, info, pixels, isNarrowSigned ? 2 ** (bitsStored - 1) : 0);
  if (isNarrowSigned) markSigned(codestream);
  return codestream;
}

function runEncoder(
  module: Jpeg2000EncoderModule,
  info: FrameInfo,
  pixels: Uint8Array,
  offset: number,
): Uint8Array {
  const encoder = new module.J2KEncoder();
  try {
    const input = encoder.getDecodedBuffer(info);
    if (input.length !== pixels.length)
      throw new CodecError('FrameCorrupt', `canonical pixels: wanted ${input.length}, got ${pixels.length}`);
    if (offset === 0) input.set(pixels);
    else for (let i = 0; i < pixels.length; i++) input[i] = pixels[i]! + offset;
    encoder.setQuality(true, 0);
    encoder.setDecompositions(decompositionsFor(info.height, info.width));
    encoder.setProgressionOrder(CPRL);
    encoder.encode();
    return encoder.getEncodedBuffer().slice();
  } catch (cause) {
    if (cause instanceof CodecError) throw cause;
    throw new CodecError('CodecCrashed', 'the encoder gave up', {}, { cause: describeThrown(cause) });
  } finally {
    encoder.delete();
  }
}

/** OpenJPEG refuses more halvings than the shorter side has. */
function decompositionsFor(rows: number, columns: number): number {
  return Math.min(DEFAULT_DECOMPOSITIONS, Math.floor(Math.log2(Math.min(rows, columns))));
}
