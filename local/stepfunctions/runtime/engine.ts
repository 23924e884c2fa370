/** Executions from start to end: started once by name, resumed after a restart, stopped, redriven, always in the journal. */
import { randomUUID } from 'node:crypto';
import { Cancellation } from '../cancellation.ts';
import type { Definition, Scope } from '../definition/model.ts';
import { ServiceError } from '../errors.ts';
import type { Meter } from '../journal/counters.ts';
import type { Journal } from '../journal/journal.ts';
import { type ExecutionRecord, type ExecutionStatus, KEYS } from '../journal/records.ts';
import { readSaved, type Saved } from '../journal/saved.ts';
import type { Json } from '../json.ts';
import { LIMITS } from '../limits.ts';
import type { TaskServices } from '../services.ts';
import type { Timers } from '../timers.ts';
import { Changes } from './changes.ts';
import { type End, endOf, failedBy, recordEnd, reopened } from './ending.ts';
import { Execution } from './execution.ts';
import type { Frame } from './frame.ts';
import { runScope } from './interpreter.ts';
import { type LoadedMachine, Machines, unrunnable } from './machines.ts';
import type { MapRun } from './map-run.ts';
import { forgetExecution, isExpired, sweep } from './retention.ts';
import { checkName, isSameStart, newRecord, type Started, type StartRequest } from './starting.ts';
import { TaskTokens } from './task-tokens.ts';
import { Turns } from './turns.ts';

export interface EngineParts {
  readonly journal: Journal;
  readonly services: TaskServices;
  readonly timers: Timers;
  readonly meter: Meter;
  readonly region: string;
  readonly accountId: string;
}

export class Engine {
  readonly journal: Journal;
  readonly services: TaskServices;
  readonly timers: Timers;
  readonly meter: Meter;
  readonly region: string;
  readonly accountId: string;
  readonly machines: Machines;
  readonly changes = new Changes();
  /** Of tasks that wait for a callback. */
  readonly tokens: TaskTokens;
  /** What runs now, children of Map Runs too, by ARN. */
  readonly running = new Map<string, Execution>();
  readonly mapRuns = new Map<string, MapRun>();
  readonly #turns = new Turns();
  readonly #everything = new Cancellation();

  constructor(parts: EngineParts) {
    this.journal = parts.journal;
    this.services = parts.services;
    this.timers = parts.timers;
    this.meter = parts.meter;
    this.region = parts.region;
    this.accountId = parts.accountId;
    this.machines = new Machines(parts.journal);
    this.tokens = new TaskTokens(parts.journal);
  }

  arn(kind: 'execution' | 'stateMachine' | 'mapRun', rest: string): string {
    return `arn:aws:states:${this.region}:${this.accountId}:${kind}:${rest}`;
  }

  /**
   * Starts an execution; on disk when this resolves. The same name and input while it runs is the same execution. Throws
   * StateMachineDoesNotExist, ExecutionAlreadyExists.
   */
  async start(request: StartRequest): Promise<Started> {
    const machine = this.machines.get(request.machineArn);
    const name = request.name ?? randomUUID();
    checkName(name);
    const arn = this.arn('execution', `${machine.name}:${name}`);
    return this.#turns.take(arn, async () => {
      const existing = await this.#existing(arn, request);
      return existing ?? this.#startNew(newRecord(machine, name, arn, request, this.timers.now()), machine);
    });
  }

  async #existing(arn: string, request: StartRequest): Promise<Started | undefined> {
    const runs = this.running.get(arn);
    const record = runs?.record ?? (await this.journal.get<ExecutionRecord>(KEYS.execution(arn)));
    if (!record) return undefined;
    if (isSameStart(record, request)) return { record, finished: runs?.finished ?? Promise.resolve(record) };
    if (isExpired(record, this.timers.now())) {
      await forgetExecution(this.journal, record);
      return undefined;
    }
    throw new ServiceError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
  }

  async #startNew(record: ExecutionRecord, machine: LoadedMachine): Promise<Started> {
    const execution = this.#execution(record, machine.loaded);
    this.#recordStart(execution);
    this.#open(execution);
    await this.#acknowledged(execution);
    void this.runToEnd(execution);
    return { record, finished: execution.finished };
  }

  #recordStart(execution: Execution): void {
    const { input, roleArn } = execution.record;
    execution.addEvent(execution.root, 'ExecutionStarted', () => ({
      executionStartedEventDetails: { input, inputDetails: { truncated: false }, roleArn },
    }));
    // As the service numbers them: the first state comes after nothing.
    execution.root.record.previousEventId = 0;
  }

  /** Into the journal as running, into the lists, and into the running ones. */
  #open(execution: Execution, former?: ExecutionStatus): void {
    const { record } = execution;
    this.running.set(record.arn, execution);
    execution.saveRecord();
    this.journal.put(KEYS.running(record.arn), 1);
    this.#list(record, former);
    execution.root.save();
  }

  async #acknowledged(execution: Execution): Promise<void> {
    try {
      await this.journal.flushed({ sync: true });
    } catch (error) {
      this.running.delete(execution.arn);
      throw error;
    }
  }

  #execution(
    record: ExecutionRecord,
    definition: Definition | Scope,
    saved?: Saved,
    parent: Cancellation = this.#everything,
  ): Execution {
    const { journal, timers, tokens } = this;
    const forgetToken = (token: string) => tokens.forget(token);
    const now = () => timers.now();
    return new Execution({ record, definition, journal, now, parent, forgetToken, ...saved });
  }

  /** Puts the execution into the lists: all of its machine, and those of its status. */
  #list(record: ExecutionRecord, former?: ExecutionStatus): void {
    const { machineName, startDate, name, arn } = record;
    if (former) this.journal.remove(KEYS.listed(machineName, former, startDate, name));
    else this.journal.put(KEYS.listed(machineName, 'ALL', startDate, name), arn);
    this.journal.put(KEYS.listed(machineName, record.status, startDate, name), arn);
  }

  /**
   * A child of a Distributed Map: begun, or (STANDARD) as a former process left it, which may be at its end. With
   * `redrive` one that ended badly runs again.
   */
  async child(
    record: ExecutionRecord,
    scope: Scope,
    parent: Cancellation,
    redrive: boolean,
  ): Promise<Execution> {
    if (record.type === 'EXPRESS') return this.#execution(record, scope, undefined, parent);
    const known = await this.journal.get<ExecutionRecord>(KEYS.execution(record.arn));
    if (!known) {
      const execution = this.#execution(record, scope, undefined, parent);
      this.#recordStart(execution);
      execution.saveRecord();
      return execution;
    }
    const saved = await readSaved(this.journal, record.arn);
    const isAgain =
      known.status === 'ABORTED' || (redrive && !['RUNNING', 'SUCCEEDED'].includes(known.status));
    return isAgain
      ? this.#redriven(known, scope, saved, parent)
      : this.#execution(known, scope, saved, parent);
  }

  /**
   * Runs the execution until it ends or the runtime closes. Never rejects. `atEnd` is called in the turn in which the end
   * is recorded, so that what it writes is on disk with it.
   */
  async runToEnd(
    execution: Execution,
    atEnd: () => void = () => this.#closeRecord(execution),
  ): Promise<ExecutionRecord> {
    const { record, cancellation, definition, root } = execution;
    this.running.set(record.arn, execution);
    this.changes.execution(record);
    const stopTimer = this.#deadline(execution);
    let end: End;
    try {
      end = { status: 'SUCCEEDED', output: await runScope(this, execution, definition, root) };
    } catch (thrown) {
      if (cancellation.reason?.kind === 'closing') return record;
      end = cancellation.reason ? endOf(cancellation.reason) : failedBy(thrown);
    } finally {
      stopTimer();
      cancellation.release();
    }
    const now = this.timers.now();
    recordEnd(execution, end, now);
    if (record.type === 'EXPRESS') this.meter.expressExecution(now - record.startDate);
    this.running.delete(record.arn);
    this.tokens.forgetAllOf(record.arn);
    atEnd();
    this.changes.execution(record);
    execution.resolveFinished(record);
    return record;
  }

  #deadline({ record, definition, cancellation }: Execution): () => void {
    const own = 'timeoutSeconds' in definition ? definition.timeoutSeconds : undefined;
    const longest = record.type === 'EXPRESS' ? LIMITS.expressSeconds.max : LIMITS.standardSeconds.max;
    const at = (record.redriveDate ?? record.startDate) + Math.min(own ?? longest, longest) * 1000;
    return this.timers.alarm(at, () => cancellation.cancel({ kind: 'timedOut' }));
  }

  /** The bookkeeping at the end of an execution that is not a child. */
  #closeRecord(execution: Execution): void {
    execution.saveRecord();
    this.journal.remove(KEYS.running(execution.arn));
    this.#list(execution.record, 'RUNNING');
  }

  runScope(execution: Execution, scope: Scope, frame: Frame): Promise<Json> {
    return runScope(this, execution, scope, frame);
  }

  /** Stops an execution; resolves when it has ended. Throws ExecutionDoesNotExist. */
  async stop(arn: string, reason: { error?: string; cause?: string }): Promise<ExecutionRecord> {
    const execution = this.running.get(arn);
    if (!execution) {
      const record = await this.journal.get<ExecutionRecord>(KEYS.execution(arn));
      if (record) return record;
      throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    }
    execution.cancellation.cancel({ kind: 'stopped', ...reason });
    return execution.finished;
  }

  /** Takes up again what ran when the process ended: all are known before the first goes on, so that they find each other. */
  async resume(): Promise<void> {
    const executions: Execution[] = [];
    for (const key of await this.journal.keys(KEYS.runningPrefix)) {
      const record = await this.journal.get<ExecutionRecord>(`e|${key.slice(KEYS.runningPrefix.length)}`);
      if (record) executions.push(await this.#resumed(record));
    }
    for (const execution of executions) this.running.set(execution.arn, execution);
    for (const execution of executions) void this.runToEnd(execution);
  }

  async #resumed(record: ExecutionRecord): Promise<Execution> {
    const saved = await readSaved(this.journal, record.arn);
    try {
      const definition = await this.machines.definition(record.definition, record.machineName);
      return this.#execution(record, definition, saved);
    } catch (error) {
      return this.#execution(record, unrunnable((error as Error).message), { ...saved, frames: new Map() });
    }
  }

  /**
   * Runs an ended STANDARD execution again from where it stopped. `check` sees the record first, and throws when it must
   * not.
   */
  redrive(arn: string, check: () => Promise<ExecutionRecord>): Promise<ExecutionRecord> {
    return this.#turns.take(arn, async () => {
      const record = await check();
      const definition = await this.machines.definition(record.definition, record.machineName);
      const execution = this.#redriven(
        record,
        definition,
        await readSaved(this.journal, arn),
        this.#everything,
      );
      this.#open(execution, record.status);
      await this.#acknowledged(execution);
      void this.runToEnd(execution);
      return execution.record;
    });
  }

  #redriven(
    former: ExecutionRecord,
    definition: Definition | Scope,
    saved: Saved,
    parent: Cancellation,
  ): Execution {
    for (const frame of saved.frames.values()) {
      frame.retries = [];
      delete frame.pausedUntil;
      delete frame.taskToken;
    }
    const record = reopened(former);
    record.redriveCount += 1;
    record.redriveDate = this.timers.now();
    const execution = this.#execution(record, definition, saved, parent);
    const { redriveCount } = record;
    execution.addEvent(execution.root, 'ExecutionRedriven', () => ({
      executionRedrivenEventDetails: { redriveCount },
    }));
    execution.saveRecord();
    this.meter.transition(record.machineName, record.type);
    return execution;
  }

  /** Forgets executions whose retention is over. */
  async sweep(): Promise<void> {
    for (const { name } of this.machines.all()) await sweep(this.journal, name, this.timers.now());
  }

  close(): void {
    this.#everything.cancel({ kind: 'closing' });
  }
}
