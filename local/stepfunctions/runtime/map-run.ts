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

  /** Children still to run, in order, for several workers to draw from. */
  pending(): PendingChildren {
    return new PendingChildren(this.#journal, this.id, this.#settled);
  }

  began(index: number, child: ChildRecord, isDurable: boolean): void {
    this.#move('pending', 'running', child.items);
    if (isDurable) this.#journal.put(KEYS.child(this.id, index), child);
  }

  ended(index: number, child: ChildRecord): void {
    this.#move('running', COUNT_OF_STATUS[child.status], child.items);
    this.#journal.put(KEYS.child(this.id, index), child);
  }

  /** Outcomes in the order of the items, each with the input of the child. */
  async *outcomes(): AsyncGenerator<{ child: ChildRecord; input: string }> {
    const inputs = this.#journal.range<ChildInput>(childInputPrefix(this.id));
    try {
      for await (const [key, child] of this.#journal.range<ChildRecord>(childPrefix(this.id))) {
        yield { child, input: await inputAt(inputs, numberIn(key)) };
      }
    } finally {
      await inputs.return(undefined);
    }
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

/** The input of child `index`, from inputs in order: those of children that never began are passed over. */
async function inputAt(inputs: AsyncGenerator<[string, ChildInput]>, index: number): Promise<string> {
  for (let next = await inputs.next(); !next.done; next = await inputs.next()) {
    const [key, { input }] = next.value;
    if (numberIn(key) === index) return input;
  }
  return '{}';
}

/** Reads pages of inputs as workers ask. An async generator would do, but its queue of askers is slow when it is long. */
export class PendingChildren {
  readonly #journal: Journal;
  readonly #run: string;
  readonly #settled: ReadonlySet<number>;
  #page: [string, ChildInput][] = [];
  #position = 0;
  #isLast = false;
  #loading: Promise<void> | undefined;

  constructor(journal: Journal, run: string, settled: ReadonlySet<number>) {
    this.#journal = journal;
    this.#run = run;
    this.#settled = settled;
  }

  /** The next child, or undefined when there is none left. */
  async next(): Promise<{ readonly index: number; readonly child: ChildInput } | undefined> {
    for (;;) {
      const entry = this.#page[this.#position];
      if (entry) {
        this.#position += 1;
        const index = numberIn(entry[0]);
        if (!this.#settled.has(index)) return { index, child: entry[1] };
      } else if (this.#isLast) return undefined;
      else {
        this.#loading ??= this.#load();
        await this.#loading;
      }
    }
  }

  async #load(): Promise<void> {
    const after = this.#page.at(-1)?.[0];
    const page: [string, ChildInput][] = [];
    const from = { limit: PAGE, ...(after !== undefined && { after }) };
    for await (const entry of this.#journal.range<ChildInput>(childInputPrefix(this.#run), from))
      page.push(entry);
    this.#page = page;
    this.#position = 0;
    this.#isLast = page.length < PAGE;
    this.#loading = undefined;
  }
}

/** The run's id shares its first 24 characters with the names of its children; their last 12 are the index in hex. */
export const newMapRunId = (): string => randomUUID();
export const childName = (run: string, index: number): string =>
  run.slice(0, 24) + index.toString(16).padStart(12, '0');
export const childIndex = (name: string): number => Number.parseInt(name.slice(24), 16);
