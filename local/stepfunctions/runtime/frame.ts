/**
 * Where one scope of an execution stands: the state machine itself, a branch of a Parallel, an iteration of an inline
 * Map. A STANDARD execution saves it at every transition, so that a restart goes on from there.
 */
import type { Cancellation } from '../cancellation.ts';
import type { FrameRecord } from '../journal/records.ts';
import type { Json } from '../json.ts';

/** What keeps frames: the execution. */
export interface FrameKeeper {
  saveFrame(path: string, record: FrameRecord): void;
  removeFrame(path: string): void;
  forgetToken(token: string): void;
  /** The frame as a former process left it. */
  savedFrame(path: string): FrameRecord | undefined;
}

export interface MapItem {
  readonly Index: number;
  readonly Value: Json;
}

interface FrameOptions {
  readonly path: string;
  readonly startAt: string;
  readonly input: Json;
  readonly cancellation: Cancellation;
  readonly outer?: Frame;
  readonly mapItem?: MapItem;
  readonly previousEventId?: number;
}

export class Frame {
  readonly path: string;
  readonly cancellation: Cancellation;
  readonly record: FrameRecord;
  /** `$states.context.Map.Item`, inside an inline Map. */
  readonly mapItem: MapItem | undefined;
  readonly #keeper: FrameKeeper;
  readonly #outerVariables: Readonly<Record<string, Json>>;
  readonly #inner = new Map<number, Frame>();
  #variables: Readonly<Record<string, Json>>;

  constructor(keeper: FrameKeeper, options: FrameOptions) {
    this.#keeper = keeper;
    this.path = options.path;
    this.cancellation = options.cancellation;
    this.mapItem = options.mapItem ?? options.outer?.mapItem;
    this.#outerVariables = options.outer?.variables ?? {};
    this.record = keeper.savedFrame(options.path) ?? {
      state: options.startAt,
      input: options.input,
      variables: {},
      step: 0,
      attempt: 0,
      retries: [],
      previousEventId: options.previousEventId ?? 0,
    };
    this.#variables = { ...this.#outerVariables, ...this.record.variables };
  }

  /** Variables in sight, those of outer scopes included. */
  get variables(): Readonly<Record<string, Json>> {
    return this.#variables;
  }

  save(): void {
    this.#keeper.saveFrame(this.path, this.record);
  }

  /** The frame of an inner scope of the present state; its path is its own for each step and attempt. */
  inner(index: number, options: Omit<FrameOptions, 'path' | 'outer'>): Frame {
    const path = `${this.path}/${this.record.step}.${this.record.attempt}.${index}`;
    const frame = new Frame(this.#keeper, { ...options, path, outer: this });
    this.#inner.set(index, frame);
    return frame;
  }

  /** Forgets the inner scopes: the present state is over, or is tried again. */
  dropInner(): void {
    for (const frame of this.#inner.values()) {
      frame.dropInner();
      this.#keeper.removeFrame(frame.path);
    }
    this.#inner.clear();
  }

  /** The present try of a task that waits for a callback is over, or its state is. */
  forgetToken(): void {
    if (this.record.taskToken === undefined) return;
    this.#keeper.forgetToken(this.record.taskToken);
    delete this.record.taskToken;
  }

  /** Goes to the next state. */
  advance(state: string, input: Json, assign: Readonly<Record<string, Json>>): void {
    this.dropInner();
    this.forgetToken();
    const { record } = this;
    Object.assign(record.variables, assign);
    this.#variables = { ...this.#outerVariables, ...record.variables };
    record.state = state;
    record.input = input;
    record.step += 1;
    record.attempt = 0;
    record.retries = [];
    delete record.enteredAt;
    delete record.pausedUntil;
    delete record.mapRun;
    this.save();
  }

  /** The scope has ended; only its output is kept until the state around it is over. */
  finish(output: Json): void {
    this.dropInner();
    this.forgetToken();
    this.record.done = { output };
    this.record.input = null;
    this.record.variables = {};
    this.save();
  }
}
