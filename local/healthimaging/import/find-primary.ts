/** Which primary image set an instance joins today, or why it cannot be primary itself (reference section 6). */
import { sleep } from '../background.ts';
import { unpackDocument } from '../metadata/document.ts';
import type { ImportContext } from './context.ts';
import { levelsOf, seriesElements, studyElements } from './grouping.ts';
import type { StagedInstance } from './staged.ts';

export interface Primary {
  /** The grouping elements disagree with a primary of the study: the group stays non-primary. */
  readonly conflicts: boolean;
  /** The primary of the series to join. */
  readonly join?: string;
}

/** Compares with every primary of the study: study elements with all, series elements with the own series' one. */
export async function findPrimary(context: ImportContext, member: StagedInstance): Promise<Primary> {
  const { service, job } = context;
  const primaries = await service.store.primaries(job.datastoreId, member.studyInstanceUID);
  const ownId = primaries.get(member.seriesInstanceUID);
  for (const imageSetId of primaries.values()) {
    const levels = await levelsOfSet(context, imageSetId);
    const sameStudy = equal(studyElements(levels), studyElements(member));
    const sameSeries = imageSetId !== ownId || equal(seriesElements(levels), seriesElements(member));
    if (!sameStudy || !sameSeries) return { conflicts: true };
  }
  if (!ownId) return { conflicts: false };
  await waitUntilWritable(context, ownId);
  return { conflicts: false, join: ownId };
}

async function levelsOfSet({ service, job }: ImportContext, imageSetId: string) {
  const set = await service.store.imageSet(job.datastoreId, imageSetId);
  const version = set && (await service.store.version(job.datastoreId, imageSetId, set.latestVersion));
  if (!version?.document) throw new Error(`primary image set ${imageSetId} is gone`);
  return levelsOf(await unpackDocument(await service.store.blobs.get(version.document)));
}

const equal = (one: readonly string[], other: readonly string[]) =>
  one.every((value, i) => value === other[i]);

/** An update or copy that holds the primary LOCKED is short; the import waits for it. */
async function waitUntilWritable({ service, job, signal }: ImportContext, imageSetId: string): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const set = await service.store.imageSet(job.datastoreId, imageSetId);
    const version = set && (await service.store.version(job.datastoreId, imageSetId, set.latestVersion));
    if (version?.imageSetState !== 'LOCKED') return;
    await sleep(20, signal);
  }
}
