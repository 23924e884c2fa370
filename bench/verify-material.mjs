/** What the verification benchmarks measure on: kinds of frames with seeded pixels, as pixels and as P10 objects. */
import { load } from './pool.mjs';

const { describeImage, randomPixels } = await load('test/pixels/material.ts');
const { writeP10 } = await load('shared/dicom/write.ts');

const rgb = { samplesPerPixel: 3, photometricInterpretation: 'RGB', bitsStored: 8 };

/** `frames`: so many make a fair run of the whole path; `instances`: in so many objects. */
export const MATERIAL = {
  'CT 512 × 512 × 16': {
    image: { rows: 512, columns: 512, bitsStored: 16, signed: true },
    frames: 160,
    instances: 160,
  },
  'MR 256 × 256 × 12': { image: { rows: 256, columns: 256, bitsStored: 12 }, frames: 600, instances: 600 },
  'CR 2048 × 2500 × 10': { image: { rows: 2500, columns: 2048, bitsStored: 10 }, frames: 8, instances: 8 },
  'US RGB 640 × 480': { image: { rows: 480, columns: 640, ...rgb }, frames: 80, instances: 4 },
  'multi-frame 64 × 64 × 12': {
    image: { rows: 64, columns: 64, bitsStored: 12 },
    frames: 4000,
    instances: 2,
  },
};

export const description = ({ image }) => describeImage(image);
export const pixels = (material, seed = 1) => randomPixels(description(material), seed);

/** Pixels of a few differing frames, used in turn. */
const DISTINCT = 8;

/** The P10 objects of a material, one after the other. */
export function* p10Objects(material) {
  const { instances, frames } = material;
  const distinct = Array.from({ length: Math.min(DISTINCT, frames) }, (_, seed) =>
    pixels(material, seed + 1),
  );
  const each = frames / instances;
  for (let instance = 0; instance < instances; instance++) {
    const own = Array.from(
      { length: each },
      (_, frame) => distinct[(instance * each + frame) % distinct.length],
    );
    yield writeP10({
      transferSyntaxUID: '1.2.840.10008.1.2.1',
      elements: elementsOf(material, instance + 1, each),
      pixelData: new Uint8Array(Buffer.concat(own)),
    });
  }
}

const ROOT = '1.2.826.0.1.3680043.8.498.77';

function elementsOf(material, number, frames) {
  const image = description(material);
  return {
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.7.2',
    SOPInstanceUID: `${ROOT}.1.1.${number}`,
    StudyInstanceUID: ROOT,
    SeriesInstanceUID: `${ROOT}.1`,
    PatientID: 'BENCH',
    PatientName: 'PHANTOM^BENCH',
    PatientBirthDate: '19700101',
    PatientSex: 'O',
    StudyID: '1',
    Modality: 'OT',
    SeriesNumber: '1',
    InstanceNumber: String(number),
    NumberOfFrames: String(frames),
    Rows: image.rows,
    Columns: image.columns,
    SamplesPerPixel: image.samplesPerPixel,
    PhotometricInterpretation: image.photometricInterpretation,
    ...(image.samplesPerPixel > 1 ? { PlanarConfiguration: 0 } : {}),
    BitsAllocated: image.bitsAllocated,
    BitsStored: image.bitsStored,
    HighBit: image.highBit,
    PixelRepresentation: image.signed ? 1 : 0,
  };
}
