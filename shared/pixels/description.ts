/** What a data set says about its pixels: the Image Pixel module (PS3.3 C.7.6.3), as plain data. */

/** Sizes in pixels and bits; one description holds for all frames of an instance. */
export interface ImageDescription {
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly signed: boolean;
  readonly photometricInterpretation: string;
  readonly planarConfiguration: 0 | 1;
  readonly frames: number;
  readonly transferSyntaxUID: string;
  readonly pixelKeyword: 'PixelData' | 'FloatPixelData' | 'DoubleFloatPixelData';
}

/** Largest decoded frame that we are ready to hold, in bytes: a 16,384 × 16,384 × 16 bit plane. */
export const MAX_FRAME_BYTES = 512 * 1024 * 1024;

/** Bytes of one canonical sample: 1, 2 or 4 by the stored bits; 4 and 8 for floating point. */
export function bytesPerSample(
  description: Pick<ImageDescription, 'bitsStored' | 'pixelKeyword'>,
): 1 | 2 | 4 | 8 {
  if (description.pixelKeyword === 'FloatPixelData') return 4;
  if (description.pixelKeyword === 'DoubleFloatPixelData') return 8;
  return sampleWidth(description.bitsStored);
}

/** Bytes that hold `bits`: 1 up to 8, 2 up to 16, else 4 (reference section 8). */
export function sampleWidth(bits: number): 1 | 2 | 4 {
  return bits <= 8 ? 1 : bits <= 16 ? 2 : 4;
}

/** Bytes of one canonical frame. */
export function canonicalFrameBytes(description: ImageDescription): number {
  return description.rows * description.columns * description.samplesPerPixel * bytesPerSample(description);
}
