/** What an operation is given and gives. */
import type { Answer } from './answer.ts';
import type { ObjectChange } from './events.ts';
import type { S3Request } from './s3-request.ts';
import type { Store } from './store/store.ts';

export interface Deps {
  readonly store: Store;
  readonly region: string;
  readonly accountId: string;
  /** Milliseconds since 1970. */
  now(): number;
  /** Tells the bus, when the bucket's events are on. Never throws. */
  announce(request: S3Request, key: string, change: ObjectChange['change']): void;
}

export type Operation = (request: S3Request, deps: Deps) => Promise<Answer>;

export const quoted = (etag: string): string => `"${etag}"`;
export const isoTime = (milliseconds: number): string => new Date(milliseconds).toISOString();
