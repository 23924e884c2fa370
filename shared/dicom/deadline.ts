/**
 * A limit on the time that reading one object takes. The work between two reads is bounded by the limits of readP10, so
 * it is enough to look at the clock whenever bytes are asked for.
 */
import type { ByteSource } from './byte-source.ts';
import { DicomError } from './dicom-error.ts';

export interface Deadline {
  readonly seconds: number;
  /** Milliseconds on a clock that does not go back. */
  readonly now: () => number;
}

/** The same source; a read after the time is up throws InspectionTimeout. The time begins now. */
export function withDeadline(source: ByteSource, { seconds, now }: Deadline): ByteSource {
  const endsAt = now() + seconds * 1000;
  return {
    sizeBytes: source.sizeBytes,
    read(start, end) {
      if (now() <= endsAt) return source.read(start, end);
      const problem = `expected to be done within ${seconds} s, was still reading`;
      return Promise.reject(new DicomError('InspectionTimeout', `byte ${start}`, problem, { seconds }));
    },
  };
}
