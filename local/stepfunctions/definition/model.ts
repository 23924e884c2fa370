/** A definition after loading: states with their fields compiled, so that running it parses nothing. */
import type { Template } from '../evaluate/template.ts';
import type { ReaderResource, TaskResource } from './fields.ts';

/** A number as written, or a JSONata expression for one, with the range it must lie in. */
export interface NumberField {
  readonly template: Template;
  readonly min: number;
  readonly max: number;
}

export interface Retrier {
  readonly errorEquals: readonly string[];
  readonly intervalSeconds: number;
  readonly maxAttempts: number;
  readonly backoffRate: number;
  readonly maxDelaySeconds: number | undefined;
  readonly jitter: 'FULL' | 'NONE';
}

export interface Catcher extends Leaving {
  readonly errorEquals: readonly string[];
  readonly next: string;
}

/** How a state, a choice or a catcher is left. */
export interface Leaving {
  readonly output?: Template;
  readonly assign?: Template;
}

interface Base extends Leaving {
  readonly name: string;
  /** The state after this one; undefined ends the scope. */
  readonly next?: string;
  readonly retry: readonly Retrier[];
  readonly catch: readonly Catcher[];
}

export interface TaskState extends Base {
  readonly type: 'Task';
  readonly resource: TaskResource;
  readonly arguments: Template;
  readonly timeoutSeconds?: NumberField;
  readonly heartbeatSeconds?: NumberField;
}

export interface PassState extends Base {
  readonly type: 'Pass';
}

export interface ChoiceState extends Base {
  readonly type: 'Choice';
  readonly choices: readonly (Leaving & { readonly condition: Template; readonly next: string })[];
  readonly default?: string;
}

export interface WaitState extends Base {
  readonly type: 'Wait';
  readonly seconds?: NumberField;
  readonly timestamp?: Template;
}

export interface ParallelState extends Base {
  readonly type: 'Parallel';
  readonly branches: readonly Scope[];
  readonly arguments?: Template;
}

export interface ItemReader {
  readonly resource: ReaderResource;
  readonly arguments: Template;
  readonly inputType: 'JSON' | 'JSONL';
  readonly maxItems?: NumberField;
}

export interface ItemBatcher {
  readonly maxItems?: NumberField;
  readonly maxBytes?: NumberField;
  readonly batchInput?: Template;
}

export interface ResultWriter {
  /** Absent: nothing is written, the results are only shaped. */
  readonly arguments?: Template;
  readonly transformation: 'NONE' | 'COMPACT' | 'FLATTEN';
  readonly outputType: 'JSON' | 'JSONL';
}

interface MapBase extends Base {
  readonly type: 'Map';
  readonly processor: Scope;
  readonly items?: Template;
  readonly itemSelector?: Template;
  readonly maxConcurrency?: NumberField;
}

export interface InlineMapState extends MapBase {
  readonly mode: 'INLINE';
}

export interface DistributedMapState extends MapBase {
  readonly mode: 'DISTRIBUTED';
  readonly executionType: 'STANDARD' | 'EXPRESS';
  readonly itemReader?: ItemReader;
  readonly itemBatcher?: ItemBatcher;
  readonly resultWriter?: ResultWriter;
  readonly label?: string;
  readonly toleratedCount?: NumberField;
  readonly toleratedPercentage?: NumberField;
}

export interface SucceedState extends Base {
  readonly type: 'Succeed';
}

export interface FailState extends Base {
  readonly type: 'Fail';
  readonly error?: Template;
  readonly cause?: Template;
}

export type State =
  | TaskState
  | PassState
  | ChoiceState
  | WaitState
  | ParallelState
  | InlineMapState
  | DistributedMapState
  | SucceedState
  | FailState;

/** States that run together: a state machine, a branch, an item processor. */
export interface Scope {
  readonly startAt: string;
  readonly states: ReadonlyMap<string, State>;
}

export interface Definition extends Scope {
  readonly timeoutSeconds: number | undefined;
}
