/**
 * What a decoded frame must be, against what it is (design 2, invariant 3): a checksum alone does not see exchanged
 * rows and columns, a sign, or a precision. Pure.
 */
import type { FrameChecksum, FrameProof } from './frame-operations.ts';

/** What the metadata document says of a frame; what is left out is not compared. */
export interface FrameExpectation {
  /** `PixelDataChecksumFromBaseToFullResolution`: base to full; the last is the full resolution. */
  readonly checksums?: readonly FrameChecksum[] | undefined;
  readonly rows?: number | undefined;
  readonly columns?: number | undefined;
  readonly samplesPerPixel?: number | undefined;
  readonly bitsStored?: number | undefined;
  readonly signed?: boolean | undefined;
}

export interface FrameMismatch {
  readonly what: 'checksum' | 'level' | 'rows' | 'columns' | 'samplesPerPixel' | 'bitsStored' | 'signed';
  readonly expected: number | boolean | string;
  readonly got: number | boolean | string;
  /** `columns×rows` of the resolution level, for checksums. */
  readonly level?: string;
}

/** The levels to ask `verify` for, so that every listed checksum can be judged; undefined when only the full one is. */
export function levelsToVerify(expectation: FrameExpectation): readonly FrameChecksum[] | undefined {
  const { checksums } = expectation;
  return checksums && checksums.length > 1 ? checksums : undefined;
}

/** All that differs; an empty list means that the frame is as expected. */
export function judgeFrame(proof: FrameProof, expectation: FrameExpectation): FrameMismatch[] {
  return [...headerMismatches(proof, expectation), ...checksumMismatches(proof, expectation.checksums ?? [])];
}

function headerMismatches(proof: FrameProof, expectation: FrameExpectation): FrameMismatch[] {
  const names = ['rows', 'columns', 'samplesPerPixel', 'bitsStored', 'signed'] as const;
  return names.flatMap((what) => {
    const expected = expectation[what];
    return expected === undefined || expected === proof[what] ? [] : [{ what, expected, got: proof[what] }];
  });
}

function checksumMismatches(proof: FrameProof, listed: readonly FrameChecksum[]): FrameMismatch[] {
  const full = { Width: proof.columns, Height: proof.rows, Checksum: proof.crc32 };
  const known = [...(proof.checksums ?? []), full];
  return listed.flatMap(({ Width, Height, Checksum }, index): FrameMismatch[] => {
    const level = `${Width}×${Height}`;
    const isFull = index === listed.length - 1;
    if (isFull && (Width !== full.Width || Height !== full.Height))
      return [{ what: 'level', expected: level, got: `${full.Width}×${full.Height}`, level }];
    const got = known.find((one) => one.Width === Width && one.Height === Height);
    if (!got) return [{ what: 'level', expected: level, got: 'no such level', level }];
    return got.Checksum === Checksum
      ? []
      : [{ what: 'checksum', expected: Checksum, got: got.Checksum, level }];
  });
}
