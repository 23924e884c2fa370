/** The lines that PlanImport writes and the later steps read. */
import type { Identity } from './identity.ts';
import type { InventoryLine } from './pipeline-deps.ts';

/** An accepted object on its way through the plan: what the decisions and the later steps need of it, nothing else. */
export interface Candidate extends InventoryLine {
  readonly sop: string;
  readonly series: string;
  readonly study: string;
  readonly transferSyntaxUID: string;
  readonly modality?: string;
  readonly identity: Identity;
  readonly datasetDigest: string;
  readonly frames: number;
  readonly hasPixelData: boolean;
}

/** What is to be staged: imported with a batch, or looked at only for its digest (a suspected duplicate). */
export interface StageLine extends Candidate {
  readonly batchId?: string;
  /** The ledger holds this SOP Instance UID with this digest, in a live image set: same bytes or a conflict. */
  readonly expected?: {
    readonly sha256: string;
    readonly imageSetId: string;
    readonly isSettled: boolean;
  };
  /** An earlier object of this upload has the same SOP Instance UID and dataset: same bytes or a conflict. */
  readonly twinOf?: number;
  /** Another patient of this upload has the same study: keywords in which they differ (2024, own image sets). */
  readonly keptApartBy?: readonly string[];
  /** A person decided that it takes the place of the stored instance: once, and only with these bytes, where they are named. */
  readonly replaces?: { readonly sha256?: string };
}

/** A decision that needs no staging. `adopted`: a batch of a crashed predecessor holds the object, as line `from`. */
export type DecidedLine =
  | {
      readonly n: number;
      readonly decision: 'rejected' | 'failed';
      readonly code: string;
      readonly message: string;
    }
  | {
      readonly n: number;
      readonly decision: 'adopted';
      readonly planExecutionId: string;
      readonly batchId: string;
      readonly from: number;
    };

export interface PlannedBatch {
  readonly batchId: string;
  /** The execution that planned, staged and first started it. */
  readonly planExecutionId: string;
  /** The name of the nested execution. */
  readonly name: string;
  readonly planned: number;
}

export interface Plan {
  readonly executionId: string;
  readonly batches: readonly PlannedBatch[];
  /** The shards of `planned/` with the decided lines. */
  readonly decided: readonly string[];
  /** The shards of `stage/`. */
  readonly stage: readonly string[];
}

/** What became of a line of `stage/`. */
export interface StagingLine {
  readonly n: number;
  readonly outcome: 'staged' | 'duplicate' | 'reverify' | 'twin' | 'rejected' | 'failed';
  readonly sha256?: string;
  readonly twinOf?: number;
  readonly imageSetId?: string;
  readonly code?: string;
  readonly message?: string;
}

/** What HealthImaging's job output says of a planned object. */
export interface ImportedLine {
  readonly n: number;
  readonly outcome: 'imported' | 'rejected' | 'failed';
  readonly imageSetId?: string;
  readonly isPrimary?: boolean;
  readonly warnings?: readonly { readonly code: string; readonly message: string }[];
  readonly code?: string;
  readonly message?: string;
}
