/** The lines between PlanVerification, VerifyFrames, MergeVariants and WriteReport. */

/** Frames `frameFrom` to `frameTo` (exclusive) of one imported instance, to be proven. */
export interface VerifyLine {
  readonly n: number;
  readonly sop: string;
  readonly series: string;
  readonly study: string;
  readonly modality?: string;
  readonly imageSetId: string;
  readonly transferSyntaxUID: string;
  readonly hasPixelData: boolean;
  /** Frames of the whole instance, as its P10 object says. */
  readonly frames: number;
  readonly frameFrom: number;
  readonly frameTo: number;
  /** HealthImaging imported it with warnings: frames may be absent, kept as one blob. */
  readonly hasWarnings: boolean;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Where the very bytes lie: the staged copy, or the inbox object of a re-send. */
  readonly source: { readonly bucket: string; readonly key: string; readonly etag?: string };
}

export type Proof = 'source' | 'stored' | 'encoded' | 'none';

export interface FrameCounts {
  readonly expected: number;
  readonly verified: number;
  readonly provenFromSource: number;
  readonly lossySource: number;
  readonly mismatched: number;
  readonly undecodable: number;
  readonly withoutChecksum: number;
}

export const NO_FRAMES: FrameCounts = {
  expected: 0,
  verified: 0,
  provenFromSource: 0,
  lossySource: 0,
  mismatched: 0,
  undecodable: 0,
  withoutChecksum: 0,
};

export function addCounts(a: FrameCounts, b: FrameCounts): FrameCounts {
  return {
    expected: a.expected + b.expected,
    verified: a.verified + b.verified,
    provenFromSource: a.provenFromSource + b.provenFromSource,
    lossySource: a.lossySource + b.lossySource,
    mismatched: a.mismatched + b.mismatched,
    undecodable: a.undecodable + b.undecodable,
    withoutChecksum: a.withoutChecksum + b.withoutChecksum,
  };
}

/** What became of a VerifyLine. `code` is set when something is not as it must be. */
export interface VerifiedLine {
  readonly n: number;
  readonly sop: string;
  readonly series: string;
  readonly study: string;
  readonly modality?: string;
  readonly imageSetId: string;
  readonly sha256: string;
  readonly counts: FrameCounts;
  /** Undefined: not looked at (verification off, or not in the sample). */
  readonly proof?: Proof;
  readonly code?: 'ChecksumMismatch' | 'FrameUndecodable' | 'Unaccounted' | 'HandlerCrashed';
  readonly message?: string;
  readonly warnings?: readonly { readonly code: string; readonly message: string }[];
}

export const identifiersOf = (line: VerifyLine) => ({
  n: line.n,
  sop: line.sop,
  series: line.series,
  study: line.study,
  ...(line.modality === undefined ? {} : { modality: line.modality }),
  imageSetId: line.imageSetId,
  sha256: line.sha256,
});
