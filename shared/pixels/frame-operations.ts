/**
 * All that is done to one frame, in one go: decode, canonicalise, checksum, encode, decode back, compare. Runs in
 * the codec workers and, for `isocenter/verify`, anywhere; the CRC-32 and the codecs are handed in.
 */
import { checkDescription, minMax, rawWords } from './canonical.ts';
import { compareSamples, type SourceProof } from './compare.ts';
import { type DecodedSource, decodeCodestream, decodeSource, type SourceFrame } from './decode-source.ts';
import { bytesPerSample, type ImageDescription } from './description.ts';
import { equalBytes } from './equal-bytes.ts';
import { CodecError } from './errors.ts';
import { type Codestream, openCodestream, sizeAtLevel } from './htj2k/codestream.ts';
import { encodeHtj2k, HTJ2K_LOSSLESS_RPCL } from './htj2k/encode.ts';
import { encodeJpeg2000, JPEG_2000_LOSSLESS } from './htj2k/encode-jpeg2000.ts';
import { checksumLevels } from './htj2k/levels.ts';
import type { CodecModules } from './modules.ts';
import { decodeRle } from './rle.ts';
import type { SampleBlock } from './samples.ts';
import { PIXEL_SYNTAXES } from './syntaxes.ts';

export type { SourceFrame } from './decode-source.ts';

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
  /** Checksums of the levels that were asked for; a size that the codestream has no level of is left out. */
  readonly checksums?: readonly FrameChecksum[];
  /** Present when a source frame was given. */
  readonly source?: SourceProof['source'];
  readonly maxDifference?: number;
  /** The source's syntax is lossy: right decoders of it may differ a little. */
  readonly lossySource?: boolean;
  /** Bits outside of BitsStored are set in the source: `equal` then says nothing about those. */
  readonly unusedBits?: boolean;
}

export interface FrameTools {
  readonly modules: CodecModules;
  /** The zlib CRC-32, unsigned. */
  readonly crc32: (bytes: Uint8Array) => number;
}

/** A source frame to canonical pixels. Throws CodecError. */
export async function decodeFrame(
  tools: FrameTools,
  source: SourceFrame,
  options: { readonly level?: number } = {},
): Promise<DecodedFrame> {
  const decoded = await decodeSource(tools.modules, source, options.level);
  return { ...decoded, crc32: tools.crc32(decoded.pixels) };
}

export interface EncodeOptions {
  /** Checksums of all resolution levels. */
  readonly levels?: boolean;
  /** Default HTJ2K. */
  readonly format?: 'HTJ2K' | 'JPEG_2000_LOSSLESS';
}

/** Canonical pixels to a stored codestream that was decoded again and found equal. Throws CodecError. */
export async function encodeFrame(
  tools: FrameTools,
  canonical: Uint8Array,
  description: ImageDescription,
  options: EncodeOptions = {},
): Promise<EncodedFrame> {
  checkDescription(description);
  const isJpeg2000 = options.format === 'JPEG_2000_LOSSLESS';
  const codestream = isJpeg2000
    ? await tools.modules.use('jpeg2000Encoder', (module) => encodeJpeg2000(module, canonical, description))
    : await tools.modules.use('openJph', (module) => encodeHtj2k(module, canonical, description));
  const opened = openCodestream(codestream);
  const crc32 = tools.crc32(canonical);
  await decodeCodestream(tools.modules, opened, 0, (samples) => requireSame(samples, canonical, description));
  const full = { Width: description.columns, Height: description.rows, Checksum: crc32 };
  const lower = options.levels ? await lowerChecksums(tools, opened) : [];
  return {
    codestream,
    checksums: [...lower, full],
    ...minMax(canonical, bytesPerSample(description), description.signed),
    transferSyntaxUID: isJpeg2000 ? JPEG_2000_LOSSLESS : HTJ2K_LOSSLESS_RPCL,
  };
}

/** Source frame as in the file to stored frame. Throws CodecError. */
export async function transcodeFrame(
  tools: FrameTools,
  source: SourceFrame,
  options: EncodeOptions = {},
): Promise<TranscodedFrame> {
  const decoded = await decodeSource(tools.modules, source);
  const encoded = await encodeFrame(tools, decoded.pixels, source.description, options);
  return { ...encoded, crc32: encoded.checksums.at(-1)!.Checksum, unusedBits: decoded.unusedBits };
}

export interface VerifyOptions {
  /** The frame that the codestream was made from. */
  readonly source?: SourceFrame;
  /** Halvings below full resolution at which the facts are taken. */
  readonly level?: number;
  /** Sizes of resolution levels whose checksums are wanted too. */
  readonly levels?: readonly { readonly Width: number; readonly Height: number }[];
}

/** A stored codestream to the checksum and header facts, and how it compares with its source. Throws CodecError. */
export async function verifyFrame(
  tools: FrameTools,
  codestream: Uint8Array,
  options: VerifyOptions = {},
): Promise<FrameProof> {
  const opened = openCodestream(codestream);
  const source = options.source ? await decodeSource(tools.modules, options.source) : undefined;
  const proof = await decodeCodestream(tools.modules, opened, options.level ?? 0, (samples) => {
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
  if (!options.levels) return proof;
  return { ...proof, checksums: await levelChecksums(tools, opened, options.levels, proof) };
}

async function levelChecksums(
  tools: FrameTools,
  codestream: Codestream,
  sizes: NonNullable<VerifyOptions['levels']>,
  full: FrameProof,
): Promise<FrameChecksum[]> {
  const checksums: FrameChecksum[] = [];
  for (const { Width, Height } of sizes) {
    const level = levelOfSize(codestream, Width, Height);
    if (level === undefined) continue;
    const isDone = full.columns === Width && full.rows === Height;
    const Checksum = isDone ? full.crc32 : await checksumAt(tools, codestream, level);
    checksums.push({ Width, Height, Checksum });
  }
  return checksums;
}

function levelOfSize({ header }: Codestream, width: number, height: number): number | undefined {
  for (let level = 0; level <= header.decompositions; level++) {
    const { columns, rows } = sizeAtLevel(header, level);
    if (columns === width && rows === height) return level;
  }
  return undefined;
}

function checksumAt(tools: FrameTools, codestream: Codestream, level: number): Promise<number> {
  return decodeCodestream(tools.modules, codestream, level, ({ pixels }) => tools.crc32(pixels));
}

function proveSource(
  stored: SampleBlock,
  decoded: DecodedSource,
  source: SourceFrame,
): SourceProof & { lossySource: boolean; unusedBits: boolean } {
  const raw = decoded.unusedBits ? () => sourceWords(source) : undefined;
  const proof = compareSamples(stored, decoded, { exact: decoded.exact, ...(raw && { raw }) });
  return { ...proof, lossySource: !decoded.exact, unusedBits: decoded.unusedBits };
}

/** The source's words with all their bits; undefined for compressed syntaxes other than RLE. */
function sourceWords({ encoded, transferSyntaxUID, description }: SourceFrame): Uint8Array | undefined {
  const decoder = PIXEL_SYNTAXES[transferSyntaxUID]?.decoder;
  if (decoder === 'native') return rawWords(encoded, description);
  if (decoder !== 'rle') return undefined;
  return rawWords(decodeRle(encoded, description), { ...description, planarConfiguration: 0 });
}

async function lowerChecksums(tools: FrameTools, codestream: Codestream): Promise<FrameChecksum[]> {
  const checksums: FrameChecksum[] = [];
  for (let level = checksumLevels(codestream.header); level > 0; level--) {
    const { columns, rows } = sizeAtLevel(codestream.header, level);
    checksums.push({ Width: columns, Height: rows, Checksum: await checksumAt(tools, codestream, level) });
  }
  return checksums;
}

function requireSame(samples: SampleBlock, canonical: Uint8Array, description: ImageDescription): void {
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
