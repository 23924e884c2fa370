/** What the import works with besides the service itself. */
import type { CodecPool } from '../../../shared/pixels/codec-pool.ts';
import type { Gate } from '../concurrency.ts';
import type { Service } from '../service.ts';
import type { JobRecord } from '../store/records.ts';
import type { Buckets } from './s3-bucket.ts';

export interface ImportTools {
  readonly buckets: Buckets;
  readonly codecs: CodecPool;
  /** Files being read at a time, over all jobs: this bounds memory. */
  readonly files: Gate;
}

export interface ImportContext extends ImportTools {
  readonly service: Service;
  readonly job: JobRecord;
  readonly signal: AbortSignal;
}
