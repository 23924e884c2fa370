/** The ImagingService port over AWS HealthImaging; the SDK's errors become the port's, without the service's texts. */

import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import {
  GetDICOMImportJobCommand,
  GetImageSetCommand,
  type MedicalImagingClient,
  type SearchFilter,
  SearchImageSetsCommand,
  StartDICOMImportJobCommand,
  TagResourceCommand,
} from '@aws-sdk/client-medical-imaging';
import {
  type ImageSet,
  type ImageSetLister,
  type ImageSetMetadata,
  type ImagingService,
  type JobStatus,
  type ListedImageSet,
  NotConsistentYet,
  NotInDataStore,
  RefusedByService,
  ServiceUnavailable,
  Throttled,
} from '../ports/imaging-service.ts';
import { type SignedImaging, signedImaging } from './signed-imaging.ts';

const unzip = promisify(gunzip);
/** Metadata of one image set is at most 50 MB (quota); as text somewhat more. */
const MAX_METADATA_BYTES = 512 * 1024 * 1024;

export interface ImagingSettings {
  readonly datastoreId: string;
  readonly dataAccessRoleArn: string;
  readonly inputOwnerAccountId?: string;
}

/** The SDK's error as the port's: what the state machines name in their Retry. */
export function mapImagingError(error: unknown): unknown {
  const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  const options = { cause: error };
  if (name === 'ThrottlingException' || status === 429) return new Throttled('too many requests', options);
  if (name === 'ServiceQuotaExceededException')
    return new Throttled('a quota of the service is full', options);
  if (name === 'ConflictException') return new NotConsistentYet('the image set is not ready', options);
  if (name === 'ResourceNotFoundException') return new NotInDataStore('not in the data store', options);
  if (name === 'ValidationException') return new RefusedByService('the request is not valid', options);
  const isConnection =
    status === undefined && /ECONN|Timeout|socket|EPIPE|ENOTFOUND/i.test(`${name} ${error}`);
  if ((status !== undefined && status >= 500) || isConnection)
    return new ServiceUnavailable('HealthImaging did not answer', options);
  return error;
}

async function mapped<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw mapImagingError(error);
  }
}

export function healthImagingService(
  client: MedicalImagingClient,
  settings: ImagingSettings,
): ImagingService & ImageSetLister {
  const { datastoreId } = settings;
  const signed = signedImaging(client);
  return {
    startImportJob: async (request) => {
      const { inputOwnerAccountId, dataAccessRoleArn } = settings;
      const command = new StartDICOMImportJobCommand({
        datastoreId,
        dataAccessRoleArn,
        ...request,
        ...(inputOwnerAccountId ? { inputOwnerAccountId } : {}),
      });
      const { jobId } = await mapped(client.send(command));
      return { jobId: jobId ?? '' };
    },
    importJob: async (jobId) => {
      const answer = await mapped(client.send(new GetDICOMImportJobCommand({ datastoreId, jobId })));
      const job = answer.jobProperties;
      return {
        jobStatus: (job?.jobStatus ?? 'SUBMITTED') as JobStatus,
        outputS3Uri: job?.outputS3Uri ?? '',
        ...(job?.submittedAt ? { submittedAt: job.submittedAt.toISOString() } : {}),
        ...(job?.message === undefined ? {} : { message: job.message }),
      };
    },
    searchImageSets: (by) => search(client, datastoreId, by),
    listImageSets: (by) => listImageSets(client, datastoreId, by),
    imageSet: (imageSetId) => imageSet(client, datastoreId, imageSetId),
    metadata: (imageSetId, versionId) => metadata(signed, pathOf(datastoreId, imageSetId), versionId),
    frame: (imageSetId, imageFrameId) =>
      mapped(
        signed.signedBytes({
          action: 'GetImageFrame',
          method: 'POST',
          plane: 'runtime-',
          path: `${pathOf(datastoreId, imageSetId)}/getImageFrame`,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ imageFrameId }),
        }),
      ),
    tag: async (arn, tags) => {
      await mapped(client.send(new TagResourceCommand({ resourceArn: arn, tags: { ...tags } })));
    },
  };
}

async function* search(
  client: MedicalImagingClient,
  datastoreId: string,
  by: { readonly studyInstanceUID: string } | { readonly seriesInstanceUID: string },
) {
  for await (const { imageSetId, studyInstanceUID, seriesInstanceUID } of listImageSets(
    client,
    datastoreId,
    by,
  ))
    yield { imageSetId, studyInstanceUID, seriesInstanceUID };
}

/** BETWEEN wants two ends. */
const END_OF_TIME = new Date('9999-01-01T00:00:00Z');

const createdBetween = (from: Date, to: Date): SearchFilter => ({
  values: [{ createdAt: from }, { createdAt: to }],
  operator: 'BETWEEN',
});

async function* listImageSets(
  client: MedicalImagingClient,
  datastoreId: string,
  by: Parameters<ImageSetLister['listImageSets']>[0] = {},
): AsyncGenerator<ListedImageSet> {
  const equal = (value: SearchFilter['values']): SearchFilter => ({ values: value, operator: 'EQUAL' });
  const filters: SearchFilter[] = [
    ...(by.studyInstanceUID ? [equal([{ DICOMStudyInstanceUID: by.studyInstanceUID }])] : []),
    ...(by.seriesInstanceUID ? [equal([{ DICOMSeriesInstanceUID: by.seriesInstanceUID }])] : []),
    ...(by.createdFrom ? [createdBetween(new Date(by.createdFrom), END_OF_TIME)] : []),
  ];
  let nextToken: string | undefined;
  do {
    const command = new SearchImageSetsCommand({
      datastoreId,
      searchCriteria: {
        ...(filters.length > 0 ? { filters } : {}),
        sort: { sortField: 'createdAt', sortOrder: 'ASC' },
      },
      maxResults: 50,
      nextToken,
    });
    const page = await mapped(client.send(command));
    for (const { imageSetId = '', version, createdAt, DICOMTags } of page.imageSetsMetadataSummaries ?? [])
      yield {
        imageSetId,
        versionId: String(version ?? 1),
        createdAt: createdAt?.toISOString() ?? '',
        studyInstanceUID: DICOMTags?.DICOMStudyInstanceUID ?? '',
        seriesInstanceUID: DICOMTags?.DICOMSeriesInstanceUID ?? '',
      };
    nextToken = page.nextToken;
  } while (nextToken);
}

async function imageSet(
  client: MedicalImagingClient,
  datastoreId: string,
  imageSetId: string,
): Promise<ImageSet | undefined> {
  try {
    const answer = await mapped(client.send(new GetImageSetCommand({ datastoreId, imageSetId })));
    if (answer.imageSetState === 'DELETED') return undefined;
    return {
      imageSetId,
      versionId: answer.versionId ?? '1',
      state: answer.imageSetState as ImageSet['state'],
      workflowStatus: answer.imageSetWorkflowStatus ?? '',
      // Stores of 2024 know no primaries and leave the member out.
      isPrimary: answer.isPrimary ?? false,
      createdAt: answer.createdAt?.toISOString() ?? '',
      arn: answer.imageSetArn ?? '',
      ...(answer.message === undefined ? {} : { message: answer.message }),
    };
  } catch (error) {
    if (error instanceof NotInDataStore) return undefined;
    throw error;
  }
}

const pathOf = (datastoreId: string, imageSetId: string) =>
  `/datastore/${encodeURIComponent(datastoreId)}/imageSet/${encodeURIComponent(imageSetId)}`;

async function metadata(
  signed: SignedImaging,
  imageSetPath: string,
  versionId: string | undefined,
): Promise<ImageSetMetadata> {
  const query = versionId === undefined ? '' : `?version=${encodeURIComponent(versionId)}`;
  const bytes = await mapped(
    signed.signedBytes({
      action: 'GetImageSetMetadata',
      method: 'POST',
      plane: 'runtime-',
      path: `${imageSetPath}/getImageSetMetadata${query}`,
    }),
  );
  // The clients do not decompress; a proxy on the way may have.
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = isGzip ? await unzip(bytes, { maxOutputLength: MAX_METADATA_BYTES }) : Buffer.from(bytes);
  return JSON.parse(text.toString('utf8')) as ImageSetMetadata;
}
