/**
 * VerifyFrames: proves the frames of one shard (design invariant 3). Metadata once an image set, each frame fetched
 * once; fetching, decoding and checking overlap within a bound of bytes.
 */
import type { CodecPool } from '../pixels/codec-pool.ts';
import type { FrameSource } from '../pixels/frames.ts';
import type { ImageSetMetadata, InstanceEntry } from '../ports/imaging-service.ts';
import { concurrently } from './concurrently.ts';
import type { FrameFinding } from './frame-proof.ts';
import { openSource } from './open-source.ts';
import { metadataPatiently } from './patient-metadata.ts';
import type { ImagingDeps } from './pipeline-deps.ts';
import { objectionTo, proveStoredFrame } from './prove-instance.ts';
import { runShard, type ShardRef } from './shards.ts';
import {
  addCounts,
  identifiersOf,
  NO_FRAMES,
  type Proof,
  type VerifiedLine,
  type VerifyLine,
} from './verify-lines.ts';
import { finding } from './verify-results.ts';

export interface VerifyDeps extends ImagingDeps {
  readonly codecs: CodecPool;
}

/** Instances looked at at once, and frames of one instance; the codec pool bounds what is decoded. */
const INSTANCES_AT_ONCE = 8;
const FRAMES_AT_ONCE = 4;

/** Safe to repeat. An image set with a mismatch is tagged, never deleted. */
export async function verifyShard(deps: VerifyDeps, ref: ShardRef): Promise<void> {
  const shardDeps = { objects: deps.objects, workBucket: deps.settings.workBucket };
  await runShard<VerifyLine>(shardDeps, 'verify', ref, async (lines) => {
    const metadata = metadataOnce(deps);
    const verified = await concurrently(lines, INSTANCES_AT_ONCE, (line) =>
      isToBeVerified(deps, line) ? verifyInstance(deps, line, metadata) : notLookedAt(line),
    );
    await tagUnverified(deps, verified);
    return verified;
  });
}

/** Sampling by the instance's own digest: the same instance is in the same sample each time. */
function isToBeVerified(deps: VerifyDeps, line: VerifyLine): boolean {
  const { verify } = deps.settings;
  if (verify.mode === 'sample') return Number.parseInt(line.sha256.slice(0, 8), 16) % 100 < verify.percent;
  return verify.mode === 'full';
}

const notLookedAt = async (line: VerifyLine): Promise<VerifiedLine> => ({
  ...identifiersOf(line),
  counts: { ...NO_FRAMES, expected: line.frameTo - line.frameFrom },
});

/** The metadata of each image set, fetched once; "not consistent yet" just after an import is waited out. */
function metadataOnce(deps: VerifyDeps): (imageSetId: string) => Promise<ImageSetMetadata> {
  const fetched = new Map<string, Promise<ImageSetMetadata>>();
  return (imageSetId) => {
    const known = fetched.get(imageSetId) ?? metadataPatiently(deps, imageSetId);
    fetched.set(imageSetId, known);
    return known;
  };
}

async function verifyInstance(
  deps: VerifyDeps,
  line: VerifyLine,
  metadata: (imageSetId: string) => Promise<ImageSetMetadata>,
): Promise<VerifiedLine> {
  const document = await metadata(line.imageSetId);
  const instance = document.Study.Series[line.series]?.Instances[line.sop];
  if (!instance)
    return finding(
      line,
      NO_FRAMES,
      'Unaccounted',
      'the image set does not list the instance that was imported',
    );
  const frames = instance.ImageFrames ?? [];
  if (!line.hasPixelData && frames.length === 0)
    return { ...identifiersOf(line), counts: NO_FRAMES, proof: 'none' };
  if (frames.length === 0 && line.hasWarnings)
    return {
      ...identifiersOf(line),
      counts: { ...NO_FRAMES, expected: line.frameTo - line.frameFrom },
      proof: 'none',
    };
  const opened = await openSource(deps.objects, { ...line.source, sizeBytes: line.sizeBytes });
  const source = typeof opened === 'string' ? undefined : opened;
  const objection = objectionTo(instance, source?.frameCount ?? line.frames, source?.description);
  if (objection) {
    const expected = line.frameTo - line.frameFrom;
    const mismatched = objection.isAboutCount ? 1 : expected;
    return finding(line, { ...NO_FRAMES, expected, mismatched }, 'ChecksumMismatch', objection.message);
  }
  return verifyRange(deps, line, instance, source);
}

async function verifyRange(
  deps: VerifyDeps,
  line: VerifyLine,
  instance: InstanceEntry,
  source: FrameSource | undefined,
): Promise<VerifiedLine> {
  const entries = instance.ImageFrames ?? [];
  // A video is one frame to the service, whatever NumberOfFrames says.
  const to = Math.min(line.frameTo, entries.length);
  const indices = Array.from({ length: Math.max(0, to - line.frameFrom) }, (_, i) => line.frameFrom + i);
  const fetchFrame = (id: string) => deps.imaging.frame(line.imageSetId, id);
  const findings = await concurrently(indices, FRAMES_AT_ONCE, (index) =>
    proveStoredFrame({ codecs: deps.codecs, fetchFrame }, { instance, source }, index),
  );
  const counts = findings.reduce((sum, f) => addCounts(sum, f.counts), NO_FRAMES);
  const warnings = findings.some((f) => f.unusedBits)
    ? [{ code: 'UnusedBits', message: 'bits outside of BitsStored are set in the source' }]
    : undefined;
  const bad = findings.find((f) => f.code);
  if (bad?.code)
    return { ...finding(line, counts, bad.code, messageOf(findings)), ...(warnings ? { warnings } : {}) };
  return {
    ...identifiersOf(line),
    counts,
    proof: weakestProof(findings),
    ...(warnings ? { warnings } : {}),
  };
}

/** The first three of the frames that are not as they must be. */
const messageOf = (findings: readonly FrameFinding[]) => {
  const bad = findings.filter((f) => f.code);
  const shown = bad.slice(0, 3).map((f) => f.message);
  return bad.length > 3 ? `${shown.join('; ')}; and ${bad.length - 3} more frames` : shown.join('; ');
};

const STRENGTH: readonly Proof[] = ['none', 'stored', 'encoded', 'source'];

const weakestProof = (findings: readonly FrameFinding[]): Proof =>
  findings.reduce<Proof>(
    (weakest, f) => (STRENGTH.indexOf(f.proof) < STRENGTH.indexOf(weakest) ? f.proof : weakest),
    'source',
  );

async function tagUnverified(deps: VerifyDeps, lines: readonly VerifiedLine[]): Promise<void> {
  const imageSets = new Set(lines.filter((line) => line.code).map((line) => line.imageSetId));
  for (const imageSetId of imageSets) {
    const imageSet = await deps.imaging.imageSet(imageSetId);
    if (imageSet) await deps.imaging.tag(imageSet.arn, { 'isocenter:unverified': 'true' });
  }
}
