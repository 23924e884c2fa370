/**
 * Proves one image set as it is stored, at any time, with or without knowing what was sent: for `isocenter verify` and
 * for audits. Metadata once; frames overlap within the caller's bound.
 */
import type { CodecPool } from '../pixels/codec-pool.ts';
import type { Clock } from '../ports/clock.ts';
import type { ImageSetMetadata, ImagingService, InstanceEntry } from '../ports/imaging-service.ts';
import { concurrently } from './concurrently.ts';
import { sha256 } from './digest.ts';
import type { Difference } from './frame-headers.ts';
import { isKeptAsIs } from './frame-proof.ts';
import { metadataPatiently } from './patient-metadata.ts';
import { patiently } from './patiently.ts';
import { objectionTo, proveStoredFrame } from './prove-instance.ts';
import { addCounts, type FrameCounts, NO_FRAMES } from './verify-lines.ts';

export interface Sample {
  /** Of the frames: over 0, to 100. */
  readonly percent: number;
  /** Equal seeds choose equal frames. */
  readonly seed: string;
}

/** What else is known of an instance; from the ledger of a pipeline. */
export interface KnownInstance {
  readonly imageSetId: string;
  readonly frames: number;
}

export interface VerifyImageSetDeps {
  readonly imaging: Pick<ImagingService, 'metadata' | 'frame'>;
  readonly codecs: CodecPool;
  readonly clock: Clock;
  /** Runs a frame's work when there is room for it. */
  readonly withinBound: <T>(work: () => Promise<T>) => Promise<T>;
  /** What was imported of a series, by SOP Instance UID; undefined where nothing is known. */
  readonly knownInstances?: (
    seriesInstanceUID: string,
  ) => Promise<Readonly<Record<string, KnownInstance>> | undefined>;
}

export interface VerifyProblem extends Difference {
  readonly imageSetId: string;
  readonly series?: string;
  readonly sop?: string;
  /** From 1. */
  readonly frame?: number;
  readonly code:
    | 'ChecksumMismatch'
    | 'FrameUndecodable'
    | 'FrameMissing'
    | 'InstanceMissing'
    | 'ImageSetMissing';
  readonly message: string;
}

export interface VerifiedImageSet {
  readonly instances: number;
  /** Instances that have no frames: proof none. */
  readonly withoutFrames: number;
  readonly counts: FrameCounts;
  readonly problems: readonly VerifyProblem[];
}

/** Instances under way at once, and frames of one; `withinBound` bounds all frames together. */
const INSTANCES_AT_ONCE = 32;
const FRAMES_AT_ONCE = 32;

/** Throws NotInDataStore where there is no such image set (any more). */
export async function verifyImageSet(
  deps: VerifyImageSetDeps,
  imageSetId: string,
  sample: Sample,
): Promise<VerifiedImageSet> {
  const document = await patiently(deps.clock, () => metadataPatiently(deps, imageSetId));
  let verified: VerifiedImageSet = { instances: 0, withoutFrames: 0, counts: NO_FRAMES, problems: [] };
  for (const [series, { Instances }] of Object.entries(document.Study.Series)) {
    const known = (await deps.knownInstances?.(series)) ?? {};
    const found = Object.entries(Instances);
    const parts = await concurrently(found, INSTANCES_AT_ONCE, ([sop, instance]) =>
      verifyInstance(deps, { imageSetId, series, sop, instance, known: known[sop] }, sample),
    );
    verified = parts.reduce(added, verified);
  }
  return { ...verified, problems: [...verified.problems, ...(await missing(deps, imageSetId, document))] };
}

const added = (a: VerifiedImageSet, b: VerifiedImageSet): VerifiedImageSet => ({
  instances: a.instances + b.instances,
  withoutFrames: a.withoutFrames + b.withoutFrames,
  counts: addCounts(a.counts, b.counts),
  problems: b.problems.length === 0 ? a.problems : [...a.problems, ...b.problems],
});

/** Instances that were imported into this image set and that it does not list. */
async function missing(
  deps: VerifyImageSetDeps,
  imageSetId: string,
  document: ImageSetMetadata,
): Promise<VerifyProblem[]> {
  const problems: VerifyProblem[] = [];
  for (const [series, { Instances }] of Object.entries(document.Study.Series))
    for (const [sop, known] of Object.entries((await deps.knownInstances?.(series)) ?? {}))
      if (known.imageSetId === imageSetId && !Object.hasOwn(Instances, sop))
        problems.push({
          imageSetId,
          series,
          sop,
          code: 'InstanceMissing',
          message: 'the image set does not list the instance that was imported into it',
          what: 'instance',
          expected: 'listed',
          got: 'missing',
        });
  return problems;
}

interface FoundInstance {
  readonly imageSetId: string;
  readonly series: string;
  readonly sop: string;
  readonly instance: InstanceEntry;
  readonly known: KnownInstance | undefined;
}

async function verifyInstance(
  deps: VerifyImageSetDeps,
  found: FoundInstance,
  sample: Sample,
): Promise<VerifiedImageSet> {
  const { instance, imageSetId, series, sop } = found;
  const listed = instance.ImageFrames?.length ?? 0;
  if (listed === 0) return { instances: 1, withoutFrames: 1, counts: NO_FRAMES, problems: [] };
  const place = { imageSetId, series, sop };
  const objection = objectionTo(instance, expectedFrames(found));
  const problems: VerifyProblem[] = (objection?.differences ?? []).map((difference) => ({
    ...place,
    code: 'FrameMissing',
    message: objection?.message ?? '',
    ...difference,
  }));
  const chosen = Array.from({ length: listed }, (_, index) => index).filter((index) =>
    isInSample(sample, imageSetId, sop, index),
  );
  const fetchFrame = (id: string) => patiently(deps.clock, () => deps.imaging.frame(imageSetId, id));
  const findings = await concurrently(chosen, FRAMES_AT_ONCE, (index) =>
    deps.withinBound(async () => ({
      index,
      ...(await proveStoredFrame({ codecs: deps.codecs, fetchFrame }, { instance }, index)),
    })),
  );
  for (const { index, code, message = '', differences = [] } of findings)
    if (code)
      for (const difference of differences)
        problems.push({ ...place, frame: index + 1, code: codeOf(code, difference), message, ...difference });
  const counts = findings.reduce((sum, finding) => addCounts(sum, finding.counts), NO_FRAMES);
  return {
    instances: 1,
    withoutFrames: 0,
    counts: objection ? addCounts(counts, { ...NO_FRAMES, mismatched: 1 }) : counts,
    problems,
  };
}

const codeOf = (code: 'ChecksumMismatch' | 'FrameUndecodable', { got }: Difference) =>
  got === 'missing' ? 'FrameMissing' : code;

/** As imported, else as the metadata says. A video is one frame to the service, whatever NumberOfFrames says. */
function expectedFrames({ instance, known }: FoundInstance): number {
  const listed = instance.ImageFrames?.length ?? 0;
  if (isKeptAsIs(instance)) return listed;
  const { NumberOfFrames } = instance.DICOM;
  const described = Number(NumberOfFrames ?? 1);
  return known?.frames || (Number.isInteger(described) && described > 0 ? described : listed);
}

function isInSample({ percent, seed }: Sample, imageSetId: string, sop: string, index: number): boolean {
  if (percent >= 100) return true;
  const draw = Number.parseInt(sha256(`${seed}/${imageSetId}/${sop}/${index}`).slice(0, 8), 16);
  return draw / 2 ** 32 < percent / 100;
}
