/** What the console's server and its pages say to each other: types only. */

import type { HeldCode } from '../ingest/held-codes.ts';
import type { PutBack } from '../ingest/put-backs.ts';
import type { HeldView, PatientView } from '../ingest/release-held.ts';
import type { BatchReport, Counts, ObjectLine, ObjectOutcome, Report } from '../ingest/report.ts';
import type { HumanDecision, Resolution } from '../ingest/resolutions.ts';
import type { SeriesView } from '../ingest/resolve-series.ts';
import type { ConflictView } from '../ingest/view-conflict.ts';

export type { BatchReport, Counts, ObjectLine, ObjectOutcome, Report };

/** An upload that has objects in the inbox. */
export interface WaitingUpload {
  readonly upload: string;
  readonly objects: number;
  readonly bytes: number;
  /** When its oldest object arrived; ISO 8601, UTC. */
  readonly oldest: string;
  readonly failedAttempts: number;
  /** Nothing is tried again by itself: somebody must look. */
  readonly needsAttention: boolean;
  readonly isRunning: boolean;
}

export type StageStatus = 'waiting' | 'running' | 'done' | 'failed';

export interface Stage {
  readonly name: string;
  readonly status: StageStatus;
  /** Seconds in this stage up to now, or in all. */
  readonly seconds: number;
  /** Share of a fan-out that ended, 0 to 1. */
  readonly share?: number;
}

export interface RunningExecution {
  readonly executionId: string;
  readonly upload: string;
  readonly startedAt: string;
  readonly stages: readonly Stage[];
  /** Objects in its snapshot of the inbox; absent before there is one. */
  readonly received?: number;
}

/** A finished execution as listings show it. */
export interface Summary {
  readonly executionId: string;
  readonly upload: string;
  readonly startedAt?: string;
  readonly finishedAt: string;
  readonly outcome: Report['outcome'];
  readonly counts?: Counts;
  readonly bytes?: number;
  readonly variants?: number;
  /** Rejected and failed objects by code; only where somebody looks at them. */
  readonly rejects?: Readonly<Record<string, number>>;
}

/** Objects of the ingests that ended in an hour. */
export interface Hour {
  /** ISO 8601, UTC. */
  readonly from: string;
  readonly ingested: number;
  readonly duplicate: number;
  readonly rejected: number;
  readonly failed: number;
}

/** What the first page shows, sent again whenever it changes. */
export interface Overview {
  readonly at: string;
  readonly waiting: readonly WaitingUpload[];
  /** The inbox holds more than was counted. */
  readonly waitingIsPartial: boolean;
  readonly running: readonly RunningExecution[];
  /** Newest first. */
  readonly recent: readonly Summary[];
  /** The last 24, the oldest first; the very first only from 24 hours ago on. */
  readonly hours: readonly Hour[];
  /** Older ones are still being counted. */
  readonly hoursArePartial: boolean;
}

export interface ExecutionQuery {
  /** Part of an upload's name or execution's id, or a study, series, instance UID or image set id. */
  readonly text?: string;
  readonly outcome?: string;
  readonly code?: string;
  readonly patientId?: string;
  readonly accessionNumber?: string;
  /** Finished at or after; ISO 8601, UTC. */
  readonly since?: string;
  /** Finished before. */
  readonly until?: string;
  /** Where an earlier answer stopped. */
  readonly next?: string;
}

export interface ExecutionPage {
  readonly executions: readonly Summary[];
  /** There may be more: ask again from here. */
  readonly next?: string;
  /** How many reports this answer looked at. */
  readonly looked: number;
}

/** What was refused or failed in the ingests that ended in a time. */
export interface RefusalQuery {
  /** ISO 8601, UTC. */
  readonly since?: string;
  readonly until?: string;
  /** Where an earlier answer stopped. */
  readonly next?: string;
}

export interface RefusalPage {
  /** Those in which anything was refused or failed, newest first. */
  readonly ingests: readonly RefusingIngest[];
  /** There may be more: ask again from here. */
  readonly next?: string;
  /** How many ingests this answer looked at. */
  readonly looked: number;
}

export interface RefusingIngest {
  readonly executionId: string;
  readonly upload: string;
  readonly finishedAt: string;
  /** Objects by code. */
  readonly rejects: Readonly<Record<string, number>>;
}

/** What of an ingest's refused objects was put back before, and what can still be. */
export interface Retryable {
  /** The oldest first; `ingest`: the execution that took them, once it has ended. */
  readonly putBacks: readonly (PutBack & { readonly ingest?: string })[];
  /** Objects by code. */
  readonly left: Readonly<Record<string, number>>;
}

/** Objects of one outcome and code. */
export interface CodeGroup {
  readonly outcome: ObjectOutcome;
  readonly code: string;
  readonly count: number;
  readonly says: string;
  readonly advice: string;
  /** Sending the same object again may end otherwise. */
  readonly retry: boolean;
  readonly benign: boolean;
}

export interface ExecutionDetails {
  readonly executionId: string;
  readonly upload: string;
  readonly status: string;
  readonly startedAt: string;
  readonly stoppedAt?: string;
  readonly error?: string;
  readonly stages: readonly Stage[];
  readonly report?: Report;
  /** Beside a report. */
  readonly retryable?: Retryable;
  readonly groups: readonly CodeGroup[];
}

export interface ObjectsQuery {
  readonly outcome?: string;
  readonly code?: string;
  readonly text?: string;
  /** Without a text the first row, from 0; with one, where an earlier answer stopped. */
  readonly from?: number;
  /** Rows wanted; 100 unless told, at most 500. */
  readonly limit?: number;
}

export interface ObjectsPage {
  readonly objects: readonly ObjectLine[];
  /** Of this outcome and code, whatever is searched for. */
  readonly total: number;
  /** There may be more: ask again `from` here. */
  readonly next?: number;
}

export interface HistoryEvent {
  readonly id: number;
  readonly timestamp: string;
  readonly type: string;
  readonly state?: string;
  readonly details?: string;
}

export interface ImageSetQuery {
  readonly patientId?: string;
  readonly accessionNumber?: string;
  readonly studyInstanceUID?: string;
  readonly seriesInstanceUID?: string;
  readonly sopInstanceUID?: string;
  readonly next?: string;
}

export interface ImageSetSummary {
  readonly imageSetId: string;
  readonly version: number;
  readonly updatedAt: number;
  readonly isPrimary?: boolean;
  readonly DICOMTags: Readonly<Record<string, string | number>>;
}

export interface ImageSetPage {
  readonly imageSets: readonly ImageSetSummary[];
  readonly next?: string;
}

/** An event or an API call, as the data store's panel lists it. */
export interface Activity {
  readonly id: number;
  readonly at: string;
  readonly kind: 'event' | 'call';
  readonly name: string;
  readonly about: string;
  readonly error?: string;
  /** Asked by this console itself. */
  readonly isOwn?: boolean;
}

export interface DataStore {
  readonly datastoreId: string;
  readonly name: string;
  readonly status: string;
  readonly createdAt: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly calls: readonly { readonly operation: string; readonly status: string; readonly count: number }[];
  readonly jobs: readonly {
    readonly jobId: string;
    readonly jobName: string;
    readonly jobStatus: string;
    readonly submittedAt: string;
    readonly endedAt?: string;
  }[];
  readonly activity: readonly Activity[];
  readonly addresses: Readonly<Record<string, string>>;
}

/** A part of a large file that is in the store. */
export interface ArrivedPart {
  /** From 1. */
  readonly number: number;
  readonly sizeBytes: number;
  /** Base64. */
  readonly sha256: string;
  readonly etag: string;
}

export interface UploadState {
  readonly upload: string;
  /** Its objects in the inbox, counted up to a thousand. */
  readonly waiting: number;
  readonly running: readonly string[];
  /** Newest first. */
  readonly finished: readonly Summary[];
}

/** A series whose image sets are, or were, several. No values: keywords, ids and counts. */
export interface SeriesState extends Omit<SeriesView, 'imageSets'> {
  readonly seriesInstanceUID: string;
  readonly imageSets: readonly Omit<SeriesView['imageSets'][number], 'identity'>[];
  readonly isKeptApart: boolean;
  /** The oldest first. */
  readonly history: Resolution['history'];
  /** Merges that can be undone, and until when. */
  readonly undoable: readonly { readonly executionId: string; readonly until: string }[];
}

/** What was refused until a person decides about it: the patients of a study, or the right content of instances. */
export interface HeldCase {
  readonly code: HeldCode;
  readonly studyInstanceUID: string;
  /** Series that held objects are of; for an InstanceConflict one. */
  readonly series: readonly string[];
  readonly objects: number;
  /** At least so many: the answer ends within an ingest that refused some of them. */
  readonly isMore?: boolean;
  /** Of an InstanceConflict: at most 500. */
  readonly instances?: readonly HeldInstance[];
  /** When the first of them was refused; ISO 8601, UTC. */
  readonly since: string;
  /** When the last of them was: leaving them out is about nothing before or after. */
  readonly until: string;
  readonly executions: readonly {
    readonly executionId: string;
    readonly upload: string;
    readonly objects: number;
  }[];
}

/** An instance, and the newest object that waits for its place: its name (`refusedId`), which is that of one content. */
export interface HeldInstance {
  readonly sop: string;
  readonly object: string;
}

export interface HeldPage {
  readonly cases: readonly HeldCase[];
  /** How many ingests this answer looked at. */
  readonly looked: number;
  /** The answer ended here for its time or size; older ingests, or more of the last one: ask again from here. */
  readonly next?: string;
}

/** The patients of a study, by labels that hold no values; those are there only where they were asked for. */
export interface HeldPatients extends Omit<HeldView, 'patients'> {
  readonly patients: readonly (Omit<PatientView, 'identity'> & Partial<Pick<PatientView, 'identity'>>)[];
  /** The oldest first. */
  readonly history: readonly (HumanDecision & { readonly decision: string })[];
}

/** A refused object beside the stored instance of its SOP Instance UID; values only where they were asked for. */
export interface HeldConflict extends Omit<ConflictView, 'key' | 'differences'> {
  readonly differences: readonly {
    readonly keyword: string;
    readonly stored?: string;
    readonly refused?: string;
  }[];
}

/** How a decision stands. */
export type DecisionState =
  | { readonly state: 'running' }
  /** Done, or not done and why. */
  | { readonly state: 'done' | 'refused'; readonly says: string };

/** How a page is to talk to its server. */
export interface Session {
  /** Whether changes come by themselves (`GET live`, server-sent events), or are asked for (`GET overview`). */
  readonly live: 'events' | 'poll';
  /** Whoever asks must be signed in by this OpenID Connect provider, and sends the token that it gives. */
  readonly signIn?: SignIn;
}

export interface SignIn {
  readonly issuer: string;
  readonly clientId: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly endSessionEndpoint?: string;
  /** Separated by spaces. */
  readonly scope: string;
}
