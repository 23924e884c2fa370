/** The last events and API calls, kept in memory for the data store's panel; nothing of it is written anywhere. */

import type { Activity } from '../../shared/console/api.ts';
import type { EventBridgeEvent } from '../../shared/ports/events.ts';

const KEPT = 300;

export interface ActivityLog {
  event(busName: string, event: EventBridgeEvent): void;
  /** A CloudTrail-shaped line (the service hides sensitive members in it). */
  call(line: string): void;
  latest(): readonly Activity[];
}

interface AuditRecord {
  readonly eventTime?: string;
  readonly eventName?: string;
  readonly errorCode?: string;
  readonly userAgent?: string;
  readonly requestParameters?: { readonly imageSetId?: unknown; readonly jobId?: unknown } | null;
}

export function makeActivityLog(): ActivityLog {
  const kept: Activity[] = [];
  let id = 0;
  const keep = (activity: Omit<Activity, 'id'>) => {
    kept.push({ id: ++id, ...activity });
    if (kept.length > KEPT) kept.shift();
  };
  return {
    event(busName, event) {
      const { detail } = event;
      const about = [detail.imageSetId, detail.jobId, detail.executionId].find((v) => typeof v === 'string');
      keep({
        at: event.time,
        kind: 'event',
        name: `${event.source}: ${event['detail-type']}`,
        about: typeof about === 'string' ? about : busName,
      });
    },
    call(line) {
      const record = JSON.parse(line) as AuditRecord;
      const about = record.requestParameters?.imageSetId ?? record.requestParameters?.jobId;
      keep({
        at: record.eventTime ?? '',
        kind: 'call',
        name: record.eventName ?? '',
        about: typeof about === 'string' ? about : '',
        ...(record.errorCode === undefined ? {} : { error: record.errorCode }),
      });
    },
    latest: () => [...kept].reverse(),
  };
}
