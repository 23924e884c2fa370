/**
 * JPEG 2000 part 1 (.90 .91 and what of .92 .93 is part 1) by OpenJPEG, and the HTJ2K codestreams that OpenJPH's
 * wrapper gets wrong. The wrapper reports failures only by what it prints and leaves several layouts undone: they
 * are refused here.
 */
import { CodecError } from '../errors.ts';
import type { SampleBlock } from '../samples.ts';
import { type Codestream, type CodestreamHeader, sizeAtLevel } from './codestream.ts';
import { clampSamples, describeThrown, isNarrowSigned, markUnsigned } from './decode.ts';

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

/** What the wrapper converts rightly: one component up to 16 bits, or three up to 8 bits, none sub-sampled. */
export function suitsOpenJpeg(header: CodestreamHeader): boolean {
  const [first] = header.components;
  const count = header.components.length;
  return (
    first !== undefined &&
    header.offsetX === 0 &&
    header.offsetY === 0 &&
    (count === 1 || (count === 3 && first.precision <= 8)) &&
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

/** OpenJPEG decodes what it can of a damaged stream and says so. */
const DAMAGE =
  /\[ERROR\]|tile-part.*(corrupt|truncat|unexpected)|stream too short|missing|invalid|premature|expected/i;

export function decodeOpenJpeg(module: OpenJpegModule, codestream: Codestream, level: number): SampleBlock {
  const { bytes, header } = codestream;
  const decoder = new module.J2KDecoder();
  module.takeMessages();
  try {
    const input = decoder.getEncodedBuffer(bytes.length);
    input.set(bytes);
    if (isNarrowSigned(header)) markUnsigned(input, header);
    if (level === 0) decoder.decode();
    else decoder.decodeSubResolution(level, 0);
    const damage = module.takeMessages().find((message) => DAMAGE.test(message));
    if (damage) throw new CodecError('FrameCorrupt', `JPEG 2000: ${damage.trim().slice(0, 200)}`);
    const decoded = decoder.getDecodedBuffer();
    const pixels = new Uint8Array(decoded.buffer, decoded.byteOffset, decoded.byteLength);
    return checkedSamples(pixels, header, level);
  } catch (cause) {
    if (cause instanceof CodecError) throw cause;
    throw new CodecError('FrameCorrupt', `JPEG 2000: the decoder gave up (${describeThrown(cause)})`);
  } finally {
    decoder.delete();
  }
}

function checkedSamples(pixels: Uint8Array, header: CodestreamHeader, level: number): SampleBlock {
  const { rows, columns } = sizeAtLevel(header, level);
  const samplesPerPixel = header.components.length;
  const { precision, signed } = header.components[0]!;
  const wanted = rows * columns * samplesPerPixel * (precision <= 8 ? 1 : 2);
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
