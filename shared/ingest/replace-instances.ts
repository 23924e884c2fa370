/** Another content under a known SOP Instance UID: a person lets it take the place of the stored instance. */
import { createHash } from 'node:crypto';
import type { ObjectLocation, ObjectStore } from '../ports/object-store.ts';
import { concurrently } from './concurrently.ts';
import type { MergeDeps } from './merge-journal.ts';
import { exists } from './ndjson.ts';
import { type RefusedInstance, refusedId, refusedObjects } from './refused-objects.ts';
import { endReplacements, type HumanDecision, readResolution, recordDecision } from './resolutions.ts';
import { type Retried, retryObjects } from './retry-objects.ts';
import { workKeys } from './work-keys.ts';

/** By SOP Instance UID the refused object (`refusedId`) that is meant; undefined: the newest. */
export type WantedObjects = ReadonlyMap<string, string | undefined>;

const CONTENTS_AT_ONCE = 8;

/** For each of these instances the object that is meant, where it was refused for being another content and still waits. */
export async function findConflicting(
  deps: Pick<MergeDeps, 'objects' | 'settings'>,
  series: string,
  wanted: WantedObjects,
): Promise<ReadonlyMap<string, RefusedInstance>> {
  const found = new Map<string, RefusedInstance>();
  const isMeant = (line: RefusedInstance['line'], executionId: string) => {
    const sop = line.sopInstanceUID ?? '';
    if (line.seriesInstanceUID !== series || !wanted.has(sop) || found.has(sop)) return false;
    return (wanted.get(sop) ?? refusedId(executionId, line)) === refusedId(executionId, line);
  };
  for await (const refused of refusedObjects(deps, 'InstanceConflict', isMeant)) {
    found.set(refused.line.sopInstanceUID ?? '', refused);
    if (found.size === wanted.size) break;
  }
  return found;
}

/**
 * Records the decision, then puts the refused objects back into the inbox, where the next ingest takes them. It is about
 * their very bytes: nothing else may take the place of the instances. Safe to repeat with the same `by`: what is back
 * already is not found any more, and no other object goes in its stead. Undefined where none waits, nor ever did for `by`.
 */
export async function replaceInstances(
  deps: MergeDeps,
  series: string,
  wanted: WantedObjects,
  by: HumanDecision,
): Promise<readonly Retried[] | undefined> {
  const decided = await decidedBefore(deps, series, by);
  const found = await findConflicting(deps, series, new Map([...wanted, ...decided]));
  if (found.size === 0) return decided.size > 0 ? [] : undefined;
  const all = await concurrently([...found], CONTENTS_AT_ONCE, async ([sop, refused]) => {
    const content = { sop, ...(await contentOf(deps.objects, placeOf(deps, refused))) };
    return { refused, content };
  });
  for (const { refused, content } of all) {
    const about = { sop: content.sop, object: refusedId(refused.executionId, refused.line) };
    await recordDecision(deps, series, 'replace', by, about, content);
  }
  const retried: Retried[] = [];
  for (const executionId of new Set(all.map(({ refused }) => refused.executionId))) {
    const ours = all.filter(({ refused }) => refused.executionId === executionId);
    const keys = new Set(ours.map(({ refused }) => refused.line.key));
    retried.push(await retryObjects(deps, executionId, 'InstanceConflict', keys));
    // What did not go back waits for another decision.
    const left = await concurrently(ours, CONTENTS_AT_ONCE, ({ refused, content }) =>
      isLeft(deps, refused, content.sha256),
    );
    await endReplacements(
      deps,
      series,
      ours.filter((_, index) => left[index]).map(({ content }) => content),
    );
  }
  return retried;
}

/** What this very decision chose in an earlier try. */
async function decidedBefore(deps: MergeDeps, series: string, by: HumanDecision): Promise<WantedObjects> {
  const { history = [] } = (await readResolution(deps, series)) ?? {};
  return new Map(
    history
      .filter(({ decision, at, actor }) => decision === 'replace' && at === by.at && actor === by.actor)
      .map(({ sop = '', object }) => [sop, object]),
  );
}

const placeOf = (deps: MergeDeps, { executionId, line }: RefusedInstance) => ({
  bucket: deps.settings.workBucket,
  key: workKeys.refused('rejected', executionId, line.key),
});

/** It waits where it was refused, and is not in the inbox: an earlier try may have broken off between the two. */
async function isLeft(deps: MergeDeps, refused: RefusedInstance, sha256: string): Promise<boolean> {
  const { bucket, key } = placeOf(deps, refused);
  if (!(await exists(deps.objects, bucket, key))) return false;
  const inbox = { bucket: deps.settings.inboxBucket, key: refused.line.key };
  const isBack =
    (await exists(deps.objects, inbox.bucket, inbox.key)) &&
    (await contentOf(deps.objects, inbox)).sha256 === sha256;
  if (isBack) await deps.objects.remove(bucket, [{ key }]);
  return !isBack;
}

async function contentOf(
  objects: ObjectStore,
  location: ObjectLocation,
): Promise<{ readonly sha256: string; readonly sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of await objects.stream(location)) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}
