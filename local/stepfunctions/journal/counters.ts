/**
 * What AWS would bill (developer guide, "Transitions"): for STANDARD each state entered, each retry, each child of a
 * Distributed Map and each redrive; for EXPRESS executions and their duration. Kept over restarts.
 */
import type { ExecutionType } from './records.ts';

export interface Counters {
  /** State transitions of STANDARD executions. */
  transitions: number;
  /** The same by state machine name. */
  byStateMachine: Record<string, number>;
  /** EXPRESS executions, children of Distributed Maps too; each duration rounded up to 100 ms, as billed. */
  express: { executions: number; billedMilliseconds: number };
}

export const noCounters = (): Counters => ({
  transitions: 0,
  byStateMachine: {},
  express: { executions: 0, billedMilliseconds: 0 },
});

export class Meter {
  #counters: Counters;
  #dirty = false;

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  transition(machine: string, type: ExecutionType): void {
    if (type === 'EXPRESS') return;
    this.#dirty = true;
    this.#counters.transitions += 1;
    this.#counters.byStateMachine[machine] = (this.#counters.byStateMachine[machine] ?? 0) + 1;
  }

  expressExecution(milliseconds: number): void {
    this.#dirty = true;
    this.#counters.express.executions += 1;
    this.#counters.express.billedMilliseconds += Math.max(100, Math.ceil(milliseconds / 100) * 100);
  }

  /** A copy. */
  read(): Counters {
    return structuredClone(this.#counters);
  }

  /** The counters, when they changed since they were last taken. */
  takeChanged(): Counters | undefined {
    if (!this.#dirty) return undefined;
    this.#dirty = false;
    return this.#counters;
  }
}
