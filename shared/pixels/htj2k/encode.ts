/**
 * Encodes canonical pixels as HTJ2K Lossless RPCL (1.2.840.10008.1.2.4.202; PS3.5 10.18): reversible, RPCL, TLM,
 * a tile-part a resolution, base resolution at most 64 × 64. Works round the faults of codec-openjph's encoder.
 */
import { type ImageDescription, sampleWidth } from '../description.ts';
import { CodecError } from '../errors.ts';
import { parseMainHeader } from './codestream.ts';
import { describeThrown } from './decode.ts';
import { joinComponents } from './join-components.ts';
import type { OpenJphFrameInfo, OpenJphModule } from './openjph.ts';

export const HTJ2K_LOSSLESS_RPCL = '1.2.840.10008.1.2.4.202';
const RPCL = 2;
const BASE_LIMIT = 64;
/** OpenJPH's default precinct: up to this size a resolution is one precinct, which join-components relies on. */
const ONE_PRECINCT = 32_768;

/** The part of a description that the encoder needs. */
export type EncodeRequest = Pick<
  ImageDescription,
  'rows' | 'columns' | 'samplesPerPixel' | 'bitsStored' | 'signed' | 'photometricInterpretation'
>;

/** Whether the encoder takes such pixels: integers of at most 16 bits. */
export function canEncode(description: ImageDescription): boolean {
  return description.pixelKeyword === 'PixelData' && description.bitsStored <= 16;
}

/** Canonical pixels to a codestream of its own memory. Throws CodecError; then the module must be dropped. */
export function encodeHtj2k(module: OpenJphModule, pixels: Uint8Array, request: EncodeRequest): Uint8Array {
  const { rows, columns, samplesPerPixel, bitsStored } = request;
  const wanted = rows * columns * samplesPerPixel * sampleWidth(bitsStored);
  if (pixels.length !== wanted)
    throw new CodecError('FrameCorrupt', `canonical pixels: wanted ${wanted} bytes, got ${pixels.length}`);
  if (bitsStored > 16)
    throw new CodecError('FrameUnsupported', `HTJ2K encoding of ${bitsStored} bits a sample`, { bitsStored });
  if (samplesPerPixel === 1) return encodeImage(module, pixels, request, 1, false);
  if (takesColourTransform(request)) return encodeImage(module, pixels, request, 3, true);
  return encodeSeparately(module, pixels, request);
}

/**
 * RGB of up to 8 bits is decorrelated by the reversible transform; YBR is already, and never converted. Decoding
 * JPEG 2000 undoes YBR_RCT and YBR_ICT.
 */
export function takesColourTransform(request: EncodeRequest): boolean {
  return (
    request.samplesPerPixel === 3 &&
    request.bitsStored <= 8 &&
    /^(RGB|YBR_RCT|YBR_ICT)$/.test(request.photometricInterpretation)
  );
}

/**
 * Halvings until both sides of the base resolution are at most 64. At least one: without any, OpenJPH gives the
 * samples a bit too few, and an image that holds the smallest value comes out wrong.
 */
export function decompositionsFor(rows: number, columns: number): number {
  let level = 1;
  while (Math.ceil(Math.max(rows, columns) / 2 ** level) > BASE_LIMIT) level++;
  return level;
}

/**
 * Each component as a codestream of its own, joined afterwards: the encoder scrambles the lines of several
 * components without the transform, and cannot read more than one 16-bit component at all.
 */
function encodeSeparately(module: OpenJphModule, pixels: Uint8Array, request: EncodeRequest): Uint8Array {
  if (Math.max(request.rows, request.columns) > ONE_PRECINCT)
    throw new CodecError('FrameUnsupported', `several components over ${ONE_PRECINCT} pixels wide or high`);
  const components = Array.from({ length: request.samplesPerPixel }, (_, component) =>
    encodeImage(module, takeComponent(pixels, request, component), request, 1, false),
  );
  return joinComponents(components);
}

export function takeComponent(pixels: Uint8Array, request: EncodeRequest, component: number): Uint8Array {
  const width = sampleWidth(request.bitsStored);
  const step = request.samplesPerPixel * width;
  const out = new Uint8Array(request.rows * request.columns * width);
  for (let byte = 0; byte < width; byte++)
    for (let from = component * width + byte, to = byte; to < out.length; from += step, to += width)
      out[to] = pixels[from]!;
  return out;
}

function encodeImage(
  module: OpenJphModule,
  pixels: Uint8Array,
  request: EncodeRequest,
  componentCount: number,
  isUsingColorTransform: boolean,
): Uint8Array {
  // The encoder reads samples of up to 8 bits as unsigned. Given as offset binary they get the level shift that
  // brings them back (T.800 G.1): the same coefficients as the signed image, whose SIZ only has to say so.
  const isNarrowSigned = request.signed && request.bitsStored <= 8;
  const info: OpenJphFrameInfo = {
    width: request.columns,
    height: request.rows,
    bitsPerSample: request.bitsStored,
    componentCount,
    isSigned: request.signed && !isNarrowSigned,
    isUsingColorTransform,
  };
  const codestream = runEncoder(module, info, pixels, isNarrowSigned ? 2 ** (request.bitsStored - 1) : 0);
  if (isNarrowSigned) markSigned(codestream);
  return codestream;
}

function runEncoder(
  module: OpenJphModule,
  info: OpenJphFrameInfo,
  pixels: Uint8Array,
  offset: number,
): Uint8Array {
  const encoder = new module.HTJ2KEncoder();
  try {
    const input = encoder.getDecodedBuffer(info);
    if (input.length !== pixels.length)
      throw new CodecError('FrameUnsupported', 'the encoder wants another layout');
    if (offset === 0) input.set(pixels);
    else for (let index = 0; index < pixels.length; index++) input[index] = pixels[index]! + offset;
    encoder.setQuality(true, 0);
    encoder.setProgressionOrder(RPCL);
    encoder.setDecompositions(decompositionsFor(info.height, info.width));
    encoder.setTilePartDivisionsAtResolutions(true);
    encoder.setTLMMarker(true);
    encoder.encode();
    return encoder.getEncodedBuffer().slice();
  } catch (cause) {
    if (cause instanceof CodecError) throw cause;
    throw new CodecError('CodecCrashed', 'the encoder gave up', {}, { cause: describeThrown(cause) });
  } finally {
    encoder.delete();
  }
}

export function markSigned(codestream: Uint8Array): void {
  const { componentsAt, components } = parseMainHeader(codestream);
  for (let index = 0; index < components.length; index++) {
    const at = componentsAt + 3 * index;
    codestream[at] = codestream[at]! | 0x80;
  }
}
