/** From a parsed P10 object to its frames, each read by ranges: never the whole pixel data at once. */
import type { ByteSource } from '../dicom/byte-source.ts';
import { DicomError } from '../dicom/dicom-error.ts';
import { integer, type P10, text } from '../dicom/p10.ts';
import { transferSyntax } from '../dicom/transfer-syntaxes.ts';
import { checkDescription } from './canonical.ts';
import type { ImageDescription } from './description.ts';
import { locateFrames } from './encapsulated-frames.ts';
import { CodecError } from './errors.ts';
import { type Fragment, truncated } from './fragments.ts';
import { joinedSource } from './joined-source.ts';
import { nativeFrameReader } from './native-frames.ts';

export type { ImageDescription } from './description.ts';

export interface FrameSource {
  readonly description: ImageDescription;
  /** Frames that can be read; 1 for a video, whatever NumberOfFrames says. */
  readonly frameCount: number;
  /**
   * The frame as the codecs take it: native pixels in the order of Explicit VR Little Endian, starting at bit 0,
   * or the joined fragments. A native frame may be a view of the source's memory.
   */
  encodedFrame(index: number): Promise<Uint8Array>;
  /** A frame of encapsulated pixel data to be read by ranges: a video may be bigger than memory. */
  readonly encodedRanges?: (index: number) => ByteSource;
}

/** Throws DicomError: MissingElement, MalformedDataset, PixelDataTruncated. Nothing is allocated before lengths fit. */
export async function openFrames(p10: P10): Promise<FrameSource> {
  const { pixelData, source } = p10;
  const description = describeImage(p10);
  if (!pixelData) return frameSource(description, 0, () => Promise.reject(new RangeError('no pixel data')));
  checkForm(pixelData.encapsulated, description);
  if (!pixelData.encapsulated) {
    checkShape(description);
    const { offset: start, lengthBytes, vr, littleEndian } = pixelData;
    const read = nativeFrameReader({ source, start, lengthBytes, vr, littleEndian, description });
    return frameSource(description, description.frames, read);
  }
  const isOneObject = isVideo(description.transferSyntaxUID);
  const parts = await locateFrames({
    source,
    items: pixelData.fragments?.map(({ offset, length }) => ({ start: offset, end: offset + length })),
    start: pixelData.offset,
    end: pixelData.endBytes,
    frames: isOneObject ? 1 : description.frames,
    transferSyntaxUID: description.transferSyntaxUID,
    extendedOffsets: await elementBytes(p10, 0x7fe00001),
    extendedLengths: await elementBytes(p10, 0x7fe00002),
  });
  const frames = frameSource(description, parts.length, (index) => readParts(source, parts[index]!));
  return { ...frames, encodedRanges: (index) => joinedSource(source, parts[index] ?? []) };
}

/** One ranged read, whatever the number of fragments: they lie behind each other, an item header between. */
async function readParts(source: ByteSource, parts: readonly Fragment[]): Promise<Uint8Array> {
  const [first, last] = [parts[0]!, parts.at(-1)!];
  const bytes = await source.read(first.start, last.end);
  if (bytes.length < last.end - first.start)
    throw truncated('the source ends early', last.end - first.start, bytes.length);
  if (parts.length === 1) return bytes;
  const out = new Uint8Array(parts.reduce((sum, { start, end }) => sum + end - start, 0));
  let at = 0;
  for (const { start, end } of parts) {
    out.set(bytes.subarray(start - first.start, end - first.start), at);
    at += end - start;
  }
  return out;
}

function frameSource(
  description: ImageDescription,
  frameCount: number,
  read: (index: number) => Promise<Uint8Array>,
): FrameSource {
  return {
    description,
    frameCount,
    encodedFrame(index) {
      if (!Number.isInteger(index) || index < 0 || index >= frameCount)
        return Promise.reject(new RangeError(`frame ${index} of ${frameCount}`));
      return read(index);
    },
  };
}

/** The Image Pixel module with the defaults that real files need (one sample, one frame, full bits). */
export function describeImage(p10: P10): ImageDescription {
  const pixelKeyword = p10.pixelData?.keyword ?? 'PixelData';
  const floating = { FloatPixelData: 32, DoubleFloatPixelData: 64, PixelData: undefined }[pixelKeyword];
  const bitsAllocated = integer(p10, 'BitsAllocated') ?? floating ?? missing(p10, 'BitsAllocated');
  const bitsStored = floating ?? integer(p10, 'BitsStored') ?? bitsAllocated;
  return {
    rows: integer(p10, 'Rows') ?? missing(p10, 'Rows'),
    columns: integer(p10, 'Columns') ?? missing(p10, 'Columns'),
    samplesPerPixel: integer(p10, 'SamplesPerPixel') ?? 1,
    bitsAllocated,
    bitsStored,
    highBit: integer(p10, 'HighBit') ?? bitsStored - 1,
    signed: integer(p10, 'PixelRepresentation') === 1,
    photometricInterpretation: text(p10, 'PhotometricInterpretation') ?? 'MONOCHROME2',
    planarConfiguration: integer(p10, 'PlanarConfiguration') === 1 ? 1 : 0,
    frames: Math.max(1, integer(p10, 'NumberOfFrames') ?? 1),
    transferSyntaxUID: p10.meta.transferSyntaxUID,
    pixelKeyword,
  };
}

/** Without pixel data there is nothing to describe: zeros. */
function missing(p10: P10, keyword: string): number {
  if (!p10.pixelData) return 0;
  throw new DicomError('MissingElement', keyword, 'needed to read the pixel data');
}

/**
 * Fragments are never native pixels, and the other way round (PS3.5 A.4): read as what they are not, they would give
 * pixels without a meaning. Float and double pixel data are native in every syntax (PS3.5 8.1, A.4).
 */
function checkForm(isEncapsulated: boolean, { transferSyntaxUID, pixelKeyword }: ImageDescription): void {
  const wanted = transferSyntax(transferSyntaxUID)?.encapsulated;
  if (wanted === undefined || wanted === isEncapsulated || pixelKeyword !== 'PixelData') return;
  const [written, said] = isEncapsulated ? ['encapsulated', 'native'] : ['native', 'encapsulated'];
  throw new DicomError('MalformedDataset', 'PixelData', `${written} where the transfer syntax is ${said}`);
}

function checkShape(description: ImageDescription): void {
  try {
    checkDescription(description);
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause;
    throw new DicomError('MalformedDataset', 'PixelData', cause.message, {}, { cause });
  }
}

/** MPEG-2, MPEG-4 AVC, HEVC: one stream for all frames (PS3.5 8.2.5 to 8.2.8). */
export function isVideo(transferSyntaxUID: string): boolean {
  return /^1\.2\.840\.10008\.1\.2\.4\.10[0-8](\.1)?$/.test(transferSyntaxUID);
}

/** The value of a top-level element, from the source when it was too big to hold. */
async function elementBytes(p10: P10, tag: number): Promise<Uint8Array | undefined> {
  const element = p10.dataset.elements.get(tag);
  if (!element) return undefined;
  return element.value ?? p10.source.read(element.offset, element.offset + element.length);
}
