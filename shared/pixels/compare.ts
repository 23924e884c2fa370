/** How the pixels of a stored frame compare with those of its source (design 3, "Pixels, for proof"). Pure. */
import { asSamples, type Samples } from './canonical.ts';
import { sampleWidth } from './description.ts';
import { equalBytes } from './equal-bytes.ts';

export interface ComparedSamples {
  readonly pixels: Uint8Array;
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  readonly signed: boolean;
}

export interface SourceProof {
  /** `equalRaw`: equal only when the bits outside of BitsStored are taken as they are in the file. */
  readonly source: 'equal' | 'equalRaw' | 'withinTolerance' | 'differs';
  /** Largest difference of two samples, when the pixels are not equal. */
  readonly maxDifference?: number;
}

export interface ComparisonRule {
  /** True: any difference is a difference. False: decoders of the source's syntax may differ a little. */
  readonly exact: boolean;
  /** The source's raw words, for files that fill unused bits. */
  readonly raw?: () => Uint8Array | undefined;
}

/** Compares by value: a differing container width or sign of the container alone is no difference. */
export function compareSamples(
  stored: ComparedSamples & { readonly precision: number },
  source: ComparedSamples & { readonly bitsStored: number },
  rule: ComparisonRule,
): SourceProof {
  const sameShape =
    stored.rows === source.rows &&
    stored.columns === source.columns &&
    stored.samplesPerPixel === source.samplesPerPixel;
  if (!sameShape) return { source: 'differs' };
  const storedWidth = sampleWidth(stored.precision);
  const sourceWidth = sampleWidth(source.bitsStored);
  if (
    storedWidth === sourceWidth &&
    stored.signed === source.signed &&
    equalBytes(stored.pixels, source.pixels)
  )
    return { source: 'equal' };
  const storedValues = asSamples(stored.pixels, storedWidth, stored.signed);
  const difference = maxDifference(storedValues, asSamples(source.pixels, sourceWidth, source.signed));
  if (difference === 0) return { source: 'equal' };
  const raw = rule.raw?.();
  if (raw && equalRaw(stored.pixels, storedWidth, raw))
    return { source: 'equalRaw', maxDifference: difference };
  if (!rule.exact && difference <= lossyTolerance(source.bitsStored))
    return { source: 'withinTolerance', maxDifference: difference };
  return { source: 'differs', maxDifference: difference };
}

/** Raw words against the stored samples, whatever sign either is read with. */
function equalRaw(stored: Uint8Array, storedWidth: number, raw: Uint8Array): boolean {
  return raw.length === stored.length && storedWidth > 0 && equalBytes(raw, stored);
}

/**
 * What two right decoders of a lossy syntax may differ by, in stored values: inverse transforms round
 * differently (ISO 10918-2 allows 1 of 255 a coefficient), and chrominance may be spread differently.
 */
export function lossyTolerance(bitsStored: number): number {
  return bitsStored <= 8 ? 3 : 2 ** (bitsStored - 8) + 3;
}

function maxDifference(a: Samples, b: Samples): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let index = 0; index < a.length; index++) {
    const difference = Math.abs(a[index]! - b[index]!);
    if (difference > largest) largest = difference;
  }
  return largest;
}
