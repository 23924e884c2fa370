/** What the steps of the pipeline get from outside, and the lines that they hand on to each other. */
import type { Clock } from '../ports/clock.ts';
import type { Executions } from '../ports/executions.ts';
import type { ImagingService } from '../ports/imaging-service.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { Settings } from './settings.ts';

export interface PipelineDeps {
  readonly objects: ObjectStore;
  readonly imaging: ImagingService;
  readonly executions: Executions;
  readonly clock: Clock;
  readonly settings: Settings;
}

/** Which execution of which upload a step works for. */
export interface ExecutionRef {
  readonly executionId: string;
  readonly uploadId: string;
}

/** One object of the snapshot. `n` counts from 0 over the whole inventory and names the object in later lines. */
export interface InventoryLine {
  readonly n: number;
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly lastModified: string;
}
