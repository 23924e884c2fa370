/** The files of a job: everything below the input prefix, within the job's limits. */
import type { ImportContext } from './context.ts';
import { type InputObject, parseS3Uri } from './s3-bucket.ts';

/** The whole job fails; `code` is what the service's message ends in (only FILE_COUNTS_LIMIT… has been seen). */
export class JobFailure extends Error {
  override readonly name = 'JobFailure';
  readonly code: string;

  constructor(code: string, options?: ErrorOptions) {
    super(code, options);
    this.code = code;
  }
}

/** The job's `message`, in the characters that the API allows there. */
export function toJobFailure(error: unknown): string {
  const code = error instanceof JobFailure ? error.code : 'INTERNAL_SERVER_ERROR';
  return `DICOM import job has failed. ${code}`;
}

/** In key order. Throws JobFailure: too many files, bytes or folders, or a bucket that cannot be read. */
export async function listInput({ service, job, buckets }: ImportContext): Promise<InputObject[]> {
  const { quotas } = service;
  const objects: InputObject[] = [];
  const folders = new Set<string>();
  let bytes = 0;
  try {
    for await (const object of buckets.list(parseS3Uri(job.inputS3Uri), job.inputOwnerAccountId)) {
      // Consoles make empty objects that stand for folders; they are no files.
      if (object.key.endsWith('/') && object.sizeBytes === 0) continue;
      objects.push(object);
      bytes += object.sizeBytes;
      for (let at = object.key.lastIndexOf('/'); at > 0; at = object.key.lastIndexOf('/', at - 1)) {
        const folder = object.key.slice(0, at);
        if (folders.has(folder)) break;
        folders.add(folder);
      }
      if (objects.length > quotas.filesPerJob) throw new JobFailure('FILE_COUNTS_LIMIT_EXCEEDED');
      if (folders.size > quotas.foldersPerJob) throw new JobFailure('FOLDER_COUNTS_LIMIT_EXCEEDED');
      if (bytes > quotas.bytesPerJob) throw new JobFailure('TOTAL_SIZE_LIMIT_EXCEEDED');
    }
  } catch (error) {
    if (error instanceof JobFailure) throw error;
    throw new JobFailure('INPUT_S3_URI_NOT_ACCESSIBLE', { cause: error });
  }
  return objects;
}
