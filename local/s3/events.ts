/** Events of buckets with EventBridge on, shaped as Amazon S3 sends them (user guide, "EventBridge event message structure"). */
import { randomBytes, randomUUID } from 'node:crypto';
import type { EventBridgeEvent } from '../../shared/ports/events.ts';

export interface ObjectChange {
  readonly bucket: string;
  readonly key: string;
  readonly requestId: string;
  readonly sourceIp: string;
  readonly change:
    | {
        readonly type: 'Object Created';
        readonly reason: string;
        readonly size: number;
        readonly etag: string;
      }
    | { readonly type: 'Object Deleted'; readonly reason: string };
}

/** Makes events; sequencers rise over the life of the store, restarts included. */
export function createEventMaker(options: {
  region: string;
  accountId: string;
}): (change: ObjectChange) => EventBridgeEvent {
  let last = 0n;
  const nextSequencer = (): string => {
    const now = BigInt(Date.now()) << 16n;
    last = now > last ? now : last + 1n;
    return last.toString(16).toUpperCase().padStart(18, '0');
  };
  return ({ bucket, key, requestId, sourceIp, change }) => ({
    version: '0',
    id: randomUUID(),
    'detail-type': change.type,
    source: 'aws.s3',
    account: options.accountId,
    time: `${new Date().toISOString().slice(0, 19)}Z`,
    region: options.region,
    resources: [`arn:aws:s3:::${bucket}`],
    detail: {
      version: '0',
      bucket: { name: bucket },
      object: {
        key,
        ...(change.type === 'Object Created' && { size: change.size, etag: change.etag }),
        sequencer: nextSequencer(),
      },
      'request-id': requestId,
      requester: options.accountId,
      'source-ip-address': sourceIp,
      reason: change.reason,
      ...(change.type === 'Object Deleted' && { 'deletion-type': 'Permanently Deleted' }),
    },
  });
}

export const newRequestId = (): string => randomBytes(8).toString('hex').toUpperCase();
