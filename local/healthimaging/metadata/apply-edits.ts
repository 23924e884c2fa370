/** Edits applied to a metadata document: a new document, or a RequestFailure (rule 9 and what follows from it). Pure. */
import type { DicomJson, ImageSetDocument, InstanceDocument, SeriesDocument } from './document.ts';
import type { Edit } from './edits.ts';

/** Why an asynchronous request failed; becomes the version's `message`. */
export class RequestFailure extends Error {
  override readonly name = 'RequestFailure';

  constructor(message: string) {
    super(`INVALID_REQUEST: ${message}`);
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Throws RequestFailure. */
export function applyEdits(document: ImageSetDocument, edits: readonly Edit[]): ImageSetDocument {
  let patient = document.Patient.DICOM;
  let study = document.Study.DICOM;
  const series = new Map(Object.entries(document.Study.Series));
  for (const edit of edits) {
    const { level } = edit.target;
    if (level === 'Patient') patient = editAttribute(patient, edit);
    else if (level === 'Study') study = editAttribute(study, edit);
    else editSeries(series, edit);
  }
  const renamed = renameByUid(series);
  if ([...renamed.values()].every((one) => Object.keys(one.Instances).length === 0)) {
    throw new RequestFailure('An image set keeps at least one instance');
  }
  return {
    ...document,
    Patient: { DICOM: patient },
    Study: { DICOM: study, Series: Object.fromEntries(renamed) },
  };
}

/** Patient and study edits only: what other image sets of the study take over. */
export function studyWide(edits: readonly Edit[]): Edit[] {
  return edits.filter(({ target }) => target.level === 'Patient' || target.level === 'Study');
}

function editAttribute(dicom: DicomJson, edit: Edit): DicomJson {
  if (edit.act === 'set') return { ...dicom, [edit.name]: edit.value };
  if (edit.act !== 'remove') return dicom;
  if (!Object.hasOwn(dicom, edit.name)) throw new RequestFailure(`The attribute ${edit.name} does not exist`);
  const { [edit.name]: _, ...rest } = dicom;
  return rest;
}

function editSeries(all: Map<string, SeriesDocument>, edit: Edit): void {
  const { seriesUID = '', sopUID } = edit.target;
  const series = all.get(seriesUID);
  if (!series) throw new RequestFailure('The addressed series does not exist');
  if (edit.act === 'removeSeries') all.delete(seriesUID);
  else if (sopUID === undefined) all.set(seriesUID, { ...series, DICOM: editAttribute(series.DICOM, edit) });
  else all.set(seriesUID, { ...series, Instances: editInstances(series.Instances, sopUID, edit) });
}

function editInstances(
  instances: SeriesDocument['Instances'],
  sopUID: string,
  edit: Edit,
): SeriesDocument['Instances'] {
  const instance = Object.hasOwn(instances, sopUID) ? instances[sopUID] : undefined;
  if (!instance) throw new RequestFailure('The addressed instance does not exist');
  const { [sopUID]: _, ...others } = instances;
  return edit.act === 'removeInstance' ? others : { ...instances, [sopUID]: editInstance(instance, edit) };
}

function editInstance(instance: InstanceDocument, edit: Edit): InstanceDocument {
  const DICOM = editAttribute(instance.DICOM, edit);
  const vrs: Mutable<InstanceDocument['DICOMVRs']> = { ...instance.DICOMVRs };
  if (edit.act === 'set' && /^[0-9A-F]{8}$/i.test(edit.name)) {
    const vr = edit.vr ?? vrs[edit.name];
    if (vr === undefined) throw new RequestFailure(`DICOMVRs has to name the VR of ${edit.name}`);
    vrs[edit.name] = vr;
  }
  if (edit.act === 'remove') delete vrs[edit.name];
  return { ...instance, DICOM, DICOMVRs: vrs };
}

/** Series and instances stand under the UIDs that their attributes have now (changed with force). */
function renameByUid(all: Map<string, SeriesDocument>): Map<string, SeriesDocument> {
  const renamed = new Map<string, SeriesDocument>();
  for (const [uid, series] of all) {
    const instances = new Map<string, InstanceDocument>();
    for (const [sopUID, instance] of Object.entries(series.Instances)) {
      unique(instances, uidOf(instance.DICOM.SOPInstanceUID) ?? sopUID, instance, 'SOP Instance UIDs');
    }
    const renamedSeries = { ...series, Instances: Object.fromEntries(instances) };
    unique(renamed, uidOf(series.DICOM.SeriesInstanceUID) ?? uid, renamedSeries, 'Series Instance UIDs');
  }
  return renamed;
}

function unique<T>(map: Map<string, T>, key: string, value: T, what: string): void {
  if (map.has(key)) throw new RequestFailure(`${what} have to be unique in an image set`);
  map.set(key, value);
}

function uidOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
