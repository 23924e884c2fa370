/** The events HealthImaging puts on the default bus (developer guide, "Using Amazon EventBridge"). */
import { randomUUID } from 'node:crypto';
import type { EventBridgeEvent } from '../../shared/ports/events.ts';
import { datastoreArn, type Home, imageSetArn } from './identifiers.ts';
import type { DatastoreRecord, ImageSetRecord, JobRecord, VersionRecord } from './store/records.ts';

export type DetailType =
  | `Data Store ${'Creating' | 'Created' | 'Creation Failed' | 'Deleting' | 'Deleted'}`
  | `Import Job ${'Submitted' | 'In Progress' | 'Completed' | 'Failed'}`
  | `Image Set ${'Created' | 'Copying' | 'Copying With Read Only Access' | 'Copied' | 'Copy Failed'}`
  | `Image Set ${'Updating' | 'Updated' | 'Update Failed' | 'Deleting' | 'Deleted'}`;

export interface EventContext extends Home {
  /** Milliseconds since 1970. */
  readonly now: number;
}

export function datastoreEvent(type: DetailType, at: EventContext, store: DatastoreRecord): EventBridgeEvent {
  const { datastoreId, datastoreName, datastoreStatus } = store;
  return envelope(type, at, store.datastoreArn, { datastoreId, datastoreName, datastoreStatus });
}

export function jobEvent(type: DetailType, at: EventContext, job: JobRecord): EventBridgeEvent {
  const { datastoreId, jobId, jobName, jobStatus, inputS3Uri, outputS3Uri, message } = job;
  return envelope(type, at, datastoreArn(at, datastoreId), {
    datastoreId,
    jobId,
    jobName,
    jobStatus,
    inputS3Uri,
    outputS3Uri,
    ...(message && { message }),
  });
}

/** The guide spells `imagesetId`, the event schema `imageSetId`: both are sent. `imageSetVersion` is text. */
export function imageSetEvent(
  type: DetailType,
  at: EventContext,
  set: ImageSetRecord,
  version: VersionRecord,
  extra: { sourceImageSetArn?: string } = {},
): EventBridgeEvent {
  return envelope(type, at, imageSetArn(at, set.datastoreId, set.imageSetId), {
    isPrimary: version.isPrimary,
    imageSetVersion: String(version.version),
    datastoreId: set.datastoreId,
    imagesetId: set.imageSetId,
    imageSetId: set.imageSetId,
    imageSetState: version.imageSetState,
    imageSetWorkflowStatus: version.imageSetWorkflowStatus,
    ...(version.message && { message: version.message }),
    ...extra,
  });
}

function envelope(
  type: DetailType,
  at: EventContext,
  resource: string,
  detail: Record<string, unknown>,
): EventBridgeEvent {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': type,
    source: 'aws.medical-imaging',
    account: at.accountId,
    time: `${new Date(at.now).toISOString().slice(0, 19)}Z`,
    region: at.region,
    resources: [resource],
    detail: { imagingVersion: '1.0', ...detail },
  };
}
