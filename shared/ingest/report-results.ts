/** What every step said of the objects, sorted by their number in the inventory, for the report. */
import type { StepResults } from './account.ts';
import type { Sorter } from './external-sort.ts';
import { exists, readLines } from './ndjson.ts';
import type { ObjectDeps } from './pipeline-deps.ts';
import type { DecidedLine, ImportedLine, Plan, StagingLine } from './plan-lines.ts';
import { adoptedNumbers, importsOf } from './plan-verification.ts';
import { resultLines } from './shards.ts';
import type { VerifiedLine } from './verify-lines.ts';
import { workKeys } from './work-keys.ts';

/** One saying of one step. */
export type NumberedResult =
  | { readonly step: 'decided'; readonly n: number; readonly line: DecidedLine }
  | { readonly step: 'staging'; readonly n: number; readonly line: StagingLine }
  | {
      readonly step: 'imported';
      readonly n: number;
      readonly line: ImportedLine;
      readonly sha256: string;
      readonly keptApartBy?: readonly string[];
    }
  | { readonly step: 'verified'; readonly n: number; readonly line: VerifiedLine };

export async function gatherResults(
  deps: ObjectDeps,
  executionId: string,
  plan: Plan | undefined,
  sorter: Sorter<NumberedResult>,
): Promise<void> {
  const { objects } = deps;
  const { workBucket } = deps.settings;
  const shardDeps = { objects, workBucket };
  const add = (result: NumberedResult) => sorter.add(String(result.n).padStart(9, '0'), result);
  for (const part of plan?.decided ?? [])
    for await (const line of readLines<DecidedLine>(
      objects,
      workBucket,
      workKeys.shard(executionId, 'planned', part),
    ))
      await add({ step: 'decided', n: line.n, line });
  for await (const line of resultLines<StagingLine>(shardDeps, executionId, 'stage'))
    await add({ step: 'staging', n: line.n, line });
  const adopted = await adoptedNumbers(deps, executionId, plan);
  for (const batch of plan?.batches ?? []) {
    const { planExecutionId, batchId } = batch;
    if (!(await exists(objects, workBucket, workKeys.shard(planExecutionId, 'imported', batchId)))) continue;
    const numbers =
      planExecutionId === executionId ? undefined : adopted.get(`${planExecutionId}/${batchId}`);
    for (const { line, imported, sha256 } of await importsOf(deps, batch)) {
      const n = planExecutionId === executionId ? line.n : numbers?.get(line.n);
      if (n !== undefined)
        await add({
          step: 'imported',
          n,
          line: imported,
          sha256,
          ...(line.keptApartBy ? { keptApartBy: line.keptApartBy } : {}),
        });
    }
  }
  for await (const line of resultLines<VerifiedLine>(shardDeps, executionId, 'verify'))
    await add({ step: 'verified', n: line.n, line });
}

/** Reads sorted results alongside ascending numbers. */
export function resultsByNumber(sorted: AsyncGenerator<NumberedResult>): {
  of(n: number): Promise<StepResults>;
} {
  let next: NumberedResult | undefined;
  let isDone = false;
  const advance = async () => {
    const step = await sorted.next();
    isDone = step.done === true;
    next = step.done ? undefined : step.value;
  };
  return {
    of: async (n) => {
      if (next === undefined && !isDone) await advance();
      const results: NumberedResult[] = [];
      while (next !== undefined && next.n <= n) {
        if (next.n === n) results.push(next);
        await advance();
      }
      return combine(results);
    },
  };
}

function combine(results: readonly NumberedResult[]): StepResults {
  const of = <S extends NumberedResult['step']>(step: S) =>
    results.filter((result): result is Extract<NumberedResult, { step: S }> => result.step === step);
  const decided = of('decided')[0]?.line;
  const staging = of('staging')[0]?.line;
  const imported = of('imported')[0];
  return {
    ...(decided ? { decided } : {}),
    ...(staging ? { staging } : {}),
    ...(imported
      ? { imported: imported.line, sha256: imported.sha256, keptApartBy: imported.keptApartBy ?? [] }
      : {}),
    verified: of('verified').map((result) => result.line),
  };
}
