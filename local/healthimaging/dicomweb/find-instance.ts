/** An instance by its UIDs: in the series' primary image set, or in the set that the request names. */
import { conflict, notFound } from '../errors.ts';
import {
  type ImageSetDocument,
  type InstanceDocument,
  type SeriesDocument,
  unpackDocument,
} from '../metadata/document.ts';
import { requireDatastore, requireImageSet, type Service } from '../service.ts';
import { partsOf } from '../store/keys.ts';
import type { ImageSetRecord } from '../store/records.ts';
import { equalRange } from '../store/search-index.ts';
import type { DicomwebInput } from './endpoints.ts';

export interface InstanceUIDs {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
}

export interface FoundInstance {
  readonly set: ImageSetRecord;
  readonly document: ImageSetDocument;
  readonly series: SeriesDocument;
  readonly instance: InstanceDocument;
}

/** Throws ResourceNotFoundException, ConflictException while a copy fills the set. */
export async function findInstance(
  service: Service,
  input: DicomwebInput & InstanceUIDs,
): Promise<FoundInstance> {
  await requireDatastore(service, input.datastoreId);
  for (const imageSetId of await candidates(service, input)) {
    const found = await lookIn(service, input, imageSetId);
    if (found) return found;
  }
  throw notFound('The instance does not exist in a primary image set, nor in the one named');
}

/** In 2024 there are no primary image sets: the latest set of the series that has the instance is taken. */
async function candidates(service: Service, input: DicomwebInput & InstanceUIDs): Promise<string[]> {
  const { datastoreId, imageSetId, studyInstanceUID, seriesInstanceUID } = input;
  if (imageSetId !== undefined) return [imageSetId];
  if (service.behaviour === 'current') {
    const primary = (await service.store.primaries(datastoreId, studyInstanceUID)).get(seriesInstanceUID);
    return primary === undefined ? [] : [primary];
  }
  const ids: string[] = [];
  const range = { ...equalRange(datastoreId, 'DICOMSeriesInstanceUID', seriesInstanceUID), reverse: true };
  for await (const key of service.store.database.keys({ ...range, limit: 100 }))
    ids.push(partsOf(key).at(-1) ?? '');
  return ids;
}

async function lookIn(
  service: Service,
  input: DicomwebInput & InstanceUIDs,
  imageSetId: string,
): Promise<FoundInstance | undefined> {
  const { set, version } = await requireImageSet(service, { datastoreId: input.datastoreId, imageSetId });
  if (version.imageSetState === 'DELETED') return undefined;
  if (version.document === undefined) throw conflict(`Image set ${imageSetId} is being filled`);
  const document = await unpackDocument(await service.store.blobs.get(version.document));
  const all = document.Study.Series;
  const series = Object.hasOwn(all, input.seriesInstanceUID) ? all[input.seriesInstanceUID] : undefined;
  const instance =
    series && Object.hasOwn(series.Instances, input.sopInstanceUID)
      ? series.Instances[input.sopInstanceUID]
      : undefined;
  if (!series || !instance || document.Study.DICOM.StudyInstanceUID !== input.studyInstanceUID)
    return undefined;
  return { set, document, series, instance };
}
