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

/** Of a step that works on objects alone: it needs no client but the object store's. */
export type ObjectDeps = Pick<PipelineDeps, 'objects' | 'clock' | 'settings'>;

/** Of a step that also asks about executions, or starts them. */
export type ExecutionDeps = ObjectDeps & Pick<PipelineDeps, 'executions'>;

/** Of a step that also works on HealthImaging. */
export type ImagingDeps = ObjectDeps & Pick<PipelineDeps, 'imaging'>;

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
