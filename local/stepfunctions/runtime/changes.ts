/** Tells onlookers (the console, the command line) that there is something to draw again. */
import type { ExecutionRecord, ExecutionStatus, MapRunRecord } from '../journal/records.ts';

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

export class Changes {
  readonly #listeners = new Set<(change: Change) => void>();

  /** Returns the way to stop listening. */
  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  execution({ arn, machineArn, status }: ExecutionRecord): void {
    this.#tell({ kind: 'execution', executionArn: arn, stateMachineArn: machineArn, status });
  }

  state({ arn, machineArn }: ExecutionRecord, state: string): void {
    this.#tell({ kind: 'state', executionArn: arn, stateMachineArn: machineArn, state });
  }

  mapRun({ executionArn, arn }: MapRunRecord): void {
    this.#tell({ kind: 'mapRun', executionArn, mapRunArn: arn });
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        // An onlooker's mistake is not the execution's.
        process.emitWarning(error as Error);
      }
    }
  }
}
