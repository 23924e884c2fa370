/** A stored instance as the bytes of a P10 object, in its stored transfer syntax or in Explicit VR Little Endian. */
import { type WriteElements, type WriteP10, writeP10 } from '../../../shared/dicom/write.ts';
import type { ImageDescription } from '../../../shared/pixels/description.ts';
import { forEachOf } from '../concurrency.ts';
import type { DicomJson } from '../metadata/document.ts';
import type { Service } from '../service.ts';
import { keyOf } from '../store/keys.ts';
import type { FrameRecord } from '../store/records.ts';
import { type KnownVrs, toElements } from './document-elements.ts';
import type { FoundInstance } from './find-instance.ts';
import { allocatedBits, joinBits, toWords } from './native-pixels.ts';

const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
const FRAMES_AT_ONCE = 8;

interface StoredFrame {
  readonly bytes: Uint8Array;
  readonly transferSyntaxUID: string;
}

/** The whole object in memory: an instance is bounded by what the import took. */
export async function writeInstance(
  service: Service,
  found: FoundInstance,
  form: string,
): Promise<Uint8Array> {
  const { document, series, instance, set } = found;
  const sopInstanceUID = String(instance.DICOM.SOPInstanceUID ?? '');
  const noted = await service.store.database.get<KnownVrs>(
    keyOf('vrs', set.datastoreId, set.imageSetId, sopInstanceUID),
  );
  const dicom = { ...document.Patient.DICOM, ...document.Study.DICOM, ...series.DICOM, ...instance.DICOM };
  const elements = toElements(dicom, { ...noted, ...instance.DICOMVRs });
  const pixels = await pixelsOf(service, found, dicom, form);
  // Text leaves as UTF-8, whatever it came as: the writer names the character set where it needs one.
  const { SpecificCharacterSet: _, ...rest } = elements;
  return writeP10({
    transferSyntaxUID: form,
    elements: { ...rest, ...pixels?.elements },
    meta: {
      MediaStorageSOPClassUID: String(instance.DICOM.SOPClassUID ?? ''),
      MediaStorageSOPInstanceUID: sopInstanceUID,
    },
    ...pixels?.data,
  });
}

interface Pixels {
  readonly data: Pick<WriteP10, 'pixelData'>;
  /** What the form changes in the description. */
  readonly elements: WriteElements;
}

async function pixelsOf(
  service: Service,
  found: FoundInstance,
  dicom: DicomJson,
  form: string,
): Promise<Pixels | undefined> {
  const { ImageFrames } = found.instance;
  if (ImageFrames.length === 0) return undefined;
  const frames = await loadFrames(service, found);
  const description = describe(dicom, ImageFrames.length);
  if (description.bitsAllocated === 1 && frames[0]?.transferSyntaxUID === EXPLICIT_LITTLE_ENDIAN) {
    const bits = description.rows * description.columns * description.samplesPerPixel;
    const pixelData = joinBits(
      frames.map(({ bytes }) => bytes),
      bits,
    );
    return { data: { pixelData }, elements: {} };
  }
  if (form !== EXPLICIT_LITTLE_ENDIAN) {
    return {
      data: { pixelData: { fragments: frames.map(({ bytes }) => bytes) } },
      elements: storedColour(dicom, form),
    };
  }
  return decode(service, frames, description, dicom);
}

async function loadFrames(service: Service, { set, instance }: FoundInstance): Promise<StoredFrame[]> {
  const keys = instance.ImageFrames.map(({ ID }) => keyOf('frame', set.datastoreId, set.imageSetId, ID));
  const records = await service.store.database.getMany<FrameRecord>(keys);
  return Promise.all(
    records.map(async (record) => {
      if (!record) throw new Error(`a frame of image set ${set.imageSetId} is gone`);
      return {
        bytes: await service.store.blobs.get(record.blob),
        transferSyntaxUID: record.transferSyntaxUID,
      };
    }),
  );
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
  frames: readonly StoredFrame[],
  description: Omit<ImageDescription, 'transferSyntaxUID'>,
  dicom: DicomJson,
): Promise<Pixels> {
  const words: Uint8Array[] = new Array(frames.length);
  let bitsStored = description.bitsStored;
  await forEachOf(frames.entries(), FRAMES_AT_ONCE, async ([i, { bytes, transferSyntaxUID }]) => {
    const frame = await service.codecs.decode(bytes, transferSyntaxUID, {
      ...description,
      transferSyntaxUID,
    });
    bitsStored = frame.bitsStored;
    words[i] = toWords(frame, allocatedBits(description.bitsAllocated, bitsStored));
  });
  return {
    data: { pixelData: new Uint8Array(Buffer.concat(words)) },
    elements: {
      BitsAllocated: { vr: 'US', value: allocatedBits(description.bitsAllocated, bitsStored) },
      BitsStored: { vr: 'US', value: bitsStored },
      HighBit: { vr: 'US', value: bitsStored - 1 },
      ...(description.samplesPerPixel > 1 && { PlanarConfiguration: { vr: 'US', value: 0 } }),
      ...decodedColour(dicom),
    },
  };
}

/** Decoded samples are whole pixels: the colour transforms of JPEG 2000 are undone, sub-sampled chroma is spread. */
function decodedColour(dicom: DicomJson): WriteElements {
  const colour = String(dicom.PhotometricInterpretation ?? '');
  if (/^YBR_(RCT|ICT)$/.test(colour)) return { PhotometricInterpretation: { vr: 'CS', value: 'RGB' } };
  return /^YBR_(FULL|PARTIAL)_42[02]$/.test(colour)
    ? { PhotometricInterpretation: { vr: 'CS', value: 'YBR_FULL' } }
    : {};
}

/** Transcoded colour frames are pixel-interleaved. */
function storedColour(dicom: DicomJson, form: string): WriteElements {
  const isTranscoded = /\.4\.20[12]$/.test(form) && Number(dicom.SamplesPerPixel ?? 1) > 1;
  return isTranscoded ? { PlanarConfiguration: { vr: 'US', value: 0 }, ...decodedColour(dicom) } : {};
}
