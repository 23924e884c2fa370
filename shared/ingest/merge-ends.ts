/** How the merges of an execution ended, as the report tells it: of series, image sets and objects. */

import type { MergeOutcome } from './merge-journal.ts';
import type { MergeItem } from './merge-variants.ts';
import { readJson } from './ndjson.ts';
import type { ObjectDeps } from './pipeline-deps.ts';
import { type ImageSetReport, type MergeReport, type ObjectLine, outcomeEntry } from './report.ts';
import { workKeys } from './work-keys.ts';

export interface MergeEnds {
  readonly reports: readonly MergeReport[];
  /** Source → destination. */
  readonly merged: ReadonlyMap<string, string>;
  /** Image set → keywords. */
  readonly keptApart: ReadonlyMap<string, readonly string[]>;
  readonly versions: ReadonlyMap<string, string>;
}

export async function mergeEnds(deps: ObjectDeps, executionId: string): Promise<MergeEnds> {
  const { objects } = deps;
  const { workBucket } = deps.settings;
  const list = (await readJson<MergeItem[]>(objects, workBucket, workKeys.mergeList(executionId)))?.value;
  const reports: MergeReport[] = [];
  const merged = new Map<string, string>();
  const keptApart = new Map<string, readonly string[]>();
  const versions = new Map<string, string>();
  for (const { seriesInstanceUID } of list ?? []) {
    const key = workKeys.mergeOutcome(executionId, seriesInstanceUID);
    const outcome = (await readJson<MergeOutcome>(objects, workBucket, key))?.value;
    if (!outcome) {
      reports.push(unfinished(seriesInstanceUID));
      continue;
    }
    reports.push(...outcome.reports);
    for (const [source, destination] of Object.entries(outcome.merged)) merged.set(source, destination);
    for (const { imageSetId, keywords } of outcome.keptApart) keptApart.set(imageSetId, keywords);
    for (const { imageSetId, versionId } of outcome.destinations) versions.set(imageSetId, versionId);
  }
  return { reports, merged, keptApart, versions };
}

const unfinished = (seriesInstanceUID: string): MergeReport => ({
  seriesInstanceUID,
  outcome: 'failed',
  reason: 'the merge did not finish; nothing was deleted',
  keywords: [],
  sources: [],
  destination: '',
  instances: 0,
});

/** An object is where the merge put it; one in an image set that stays apart says so. Pure. */
export function withMergeEnd(line: ObjectLine, ends: MergeEnds): ObjectLine {
  const { imageSetId } = line;
  if (imageSetId === undefined) return line;
  const destination = ends.merged.get(imageSetId);
  const moved = destination === undefined ? line : { ...line, imageSetId: destination };
  const keywords = ends.keptApart.get(imageSetId);
  if (keywords === undefined || line.outcome !== 'ingested' || line.code !== undefined) return moved;
  const advice = outcomeEntry('KeptApart')?.advice;
  const message = `kept apart from other image sets of the series: ${keywords.join(', ') || 'not proven'}`;
  return { ...moved, code: 'KeptApart', message, ...(advice === undefined ? {} : { advice }) };
}

/** Image sets as they are after the merges: sources are part of their destination. Pure. */
export function afterMerges(imageSets: readonly ImageSetReport[], ends: MergeEnds): ImageSetReport[] {
  const byId = new Map<string, ImageSetReport>();
  for (const imageSet of imageSets) {
    const imageSetId = ends.merged.get(imageSet.imageSetId) ?? imageSet.imageSetId;
    const known = byId.get(imageSetId);
    byId.set(imageSetId, {
      ...(known ?? imageSet),
      imageSetId,
      version: ends.versions.get(imageSetId) ?? known?.version ?? imageSet.version,
      isPrimary: imageSet.imageSetId === imageSetId ? imageSet.isPrimary : (known?.isPrimary ?? false),
      instances: (known?.instances ?? 0) + imageSet.instances,
      frames: (known?.frames ?? 0) + imageSet.frames,
      verified: (known?.verified ?? 0) + imageSet.verified,
    });
  }
  return [...byId.values()];
}
