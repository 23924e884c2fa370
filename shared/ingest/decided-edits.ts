/** What a person's decisions change in image sets, whatever is merged: whose they are, and instances that gave way. */
import type { DicomJson, MetadataEdits } from '../ports/imaging-service.ts';
import { instancesIn, type MergeDeps, type MergeJournal } from './merge-journal.ts';
import { afterFailure, isGivenUp, type Stepped } from './merge-step.ts';

/** Every set's patient becomes the decided one. All primaries of a study change together, as today's service asks. */
export async function rightPatients(deps: MergeDeps, journal: MergeJournal): Promise<Stepped> {
  for (const [imageSetId, edits] of Object.entries(journal.corrections ?? {})) {
    const imageSet = await deps.imaging.imageSet(imageSetId);
    if (!imageSet) continue;
    if (imageSet.state === 'LOCKED') return 'wait';
    const { Patient } = await deps.imaging.metadata(imageSetId);
    if (isAsDecided(Patient.DICOM, edits)) continue;
    if (isGivenUp(imageSet, 'UPDATE_FAILED', journal))
      return afterFailure('the service refused to correct the patient');
    // PatientID groups: the primaries of a study cannot differ in it, so that they change together.
    const options = { studyWide: imageSet.isPrimary && edits.set.Patient.PatientID !== undefined };
    await deps.imaging.update(imageSet, journal.seriesInstanceUID, edits, options);
    return 'wait';
  }
  return 'done';
}

const isAsDecided = (patient: DicomJson, { set, remove }: MetadataEdits): boolean =>
  Object.entries(set.Patient).every(([keyword, value]) => patient[keyword] === value) &&
  remove.Patient.every((keyword) => patient[keyword] === undefined);

/** Takes out what was replaced. A set that would be empty then is left as it is: it is retired as a whole. */
export async function removeSuperseded(deps: MergeDeps, journal: MergeJournal): Promise<Stepped> {
  const series = journal.seriesInstanceUID;
  for (const [imageSetId, forms] of Object.entries(journal.superseded ?? {})) {
    if (Object.keys(journal.before[imageSetId]?.instances ?? {}).length === 0) continue;
    const imageSet = await deps.imaging.imageSet(imageSetId);
    if (!imageSet) continue;
    if (imageSet.state === 'LOCKED') return 'wait';
    const now = instancesIn(await deps.imaging.metadata(imageSetId), series);
    // One that is the destination of the new content lists the UID again, with another form.
    const left = Object.keys(forms).filter((sop) => now[sop] === forms[sop]);
    if (left.length === 0) continue;
    if (isGivenUp(imageSet, 'UPDATE_FAILED', journal))
      return afterFailure('the service refused to remove a replaced instance');
    await deps.imaging.removeInstances(imageSet, series, left);
    return 'wait';
  }
  return 'done';
}
