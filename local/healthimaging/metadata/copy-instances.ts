/** What CopyImageSet does to the documents: a subset of one, or one put into another. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { validation } from '../errors.ts';
import { parseJson } from '../input.ts';
import { RequestFailure } from './apply-edits.ts';
import { type ImageSetDocument, instancesOf, type SeriesDocument } from './document.ts';

/** Series UID to the SOP Instance UIDs asked for; an empty list means the whole series. */
export type Subset = Readonly<Record<string, readonly string[]>>;

/** `copiableAttributes`: a JSON text, not a blob. Throws ValidationException. */
export function parseSubset(text: string): Subset {
  const json = parseJson(new TextEncoder().encode(text));
  const { SchemaVersion: version, Study: study } = objectOf(json);
  if (version !== undefined && version !== 1.1 && version !== '1.1')
    throw validation('SchemaVersion must be 1.1');
  const series = Object.entries(objectOf(objectOf(study).Series));
  if (series.length === 0) throw validation('copiableAttributes names no series');
  return Object.fromEntries(
    series.map(([uid, one]) => [uid, Object.keys(objectOf(objectOf(one).Instances ?? {}))] as const),
  );
}

function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw validation('copiableAttributes must be a JSON object of Study, Series and Instances');
}

/** The document with the asked instances only. Throws RequestFailure for one that does not exist. */
export function takeSubset(document: ImageSetDocument, subset: Subset | undefined): ImageSetDocument {
  if (!subset) return document;
  const series = Object.entries(subset).map(([uid, sopUIDs]): [string, SeriesDocument] => {
    const found = Object.hasOwn(document.Study.Series, uid) ? document.Study.Series[uid] : undefined;
    if (!found) throw new RequestFailure('A series of copiableAttributes does not exist in SourceImageSet.');
    if (sopUIDs.length === 0) return [uid, found];
    const instances = sopUIDs.map((sopUID) => {
      const instance = Object.hasOwn(found.Instances, sopUID) ? found.Instances[sopUID] : undefined;
      if (!instance)
        throw new RequestFailure('An instance of copiableAttributes does not exist in SourceImageSet.');
      return [sopUID, instance] as const;
    });
    return [uid, { DICOM: found.DICOM, Instances: Object.fromEntries(instances) }];
  });
  return { ...document, Study: { ...document.Study, Series: Object.fromEntries(series) } };
}

export function countFrames(document: ImageSetDocument): number {
  return instancesOf(document).reduce((sum, [, instance]) => sum + instance.ImageFrames.length, 0);
}

/**
 * The destination with the source's instances. Without `force` Patient, Study and Series have to be equal; with it
 * the destination's stay as they are. Throws RequestFailure.
 */
export function mergeDocuments(
  source: ImageSetDocument,
  destination: ImageSetDocument,
  force: boolean,
): ImageSetDocument {
  if (!force) requireEqualLevels(source, destination);
  const [uid, series] = Object.entries(destination.Study.Series)[0]!;
  const have = new Set(instancesOf(destination).map(([sopUID]) => sopUID));
  const added = instancesOf(source);
  if (added.some(([sopUID]) => have.has(sopUID))) {
    throw new RequestFailure('SOP Instance UIDs of SourceImageSet and DestinationImageSet are not unique.');
  }
  const merged = { ...series, Instances: { ...series.Instances, ...Object.fromEntries(added) } };
  return {
    ...destination,
    Study: { ...destination.Study, Series: { ...destination.Study.Series, [uid]: merged } },
  };
}

/** Messages in the form of the one that has been seen on the service. */
function requireEqualLevels(source: ImageSetDocument, destination: ImageSetDocument): void {
  const differ = (level: string): never => {
    throw new RequestFailure(`${level} of SourceImageSet and DestinationImageSet don't match.`);
  };
  if (!isDeepStrictEqual(source.Patient.DICOM, destination.Patient.DICOM)) differ('Patient');
  if (!isDeepStrictEqual(source.Study.DICOM, destination.Study.DICOM)) differ('Study');
  const [own, other] = [source, destination].map((document) =>
    Object.entries(document.Study.Series).map(([uid, series]) => [uid, series.DICOM]),
  );
  if (!isDeepStrictEqual(own, other)) differ('Series');
}
