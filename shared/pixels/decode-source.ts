/** From one source frame, in whatever syntax, to canonical pixels. The syntax's decoder is looked up, never guessed. */
import { asSamples, canonicalise, checkDescription } from './canonical.ts';
import { type ImageDescription, sampleWidth } from './description.ts';
import { CodecError } from './errors.ts';
import { type Codestream, openCodestream } from './htj2k/codestream.ts';
import { checkCodestream, decodeHtj2k, suitsOpenJph } from './htj2k/decode.ts';
import { decodeOpenJpeg, suitsOpenJpeg } from './htj2k/openjpeg.ts';
import { decodeJpeg } from './jpeg/decode.ts';
import { decodeJpegLs } from './jpeg/decode-ls.ts';
import { parseJpegHeader } from './jpeg/header.ts';
import type { CodecModules } from './modules.ts';
import { decodeRle } from './rle.ts';
import type { SampleBlock } from './samples.ts';
import { PIXEL_SYNTAXES } from './syntaxes.ts';

/** A frame as it lies in its file. */
export interface SourceFrame {
  readonly encoded: Uint8Array;
  readonly transferSyntaxUID: string;
  readonly description: ImageDescription;
}

export interface DecodedSource {
  readonly pixels: Uint8Array;
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  readonly bitsStored: number;
  readonly signed: boolean;
  /** Bits outside of BitsStored were set. */
  readonly unusedBits: boolean;
  /** Every right decoder gives these very pixels. */
  readonly exact: boolean;
}

/** Throws CodecError. `level`: halvings below full resolution, for wavelet codestreams. */
export async function decodeSource(
  modules: CodecModules,
  source: SourceFrame,
  level = 0,
): Promise<DecodedSource> {
  const { encoded, transferSyntaxUID, description } = source;
  checkDescription(description);
  const syntax = PIXEL_SYNTAXES[transferSyntaxUID];
  if (!syntax)
    throw new CodecError('FrameUnsupported', `no decoder for transfer syntax ${transferSyntaxUID}`, {
      transferSyntaxUID,
    });
  if (syntax.decoder === 'codestream') {
    const codestream = openCodestream(encoded);
    const { rows, columns, components, reversible } = codestream.header;
    requireShape({ rows, columns, components: components.length }, description);
    const decoded = await decodeCodestream(modules, codestream, level, (block) =>
      describedSamples(block, description),
    );
    return { ...decoded, exact: syntax.exact === 'frame' ? reversible : syntax.exact };
  }
  if (level !== 0)
    throw new CodecError('FrameUnsupported', 'only wavelet codestreams have resolution levels');
  const exact = syntax.exact === true;
  if (syntax.decoder === 'native') return { ...nativeFrame(encoded, description), exact };
  if (syntax.decoder === 'rle') {
    const native = decodeRle(encoded, description);
    return { ...nativeFrame(native, { ...description, planarConfiguration: 0 }), exact };
  }
  const header = parseJpegHeader(encoded);
  requireShape(header, description);
  const block =
    syntax.decoder === 'jpegLs'
      ? await modules.use('charLs', (module) => decodeJpegLs(module, encoded, header))
      : await modules.use('jpeg', (module) => decodeJpeg(module, encoded, header));
  return { ...describedSamples(block, description), exact };
}

/** Checks the codestream, picks the codec that decodes it rightly, and hands its samples to `use`. */
export async function decodeCodestream<T>(
  modules: CodecModules,
  codestream: Codestream,
  level: number,
  use: (block: SampleBlock) => T,
): Promise<T> {
  checkCodestream(codestream, level);
  const { header } = codestream;
  if (suitsOpenJph(header))
    return modules.use('openJph', (module) => decodeHtj2k(module, codestream, level, use));
  if (suitsOpenJpeg(header, level))
    return use(await modules.use('openJpeg', (module) => decodeOpenJpeg(module, codestream, level)));
  const [first] = header.components;
  throw new CodecError('FrameUnsupported', 'no codec of ours decodes such a codestream rightly', {
    components: header.components.length,
    precision: first?.precision ?? 0,
    highThroughput: header.highThroughput,
  });
}

function requireShape(
  shape: { rows: number; columns: number; components: number },
  { rows, columns, samplesPerPixel }: ImageDescription,
): void {
  if (shape.rows === rows && shape.columns === columns && shape.components === samplesPerPixel) return;
  throw new CodecError(
    'HeaderMismatch',
    `the frame holds ${shape.columns} × ${shape.rows} × ${shape.components}, the data set says ` +
      `${columns} × ${rows} × ${samplesPerPixel}`,
    { rows: shape.rows, columns: shape.columns, components: shape.components },
  );
}

function nativeFrame(native: Uint8Array, description: ImageDescription): Omit<DecodedSource, 'exact'> {
  const { rows, columns, samplesPerPixel, bitsStored, signed } = description;
  return { rows, columns, samplesPerPixel, bitsStored, signed, ...canonicalise(native, description) };
}

/** Samples of the stream's precision and sign, read as the data set says that they are to be read. */
function describedSamples(block: SampleBlock, description: ImageDescription): Omit<DecodedSource, 'exact'> {
  const { rows, columns, samplesPerPixel, precision } = block;
  const { bitsStored, signed } = description;
  const shape = { rows, columns, samplesPerPixel, bitsStored, signed };
  if (precision === bitsStored && block.signed === signed)
    return { ...shape, pixels: block.owned ? block.pixels : block.pixels.slice(), unusedBits: false };
  // The stream's values as the words that a native file would hold: then they are normalised as such.
  const bitsAllocated = sampleWidth(Math.max(bitsStored, precision)) * 8;
  const values = asSamples(block.pixels, sampleWidth(precision), block.signed);
  const Words = bitsAllocated === 8 ? Uint8Array : bitsAllocated === 16 ? Uint16Array : Uint32Array;
  const words = Words.from(values);
  const native = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  const asNative: ImageDescription = {
    ...description,
    rows,
    columns,
    bitsAllocated,
    highBit: bitsStored - 1,
    planarConfiguration: 0,
    photometricInterpretation: 'RGB',
  };
  return { ...shape, ...canonicalise(native, asNative) };
}
