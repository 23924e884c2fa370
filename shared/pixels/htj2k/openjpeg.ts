/**
 * JPEG 2000 part 1 (.90 .91 and what of .92 .93 is part 1) by OpenJPEG, and the HTJ2K codestreams that OpenJPH's
 * wrapper gets wrong. The wrapper reports failures only by what it prints, and of several components beyond 8-bit
 * colour it hands out the first only: those are decoded one by one.
 */
import { sampleWidth } from '../description.ts';
import { CodecError } from '../errors.ts';
import { interleavePlanes } from '../interleave.ts';
import type { SampleBlock } from '../samples.ts';
import { type Codestream, type CodestreamHeader, sizeAtLevel } from './codestream.ts';
import { clampSamples, describeThrown, isNarrowSigned, markUnsigned } from './decode.ts';
import { singleComponent, type WrappedCodestream } from './single-component.ts';

export interface OpenJpegModule {
  readonly HEAPU8: Uint8Array;
  readonly J2KDecoder: new () => {
    getEncodedBuffer(bytes: number): Uint8Array;
    getDecodedBuffer(): Uint8ClampedArray;
    decode(): void;
    decodeSubResolution(level: number, layers: number): void;
    getFrameInfo(): { width: number; height: number; bitsPerSample: number; componentCount: number };
    delete(): void;
  };
  /** Lines that OpenJPEG printed since the last call. */
  takeMessages(): string[];
}

/** Components of one size, sign and precision of up to 16 bits; an offset on the reference grid at full resolution only. */
export function suitsOpenJpeg(header: CodestreamHeader, level: number): boolean {
  const [first] = header.components;
  return (
    first !== undefined &&
    header.components.length <= 4 &&
    (level === 0 || (header.offsetX === 0 && header.offsetY === 0)) &&
    header.components.every(
      (c) =>
        c.dx === 1 &&
        c.dy === 1 &&
        c.precision === first.precision &&
        c.signed === first.signed &&
        c.precision <= 16,
    )
  );
}

/** What the wrapper hands out as it should: one component, or three of up to 8 bits. Of others it gives the first only. */
function isWhole({ components }: CodestreamHeader): boolean {
  return components.length === 1 || (components.length === 3 && components[0]!.precision <= 8);
}

/** OpenJPEG decodes what it can of a damaged stream and says so. */
const DAMAGE =
  /\[ERROR\]|tile-part.*(corrupt|truncat|unexpected)|stream too short|missing|invalid|premature|expected/i;

export function decodeOpenJpeg(module: OpenJpegModule, codestream: Codestream, level: number): SampleBlock {
  const { bytes, header } = codestream;
  if (isWhole(header))
    return toSamples(run(module, { bytes, codestreamAt: 0 }, header, level), header, level);
  const planes = header.components.map((_, component) =>
    run(module, singleComponent(codestream, component), header, level),
  );
  return toSamples(interleavePlanes(planes, sampleWidth(header.components[0]!.precision)), header, level);
}

/** The decoded bytes, in memory of their own. */
function run(
  module: OpenJpegModule,
  { bytes, codestreamAt }: WrappedCodestream,
  header: CodestreamHeader,
  level: number,
): Uint8Array {
  const decoder = new module.J2KDecoder();
  module.takeMessages();
  try {
    const input = decoder.getEncodedBuffer(bytes.length);
    input.set(bytes);
    if (isNarrowSigned(header)) markUnsigned(input.subarray(codestreamAt), header);
    if (level === 0) decoder.decode();
    else decoder.decodeSubResolution(level, 0);
    const damage = module.takeMessages().find((message) => DAMAGE.test(message));
    if (damage) throw new CodecError('FrameCorrupt', `JPEG 2000: ${damage.trim().slice(0, 200)}`);
    const decoded = decoder.getDecodedBuffer();
    return new Uint8Array(decoded.buffer, decoded.byteOffset, decoded.byteLength).slice();
  } catch (cause) {
    if (cause instanceof CodecError) throw cause;
    throw new CodecError('FrameCorrupt', `JPEG 2000: the decoder gave up (${describeThrown(cause)})`);
  } finally {
    decoder.delete();
  }
}

function toSamples(pixels: Uint8Array, header: CodestreamHeader, level: number): SampleBlock {
  const { rows, columns } = sizeAtLevel(header, level);
  const samplesPerPixel = header.components.length;
  const { precision, signed } = header.components[0]!;
  const wanted = rows * columns * samplesPerPixel * sampleWidth(precision);
  if (pixels.length !== wanted)
    throw new CodecError('FrameCorrupt', `JPEG 2000: wanted ${wanted} decoded bytes, got ${pixels.length}`);
  return {
    pixels: clampSamples(pixels, header),
    rows,
    columns,
    samplesPerPixel,
    precision,
    signed,
    owned: true,
  };
}
