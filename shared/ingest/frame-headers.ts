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

/** Keywords in which the metadata differs from the source; one that the metadata does not hold differs in nothing. */
export function describedDifferences(metadata: DicomJson, source: ImageDescription): string[] {
  return Object.entries(DESCRIBED)
    .filter(([keyword, of]) => {
      const value = metadata[keyword];
      if (typeof value === 'number') return value !== of(source);
      if (typeof value === 'string') return value.trim() !== String(of(source)).trim();
      return false;
    })
    .map(([keyword]) => keyword);
}

/** Keywords in which the codestream's header differs from what is known of the pixels. */
export function headerDifferences(
  proof: FrameProof,
  metadata: DicomJson,
  source?: ImageDescription,
): string[] {
  const wanted = (keyword: string): unknown => (source ? DESCRIBED[keyword]?.(source) : metadata[keyword]);
  const differing = (keyword: string, got: number) => {
    const value = wanted(keyword);
    return typeof value === 'number' && value !== got ? [keyword] : [];
  };
  // Files that fill unused bits are stored with all their allocated bits (design "Pixels, for proof").
  const isRaw = proof.source === 'equalRaw';
  return [
    ...differing('Rows', proof.rows),
    ...differing('Columns', proof.columns),
    ...differing('SamplesPerPixel', proof.samplesPerPixel),
    ...(isRaw ? [] : differing('BitsStored', proof.bitsStored)),
    ...(isRaw ? [] : differing('PixelRepresentation', proof.signed ? 1 : 0)),
  ];
}
