/** Which resolution levels HealthImaging listed checksums for in 2023–24 (reference section 8, inferred). */
import type { CodestreamHeader } from './codestream.ts';

/** Documents of that time halve while both sides of the next level keep at least this many pixels (95 to 120 fit). */
const SMALLEST_LISTED_SIDE = 100;

/** How many levels below full resolution are listed: 640 × 480 → 2, 512 × 512 → 2, 320 × 240 → 1. */
export function checksumLevels(
  header: Pick<CodestreamHeader, 'rows' | 'columns' | 'decompositions'>,
): number {
  let level = 0;
  const smallest = Math.min(header.rows, header.columns);
  while (level < header.decompositions && Math.ceil(smallest / 2 ** (level + 1)) >= SMALLEST_LISTED_SIDE)
    level++;
  return level;
}
