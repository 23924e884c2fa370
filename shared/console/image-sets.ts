/** What is in the data store, asked of HealthImaging itself; only reads, each named here. */
import { gunzipSync } from 'node:zlib';
import type { ImageSetPage, ImageSetQuery, ImageSetSummary } from './api.ts';
import type { Backend, ImagingAction } from './backend.ts';
import { HttpProblem } from './http.ts';

const ID = /^[0-9a-z]{32}$/;
const UID = /^[0-9.]{1,64}$/;
const TIMEOUT_MS = 30_000;

/** Which search field each member of a query is. */
const FIELDS = {
  patientId: 'DICOMPatientId',
  accessionNumber: 'DICOMAccessionNumber',
  studyInstanceUID: 'DICOMStudyInstanceUID',
  seriesInstanceUID: 'DICOMSeriesInstanceUID',
  sopInstanceUID: 'DICOMSOPInstanceUID',
} as const;

/** Throws HttpProblem with the service's own status. */
async function call(
  { datastoreId, imaging }: Backend,
  action: ImagingAction,
  path: string,
  options: { readonly method?: 'GET'; readonly body?: string; readonly accept?: string } = {},
): Promise<Response> {
  const { method = 'POST', body, accept } = options;
  const response = await imaging(action, `/datastore/${datastoreId}${path}`, {
    method,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(accept === undefined ? {} : { accept }),
    },
    ...(body === undefined ? {} : { body }),
  });
  if (response.ok) return response;
  const name = (response.headers.get('x-amzn-errortype') ?? 'HealthImaging').split(':')[0];
  throw new HttpProblem(response.status, `${name}: HTTP ${response.status}`);
}

const parsed = async <T>(response: Response) => (await response.json()) as T;

function requireId(imageSetId: string): string {
  if (!ID.test(imageSetId)) throw new HttpProblem(400, 'an image set id is 32 digits and lower-case letters');
  return imageSetId;
}

/** At most two conditions, as the service allows. */
export async function searchImageSets(backend: Backend, query: ImageSetQuery): Promise<ImageSetPage> {
  const filters = (Object.keys(FIELDS) as (keyof typeof FIELDS)[])
    .filter((name) => query[name] !== undefined)
    .map((name) => ({ operator: 'EQUAL', values: [{ [FIELDS[name]]: query[name] }] }));
  if (filters.length > 2) throw new HttpProblem(400, 'HealthImaging searches by at most two fields');
  const page = new URLSearchParams({ maxResults: '50' });
  if (query.next !== undefined) page.set('nextToken', query.next);
  const body = JSON.stringify({
    ...(filters.length > 0 ? { filters } : {}),
    sort: { sortField: 'updatedAt', sortOrder: 'DESC' },
  });
  const found = await parsed<{ imageSetsMetadataSummaries: ImageSetSummary[]; nextToken?: string }>(
    await call(backend, 'medical-imaging:SearchImageSets', `/searchImageSets?${page}`, { body }),
  );
  return {
    imageSets: found.imageSetsMetadataSummaries,
    ...(found.nextToken ? { next: found.nextToken } : {}),
  };
}

export async function getImageSet(backend: Backend, imageSetId: string): Promise<unknown> {
  const path = `/imageSet/${requireId(imageSetId)}/getImageSet`;
  return parsed(await call(backend, 'medical-imaging:GetImageSet', path));
}

/** The metadata document, unpacked. */
export async function getMetadata(
  backend: Backend,
  imageSetId: string,
  version: string | undefined,
): Promise<Uint8Array> {
  if (version !== undefined && !/^\d{1,10}$/.test(version)) throw new HttpProblem(400, 'version: a number');
  const query = version === undefined ? '' : `?version=${version}`;
  const path = `/imageSet/${requireId(imageSetId)}/getImageSetMetadata${query}`;
  const response = await call(backend, 'medical-imaging:GetImageSetMetadata', path);
  const bytes = new Uint8Array(await response.arrayBuffer());
  // `fetch` unpacks what is labelled as gzip; a service that sends the bytes without the label is met as well.
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
}

export async function getFrame(
  backend: Backend,
  imageSetId: string,
  imageFrameId: string,
): Promise<{ bytes: Uint8Array; contentType: string }> {
  if (!ID.test(imageFrameId)) throw new HttpProblem(400, 'an image frame id is 32 digits and letters');
  const body = JSON.stringify({ imageFrameId });
  const path = `/imageSet/${requireId(imageSetId)}/getImageFrame`;
  const response = await call(backend, 'medical-imaging:GetImageFrame', path, { body });
  return {
    bytes: new Uint8Array(await response.arrayBuffer()),
    contentType: response.headers.get('content-type') ?? 'application/octet-stream',
  };
}

export async function listVersions(backend: Backend, imageSetId: string): Promise<unknown> {
  const path = `/imageSet/${requireId(imageSetId)}/listImageSetVersions?maxResults=50`;
  return parsed(await call(backend, 'medical-imaging:ListImageSetVersions', path));
}

/** The P10 object of an instance, in its stored encoding, as it comes. */
export async function openInstance(
  backend: Backend,
  imageSetId: string,
  [study = '', series = '', instance = '']: readonly string[],
): Promise<Response> {
  if (![study, series, instance].every((uid) => UID.test(uid))) throw new HttpProblem(400, 'not a UID');
  const path = `/studies/${study}/series/${series}/instances/${instance}?imageSetId=${requireId(imageSetId)}`;
  const options = { method: 'GET', accept: 'application/dicom; transfer-syntax=*' } as const;
  return call(backend, 'medical-imaging:GetDICOMInstance', path, options);
}

export async function getInstance(
  backend: Backend,
  imageSetId: string,
  uids: readonly string[],
): Promise<Uint8Array> {
  return new Uint8Array(await (await openInstance(backend, imageSetId, uids)).arrayBuffer());
}

export async function getDatastore(backend: Backend): Promise<{
  datastoreProperties: { datastoreName: string; datastoreStatus: string; createdAt: number };
}> {
  return parsed(await call(backend, 'medical-imaging:GetDatastore', '', { method: 'GET' }));
}

export interface JobSummary {
  readonly jobId: string;
  readonly jobName: string;
  readonly jobStatus: string;
  readonly submittedAt: number;
  readonly endedAt?: number;
}

export async function listJobs({ datastoreId, imaging }: Backend): Promise<JobSummary[]> {
  const path = `/listDICOMImportJobs/datastore/${datastoreId}?maxResults=50`;
  const response = await imaging('medical-imaging:ListDICOMImportJobs', path, {
    method: 'GET',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: {},
  });
  if (!response.ok) throw new HttpProblem(response.status, `ListDICOMImportJobs: HTTP ${response.status}`);
  return (await parsed<{ jobSummaries: JobSummary[] }>(response)).jobSummaries;
}
