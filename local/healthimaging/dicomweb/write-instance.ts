/** A stored instance as a P10 object, in its stored transfer syntax, in Explicit VR Little Endian or as JPEG 2000. */
import type { WriteElements } from '../../../shared/dicom/write.ts';
import type { ImageDescription } from '../../../shared/pixels/description.ts';
import { CodecError } from '../../../shared/pixels/errors.ts';
import { ServiceError } from '../errors.ts';
import type { DicomJson } from '../metadata/document.ts';
import type { BodyStream } from '../output.ts';
import type { Service } from '../service.ts';
import { keyOf } from '../store/keys.ts';
import type { FrameRecord } from '../store/records.ts';
import { type KnownVrs, toElements } from './document-elements.ts';
import type { FoundInstance } from './find-instance.ts';
import { allocatedBits, joinBits, toWords } from './native-pixels.ts';
import { eachStoredFrame, peek } from './stored-frames.ts';
import { MAX_NATIVE_BYTES, type PixelStream, streamP10 } from './stream-p10.ts';

export const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
export const JPEG_2000_LOSSLESS = '1.2.840.10008.1.2.4.90';

/** Streams: a frame at a time is decoded and held. The first one is, before anything is answered. */
export async function writeInstance(
  service: Service,
  found: FoundInstance,
  records: readonly FrameRecord[],
  form: string,
): Promise<BodyStream> {
  const { document, series, instance, set } = found;
  const sopInstanceUID = String(instance.DICOM.SOPInstanceUID ?? '');
  const noted = await service.store.database.get<KnownVrs>(
    keyOf('vrs', set.datastoreId, set.imageSetId, sopInstanceUID),
  );
  const dicom = { ...document.Patient.DICOM, ...document.Study.DICOM, ...series.DICOM, ...instance.DICOM };
  // Text leaves as UTF-8, whatever it came as: the writer names the character set where it needs one.
  const { SpecificCharacterSet: _, ...elements } = toElements(dicom, { ...noted, ...instance.DICOMVRs });
  const pixels = records.length === 0 ? undefined : await decodable(pixelsOf(service, records, dicom, form));
  return streamP10(
    {
      transferSyntaxUID: form,
      elements: { ...elements, ...pixels?.elements },
      meta: {
        MediaStorageSOPClassUID: String(instance.DICOM.SOPClassUID ?? ''),
        MediaStorageSOPInstanceUID: sopInstanceUID,
      },
    },
    pixels?.stream,
  );
}

/** Frames that were kept as they came may be beyond our codecs. */
async function decodable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof CodecError) || error.code === 'Cancelled') throw error;
    const says = 'The frames of the instance cannot be decoded; transfer-syntax=* gives the stored form';
    throw new ServiceError('NotAcceptableException', says, { cause: error });
  }
}

interface Pixels {
  readonly stream: PixelStream;
  /** What the form changes in the description. */
  readonly elements: WriteElements;
}

async function pixelsOf(
  service: Service,
  records: readonly FrameRecord[],
  dicom: DicomJson,
  form: string,
): Promise<Pixels> {
  const stored = records[0]!.transferSyntaxUID;
  const description = describe(dicom, records.length);
  if (description.bitsAllocated === 1 && stored === EXPLICIT_LITTLE_ENDIAN) {
    const bits = description.rows * description.columns * description.samplesPerPixel;
    const frames = eachStoredFrame(service, records, async ({ bytes }) => bytes);
    const sizeBytes = Math.ceil((bits * records.length) / 8);
    return { stream: { kind: 'native', sizeBytes, pieces: joinBits(frames, bits) }, elements: {} };
  }
  if (form === EXPLICIT_LITTLE_ENDIAN) return decode(service, records, description, dicom);
  const frames =
    form === stored
      ? eachStoredFrame(service, records, async ({ bytes }) => bytes)
      : eachStoredFrame(service, records, async ({ bytes, transferSyntaxUID }) => {
          const options = { format: 'JPEG_2000_LOSSLESS' } as const;
          const source = { ...description, transferSyntaxUID };
          return (await service.codecs.transcode(bytes, transferSyntaxUID, source, options)).codestream;
        });
  const { all } = await peek(frames);
  return { stream: { kind: 'encapsulated', frames: all }, elements: encodedColour(dicom, description, form) };
}

function describe(dicom: DicomJson, frames: number): Omit<ImageDescription, 'transferSyntaxUID'> {
  const number = (keyword: string, otherwise: number) => Number(dicom[keyword] ?? otherwise);
  const bitsAllocated = number('BitsAllocated', 8);
  const bitsStored = number('BitsStored', bitsAllocated);
  return {
    rows: number('Rows', 0),
    columns: number('Columns', 0),
    samplesPerPixel: number('SamplesPerPixel', 1),
    bitsAllocated,
    bitsStored,
    highBit: bitsStored - 1,
    signed: dicom.PixelRepresentation === 1,
    photometricInterpretation: String(dicom.PhotometricInterpretation ?? 'MONOCHROME2'),
    planarConfiguration: 0,
    frames,
    pixelKeyword: 'PixelData',
  };
}

async function decode(
  service: Service,
  records: readonly FrameRecord[],
  description: Omit<ImageDescription, 'transferSyntaxUID'>,
  dicom: DicomJson,
): Promise<Pixels> {
  const decoded = eachStoredFrame(service, records, async ({ bytes, transferSyntaxUID }) => {
    const frame = await service.codecs.decode(bytes, transferSyntaxUID, {
      ...description,
      transferSyntaxUID,
    });
    const bits = allocatedBits(description.bitsAllocated, frame.bitsStored);
    return { bits, bitsStored: frame.bitsStored, words: toWords(frame, bits) };
  });
  const { first, all } = await peek(decoded);
  const sizeBytes = first.words.length * records.length;
  if (sizeBytes > MAX_NATIVE_BYTES) {
    throw new ServiceError('NotAcceptableException', 'The decoded instance is too large for its own form');
  }
  return {
    stream: { kind: 'native', sizeBytes, pieces: wordsOf(all) },
    elements: {
      BitsAllocated: { vr: 'US', value: first.bits },
      BitsStored: { vr: 'US', value: first.bitsStored },
      HighBit: { vr: 'US', value: first.bitsStored - 1 },
      ...(description.samplesPerPixel > 1 && { PlanarConfiguration: { vr: 'US', value: 0 } }),
      ...decodedColour(dicom),
    },
  };
}

async function* wordsOf(frames: AsyncIterable<{ readonly words: Uint8Array }>): AsyncIterable<Uint8Array> {
  for await (const { words } of frames) yield words;
}

/** Decoded samples are whole pixels: the colour transforms of JPEG 2000 are undone, sub-sampled chroma is spread. */
function decodedColour(dicom: DicomJson): WriteElements {
  const colour = String(dicom.PhotometricInterpretation ?? '');
  if (/^YBR_(RCT|ICT)$/.test(colour)) return { PhotometricInterpretation: { vr: 'CS', value: 'RGB' } };
  return /^YBR_(FULL|PARTIAL)_42[02]$/.test(colour)
    ? { PhotometricInterpretation: { vr: 'CS', value: 'YBR_FULL' } }
    : {};
}

/** Frames that we encoded are pixel-interleaved; RGB of up to 8 bits went through the reversible transform (PS3.5 8.2.4). */
function encodedColour(
  dicom: DicomJson,
  {
    samplesPerPixel,
    bitsStored,
    photometricInterpretation,
  }: Pick<ImageDescription, 'samplesPerPixel' | 'bitsStored' | 'photometricInterpretation'>,
  form: string,
): WriteElements {
  if (!/\.4\.(20[12]|90)$/.test(form) || samplesPerPixel === 1) return {};
  const isTransformed =
    samplesPerPixel === 3 && bitsStored <= 8 && /^(RGB|YBR_RCT|YBR_ICT)$/.test(photometricInterpretation);
  return {
    PlanarConfiguration: { vr: 'US', value: 0 },
    ...(isTransformed ? { PhotometricInterpretation: { vr: 'CS', value: 'YBR_RCT' } } : decodedColour(dicom)),
  };
}
