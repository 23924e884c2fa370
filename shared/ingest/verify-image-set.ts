/**
 * Proves one image set as it is stored, at any time, with or without knowing what was sent: for `isocenter verify` and
 * for audits. Metadata once; frames overlap within the caller's bound.
 */
import type { CodecPool } from '../pixels/codec-pool.ts';
import type { FrameSource } from '../pixels/frames.ts';
import type { Clock } from '../ports/clock.ts';
import type { ImageSetMetadata, ImagingService, InstanceEntry } from '../ports/imaging-service.ts';
import { concurrently } from './concurrently.ts';
import { sha256 } from './digest.ts';
import type { Difference } from './frame-headers.ts';
import { isKeptAsIs } from './frame-proof.ts';
import type { OpenedSource } from './open-source.ts';
import { metadataPatiently } from './patient-metadata.ts';
import { patiently } from './patiently.ts';
import { type Objection, objectionTo, proveStoredFrame } from './prove-instance.ts';
import {
  framesWithoutEntries,
  framesWithoutProof,
  type UnprovenInstance,
  WHY_WITHOUT_PROOF,
  whyWithoutEntries,
} from './unproven-instance.ts';
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
  readonly sizeBytes: number;
  readonly staged?: string;
  readonly warned?: boolean;
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
  /** The bytes that were imported, where the ledger names them. */
  readonly openStaged?: (recorded: {
    readonly staged: string;
    readonly sizeBytes: number;
  }) => Promise<OpenedSource>;
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
  /** Instances without pixels: there is nothing to prove. */
  readonly withoutFrames: number;
  /** Instances with pixels that nothing proves; their frames are `expected`. Not among the problems. */
  readonly unproven: readonly UnprovenInstance[];
  readonly sources: SourceCounts;
  readonly counts: FrameCounts;
  readonly problems: readonly VerifyProblem[];
}

/** Instances by what became of the bytes that were imported. */
export interface SourceCounts {
  /** Frames were compared with it. */
  readonly compared: number;
  /** The staged copy is not there any more. */
  readonly gone: number;
  /** It holds no frames that we can read. */
  readonly unreadable: number;
  /** Nothing says where it is, or nothing was to be compared. */
  readonly unknown: number;
}

export const NO_SOURCES: SourceCounts = { compared: 0, gone: 0, unreadable: 0, unknown: 0 };

export const addSources = (a: SourceCounts, b: SourceCounts): SourceCounts => ({
  compared: a.compared + b.compared,
  gone: a.gone + b.gone,
  unreadable: a.unreadable + b.unreadable,
  unknown: a.unknown + b.unknown,
});

const NOTHING: VerifiedImageSet = {
  instances: 0,
  withoutFrames: 0,
  unproven: [],
  sources: NO_SOURCES,
  counts: NO_FRAMES,
  problems: [],
};

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
  let verified = NOTHING;
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
  unproven: b.unproven.length === 0 ? a.unproven : [...a.unproven, ...b.unproven],
  sources: addSources(a.sources, b.sources),
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
  const { instance, imageSetId, sop } = found;
  const listed = instance.ImageFrames?.length ?? 0;
  const result = { ...NOTHING, instances: 1, sources: { ...NO_SOURCES, unknown: 1 } };
  if (listed === 0 && !mustHaveFrames(found)) return { ...result, ...withoutEntries(found) };
  const chosen = Array.from({ length: listed }, (_, index) => index).filter((index) =>
    isInSample(sample, imageSetId, sop, index),
  );
  const opened = chosen.length > 0 ? await openKnown(deps, found) : 'unknown';
  const source = typeof opened === 'string' ? undefined : opened;
  const sources = { ...NO_SOURCES, [typeof opened === 'string' ? opened : 'compared']: 1 };
  const objection = objectionTo(instance, source?.frameCount ?? expectedFrames(found), source?.description);
  const objections = problemsOf(found, objection);
  if (objection && !objection.isAboutCount) {
    const counts = { ...NO_FRAMES, expected: chosen.length, mismatched: chosen.length };
    return { ...result, sources, counts, problems: objections };
  }
  const frames = await verifyFrames(deps, found, chosen, source);
  return {
    ...result,
    sources,
    unproven: unprovenOf(found, framesWithoutProof(frames.counts), WHY_WITHOUT_PROOF),
    counts: objection ? addCounts(frames.counts, { ...NO_FRAMES, mismatched: 1 }) : frames.counts,
    problems: [...objections, ...frames.problems],
  };
}

/** No frame is listed, rightly or because the object is kept whole; known without a fetch, so it is told in any sample. */
function withoutEntries(found: FoundInstance): Partial<VerifiedImageSet> {
  const frames = framesWithoutEntries(found.instance, found.known?.frames);
  if (frames === 0) return { withoutFrames: 1 };
  return {
    counts: { ...NO_FRAMES, expected: frames },
    unproven: unprovenOf(found, frames, whyWithoutEntries(found.instance)),
  };
}

const unprovenOf = (
  { imageSetId, series, sop }: FoundInstance,
  frames: number,
  why: string,
): UnprovenInstance[] => (frames > 0 ? [{ imageSetId, series, sop, frames, why }] : []);

async function verifyFrames(
  deps: VerifyImageSetDeps,
  { instance, imageSetId, series, sop }: FoundInstance,
  chosen: readonly number[],
  source: FrameSource | undefined,
): Promise<Pick<VerifiedImageSet, 'counts' | 'problems'>> {
  const fetchFrame = (id: string) => patiently(deps.clock, () => deps.imaging.frame(imageSetId, id));
  const problems: VerifyProblem[] = [];
  const counts = await concurrently(chosen, FRAMES_AT_ONCE, (index) =>
    deps.withinBound(async () => {
      const stored = { instance, source };
      const finding = await proveStoredFrame({ codecs: deps.codecs, fetchFrame }, stored, index);
      const { code, message = '', differences = [] } = finding;
      const place = { imageSetId, series, sop, frame: index + 1, message };
      if (code)
        for (const difference of differences)
          problems.push({ ...place, code: codeOf(code, difference), ...difference });
      return finding.counts;
    }),
  );
  problems.sort((a, b) => (a.frame ?? 0) - (b.frame ?? 0));
  return { counts: counts.reduce(addCounts, NO_FRAMES), problems };
}

/** An instance that was imported with frames and without a warning has them, or has lost them. */
const mustHaveFrames = ({ known, imageSetId }: FoundInstance) =>
  known?.staged !== undefined && known.imageSetId === imageSetId && known.frames > 0 && !known.warned;

/** The bytes that were imported into this very image set. */
async function openKnown(
  { openStaged }: VerifyImageSetDeps,
  { known, imageSetId }: FoundInstance,
): Promise<OpenedSource | 'unknown'> {
  if (!openStaged || known?.staged === undefined || known.imageSetId !== imageSetId) return 'unknown';
  return openStaged({ staged: known.staged, sizeBytes: known.sizeBytes });
}

const problemsOf = (
  { imageSetId, series, sop }: FoundInstance,
  objection: Objection | undefined,
): VerifyProblem[] =>
  (objection?.differences ?? []).map((difference) => ({
    imageSetId,
    series,
    sop,
    code: objection?.isAboutCount ? 'FrameMissing' : 'ChecksumMismatch',
    message: objection?.message ?? '',
    ...difference,
  }));

const codeOf = (code: 'ChecksumMismatch' | 'FrameUndecodable', { got }: Difference) =>
  got === 'missing' ? 'FrameMissing' : code;

/** As imported, else as the metadata says. A video is one frame to the service, whatever NumberOfFrames says. */
function expectedFrames({ instance, known }: FoundInstance): number {
  const listed = instance.ImageFrames?.length ?? 0;
  if (listed > 0 && isKeptAsIs(instance)) return listed;
  const { NumberOfFrames } = instance.DICOM;
  const described = Number(NumberOfFrames ?? 1);
  return known?.frames || (Number.isInteger(described) && described > 0 ? described : listed);
}

function isInSample({ percent, seed }: Sample, imageSetId: string, sop: string, index: number): boolean {
  if (percent >= 100) return true;
  const draw = Number.parseInt(sha256(`${seed}/${imageSetId}/${sop}/${index}`).slice(0, 8), 16);
  return draw / 2 ** 32 < percent / 100;
}
