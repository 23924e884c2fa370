/**
 * The pipeline in memory: the real handlers' cores in the order of statemachines/ingest, over the memory store and the
 * memory data store; with a switch that ends the execution at any call of a port, as a crash would.
 */

import { memoryObjectStore } from '../../shared/adapters/memory-object-store.ts';
import { clearShard } from '../../shared/ingest/clear-inbox.ts';
import { checkImportJob, startImportJob } from '../../shared/ingest/import-batch.ts';
import { inspectShard } from '../../shared/ingest/inspect-objects.ts';
import { advanceMerge } from '../../shared/ingest/merge-series.ts';
import { type MergeItem, mergeVariants } from '../../shared/ingest/merge-variants.ts';
import { allLines, readJson } from '../../shared/ingest/ndjson.ts';
import type { PipelineDeps } from '../../shared/ingest/pipeline-deps.ts';
import { planImport } from '../../shared/ingest/plan-import.ts';
import type { PlannedBatch } from '../../shared/ingest/plan-lines.ts';
import { planVerification } from '../../shared/ingest/plan-verification.ts';
import { readImportOutput } from '../../shared/ingest/read-import-output.ts';
import { finishUpload } from '../../shared/ingest/release-upload.ts';
import type { ObjectLine, Report } from '../../shared/ingest/report.ts';
import { reportFailure } from '../../shared/ingest/report-failure.ts';
import { readShardList, type Stage } from '../../shared/ingest/shards.ts';
import { splitShards } from '../../shared/ingest/split-shards.ts';
import { stageShard } from '../../shared/ingest/stage-objects.ts';
import { sweepInbox } from '../../shared/ingest/sweep-inbox.ts';
import { takeUpload } from '../../shared/ingest/take-upload.ts';
import { verifyShard } from '../../shared/ingest/verify-frames.ts';
import { workKeys } from '../../shared/ingest/work-keys.ts';
import { writeReport } from '../../shared/ingest/write-report.ts';
import type { CodecPool } from '../../shared/pixels/codec-pool.ts';
import type { ExecutionStatus, Executions } from '../../shared/ports/executions.ts';
import { ServiceUnavailable } from '../../shared/ports/imaging-service.ts';
import { memoryImaging } from './memory-imaging.ts';

const INBOX = 'inbox';
const WORK = 'work';

/** The process is gone: no call of any port answers any more. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

/**
 * What happens at the n-th call from now: the process dies `before` or `after` it takes effect, or only this call fails,
 * so that its state fails and ReportFailure follows.
 */
export interface KillSwitch {
  readonly atCall: number;
  readonly when: 'before' | 'after' | 'failing';
}

export interface PipelineOptions {
  readonly profile?: 'current' | '2024';
  /** Every handler is run twice with the same input. */
  readonly twice?: boolean;
  readonly maxAttempts?: number;
  /** `report-only` when not given. */
  readonly merge?: 'auto' | 'report-only' | 'off';
  readonly mergeGraceSeconds?: number;
}

export type MemoryPipeline = ReturnType<typeof memoryPipeline>;

export function memoryPipeline(options: PipelineOptions = {}) {
  const profile = options.profile ?? 'current';
  let nowMs = Date.parse('2026-01-01T00:00:00Z');
  const store = memoryObjectStore({ now: () => nowMs });
  const imaging = memoryImaging(store, profile);
  const statuses = new Map<string, ExecutionStatus>();
  const queue: { name: string; uploadId: string }[] = [];
  const inputs: unknown[] = [];
  let calls = 0;
  let kill: KillSwitch | undefined;
  let isDead = false;
  /** Shards that end their handler, for crash splitting. */
  let crash: (stage: Stage, lines: readonly { key?: string }[]) => boolean = () => false;

  const arnOf = (name: string) => `arn:aws:states:us-east-1:000000000000:execution:ingest:${name}`;
  const executions: Executions = {
    arnOf,
    start: async (name, input) => {
      const known = statuses.get(arnOf(name));
      if (known === 'RUNNING') return 'started';
      if (known) return 'exists';
      statuses.set(arnOf(name), 'RUNNING');
      inputs.push({ name, input });
      queue.push({ name, uploadId: String(input.uploadId) });
      return 'started';
    },
    status: async (executionArn) => statuses.get(executionArn),
    succeed: async (taskToken) => taskToken !== '',
  };

  /** Counts the calls of a port, and lets none through once the process is gone. */
  function counted<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          const isLast = gate();
          const result: unknown = Reflect.apply(member, target, args);
          if (!isLast) return result;
          isDead = true;
          const die = () => {
            throw new Killed();
          };
          return result instanceof Promise ? result.then(die, die) : die();
        };
      },
    });
  }

  /** True when the call may go through but is the last one. */
  function gate(): boolean {
    if (isDead) throw new Killed();
    calls++;
    if (!kill || calls < kill.atCall) return false;
    if (kill.when === 'after') return true;
    if (kill.when === 'failing') {
      kill = undefined;
      throw new ServiceUnavailable('the call of a test');
    }
    isDead = true;
    throw new Killed();
  }

  const settings: PipelineDeps['settings'] = {
    inboxBucket: INBOX,
    workBucket: WORK,
    datastoreId: 'd'.repeat(32),
    dataAccessRoleArn: 'arn:aws:iam::000000000000:role/import',
    eventBusName: 'isocenter',
    ingestStateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:ingest',
    constraintProfile: profile,
    verify: { mode: 'full' },
    merge: options.merge ?? 'report-only',
    quietSeconds: 2,
    maxWaitSeconds: 60,
    mergeGraceSeconds: options.mergeGraceSeconds ?? 0,
    maxAttempts: options.maxAttempts ?? 50,
    auditPercent: 0,
  };
  const clock = {
    now: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
    },
  };
  const codecs = {} as CodecPool;
  const deps = () => ({
    objects: counted(store),
    imaging: counted(imaging),
    executions: counted(executions),
    clock,
    settings,
    codecs,
  });

  /** One state: as Lambda would, maybe twice. */
  async function state<T>(run: () => Promise<T>): Promise<T> {
    nowMs += 1000;
    if (options.twice) await run();
    return run();
  }

  async function fanOut(
    executionId: string,
    stage: Stage,
    run: (shard: string) => Promise<void>,
    input: string,
  ): Promise<void> {
    const shardDeps = { objects: store, workBucket: WORK };
    for (let round = 0; ; round++) {
      let crashed = 0;
      for (const shard of await readShardList(shardDeps, executionId, stage, round)) {
        const lines = await allLines<{ key?: string }>(
          store,
          WORK,
          workKeys.shard(executionId, input, shard),
        );
        if (crash(stage, lines)) crashed++;
        else await state(() => run(shard));
      }
      if (crashed === 0 || stage === 'clear') return;
      await state(() => splitShards(deps(), { executionId, stage, round }));
    }
  }

  async function importBatches(executionId: string): Promise<void> {
    const key = workKeys.importList(executionId);
    for (const { planExecutionId, batchId } of (await readJson<PlannedBatch[]>(store, WORK, key))?.value ??
      []) {
      const ref = { executionId, planExecutionId, batchId };
      for (let attempt = 1; ; attempt++) {
        const { jobId } = await state(() => startImportJob(deps(), { ...ref, attempt }));
        const { jobStatus } = await state(() =>
          checkImportJob(deps(), { ...ref, jobId, taskToken: `${batchId}-${attempt}` }),
        );
        if (jobStatus === 'FAILED' && attempt < 3) continue;
        const ended = jobStatus === 'FAILED' ? 'FAILED' : 'COMPLETED';
        await state(() => readImportOutput(deps(), { ...ref, attempt, jobId, jobStatus: ended }));
        break;
      }
    }
  }

  /** statemachines/merge-series of each series in the list, one after another. */
  async function mergeSeries(executionId: string): Promise<void> {
    const list = await readJson<MergeItem[]>(store, WORK, workKeys.mergeList(executionId));
    for (const { seriesInstanceUID } of list?.value ?? [])
      for (let step = 0; ; step++) {
        const request = { executionId, seriesInstanceUID, step };
        const { status, waitSeconds } = await state(() => advanceMerge(deps(), request));
        if (status === 'done') break;
        nowMs += waitSeconds * 1000;
      }
  }

  async function ingest(executionId: string, uploadId: string): Promise<void> {
    const ref = { executionId, uploadId };
    const executionArn = arnOf(executionId);
    const executionStartedAt = new Date(nowMs).toISOString();
    const timed = { ...ref, executionArn, executionStartedAt };
    try {
      for (;;) {
        const { status, waitSeconds } = await state(() => takeUpload(deps(), timed));
        if (status === 'coalesced' || status === 'empty') return;
        if (status === 'taken') break;
        nowMs += waitSeconds * 1000;
      }
      await fanOut(
        executionId,
        'inspect',
        (shard) => inspectShard(deps(), { executionId, shard }),
        'inventory',
      );
      await state(() => planImport(deps(), { ...ref, executionArn }));
      await fanOut(executionId, 'stage', (shard) => stageShard(deps(), { executionId, shard }), 'stage');
      await importBatches(executionId);
      await state(() => planVerification(deps(), ref));
      await fanOut(executionId, 'verify', (shard) => verifyShard(deps(), { executionId, shard }), 'verify');
      await state(() => mergeVariants(deps(), ref));
      await mergeSeries(executionId);
      await state(() => writeReport(deps(), timed));
      await fanOut(executionId, 'clear', (shard) => clearShard(deps(), { ...ref, shard }), 'outcomes');
      await state(() => finishUpload(deps(), { ...ref, executionArn }));
    } catch (error) {
      if (isDead) throw new Killed();
      await reportFailure(deps(), timed);
      throw error;
    }
  }

  /** Runs what was started, and the sweep, until the inbox is empty or nothing moves any more. */
  async function settle(rounds = 30): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      if (queue.length === 0) {
        await sweepInbox(deps()).catch(ignoreKill);
        // The sweep goes on after what fails for one upload: the kill may have been caught inside.
        if (isDead) ignoreKill(new Killed());
        if (queue.length === 0 && (await keys(INBOX)).length === 0) return;
        nowMs += 3_700_000;
      }
      const next = queue.shift();
      if (!next) continue;
      try {
        await ingest(next.name, next.uploadId);
        statuses.set(arnOf(next.name), 'SUCCEEDED');
      } catch (error) {
        statuses.set(arnOf(next.name), error instanceof Killed ? 'ABORTED' : 'FAILED');
        failures.push(error);
      }
      if (isDead) {
        isDead = false;
        kill = undefined;
      }
    }
  }
  const failures: unknown[] = [];
  const ignoreKill = (error: unknown) => {
    if (!(error instanceof Killed || error instanceof ServiceUnavailable)) throw error;
    isDead = false;
    kill = undefined;
  };

  async function keys(bucket: string, prefix = ''): Promise<string[]> {
    const found: string[] = [];
    for await (const entry of store.list(bucket, prefix)) found.push(entry.key);
    return found;
  }

  return {
    store,
    imaging,
    deps,
    inputs,
    failures,
    statuses,
    settle,
    keys,
    calls: () => calls,
    advance: (ms: number) => {
      nowMs += ms;
    },
    killAt: (next: KillSwitch) => {
      kill = { atCall: calls + next.atCall, when: next.when };
    },
    crashOn: (test: typeof crash) => {
      crash = test;
    },
    put: async (key: string, bytes: Uint8Array) => {
      nowMs += 10;
      await store.write({ bucket: INBOX, key }, bytes);
    },
    /** Reports in the order in which they were finished. */
    reports: async (): Promise<Report[]> => {
      const all: Report[] = [];
      for (const key of (await keys(WORK, 'executions/')).filter((k) => k.endsWith('/report.json')))
        all.push((await readJson<Report>(store, WORK, key))!.value);
      return all.sort((a, b) => (a.finishedAt < b.finishedAt ? -1 : 1));
    },
    objectsOf: (report: Report): Promise<ObjectLine[]> =>
      allLines<ObjectLine>(store, WORK, workKeys.objects(report.executionId)),
  };
}
