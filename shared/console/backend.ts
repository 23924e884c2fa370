/** What the console reads and acts on: the same stores, state machine and service as every other client of the stack. */
import type { S3Client } from '@aws-sdk/client-s3';
import type { SFNClient } from '@aws-sdk/client-sfn';
import type { MergeDeps } from '../ingest/merge-journal.ts';
import type { UploadDeps } from '../ingest/uploads.ts';
import type { Activity, Session } from './api.ts';

export interface Backend {
  readonly inboxBucket: string;
  readonly workBucket: string;
  readonly datastoreId: string;
  readonly ingestStateMachineArn: string;
  readonly sfn: SFNClient;
  /** For what the port has no word for: parts of large files. */
  readonly s3: S3Client;
  /** As the functions of the pipeline take them. */
  readonly deps: UploadDeps;
  /** Asks HealthImaging; an answer of any status is an answer. */
  readonly imaging: (action: ImagingAction, path: string, init: ImagingInit) => Promise<Response>;
  /** HealthImaging's own metrics; none where nobody keeps them. */
  readonly metrics: () => Promise<readonly Metric[]>;
  /** The last events and API calls, newest first; none where nobody keeps them. */
  readonly activity: () => readonly Activity[];
  /** What decisions about image sets need; made at the first of them. */
  readonly mergeDeps: () => Promise<MergeDeps>;
  /** Has the decision of this name carried out, and does not wait for that. */
  readonly startDecision: (decisionId: string) => Promise<void>;
  readonly places: Places;
  /** How pages are to talk to this server. */
  readonly session: () => Promise<Session>;
  /** Where things are, for the data store's panel. */
  readonly addresses: Readonly<Record<string, string>>;
}

/** As IAM names it. A literal where it is asked for: scripts/template-checks holds these against the function's role. */
export type ImagingAction = `medical-imaging:${string}`;

/** As `fetch` has it; the path is as the API and the DICOMweb services name it, with its query. */
export interface ImagingInit {
  readonly method: 'GET' | 'POST';
  readonly signal: AbortSignal;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A value of a metric as CloudWatch names it, its dimensions as labels. */
export interface Metric {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A request that a page sends with a body. */
export interface Place {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Which multipart upload: S3 names it, the page keeps the name. */
export interface PartsOf {
  readonly key: string;
  readonly partsId: string;
}

/** Where pages send bodies, and get files. */
export interface Places {
  /** For PUT of the whole object. */
  readonly file: (key: string) => Promise<Place>;
  /** For PUT of a part, whose SHA-256 (base64) the store compares. */
  readonly part: (of: PartsOf, part: { readonly number: number; readonly sha256: string }) => Promise<Place>;
  /** An address that a link leads to. */
  readonly download: (what: Download) => Promise<string>;
}

export type Download =
  | { readonly what: 'report' | 'objects'; readonly executionId: string }
  | { readonly what: 'instance'; readonly imageSetId: string; readonly uids: readonly string[] };

const EXECUTION_ID = /^[A-Za-z0-9_-]{1,80}$/;

export const isExecutionId = (text: string): boolean => EXECUTION_ID.test(text);

export const executionArnOf = ({ deps }: Backend, executionId: string): string =>
  deps.executions.arnOf(executionId);
