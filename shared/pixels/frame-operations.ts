/**
 * All that is done to one frame, in one go: decode, canonicalise, checksum, encode, decode back, compare. Runs in
 * the codec workers and, for `isocenter/verify`, anywhere; the CRC-32 and the codecs are handed in.
 */
import { asSamples, canonicalise, checkDescription, minMax, rawWords } from './canonical.ts';
import { compareSamples, type SourceProof } from './compare.ts';
import { bytesPerSample, type ImageDescription, sampleWidth } from './description.ts';
import { equalBytes } from './equal-bytes.ts';
import { CodecError } from './errors.ts';
import { type Codestream, openCodestream, sizeAtLevel } from './htj2k/codestream.ts';
import { checkCodestream, type DecodedSamples, decodeHtj2k, suitsOpenJph } from './htj2k/decode.ts';
import { encodeHtj2k, HTJ2K_LOSSLESS_RPCL } from './htj2k/encode.ts';
import { checksumLevels } from './htj2k/levels.ts';
import type { CodecModules } from './modules.ts';
import { decodeRle } from './rle.ts';
import { PIXEL_SYNTAXES } from './syntaxes.ts';

export interface DecodedFrame {
  /** Canonical pixels: little-endian, interleaved, 1, 2 or 4 bytes a sample. */
  readonly pixels: Uint8Array;
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  readonly bitsStored: number;
  readonly signed: boolean;
  readonly crc32: number;
  /** Bits outside of BitsStored were set in the source. */
  readonly unusedBits: boolean;
}

export interface FrameChecksum {
  readonly Width: number;
  readonly Height: number;
  readonly Checksum: number;
}

export interface EncodedFrame {
  readonly codestream: Uint8Array;
  /** Base to full resolution; the last is the full one, and the only one unless levels were asked for. */
  readonly checksums: readonly FrameChecksum[];
  readonly minPixelValue: number;
  readonly maxPixelValue: number;
  readonly transferSyntaxUID: string;
}

export interface TranscodedFrame extends EncodedFrame {
  /** CRC-32 of the canonical pixels of the source. */
  readonly crc32: number;
  readonly unusedBits: boolean;
}

export interface FrameProof {
  /** CRC-32 of the decoded, canonical pixels of the codestream. */
  readonly crc32: number;
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  readonly bitsStored: number;
  readonly signed: boolean;
  /** Present when a source frame was given. */
  readonly source?: SourceProof['source'];
  readonly maxDifference?: number;
}

export interface SourceFrame {
  readonly encoded: Uint8Array;
  readonly transferSyntaxUID: string;
  readonly description: ImageDescription;
}

export interface FrameTools {
  readonly modules: CodecModules;
  /** The zlib CRC-32, unsigned. */
  readonly crc32: (bytes: Uint8Array) => number;
}

type Decoded = Omit<DecodedFrame, 'crc32'>;

/** A source frame to canonical pixels. Throws CodecError. */
export async function decodeFrame(
  tools: FrameTools,
  source: SourceFrame,
  options: { readonly level?: number } = {},
): Promise<DecodedFrame> {
  const decoded = await decodeSource(tools, source, options.level ?? 0);
  return { ...decoded, crc32: tools.crc32(decoded.pixels) };
}

/** Canonical pixels to a stored codestream that was decoded again and found equal. Throws CodecError. */
export async function encodeFrame(
  tools: FrameTools,
  canonical: Uint8Array,
  description: ImageDescription,
  options: { readonly levels?: boolean } = {},
): Promise<EncodedFrame> {
  checkDescription(description);
  const codestream = await guarded(tools, (module) => encodeHtj2k(module, canonical, description));
  const opened = openCodestream(codestream);
  const crc32 = tools.crc32(canonical);
  await withDecoded(tools, opened, 0, (samples) => requireSame(samples, canonical, description));
  const full = { Width: description.columns, Height: description.rows, Checksum: crc32 };
  const lower = options.levels ? await lowerChecksums(tools, opened) : [];
  return {
    codestream,
    checksums: [...lower, full],
    ...minMax(canonical, bytesPerSample(description), description.signed),
    transferSyntaxUID: HTJ2K_LOSSLESS_RPCL,
  };
}

/** Source frame as in the file to stored frame. Throws CodecError. */
export async function transcodeFrame(
  tools: FrameTools,
  source: SourceFrame,
  options: { readonly levels?: boolean } = {},
): Promise<TranscodedFrame> {
  const decoded = await decodeSource(tools, source, 0);
  const encoded = await encodeFrame(tools, decoded.pixels, source.description, options);
  return { ...encoded, crc32: encoded.checksums.at(-1)!.Checksum, unusedBits: decoded.unusedBits };
}

/** A stored codestream to the checksum and header facts, and how it compares with its source. Throws CodecError. */
export async function verifyFrame(
  tools: FrameTools,
  codestream: Uint8Array,
  options: { readonly source?: SourceFrame; readonly level?: number } = {},
): Promise<FrameProof> {
  const opened = openCodestream(codestream);
  const source = options.source ? await decodeSource(tools, options.source, 0) : undefined;
  return withDecoded(tools, opened, options.level ?? 0, (samples) => {
    const { pixels, rows, columns, samplesPerPixel, precision, signed } = samples;
    const facts = {
      rows,
      columns,
      samplesPerPixel,
      bitsStored: precision,
      signed,
      crc32: tools.crc32(pixels),
    };
    return source && options.source ? { ...facts, ...proveSource(samples, source, options.source) } : facts;
  });
}

function proveSource(stored: DecodedSamples, decoded: Decoded, source: SourceFrame): SourceProof {
  const syntax = PIXEL_SYNTAXES[source.transferSyntaxUID];
  const raw = decoded.unusedBits && syntax?.decoder !== 'codestream' ? () => rawOf(source) : undefined;
  return compareSamples(stored, decoded, { exact: syntax?.exact ?? false, ...(raw && { raw }) });
}

function rawOf(source: SourceFrame): Uint8Array {
  const native =
    PIXEL_SYNTAXES[source.transferSyntaxUID]?.decoder === 'rle'
      ? decodeRle(source.encoded, source.description)
      : source.encoded;
  return rawWords(native, interleaved(source));
}

async function decodeSource(tools: FrameTools, source: SourceFrame, level: number): Promise<Decoded> {
  const { encoded, transferSyntaxUID, description } = source;
  checkDescription(description);
  const syntax = PIXEL_SYNTAXES[transferSyntaxUID];
  if (!syntax)
    throw new CodecError('FrameUnsupported', `no decoder for transfer syntax ${transferSyntaxUID}`, {
      transferSyntaxUID,
    });
  if (syntax.decoder === 'codestream') return decodeCodestreamSource(tools, encoded, description, level);
  if (level !== 0)
    throw new CodecError('FrameUnsupported', 'only wavelet codestreams have resolution levels');
  const native = syntax.decoder === 'rle' ? decodeRle(encoded, description) : encoded;
  const { pixels, unusedBits } = canonicalise(native, interleaved(source));
  const { rows, columns, samplesPerPixel, bitsStored, signed } = description;
  return { pixels, rows, columns, samplesPerPixel, bitsStored, signed, unusedBits };
}

/** The RLE decoder interleaves while it decodes. */
function interleaved({ transferSyntaxUID, description }: SourceFrame): ImageDescription {
  const isRle = PIXEL_SYNTAXES[transferSyntaxUID]?.decoder === 'rle';
  return isRle ? { ...description, planarConfiguration: 0 } : description;
}

async function decodeCodestreamSource(
  tools: FrameTools,
  encoded: Uint8Array,
  description: ImageDescription,
  level: number,
): Promise<Decoded> {
  const opened = openCodestream(encoded);
  const { rows, columns, components } = opened.header;
  const { samplesPerPixel } = description;
  if (rows !== description.rows || columns !== description.columns || components.length !== samplesPerPixel)
    throw new CodecError(
      'HeaderMismatch',
      `the codestream holds ${columns} × ${rows} × ${components.length}, the data set says ` +
        `${description.columns} × ${description.rows} × ${samplesPerPixel}`,
      { rows, columns, components: components.length },
    );
  return withDecoded(tools, opened, level, (samples) => describedSamples(samples, description));
}

/** Samples of the codestream's precision and sign, as the data set says that they are to be read. */
function describedSamples(samples: DecodedSamples, description: ImageDescription): Decoded {
  const { rows, columns, samplesPerPixel, precision, signed } = samples;
  const target = { bitsStored: description.bitsStored, signed: description.signed };
  const shape = { rows, columns, samplesPerPixel, ...target };
  if (precision === target.bitsStored && signed === target.signed)
    return { ...shape, pixels: samples.owned ? samples.pixels : samples.pixels.slice(), unusedBits: false };
  const allocated = sampleWidth(Math.max(target.bitsStored, precision)) * 8;
  const values = asSamples(samples.pixels, sampleWidth(precision), signed);
  const Words = allocated === 8 ? Uint8Array : allocated === 16 ? Uint16Array : Uint32Array;
  const native = Words.from(values);
  const { pixels, unusedBits } = canonicalise(new Uint8Array(native.buffer), {
    ...description,
    rows,
    columns,
    planarConfiguration: 0,
    photometricInterpretation: 'RGB',
    bitsAllocated: allocated,
    highBit: target.bitsStored - 1,
  });
  return { ...shape, pixels, unusedBits };
}

async function lowerChecksums(tools: FrameTools, codestream: Codestream): Promise<FrameChecksum[]> {
  const checksums: FrameChecksum[] = [];
  for (let level = checksumLevels(codestream.header); level > 0; level--) {
    const { columns, rows } = sizeAtLevel(codestream.header, level);
    const Checksum = await withDecoded(tools, codestream, level, ({ pixels }) => tools.crc32(pixels));
    checksums.push({ Width: columns, Height: rows, Checksum });
  }
  return checksums;
}

async function withDecoded<T>(
  tools: FrameTools,
  codestream: Codestream,
  level: number,
  use: (samples: DecodedSamples) => T,
): Promise<T> {
  checkCodestream(codestream);
  if (!suitsOpenJph(codestream.header))
    throw new CodecError('FrameUnsupported', 'a codestream that our HTJ2K decoder does not decode rightly');
  return guarded(tools, (module) => decodeHtj2k(module, codestream, level, use));
}

/** Runs the codec; after any error its instance is forgotten. */
async function guarded<T>(
  tools: FrameTools,
  run: (module: Awaited<ReturnType<typeof tools.modules.get<'openJph'>>>) => T,
): Promise<T> {
  const module = await tools.modules.get('openJph');
  try {
    return run(module);
  } catch (error) {
    tools.modules.drop('openJph');
    throw error;
  }
}

function requireSame(samples: DecodedSamples, canonical: Uint8Array, description: ImageDescription): void {
  const { bitsStored, signed, rows, columns, samplesPerPixel } = description;
  const sameShape =
    samples.precision === bitsStored &&
    samples.signed === signed &&
    samples.rows === rows &&
    samples.columns === columns &&
    samples.samplesPerPixel === samplesPerPixel;
  if (!sameShape || !equalBytes(samples.pixels, canonical))
    throw new CodecError('EncodeMismatch', 'the encoded frame does not decode to the same pixels');
}
