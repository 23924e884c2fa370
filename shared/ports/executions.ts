/** What the pipeline needs of AWS Step Functions: to start the next ingest, and to know whether a holder still runs. */

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

export interface Executions {
  /**
   * Starts an execution of the ingest state machine. `exists` when the name was taken within 90 days by an execution
   * that has ended; an equal request to one that runs is `started`.
   */
  start(name: string, input: Readonly<Record<string, unknown>>): Promise<'started' | 'exists'>;
  /** By execution ARN; undefined where Step Functions knows none. */
  status(executionArn: string): Promise<ExecutionStatus | undefined>;
  /**
   * Answers the task that waits with this token. False where it does not wait any more: it was answered, timed out, or its
   * execution has ended.
   */
  succeed(taskToken: string, output: Readonly<Record<string, unknown>>): Promise<boolean>;
  /** The ARN that an ingest execution of that name has. */
  arnOf(name: string): string;
}
