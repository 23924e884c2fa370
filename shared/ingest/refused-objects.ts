/** Objects that were refused until a person decides, and still wait in the work bucket. */
import { NoSuchObject } from '../ports/object-store.ts';
import { concurrently } from './concurrently.ts';
import { sha256 } from './digest.ts';
import type { HeldCode } from './held-codes.ts';
import type { MergeDeps } from './merge-journal.ts';
import { exists, readJson, readLines } from './ndjson.ts';
import type { ObjectLine, Report } from './report.ts';
import { workKeys } from './work-keys.ts';

/** A refused object, and the execution that has it. */
export interface RefusedInstance {
  readonly executionId: string;
  /** When that execution ended; ISO 8601, UTC. */
  readonly finishedAt: string;
  readonly line: ObjectLine;
}

type Deps = Pick<MergeDeps, 'objects' | 'settings'>;

/** Early summaries tell how many were refused, not with which code. */
type RefusalSummary = Pick<Report, 'executionId' | 'finishedAt' | 'counts'> &
  Partial<Pick<Report, 'rejects'>>;

const mayHaveRefused = ({ counts, rejects }: RefusalSummary, code: string): boolean =>
  rejects === undefined ? counts.rejected > 0 : (rejects[code] ?? 0) > 0;

const SUMMARIES_AT_ONCE = 32;

/** Names a refused object among those of its instance, without its key; what it names never changes. Pure. */
export const refusedId = (executionId: string, line: Pick<ObjectLine, 'key'>): string =>
  sha256(workKeys.refused('rejected', executionId, line.key)).slice(0, 16);

/** Those that were refused with this code, those of the newest report first. */
export async function* refusedObjects(
  deps: Deps,
  code: HeldCode,
  isMeant: (line: ObjectLine, executionId: string) => boolean,
): AsyncGenerator<RefusedInstance> {
  const { workBucket } = deps.settings;
  for await (const { executionId, finishedAt } of refusingExecutions(deps, code))
    for await (const line of linesOf(deps, executionId))
      if (line.code === code && isMeant(line, executionId))
        if (await exists(deps.objects, workBucket, workKeys.refused('rejected', executionId, line.key)))
          yield { executionId, finishedAt, line };
}

/** None once they have expired, which the summary and the objects outlive. */
async function* linesOf(deps: Deps, executionId: string): AsyncGenerator<ObjectLine> {
  try {
    yield* readLines<ObjectLine>(deps.objects, deps.settings.workBucket, workKeys.objects(executionId));
  } catch (error) {
    if (!(error instanceof NoSuchObject)) throw error;
  }
}

async function* refusingExecutions(deps: Deps, code: HeldCode): AsyncGenerator<RefusalSummary> {
  const { workBucket } = deps.settings;
  const keys: string[] = [];
  for await (const { key } of deps.objects.list(workBucket, workKeys.summaries)) keys.push(key);
  keys.reverse();
  for (let from = 0; from < keys.length; from += SUMMARIES_AT_ONCE) {
    const some = keys.slice(from, from + SUMMARIES_AT_ONCE);
    const read = (key: string) => readJson<RefusalSummary>(deps.objects, workBucket, key);
    for (const found of await concurrently(some, SUMMARIES_AT_ONCE, read))
      if (found && mayHaveRefused(found.value, code)) yield found.value;
  }
}
