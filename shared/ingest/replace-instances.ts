/** Another content under a known SOP Instance UID: a person lets it take the place of the stored instance. */
import type { MergeDeps } from './merge-journal.ts';
import { type RefusedInstance, refusedObjects } from './refused-objects.ts';
import { type HumanDecision, recordDecision } from './resolutions.ts';
import { type Retried, retryObjects } from './retry-objects.ts';

/** For each of these instances the newest object that was refused for being another content of it. */
export async function findConflicting(
  deps: Pick<MergeDeps, 'objects' | 'settings'>,
  series: string,
  sops: ReadonlySet<string>,
): Promise<ReadonlyMap<string, RefusedInstance>> {
  const found = new Map<string, RefusedInstance>();
  const isMeant = ({ seriesInstanceUID, sopInstanceUID = '' }: RefusedInstance['line']) =>
    seriesInstanceUID === series && sops.has(sopInstanceUID) && !found.has(sopInstanceUID);
  for await (const refused of refusedObjects(deps, 'InstanceConflict', isMeant)) {
    found.set(refused.line.sopInstanceUID ?? '', refused);
    if (found.size === sops.size) break;
  }
  return found;
}

/**
 * Records the decision, then puts the refused objects back into the inbox, where the next ingest takes them. Safe to
 * repeat: what is back already is not found any more.
 */
export async function replaceInstances(
  deps: MergeDeps,
  series: string,
  sops: ReadonlySet<string>,
  by: HumanDecision,
): Promise<readonly Retried[]> {
  const found = await findConflicting(deps, series, sops);
  for (const sop of found.keys()) await recordDecision(deps, series, 'replace', by, { sop });
  const all = [...found.values()];
  const retried: Retried[] = [];
  for (const executionId of new Set(all.map((refused) => refused.executionId))) {
    const keys = new Set(all.filter((one) => one.executionId === executionId).map(({ line }) => line.key));
    retried.push(await retryObjects(deps, executionId, 'InstanceConflict', keys));
  }
  return retried;
}
