/** Executions from start to end: started once by name, resumed after a restart, stopped, ended, always in the journal. */
import { createHash, randomUUID } from 'node:crypto';
import { Cancellation, Cancelled, type CancelReason } from '../cancellation.ts';
import { loadDefinition } from '../definition/loader.ts';
import type { Definition, Scope } from '../definition/model.ts';
import { ServiceError, StateError, toStateError } from '../errors.ts';
import type { Meter } from '../journal/counters.ts';
import type { Journal } from '../journal/journal.ts';
import {
  type ExecutionRecord,
  type ExecutionStatus,
  eventPrefix,
  type FrameRecord,
  framePrefix,
  KEYS,
  numberIn,
} from '../journal/records.ts';
import type { Json } from '../json.ts';
import { LIMITS } from '../limits.ts';
import type { TaskServices } from '../services.ts';
import type { Timers } from '../timers.ts';
import { Execution } from './execution.ts';
import type { Frame } from './frame.ts';
import { runScope } from './interpreter.ts';
import type { MapRun } from './map-run.ts';
import { forgetExecution, isExpired, sweep } from './retention.ts';

export interface StateMachine {
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  readonly type: 'STANDARD' | 'EXPRESS';
  /** The definition, after DefinitionSubstitutions. */
  readonly definition: object;
}

export interface LoadedMachine extends StateMachine {
  readonly loaded: Definition;
  readonly digest: string;
  readonly creationDate: number;
}

/** Something an onlooker may want to draw again. */
export type Change =
  | {
      readonly kind: 'execution';
      readonly executionArn: string;
      readonly stateMachineArn: string;
      readonly status: ExecutionStatus;
    }
  | {
      readonly kind: 'state';
      readonly executionArn: string;
      readonly stateMachineArn: string;
      readonly state: string;
    }
  | { readonly kind: 'mapRun'; readonly executionArn: string; readonly mapRunArn: string };

export interface StartRequest {
  readonly machineArn: string;
  readonly name?: string;
  /** JSON text. */
  readonly input: string;
  readonly startedBy?: string;
  readonly traceHeader?: string;
}

export interface Started {
  readonly record: ExecutionRecord;
  readonly finished: Promise<ExecutionRecord>;
}

export interface EngineParts {
  readonly journal: Journal;
  readonly services: TaskServices;
  readonly timers: Timers;
  readonly meter: Meter;
  readonly region: string;
  readonly accountId: string;
}

const EVENT_OF_STATUS = {
  SUCCEEDED: 'ExecutionSucceeded',
  FAILED: 'ExecutionFailed',
  TIMED_OUT: 'ExecutionTimedOut',
  ABORTED: 'ExecutionAborted',
} as const;

const detailsName = (type: string): string => `${type[0]?.toLowerCase()}${type.slice(1)}EventDetails`;

export class Engine {
  readonly journal: Journal;
  readonly services: TaskServices;
  readonly timers: Timers;
  readonly meter: Meter;
  readonly region: string;
  readonly accountId: string;
  readonly machines = new Map<string, LoadedMachine>();
  /** What runs now, children of Map Runs too, by ARN. */
  readonly running = new Map<string, Execution>();
  readonly mapRuns = new Map<string, MapRun>();
  readonly listeners = new Set<(change: Change) => void>();
  readonly #definitions = new Map<string, Definition>();
  readonly #starting = new Map<string, Promise<unknown>>();
  readonly #everything = new Cancellation();

  constructor(parts: EngineParts) {
    this.journal = parts.journal;
    this.services = parts.services;
    this.timers = parts.timers;
    this.meter = parts.meter;
    this.region = parts.region;
    this.accountId = parts.accountId;
  }

  /** Loads a machine. Throws DefinitionError. */
  addMachine(machine: StateMachine): void {
    const loaded = loadDefinition(machine.name, machine.definition);
    const text = JSON.stringify(machine.definition);
    const digest = createHash('sha256').update(text).digest('hex');
    this.#definitions.set(digest, loaded);
    this.machines.set(machine.arn, { ...machine, loaded, digest, creationDate: this.timers.now() });
    this.journal.put(KEYS.definition(digest), machine.definition);
  }

  arn(kind: 'execution' | 'stateMachine' | 'mapRun', rest: string): string {
    return `arn:aws:states:${this.region}:${this.accountId}:${kind}:${rest}`;
  }

  notify(change: Change): void {
    for (const listener of this.listeners) listener(change);
  }

  /**
   * Starts an execution; on disk when this resolves. The same name and input while it runs is the same execution. Throws
   * StateMachineDoesNotExist, ExecutionAlreadyExists.
   */
  async start(request: StartRequest): Promise<Started> {
    const machine = this.machines.get(request.machineArn);
    if (!machine) {
      throw new ServiceError(
        'StateMachineDoesNotExist',
        `State Machine Does Not Exist: '${request.machineArn}'`,
      );
    }
    const name = request.name ?? randomUUID();
    const arn = this.arn('execution', `${machine.name}:${name}`);
    return this.#oneAtATime(arn, async () => {
      const existing = await this.#existing(arn, request);
      return existing ?? this.#startNew(machine, name, arn, request);
    });
  }

  async #existing(arn: string, request: StartRequest): Promise<Started | undefined> {
    const runs = this.running.get(arn);
    const record = runs?.record ?? (await this.journal.get<ExecutionRecord>(KEYS.execution(arn)));
    if (!record) return undefined;
    const isOurs = request.startedBy !== undefined && record.startedBy === request.startedBy;
    const isSame = record.status === 'RUNNING' && sameJson(record.input, request.input);
    if (isOurs || isSame) return { record, finished: runs?.finished ?? Promise.resolve(record) };
    if (isExpired(record, this.timers.now())) {
      await forgetExecution(this.journal, record);
      return undefined;
    }
    throw new ServiceError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
  }

  async #startNew(
    machine: LoadedMachine,
    name: string,
    arn: string,
    request: StartRequest,
  ): Promise<Started> {
    const record: ExecutionRecord = {
      arn,
      machineArn: machine.arn,
      machineName: machine.name,
      roleArn: machine.roleArn,
      name,
      type: machine.type,
      definition: machine.digest,
      input: request.input,
      startDate: this.timers.now(),
      status: 'RUNNING',
      redriveCount: 0,
      ...(request.startedBy !== undefined && { startedBy: request.startedBy }),
      ...(request.traceHeader !== undefined && { traceHeader: request.traceHeader }),
    };
    const execution = this.#execution(record, machine.loaded);
    this.running.set(arn, execution);
    execution.saveRecord();
    this.journal.put(KEYS.running(arn), 1);
    this.#list(record);
    this.#recordStart(execution);
    execution.root.save();
    try {
      await this.journal.flushed({ sync: true });
    } catch (error) {
      this.running.delete(arn);
      throw error;
    }
    void this.runToEnd(execution).then(() => this.#ended(execution));
    return { record, finished: execution.finished };
  }

  #recordStart(execution: Execution): void {
    execution.addEvent(execution.root, 'ExecutionStarted', () => ({
      executionStartedEventDetails: {
        input: execution.record.input,
        inputDetails: { truncated: false },
        roleArn: execution.record.roleArn,
      },
    }));
  }

  #execution(
    record: ExecutionRecord,
    definition: Definition | Scope,
    saved: { frames?: ReadonlyMap<string, FrameRecord>; events?: number; parent?: Cancellation } = {},
  ): Execution {
    const { parent = this.#everything, ...more } = saved;
    return new Execution({
      record,
      definition,
      journal: this.journal,
      now: () => this.timers.now(),
      parent,
      ...more,
    });
  }

  /** Puts the execution into the lists: all of its machine, and those of its status. */
  #list(record: ExecutionRecord, former?: ExecutionStatus): void {
    const { machineName, startDate, name, arn } = record;
    if (former) this.journal.remove(KEYS.listed(machineName, former, startDate, name));
    else this.journal.put(KEYS.listed(machineName, 'ALL', startDate, name), arn);
    this.journal.put(KEYS.listed(machineName, record.status, startDate, name), arn);
  }

  /** A child of a Distributed Map, begun or (STANDARD) taken up again. */
  async child(record: ExecutionRecord, scope: Scope, parent: Cancellation): Promise<Execution> {
    if (record.type === 'EXPRESS') return this.#execution(record, scope, { parent });
    const known = await this.journal.get<ExecutionRecord>(KEYS.execution(record.arn));
    const saved = known ? await this.#saved(record.arn) : {};
    const execution = this.#execution(known ? reopened(known) : record, scope, { parent, ...saved });
    if (!known) this.#recordStart(execution);
    execution.saveRecord();
    return execution;
  }

  async #saved(arn: string): Promise<{ frames: Map<string, FrameRecord>; events: number }> {
    const prefix = framePrefix(arn);
    const frames = new Map<string, FrameRecord>();
    for await (const [key, frame] of this.journal.range<FrameRecord>(prefix))
      frames.set(key.slice(prefix.length), frame);
    // The root's key is the prefix itself, which a range leaves out.
    const root = await this.journal.get<FrameRecord>(prefix);
    if (root) frames.set('', root);
    const [last] = await this.journal.keys(eventPrefix(arn), { reverse: true, limit: 1 });
    return { frames, events: last === undefined ? 0 : numberIn(last) };
  }

  /** Runs the execution until it ends or the runtime closes. Never rejects. */
  async runToEnd(execution: Execution): Promise<ExecutionRecord> {
    const { record, cancellation } = execution;
    this.running.set(record.arn, execution);
    this.#changed(record);
    const stopTimer = this.#deadline(execution);
    try {
      const output = await runScope(this, execution, execution.definition, execution.root);
      this.#end(execution, { status: 'SUCCEEDED', output });
    } catch (thrown) {
      const { reason } = cancellation;
      if (reason?.kind === 'closing') return record;
      this.#end(execution, reason ? endOf(reason) : failedBy(thrown));
    } finally {
      stopTimer();
      cancellation.release();
    }
    return record;
  }

  #deadline({ record, definition, cancellation }: Execution): () => void {
    const own = 'timeoutSeconds' in definition ? definition.timeoutSeconds : undefined;
    const longest = record.type === 'EXPRESS' ? LIMITS.expressSeconds.max : LIMITS.standardSeconds.max;
    const at = (record.redriveDate ?? record.startDate) + Math.min(own ?? longest, longest) * 1000;
    return this.timers.alarm(at, () => cancellation.cancel({ kind: 'timedOut' }));
  }

  #end(execution: Execution, end: End): void {
    const { record } = execution;
    record.status = end.status;
    record.stopDate = this.timers.now();
    if (end.output !== undefined) record.output = JSON.stringify(end.output);
    if (end.error !== undefined) record.error = end.error;
    if (end.cause !== undefined) record.cause = end.cause;
    const type = EVENT_OF_STATUS[end.status];
    const { output, error, cause } = record;
    const told =
      output === undefined
        ? { ...(error !== undefined && { error }), ...(cause !== undefined && { cause }) }
        : { output, outputDetails: { truncated: false } };
    execution.addEvent(execution.root, type, () => ({ [detailsName(type)]: told }));
    if (record.type === 'EXPRESS') this.meter.expressExecution(record.stopDate - record.startDate);
    this.running.delete(record.arn);
    // Frames of what did not succeed stay, for a redrive.
    if (end.status === 'SUCCEEDED') {
      execution.root.dropInner();
      execution.removeFrame('');
    } else execution.root.save();
    if (execution.isDurable) execution.saveRecord();
    this.#changed(record);
  }

  /** The bookkeeping of an execution that is not a child. */
  #ended(execution: Execution): void {
    const { record } = execution;
    if (record.status === 'RUNNING') return;
    execution.saveRecord();
    this.journal.remove(KEYS.running(record.arn));
    this.#list(record, 'RUNNING');
    execution.resolveFinished(record);
  }

  #changed({ arn, machineArn, status }: ExecutionRecord): void {
    this.notify({ kind: 'execution', executionArn: arn, stateMachineArn: machineArn, status });
  }

  runScope(execution: Execution, scope: Scope, frame: Frame): Promise<Json> {
    return runScope(this, execution, scope, frame);
  }

  /** Stops an execution; resolves when it has ended. */
  async stop(arn: string, reason: { error?: string; cause?: string }): Promise<ExecutionRecord> {
    const execution = this.running.get(arn);
    if (!execution) {
      const record = await this.journal.get<ExecutionRecord>(KEYS.execution(arn));
      if (record) return record;
      throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    }
    execution.cancellation.cancel({ kind: 'stopped', ...reason });
    return execution.record.mapRunArn === undefined ? execution.finished : execution.record;
  }

  /** Takes up again what ran when the process ended. */
  async resume(): Promise<void> {
    for (const key of await this.journal.keys(KEYS.runningPrefix)) {
      const record = await this.journal.get<ExecutionRecord>(`e|${key.slice(KEYS.runningPrefix.length)}`);
      if (!record) continue;
      const definition = await this.definition(record.definition, record.machineName);
      const execution = this.#execution(record, definition, await this.#saved(record.arn));
      void this.runToEnd(execution).then(() => this.#ended(execution));
    }
  }

  /** Runs a failed, stopped or timed-out STANDARD execution again from where it stopped. */
  async redrive(record: ExecutionRecord): Promise<ExecutionRecord> {
    const former = record.status;
    const definition = await this.definition(record.definition, record.machineName);
    const again = reopened(record);
    again.redriveCount += 1;
    again.redriveDate = this.timers.now();
    const saved = await this.#saved(record.arn);
    for (const frame of saved.frames.values()) {
      frame.retries = [];
      delete frame.pausedUntil;
    }
    const execution = this.#execution(again, definition, saved);
    this.running.set(again.arn, execution);
    execution.saveRecord();
    this.journal.put(KEYS.running(again.arn), 1);
    this.#list(again, former);
    execution.addEvent(execution.root, 'ExecutionRedriven', () => ({
      executionRedrivenEventDetails: { redriveCount: again.redriveCount },
    }));
    this.meter.transition(again.machineName, again.type);
    execution.root.save();
    await this.journal.flushed({ sync: true });
    void this.runToEnd(execution).then(() => this.#ended(execution));
    return again;
  }

  /** A definition by its digest, as it was when the execution began. */
  async definition(digest: string, name: string): Promise<Definition> {
    const known = this.#definitions.get(digest);
    if (known) return known;
    const loaded = loadDefinition(name, await this.journal.get<object>(KEYS.definition(digest)));
    this.#definitions.set(digest, loaded);
    return loaded;
  }

  /** Forgets executions whose retention is over. */
  async sweep(): Promise<void> {
    for (const { name } of this.machines.values()) await sweep(this.journal, name, this.timers.now());
  }

  close(): void {
    this.#everything.cancel({ kind: 'closing' });
  }

  /** Starts of the same name wait for each other; others do not. */
  async #oneAtATime<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#starting.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#starting.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#starting.get(key) === mine) this.#starting.delete(key);
    }
  }
}

interface End {
  readonly status: Exclude<ExecutionStatus, 'RUNNING'>;
  readonly output?: Json;
  readonly error?: string;
  readonly cause?: string;
}

function endOf(reason: CancelReason): End {
  if (reason.kind === 'timedOut') return { status: 'TIMED_OUT' };
  if (reason.kind !== 'stopped') return { status: 'ABORTED' };
  const { error, cause } = reason;
  return { status: 'ABORTED', ...(error !== undefined && { error }), ...(cause !== undefined && { cause }) };
}

function failedBy(thrown: unknown): End {
  const unexpected = !(thrown instanceof StateError) && !(thrown instanceof Cancelled);
  const error = unexpected
    ? new StateError('States.Runtime', (thrown as Error).message)
    : toStateError(thrown);
  return { status: 'FAILED', error: error.error, cause: error.explanation };
}

function reopened(record: ExecutionRecord): ExecutionRecord {
  const { stopDate: _stop, output: _output, error: _error, cause: _cause, ...rest } = record;
  return { ...rest, status: 'RUNNING' };
}

function sameJson(one: string, other: string): boolean {
  return one === other || JSON.stringify(JSON.parse(one)) === JSON.stringify(JSON.parse(other));
}
