/** The judgement over one stored instance that the pipeline and `isocenter verify` share: as a whole, and by frame. */
import type { CodecPool } from '../pixels/codec-pool.ts';
import type { FrameSource, ImageDescription } from '../pixels/frames.ts';
import { type InstanceEntry, NotInDataStore } from '../ports/imaging-service.ts';
import { type Difference, describedDifferences } from './frame-headers.ts';
import { type FrameFinding, missingFrame, proveFrame } from './frame-proof.ts';

export interface FrameDeps {
  readonly codecs: CodecPool;
  /** The stored encoding. Throws NotInDataStore where the data store holds no such frame. */
  fetchFrame(imageFrameId: string): Promise<Uint8Array>;
}

export interface StoredInstance {
  readonly instance: InstanceEntry;
  readonly source?: FrameSource | undefined;
}

export interface Objection {
  readonly message: string;
  readonly differences: readonly Difference[];
  readonly isAboutCount: boolean;
}

/** What speaks against the instance before any frame is fetched: their number, or a metadata that differs from the source. */
export function objectionTo(
  instance: InstanceEntry,
  expectedFrames: number,
  source?: ImageDescription,
): Objection | undefined {
  const listed = instance.ImageFrames?.length ?? 0;
  if (listed !== expectedFrames)
    return {
      message: `frames: expected ${expectedFrames}, the metadata lists ${listed}`,
      differences: [{ what: 'frames', expected: expectedFrames, got: listed }],
      isAboutCount: true,
    };
  const differences = source ? describedDifferences(instance.DICOM, source) : [];
  if (differences.length === 0) return undefined;
  const keywords = differences.map(({ what }) => what).join(', ');
  return { message: `metadata and source differ in ${keywords}`, differences, isAboutCount: false };
}

/** One listed frame: fetched, decoded and compared with all that is known of it. */
export async function proveStoredFrame(
  { codecs, fetchFrame }: FrameDeps,
  { instance, source }: StoredInstance,
  index: number,
): Promise<FrameFinding> {
  const entry = instance.ImageFrames?.[index];
  const stored = entry && (await frameOrNothing(fetchFrame, entry.ID));
  if (!entry || !stored) return missingFrame(index);
  return proveFrame(codecs, { index, entry, instance, stored, ...(source ? { source } : {}) });
}

async function frameOrNothing(
  fetchFrame: FrameDeps['fetchFrame'],
  id: string,
): Promise<Uint8Array | undefined> {
  try {
    return await fetchFrame(id);
  } catch (error) {
    if (error instanceof NotInDataStore) return undefined;
    throw error;
  }
}
