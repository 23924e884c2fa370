/** What the journal holds, and under which keys. `|` separates: it is illegal in names and ARNs. Times are ms. */
import type { Json } from '../json.ts';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
export type ExecutionType = 'STANDARD' | 'EXPRESS';

export interface ExecutionRecord {
  readonly arn: string;
  readonly machineArn: string;
  readonly machineName: string;
  readonly roleArn: string;
  readonly name: string;
  readonly type: ExecutionType;
  /** SHA-256 of the definition it runs: a new definition does not change a running execution. */
  readonly definition: string;
  readonly input: string;
  readonly startDate: number;
  status: ExecutionStatus;
  stopDate?: number;
  output?: string;
  error?: string;
  cause?: string;
  /** The task that started it (startExecution.sync), so that a resumed parent finds its own child again. */
  readonly startedBy?: string;
  readonly traceHeader?: string;
  /** Of a child of a Distributed Map. */
  readonly mapRunArn?: string;
  readonly itemCount?: number;
  redriveCount: number;
  redriveDate?: number;
}

/** Where one scope of an execution stands; the root's path is empty. */
export interface FrameRecord {
  state: string;
  input: Json;
  variables: Record<string, Json>;
  /** Transitions of this scope so far, and tries of the present state: together they name its inner scopes. */
  step: number;
  attempt: number;
  /** Retries used, a number for each retrier of the present state. */
  retries: number[];
  enteredAt?: number;
  previousEventId: number;
  /** A pause (Wait, or before a retry) ends then. */
  pausedUntil?: number;
  /** The Map Run of the present state. */
  mapRun?: string;
  /** Of a task that waits for a callback: the token of the present try. */
  taskToken?: string;
  /** Set when the scope has ended. */
  done?: { readonly output: Json };
}

export interface MapRunCounts {
  pending: number;
  running: number;
  succeeded: number;
  failed: number;
  timedOut: number;
  aborted: number;
  total: number;
  resultsWritten: number;
}

export interface MapRunRecord {
  readonly id: string;
  readonly arn: string;
  readonly executionArn: string;
  readonly machineArn: string;
  readonly label: string | undefined;
  readonly startDate: number;
  readonly maxConcurrency: number;
  readonly toleratedFailureCount: number | undefined;
  readonly toleratedFailurePercentage: number | undefined;
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  stopDate?: number;
  /** All inputs of children are in the journal. */
  ready: boolean;
  items: MapRunCounts;
  executions: MapRunCounts;
  redriveCount: number;
  redriveDate?: number;
  /** Redrives of the execution that this run has seen: one more is a redrive of the run. */
  executionRedrives: number;
}

/** The input of one child, made when the items were read. */
export interface ChildInput {
  readonly input: string;
  readonly items: number;
}

/** How one child ended (a STANDARD one also has this while it runs). */
export interface ChildRecord {
  readonly name: string;
  readonly status: ExecutionStatus;
  readonly startDate: number;
  readonly stopDate?: number;
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
  readonly items: number;
}

const padded = (value: number, digits: number): string => String(value).padStart(digits, '0');
/** Newest first in key order. */
const newestFirst = (milliseconds: number): string => padded(9_999_999_999_999 - milliseconds, 13);

/** The part of an execution ARN after `execution:`: `machine:name` or `machine/label:name`. */
export const executionKey = (arn: string): string => arn.split(':').slice(6).join(':');

export const KEYS = {
  definition: (digest: string) => `d|${digest}`,
  execution: (arn: string) => `e|${executionKey(arn)}`,
  running: (arn: string) => `r|${executionKey(arn)}`,
  runningPrefix: 'r|',
  frame: (arn: string, path: string) => `f|${executionKey(arn)}|${path}`,
  event: (arn: string, id: number) => `h|${executionKey(arn)}|${padded(id, 6)}`,
  /** Executions of a machine, newest first; `status` ALL lists each of them. */
  listed: (machine: string, status: string, startDate: number, name: string) =>
    `l|${machine}|${status}|${newestFirst(startDate)}|${name}`,
  listedPrefix: (machine: string, status: string) => `l|${machine}|${status}|`,
  mapRun: (id: string) => `m|${id}`,
  mapRunOf: (arn: string, startDate: number, id: string) =>
    `mx|${executionKey(arn)}|${newestFirst(startDate)}|${id}`,
  childInput: (run: string, index: number) => `i|${run}|${padded(index, 10)}`,
  child: (run: string, index: number) => `c|${run}|${padded(index, 10)}`,
  /** `inner` is what stands inside the token: `executionKey|id`. */
  taskToken: (inner: string) => `t|${inner}`,
  counters: 'k|counters',
} as const;

export const framePrefix = (arn: string): string => `f|${executionKey(arn)}|`;
export const eventPrefix = (arn: string): string => `h|${executionKey(arn)}|`;
export const mapRunsPrefix = (arn: string): string => `mx|${executionKey(arn)}|`;
export const childInputPrefix = (run: string): string => `i|${run}|`;
export const childPrefix = (run: string): string => `c|${run}|`;
/** The number at the end of a key: of an event, an input or a child. */
export const numberIn = (key: string): number => Number(key.slice(key.lastIndexOf('|') + 1));
