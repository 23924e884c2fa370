/** Header against metadata against source (design invariant 3): what a CRC cannot see. Pure. */
import type { FrameProof } from '../pixels/codec-pool.ts';
import type { ImageDescription } from '../pixels/frames.ts';
import type { DicomJson } from '../ports/imaging-service.ts';

/** Each keyword of the Image Pixel module with what the source says of it. */
const DESCRIBED: Readonly<Record<string, (d: ImageDescription) => number | string>> = {
  Rows: (d) => d.rows,
  Columns: (d) => d.columns,
  SamplesPerPixel: (d) => d.samplesPerPixel,
  BitsAllocated: (d) => d.bitsAllocated,
  BitsStored: (d) => d.bitsStored,
  PixelRepresentation: (d) => (d.signed ? 1 : 0),
  PhotometricInterpretation: (d) => d.photometricInterpretation,
};

/** One fact that is not as it must be. */
export interface Difference {
  /** A DICOM keyword, `checksum`, … */
  readonly what: string;
  readonly expected: string | number;
  readonly got: string | number;
}

/** Where the metadata differs from the source; a keyword that the metadata does not hold differs in nothing. */
export function describedDifferences(metadata: DicomJson, source: ImageDescription): Difference[] {
  return Object.entries(DESCRIBED).flatMap(([what, of]): Difference[] => {
    const got = metadata[what];
    const expected = of(source);
    if (typeof got === 'number') return got === expected ? [] : [{ what, expected, got }];
    if (typeof got === 'string')
      return got.trim() === String(expected).trim() ? [] : [{ what, expected, got }];
    return [];
  });
}

/** Where the codestream's header differs from what is known of the pixels: the source, else the metadata. */
export function headerDifferences(
  proof: FrameProof,
  metadata: DicomJson,
  source?: ImageDescription,
): Difference[] {
  const wanted = (keyword: string): unknown => (source ? DESCRIBED[keyword]?.(source) : metadata[keyword]);
  const differing = (what: string, got: number): Difference[] => {
    const expected = wanted(what);
    return typeof expected === 'number' && expected !== got ? [{ what, expected, got }] : [];
  };
  // Files that fill unused bits are stored with all their allocated bits (design "Pixels, for proof").
  const isRaw = source ? proof.source === 'equalRaw' : isStoredRaw(proof, metadata);
  return [
    ...differing('Rows', proof.rows),
    ...differing('Columns', proof.columns),
    ...differing('SamplesPerPixel', proof.samplesPerPixel),
    ...(isRaw ? [] : differing('BitsStored', proof.bitsStored)),
    ...(isRaw ? [] : differing('PixelRepresentation', proof.signed ? 1 : 0)),
    ...colourDifferences(proof, wanted('PhotometricInterpretation')),
  ];
}

/** PS3.3 C.7.6.3.1.2: samples that an interpretation has; those that are left out say nothing. */
const SAMPLES_OF: Readonly<Record<string, number>> = {
  MONOCHROME1: 1,
  MONOCHROME2: 1,
  'PALETTE COLOR': 1,
  RGB: 3,
  YBR_FULL: 3,
  YBR_FULL_422: 3,
  YBR_RCT: 3,
  YBR_ICT: 3,
};

function colourDifferences(proof: FrameProof, interpretation: unknown): Difference[] {
  const samples = SAMPLES_OF[String(interpretation).trim()];
  if (samples === undefined || samples === proof.samplesPerPixel) return [];
  const got = `${proof.samplesPerPixel} samples`;
  return [{ what: 'PhotometricInterpretation', expected: String(interpretation), got }];
}

const isStoredRaw = (proof: FrameProof, { BitsAllocated, BitsStored }: DicomJson) =>
  typeof BitsStored === 'number' && proof.bitsStored === BitsAllocated && BitsAllocated > BitsStored;
