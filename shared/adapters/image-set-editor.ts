/** The ImageSetEditor port over AWS HealthImaging (reference sections 13–15). */
import {
  CopyImageSetCommand,
  DeleteImageSetCommand,
  type MedicalImagingClient,
  UpdateImageSetMetadataCommand,
} from '@aws-sdk/client-medical-imaging';
import type { ImageSetEditor, MetadataEdits } from '../ports/imaging-service.ts';
import { mapImagingError } from './healthimaging-service.ts';

const bytesOf = (document: object) => new TextEncoder().encode(JSON.stringify(document));

/** The payload mirrors the metadata document; a removed element is named with any value. */
function payload(
  series: string,
  levels: Readonly<Record<'Patient' | 'Study' | 'Series', Readonly<Record<string, unknown>>>>,
): Uint8Array | undefined {
  const isEmpty = Object.values(levels).every((level) => Object.keys(level).length === 0);
  if (isEmpty) return undefined;
  const has = (level: Readonly<Record<string, unknown>>) => Object.keys(level).length > 0;
  return bytesOf({
    SchemaVersion: 1.1,
    ...(has(levels.Patient) ? { Patient: { DICOM: levels.Patient } } : {}),
    ...(has(levels.Study) || has(levels.Series)
      ? {
          Study: {
            ...(has(levels.Study) ? { DICOM: levels.Study } : {}),
            ...(has(levels.Series) ? { Series: { [series]: { DICOM: levels.Series } } } : {}),
          },
        }
      : {}),
  });
}

const named = (keywords: readonly string[]) => Object.fromEntries(keywords.map((keyword) => [keyword, '']));

function updatesOf(series: string, { set, remove }: MetadataEdits) {
  const updatableAttributes = payload(series, set);
  const removableAttributes = payload(series, {
    Patient: named(remove.Patient),
    Study: named(remove.Study),
    Series: named(remove.Series),
  });
  return {
    ...(updatableAttributes ? { updatableAttributes } : {}),
    ...(removableAttributes ? { removableAttributes } : {}),
  };
}

const instancesNamed = (series: string, sops: readonly string[]) => ({
  Series: { [series]: { Instances: Object.fromEntries(sops.map((sop) => [sop, {}])) } },
});

/** Which instances a copy takes: a JSON text (reference section 14). */
const subset = (series: string, sops: readonly string[]): string =>
  JSON.stringify({ SchemaVersion: '1.1', Study: instancesNamed(series, sops) });

export function imageSetEditor(client: MedicalImagingClient, datastoreId: string): ImageSetEditor {
  const answered = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      throw mapImagingError(error);
    }
  };
  const done = async (answer: Promise<unknown>): Promise<void> => {
    await answered(answer);
  };
  return {
    update: ({ imageSetId, versionId }, series, edits, { studyWide } = { studyWide: false }) =>
      done(
        client.send(
          new UpdateImageSetMetadataCommand({
            datastoreId,
            imageSetId,
            latestVersionId: versionId,
            ...(studyWide ? { includeStudyImageSets: true } : {}),
            updateImageSetMetadataUpdates: { DICOMUpdates: updatesOf(series, edits) },
          }),
        ),
      ),
    removeInstances: ({ imageSetId, versionId }, series, sops) =>
      done(
        client.send(
          new UpdateImageSetMetadataCommand({
            datastoreId,
            imageSetId,
            latestVersionId: versionId,
            // Today's service removes instances only so (reference section 13); that of 2024 takes it too.
            force: true,
            updateImageSetMetadataUpdates: {
              DICOMUpdates: {
                removableAttributes: bytesOf({ SchemaVersion: 1.1, Study: instancesNamed(series, sops) }),
              },
            },
          }),
        ),
      ),
    copy: (source, destination, series, sops, { force } = { force: false }) => {
      const copiableAttributes = subset(series, sops);
      return done(
        client.send(
          new CopyImageSetCommand({
            datastoreId,
            sourceImageSetId: source.imageSetId,
            ...(force ? { force } : {}),
            copyImageSetInformation: {
              sourceImageSet: { latestVersionId: source.versionId, DICOMCopies: { copiableAttributes } },
              destinationImageSet: {
                imageSetId: destination.imageSetId,
                latestVersionId: destination.versionId,
              },
            },
          }),
        ),
      );
    },
    promote: async (source, series, sops) => {
      const { destinationImageSetProperties } = await answered(
        client.send(
          new CopyImageSetCommand({
            datastoreId,
            sourceImageSetId: source.imageSetId,
            promoteToPrimary: true,
            copyImageSetInformation: {
              sourceImageSet: {
                latestVersionId: source.versionId,
                DICOMCopies: { copiableAttributes: subset(series, sops) },
              },
            },
          }),
        ),
      );
      return { imageSetId: destinationImageSetProperties?.imageSetId ?? '' };
    },
    revert: ({ imageSetId, versionId }, revertToVersionId) =>
      done(
        client.send(
          new UpdateImageSetMetadataCommand({
            datastoreId,
            imageSetId,
            latestVersionId: versionId,
            updateImageSetMetadataUpdates: { revertToVersionId },
          }),
        ),
      ),
    delete: (imageSetId) => done(client.send(new DeleteImageSetCommand({ datastoreId, imageSetId }))),
  };
}
