/**
 * Faults of GetImageSetMetadata: the document says something else than what is stored, in its first instance with frames
 * (that has what the fault needs). For tests of those who verify.
 */
import { gunzipSync, gzipSync } from 'node:zlib';

interface StoredInstance {
  readonly DICOM: Record<string, unknown>;
  ImageFrames?: {
    ID: string;
    readonly PixelDataChecksumFromBaseToFullResolution?: { Checksum: number }[];
  }[];
}
type Instances = Record<string, StoredInstance>;

const otherOf: Readonly<Record<string, string>> = {
  MONOCHROME1: 'MONOCHROME2',
  MONOCHROME2: 'MONOCHROME1',
  RGB: 'YBR_FULL',
  YBR_FULL: 'RGB',
};

/** Each changes one instance in place, or the instances of its series. */
const CHANGES = {
  swappedFrames({ ImageFrames: frames }) {
    const [first, second] = frames ?? [];
    if (first && second) [first.ID, second.ID] = [second.ID, first.ID];
  },
  changedChecksum({ ImageFrames: frames }) {
    const last = frames?.[0]?.PixelDataChecksumFromBaseToFullResolution?.at(-1);
    if (last) last.Checksum = (last.Checksum ^ 1) >>> 0;
  },
  unlistedFrame({ ImageFrames: frames }) {
    frames?.pop();
  },
  lostFrames(instance) {
    instance.ImageFrames = [];
  },
  missingInstance(instance, instances) {
    for (const [sop, one] of Object.entries(instances)) if (one === instance) delete instances[sop];
  },
  exchangedRows({ DICOM }) {
    [DICOM.Rows, DICOM.Columns] = [DICOM.Columns, DICOM.Rows];
  },
  flippedSign({ DICOM }) {
    DICOM.PixelRepresentation = DICOM.PixelRepresentation === 1 ? 0 : 1;
  },
  otherPrecision({ DICOM }) {
    DICOM.BitsStored = Number(DICOM.BitsStored) - 1;
    DICOM.HighBit = Number(DICOM.HighBit) - 1;
  },
  otherColours({ DICOM }) {
    DICOM.PhotometricInterpretation = otherOf[String(DICOM.PhotometricInterpretation)] ?? 'RGB';
  },
  otherSamples({ DICOM }) {
    const isColour = DICOM.SamplesPerPixel === 3;
    DICOM.SamplesPerPixel = isColour ? 1 : 3;
    DICOM.PhotometricInterpretation = isColour ? 'MONOCHROME2' : 'RGB';
  },
} as const satisfies Record<string, (instance: StoredInstance, instances: Instances) => void>;

export type FalseMetadata = keyof typeof CHANGES;

export const isFalseMetadata = (name: string): name is FalseMetadata => Object.hasOwn(CHANGES, name);

/** The gzip document with what the fault changes. */
export function falsified(document: Uint8Array, fault: FalseMetadata): Uint8Array {
  const parsed = JSON.parse(gunzipSync(document).toString()) as {
    Study: { Series: Record<string, { Instances: Instances }> };
  };
  const [series] = Object.values(parsed.Study.Series);
  const instances = Object.values(series?.Instances ?? {});
  // Frames can be swapped where there are two.
  const fitting = [...instances].sort(
    (a, b) => Number((b.ImageFrames?.length ?? 0) > 1) - Number((a.ImageFrames?.length ?? 0) > 1),
  );
  if (series && fitting[0]) CHANGES[fault](fitting[0], series.Instances);
  return gzipSync(JSON.stringify(parsed));
}
