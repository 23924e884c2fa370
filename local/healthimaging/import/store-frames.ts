/**
 * The pixels of one instance, stored: transcoded to the data store's format (HTJ2K Lossless RPCL, or JPEG 2000 Lossless), kept as they came, or kept as the whole
 * object, by transfer syntax and behaviour (reference section 10). Each transcoded frame was decoded again and compared.
 */
import { crc32 } from 'node:zlib';
import type { ByteSource } from '../../../shared/dicom/byte-source.ts';
import { DicomError } from '../../../shared/dicom/dicom-error.ts';
import type { P10 } from '../../../shared/dicom/p10.ts';
import {
  EXPLICIT_LITTLE_ENDIAN,
  type Treatment,
  transferSyntax,
} from '../../../shared/dicom/transfer-syntaxes.ts';
import { CodecError } from '../../../shared/pixels/errors.ts';
import { frameProblem } from '../../../shared/pixels/frame-problems.ts';
import { type FrameSource, isVideo, openFrames } from '../../../shared/pixels/frames.ts';
import { forEachOf } from '../concurrency.ts';
import { derivedId } from '../identifiers.ts';
import type { ImageFrame } from '../metadata/document.ts';
import type { Behaviour } from '../service.ts';
import type { FrameRecord } from '../store/records.ts';
import type { ImportContext } from './context.ts';
import { ImportFailure, type Warning, warning } from './failures.ts';

export interface StoredFrames {
  readonly imageFrames: readonly ImageFrame[];
  readonly records: Readonly<Record<string, FrameRecord>>;
  readonly storedTransferSyntaxUID?: string;
  readonly checksumType?: string;
  readonly wholeObject?: string;
  readonly wholeBytes?: number;
  readonly warnings: readonly Warning[];
}

const NOTHING: StoredFrames = { imageFrames: [], records: {}, warnings: [] };
/** Frames of one instance in work at a time; the codec pool queues and bounds the rest. */
const FRAMES_AT_ONCE = 6;

/** Throws ImportFailure where the behaviour refuses the instance. `object` is the file as it lies on S3. */
export async function storeFrames(
  context: ImportContext,
  p10: P10,
  object: { readonly key: string; readonly source: ByteSource },
): Promise<StoredFrames> {
  if (!p10.pixelData) return NOTHING;
  const { behaviour } = context.service;
  const uid = p10.meta.transferSyntaxUID;
  const treatment = treatmentOf(uid, behaviour);
  if (treatment === 'refuse') throw new ImportFailure(`Transfer syntax ${uid} is not supported`);
  if (treatment === 'blob') {
    return keepWhole(
      context,
      object,
      uid,
      warning('UnsupportedTransferSyntax', `Transfer syntax ${uid} is not supported`),
    );
  }
  try {
    const frames = await openFrames(p10);
    const keeps =
      treatment === 'keep' || (!p10.pixelData.encapsulated && isBinarySegmentation(frames, behaviour));
    return await (keeps ? keep(context, frames, object.key) : transcode(context, frames, object.key));
  } catch (error) {
    const found = pixelProblem(error);
    if (!found) throw error;
    if (behaviour === '2024') throw new ImportFailure(found.message, 'customer', { cause: error });
    return keepWhole(context, object, uid, found);
  }
}

function treatmentOf(uid: string, behaviour: Behaviour): Treatment {
  return transferSyntax(uid)?.[behaviour] ?? (behaviour === '2024' ? 'refuse' : 'blob');
}

/** Bits of a segmentation stay bits since November 2024; before, they were not supported. */
function isBinarySegmentation({ description }: FrameSource, behaviour: Behaviour): boolean {
  if (description.bitsAllocated !== 1) return false;
  if (behaviour === '2024') throw new ImportFailure('Binary segmentation is not supported');
  return true;
}

/** What is wrong with the pixels, as the warning that today's service gives; undefined for errors of ours. */
function pixelProblem(error: unknown): Warning | undefined {
  if (error instanceof CodecError && error.code !== 'Cancelled') {
    return warning('TranscodingException', `The pixel data could not be transcoded: ${error.code}`);
  }
  if (!(error instanceof DicomError)) return undefined;
  const { type, message } = frameProblem(error);
  return warning(
    type === 'FRAME_NUMBER_MISMATCH' ? 'FrameNumberMismatch' : 'FramesExtractionFailure',
    message,
  );
}

async function transcode(context: ImportContext, source: FrameSource, key: string): Promise<StoredFrames> {
  const { description } = source;
  const is2024 = context.service.behaviour === '2024';
  const format = await losslessFormat(context);
  const stored = await eachFrame(context, source, key, async (encoded) => {
    const frame = await context.codecs.transcode(encoded, description.transferSyntaxUID, description, {
      levels: is2024,
      format,
    });
    return {
      bytes: frame.codestream,
      transferSyntaxUID: frame.transferSyntaxUID,
      facts: {
        PixelDataChecksumFromBaseToFullResolution: frame.checksums,
        MinPixelValue: frame.minPixelValue,
        MaxPixelValue: frame.maxPixelValue,
        // Documents of 2023 give the decoded size, those of 2025 the encoded one.
        FrameSizeInBytes: is2024 ? decodedBytes(source) : frame.codestream.length,
      },
    };
  });
  return { ...stored, checksumType: 'DECOMPRESSED' };
}

/** What the data store was made for; it never changes. */
async function losslessFormat({ service, job }: ImportContext): Promise<'HTJ2K' | 'JPEG_2000_LOSSLESS'> {
  const datastore = await service.store.datastore(job.datastoreId);
  return datastore?.losslessStorageFormat ?? 'HTJ2K';
}

function decodedBytes({
  description: { rows, columns, samplesPerPixel, bitsAllocated },
}: FrameSource): number {
  return rows * columns * samplesPerPixel * Math.ceil(bitsAllocated / 8);
}

/** Kept frames carry the CRC of their encoded bytes (guide, "Pixel data verification"). */
async function keep(context: ImportContext, source: FrameSource, key: string): Promise<StoredFrames> {
  const { rows, columns, transferSyntaxUID } = source.description;
  const ranges = isVideo(transferSyntaxUID) ? source.encodedRanges : undefined;
  if (ranges) return keepVideo(context, source, key, ranges(0));
  const isNative = transferSyntax(transferSyntaxUID)?.encapsulated === false;
  const stored = await eachFrame(context, source, key, async (encoded) => ({
    bytes: encoded,
    // Bits come out of the frame source in the order of Explicit VR Little Endian, whatever the file's was.
    transferSyntaxUID: isNative ? EXPLICIT_LITTLE_ENDIAN : transferSyntaxUID,
    facts: keptFacts({ rows, columns }, crc32(encoded), encoded.length),
  }));
  // The counterpart of DECOMPRESSED is not documented; this one is ours.
  return { ...stored, checksumType: 'COMPRESSED' };
}

function keptFacts(
  { rows, columns }: { readonly rows: number; readonly columns: number },
  checksum: number,
  sizeBytes: number,
): Omit<ImageFrame, 'ID'> {
  return {
    PixelDataChecksumFromBaseToFullResolution: [{ Width: columns, Height: rows, Checksum: checksum }],
    MinPixelValue: null,
    MaxPixelValue: null,
    FrameSizeInBytes: sizeBytes,
  };
}

/** A video is one frame of any size: it goes to the disk piece by piece. */
async function keepVideo(
  { service, job, signal }: ImportContext,
  { description }: FrameSource,
  key: string,
  video: ByteSource,
): Promise<StoredFrames> {
  let checksum = 0;
  const blob = await service.store.blobs.putSource({
    sizeBytes: video.sizeBytes,
    async read(start, end) {
      signal.throwIfAborted();
      const piece = await video.read(start, end);
      checksum = crc32(piece, checksum);
      return piece;
    },
  });
  const id = derivedId(job.jobId, key, '0');
  const { transferSyntaxUID } = description;
  return {
    imageFrames: [{ ID: id, ...keptFacts(description, checksum, video.sizeBytes) }],
    records: { [id]: { blob, transferSyntaxUID, sizeBytes: video.sizeBytes } },
    storedTransferSyntaxUID: transferSyntaxUID,
    checksumType: 'COMPRESSED',
    warnings: [],
  };
}

interface FrameResult {
  readonly bytes: Uint8Array;
  readonly transferSyntaxUID: string;
  readonly facts: Omit<ImageFrame, 'ID'>;
}

async function eachFrame(
  { service, job, signal }: ImportContext,
  source: FrameSource,
  key: string,
  make: (encoded: Uint8Array) => Promise<FrameResult>,
): Promise<StoredFrames> {
  const imageFrames = new Array<ImageFrame>(source.frameCount);
  const records: Record<string, FrameRecord> = {};
  let storedTransferSyntaxUID = '';
  await forEachOf(imageFrames.keys(), FRAMES_AT_ONCE, async (index) => {
    signal.throwIfAborted();
    const frame = await make(await source.encodedFrame(index));
    const id = derivedId(job.jobId, key, String(index));
    records[id] = {
      blob: await service.store.blobs.put(frame.bytes),
      sizeBytes: frame.bytes.length,
      transferSyntaxUID: frame.transferSyntaxUID,
    };
    imageFrames[index] = { ID: id, ...frame.facts };
    storedTransferSyntaxUID = frame.transferSyntaxUID;
  });
  return { imageFrames, records, storedTransferSyntaxUID, warnings: [] };
}

/** Frames that cannot be told apart: the object stays whole, to be had with `transfer-syntax=*` only. */
async function keepWhole(
  { service }: ImportContext,
  object: { readonly source: ByteSource },
  uid: string,
  found: Warning,
): Promise<StoredFrames> {
  const wholeObject = await service.store.blobs.putSource(object.source);
  return {
    ...NOTHING,
    wholeObject,
    wholeBytes: object.source.sizeBytes,
    storedTransferSyntaxUID: uid,
    warnings: [found],
  };
}
