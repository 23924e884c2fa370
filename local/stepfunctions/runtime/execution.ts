/** One execution in memory: its record, its cancellation, its history and its frames, written to the journal. */
import { Cancellation } from '../cancellation.ts';
import type { Definition, Scope } from '../definition/model.ts';
import { statesError } from '../errors.ts';
import type { Journal } from '../journal/journal.ts';
import { type ExecutionRecord, type FrameRecord, KEYS } from '../journal/records.ts';
import type { Json } from '../json.ts';
import { LIMITS } from '../limits.ts';
import { Frame, type FrameKeeper } from './frame.ts';

/** What the history says of one event besides its number and time: `{ stateEnteredEventDetails: … }`. */
export type EventDetails = Readonly<Record<string, unknown>>;

export interface HistoryEvent extends EventDetails {
  readonly id: number;
  readonly type: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly previousEventId: number;
}

/** Events that end an execution; room is kept for one of them. */
const LAST_EVENTS = new Set([
  'ExecutionFailed',
  'ExecutionAborted',
  'ExecutionTimedOut',
  'ExecutionSucceeded',
]);

export interface ExecutionParts {
  readonly record: ExecutionRecord;
  readonly definition: Definition | Scope;
  readonly journal: Journal;
  readonly now: () => number;
  readonly parent?: Cancellation;
  readonly forgetToken?: (token: string) => void;
  /** Of a resumed execution. */
  readonly frames?: ReadonlyMap<string, FrameRecord>;
  readonly events?: number;
}

export class Execution implements FrameKeeper {
  readonly record: ExecutionRecord;
  readonly definition: Definition | Scope;
  readonly cancellation: Cancellation;
  readonly input: Json;
  readonly root: Frame;
  /** Resolves when the execution has ended, to its record. */
  readonly finished: Promise<ExecutionRecord>;
  resolveFinished: (record: ExecutionRecord) => void = () => {};
  /** STANDARD ones save frames and history; EXPRESS ones only how they end. */
  readonly isDurable: boolean;
  readonly #journal: Journal;
  readonly #now: () => number;
  readonly #forgetToken: (token: string) => void;
  readonly #frames: Map<string, FrameRecord>;
  #events: number;

  constructor(parts: ExecutionParts) {
    this.record = parts.record;
    this.definition = parts.definition;
    this.cancellation = new Cancellation(parts.parent);
    this.isDurable = parts.record.type === 'STANDARD';
    this.#journal = parts.journal;
    this.#now = parts.now;
    this.#forgetToken = parts.forgetToken ?? (() => {});
    this.#frames = new Map(parts.frames);
    this.#events = parts.events ?? 0;
    this.input = JSON.parse(parts.record.input) as Json;
    this.finished = new Promise((resolve) => {
      this.resolveFinished = resolve;
    });
    this.root = new Frame(this, {
      path: '',
      startAt: parts.definition.startAt,
      input: this.input,
      cancellation: this.cancellation,
    });
  }

  get arn(): string {
    return this.record.arn;
  }

  saveRecord(): void {
    this.#journal.put(KEYS.execution(this.arn), this.record);
  }

  saveFrame(path: string, record: FrameRecord): void {
    if (this.isDurable) this.#journal.put(KEYS.frame(this.arn, path), record);
  }

  removeFrame(path: string): void {
    if (this.isDurable) this.#journal.remove(KEYS.frame(this.arn, path));
  }

  forgetToken(token: string): void {
    this.#forgetToken(token);
  }

  /** Each saved frame is asked for once, by the scope that it belongs to. */
  savedFrame(path: string): FrameRecord | undefined {
    const record = this.#frames.get(path);
    this.#frames.delete(path);
    return record;
  }

  /** Everything up to here is on disk: what comes next may be seen outside. */
  async settled(): Promise<void> {
    if (this.isDurable) await this.#journal.flushed();
  }

  /**
   * Adds an event to the history, in the order of `frame`. Throws States.Runtime when the history is full: that is the
   * end of the execution.
   */
  addEvent(frame: Frame, type: string, details: () => EventDetails = () => ({})): void {
    if (!this.isDurable || this.cancellation.reason?.kind === 'closing') return;
    const isLast = LAST_EVENTS.has(type);
    if (this.#events >= LIMITS.historyEvents.max - (isLast ? 0 : 1)) {
      if (isLast) return;
      throw statesError(
        'States.Runtime',
        `The execution reached the maximum number of history events (${LIMITS.historyEvents.max}).`,
      );
    }
    this.#events += 1;
    const id = this.#events;
    const event: HistoryEvent = {
      id,
      type,
      timestamp: this.#now(),
      previousEventId: frame.record.previousEventId,
      ...details(),
    };
    frame.record.previousEventId = id;
    this.#journal.put(KEYS.event(this.arn, id), event);
  }
}
