/** The files a job writes beside its manifest, byte-shaped like the service's (reference section 5). Pure. */
import type { Behaviour } from '../service.ts';
import type { JobRecord } from '../store/records.ts';
import type { Warning } from './failures.ts';
import type { StagedFile } from './staged.ts';

/** Where a group of files went. */
export interface Placement {
  readonly imageSetId: string;
  readonly version: number;
  readonly isPrimary: boolean;
  /** SOP instances of this job in the set. */
  readonly instances: number;
}

/** What became of one file. */
export type FileResult =
  | { readonly key: string; readonly placement: Placement; readonly warnings: readonly Warning[] }
  | { readonly key: string; readonly failure: Extract<StagedFile, { outcome: 'failed' }> };

export interface JobOutput {
  readonly manifest: string;
  readonly success: string;
  readonly failure: string;
  readonly warning: string;
}

export function toJobOutput(job: JobRecord, behaviour: Behaviour, results: readonly FileResult[]): JobOutput {
  const placed = results.filter((result) => 'placement' in result);
  const failed = results.filter((result) => 'failure' in result);
  const warned = placed.filter(({ warnings }) => warnings.length > 0);
  const lines = (values: readonly object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');
  return {
    manifest: JSON.stringify({ jobSummary: jobSummary(job, behaviour, results) }),
    success: lines(
      placed.map(({ key, placement }) => ({
        inputFile: key,
        importResponse: response(placement, behaviour),
      })),
    ),
    failure: lines(
      failed.map(({ key, failure: { exceptionType, message } }) => ({
        inputFile: key,
        exception: { exceptionType, message },
      })),
    ),
    warning: lines(
      warned.map(({ key, placement, warnings }) => ({
        inputFile: key,
        importResponse: { ...response(placement, behaviour), warnings },
      })),
    ),
  };
}

function response({ imageSetId, version, isPrimary }: Placement, behaviour: Behaviour) {
  return behaviour === '2024' ? { imageSetId } : { imageSetId, imageSetVersion: version, isPrimary };
}

function jobSummary(job: JobRecord, behaviour: Behaviour, results: readonly FileResult[]) {
  const sets = new Map<string, Placement>();
  let imported = 0;
  let customer = 0;
  let warned = 0;
  for (const result of results) {
    if ('failure' in result) {
      if (result.failure.fault === 'customer') customer++;
      continue;
    }
    imported++;
    if (result.warnings.length > 0) warned++;
    sets.set(result.placement.imageSetId, result.placement);
  }
  return {
    jobId: job.jobId,
    datastoreId: job.datastoreId,
    inputS3Uri: job.inputS3Uri,
    outputS3Uri: job.outputS3Uri,
    successOutputS3Uri: `${job.outputS3Uri}SUCCESS/`,
    failureOutputS3Uri: `${job.outputS3Uri}FAILURE/`,
    ...(warned > 0 && { warningsOutputS3Uri: `${job.outputS3Uri}WARNING/` }),
    numberOfScannedFiles: results.length,
    numberOfImportedFiles: imported,
    numberOfFilesWithCustomerError: customer,
    numberOfFilesWithServerError: results.length - imported - customer,
    numberOfGeneratedImageSets: sets.size,
    imageSetsSummary: [...sets.values()].map(({ imageSetId, version, isPrimary, instances }) =>
      behaviour === '2024'
        ? { imageSetId, numberOfMatchedSOPInstances: instances }
        : { imageSetId, imageSetVersion: version, isPrimary, numberOfMatchedSOPInstances: instances },
    ),
  };
}
