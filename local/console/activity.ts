/** The last events and API calls, kept in memory for the data store's panel; nothing of it is written anywhere. */
import type { Activity } from '../../shared/console/api.ts';
import { uploadIdOf, uploadOf } from '../../shared/ingest/work-keys.ts';
import type { EventBridgeEvent } from '../../shared/ports/events.ts';

/** Of the console's own calls as many again: they push out nothing else. */
const KEPT = 300;

/** How the console calls itself. */
export const CONSOLE_AGENT = 'isocenter-console';

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
  const own: Activity[] = [];
  let id = 0;
  const keep = (activity: Omit<Activity, 'id'>) => {
    const list = activity.isOwn ? own : kept;
    list.push({ id: ++id, ...activity });
    if (list.length > KEPT) list.shift();
  };
  return {
    event(_busName, event) {
      const name = `${event.source}: ${event['detail-type']}`;
      keep({ at: event.time, kind: 'event', name, about: aboutOf(event.detail) });
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
        ...(record.userAgent === CONSOLE_AGENT ? { isOwn: true } : {}),
      });
    },
    latest: () => [...kept, ...own].sort((a, b) => b.id - a.id),
  };
}

/** Names may be in keys: of an object, the digest of its upload, as the names of executions begin, and its bucket. */
function aboutOf(detail: EventBridgeEvent['detail']): string {
  const ids = [detail.imageSetId, detail.jobId, detail.executionId, detail.name];
  const id = ids.find((one) => typeof one === 'string');
  if (typeof id === 'string') return id;
  const { name: bucket } = (detail.bucket ?? {}) as { name?: unknown };
  const { key } = (detail.object ?? {}) as { key?: unknown };
  if (typeof bucket !== 'string' || typeof key !== 'string') return '';
  return `upload ${uploadIdOf(uploadOf(key)).slice(0, 8)}… in ${bucket}`;
}
