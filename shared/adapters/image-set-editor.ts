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

export function imageSetEditor(client: MedicalImagingClient, datastoreId: string): ImageSetEditor {
  const done = async (answer: Promise<unknown>): Promise<void> => {
    try {
      await answer;
    } catch (error) {
      throw mapImagingError(error);
    }
  };
  return {
    update: ({ imageSetId, versionId }, series, edits) =>
      done(
        client.send(
          new UpdateImageSetMetadataCommand({
            datastoreId,
            imageSetId,
            latestVersionId: versionId,
            updateImageSetMetadataUpdates: { DICOMUpdates: updatesOf(series, edits) },
          }),
        ),
      ),
    copy: (source, destination, series, sops, { force } = { force: false }) => {
      const Instances = Object.fromEntries(sops.map((sop) => [sop, {}]));
      const copiableAttributes = JSON.stringify({
        SchemaVersion: '1.1',
        Study: { Series: { [series]: { Instances } } },
      });
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
