/** A Map Run: the children of one Distributed Map, their inputs and outcomes in the journal, its counts live. */
import { randomUUID } from 'node:crypto';
import type { Journal } from '../journal/journal.ts';
import {
  type ChildInput,
  type ChildRecord,
  childInputPrefix,
  childPrefix,
  type ExecutionStatus,
  KEYS,
  type MapRunCounts,
  type MapRunRecord,
  numberIn,
} from '../journal/records.ts';

/** Children read from the journal at a time. */
const PAGE = 500;

export const noCounts = (): MapRunCounts => ({
  pending: 0,
  running: 0,
  succeeded: 0,
  failed: 0,
  timedOut: 0,
  aborted: 0,
  total: 0,
  resultsWritten: 0,
});

const COUNT_OF_STATUS = {
  RUNNING: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  TIMED_OUT: 'timedOut',
  ABORTED: 'aborted',
} as const satisfies Record<ExecutionStatus, keyof MapRunCounts>;

export class MapRun {
  readonly record: MapRunRecord;
  readonly #journal: Journal;
  /** Children that need not run again. */
  readonly #settled = new Set<number>();

  /** Children that ended badly run again. */
  readonly isRedriven: boolean;

  constructor(journal: Journal, record: MapRunRecord, isRedriven = false) {
    this.isRedriven = isRedriven;
    this.#journal = journal;
    this.record = record;
  }

  get id(): string {
    return this.record.id;
  }

  save(): void {
    this.#journal.put(KEYS.mapRun(this.id), this.record);
  }

  /** Takes in the inputs of all children, in bounded memory: they go to the journal as they come. */
  async readInputs(inputs: AsyncIterable<ChildInput>): Promise<void> {
    await this.#journal.removeAll(childInputPrefix(this.id));
    this.record.items = noCounts();
    this.record.executions = noCounts();
    let index = 0;
    for await (const input of inputs) {
      this.#journal.put(KEYS.childInput(this.id, index), input);
      this.#add('pending', 1, input.items);
      this.#add('total', 1, input.items);
      index += 1;
      if (index % PAGE === 0) await this.#journal.flushed();
    }
    this.record.ready = true;
    this.save();
    await this.#journal.flushed();
  }

  /**
   * After a restart: what has ended by itself stays so, but for a redrive, where only what has succeeded does. The others,
   * those called off too, are pending again.
   */
  async restore(): Promise<void> {
    for (const counts of [this.record.items, this.record.executions]) {
      const { total } = counts;
      Object.assign(counts, noCounts(), { total, pending: total });
    }
    for await (const [key, child] of this.#journal.range<ChildRecord>(childPrefix(this.id))) {
      const isCut = child.status === 'RUNNING' || child.status === 'ABORTED';
      if (isCut || (this.isRedriven && child.status !== 'SUCCEEDED')) continue;
      this.#settled.add(numberIn(key));
      this.#move('pending', COUNT_OF_STATUS[child.status], child.items);
    }
  }

  /** Children still to run, in order; several workers may draw from it. */
  async *pending(): AsyncGenerator<{ index: number; child: ChildInput }> {
    let after: string | undefined;
    for (;;) {
      const page: [string, ChildInput][] = [];
      const from = { limit: PAGE, ...(after !== undefined && { after }) };
      for await (const entry of this.#journal.range<ChildInput>(childInputPrefix(this.id), from))
        page.push(entry);
      for (const [key, child] of page) {
        const index = numberIn(key);
        if (!this.#settled.has(index)) yield { index, child };
        after = key;
      }
      if (page.length < PAGE) return;
    }
  }

  began(index: number, child: ChildRecord, isDurable: boolean): void {
    this.#move('pending', 'running', child.items);
    if (isDurable) this.#journal.put(KEYS.child(this.id, index), child);
  }

  ended(index: number, child: ChildRecord): void {
    this.#move('running', COUNT_OF_STATUS[child.status], child.items);
    this.#journal.put(KEYS.child(this.id, index), child);
  }

  /** Outcomes in the order of the items. */
  async *outcomes(): AsyncGenerator<{ index: number; child: ChildRecord }> {
    for await (const [key, child] of this.#journal.range<ChildRecord>(childPrefix(this.id))) {
      yield { index: numberIn(key), child };
    }
  }

  async inputOf(index: number): Promise<string> {
    return (await this.#journal.get<ChildInput>(KEYS.childInput(this.id, index)))?.input ?? '{}';
  }

  /** All that has ended is in the result, whether a ResultWriter put it there or the state's output. */
  resultsWritten(): void {
    for (const counts of [this.record.items, this.record.executions]) {
      counts.resultsWritten = counts.succeeded + counts.failed + counts.timedOut + counts.aborted;
    }
  }

  end(status: MapRunRecord['status'], now: number): void {
    this.record.status = status;
    this.record.stopDate = now;
    this.save();
  }

  #add(count: keyof MapRunCounts, executions: number, items: number): void {
    this.record.executions[count] += executions;
    this.record.items[count] += items;
  }

  #move(from: keyof MapRunCounts, to: keyof MapRunCounts, items: number): void {
    this.#add(from, -1, -items);
    this.#add(to, 1, items);
  }
}

/** The run's id shares its first 24 characters with the names of its children; their last 12 are the index in hex. */
export const newMapRunId = (): string => randomUUID();
export const childName = (run: string, index: number): string =>
  run.slice(0, 24) + index.toString(16).padStart(12, '0');
export const childIndex = (name: string): number => Number.parseInt(name.slice(24), 16);
