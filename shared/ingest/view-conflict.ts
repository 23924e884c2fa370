/**
 * What a person looks at before another content may take the place of a stored instance: in which elements the refused
 * object and the stored instance differ. Values may be a patient's: for the eyes of that person, not for logs.
 */
import { toMetadata } from '../dicom/metadata.ts';
import { readP10 } from '../dicom/p10.ts';
import type { DicomJson, ImageSetMetadata } from '../ports/imaging-service.ts';
import { readSeries } from './ledger.ts';
import type { MergeDeps } from './merge-journal.ts';
import { objectSource } from './object-source.ts';
import { findConflicting } from './replace-instances.ts';
import { canonical } from './variants.ts';
import { workKeys } from './work-keys.ts';

export interface ConflictView {
  readonly executionId: string;
  readonly key: string;
  /** The image set that holds the instance; absent where none does any more. */
  readonly imageSetId?: string;
  /** Sorted; empty where the elements agree, and only pixels or what no document has differ. */
  readonly differences: readonly {
    readonly keyword: string;
    readonly stored: string;
    readonly refused: string;
  }[];
}

/** Group 0002 says how a file is written, not what it says. */
const FILE_META =
  /^(FileMeta|MediaStorage|TransferSyntaxUID$|Implementation|PrivateInformation|(Source|Sending|Receiving)ApplicationEntityTitle$)/;
const SHOWN_CHARACTERS = 200;

/** Of the newest refused object under this SOP Instance UID, or of the one that is named; undefined when none waits. */
export async function viewConflict(
  deps: MergeDeps,
  series: string,
  sop: string,
  object?: string,
): Promise<ConflictView | undefined> {
  const found = (await findConflicting(deps, series, new Map([[sop, object]]))).get(sop);
  if (!found) return undefined;
  const { executionId, line } = found;
  const at = {
    bucket: deps.settings.workBucket,
    key: workKeys.refused('rejected', executionId, line.key),
  };
  const entry = await deps.objects.head(at);
  if (!entry) return undefined;
  const p10 = await readP10(objectSource(deps.objects, { ...at, ...entry, key: at.key }));
  const { Patient, Study, Series, Instance } = await toMetadata(p10);
  const stored = await storedInstance(deps, series, sop);
  return {
    executionId,
    key: line.key,
    ...(stored ? { imageSetId: stored.imageSetId } : {}),
    differences: stored ? differences(stored.elements, { ...Patient, ...Study, ...Series, ...Instance }) : [],
  };
}

async function storedInstance(
  deps: MergeDeps,
  series: string,
  sop: string,
): Promise<{ imageSetId: string; elements: DicomJson } | undefined> {
  const known = (await readSeries(deps, series))?.instances[sop]?.imageSetId;
  const ids = known === undefined ? [] : [known];
  for await (const { imageSetId } of deps.imaging.searchImageSets({ seriesInstanceUID: series }))
    if (imageSetId !== known) ids.push(imageSetId);
  for (const imageSetId of ids) {
    if (!(await deps.imaging.imageSet(imageSetId))) continue;
    const elements = elementsOf(await deps.imaging.metadata(imageSetId), series, sop);
    if (elements) return { imageSetId, elements };
  }
  return undefined;
}

function elementsOf(
  { Patient, Study }: ImageSetMetadata,
  series: string,
  sop: string,
): DicomJson | undefined {
  const instance = Study.Series[series]?.Instances[sop];
  if (!instance) return undefined;
  return {
    ...Patient.DICOM,
    ...Study.DICOM,
    ...Study.Series[series]?.DICOM,
    ...instance.DICOM,
  };
}

function differences(stored: DicomJson, refused: DicomJson): ConflictView['differences'] {
  const keywords = new Set([...Object.keys(stored), ...Object.keys(refused)]);
  return [...keywords]
    .filter((keyword) => !FILE_META.test(keyword))
    .filter((keyword) => canonical(stored[keyword]) !== canonical(refused[keyword]))
    .sort()
    .map((keyword) => ({ keyword, stored: textOf(stored[keyword]), refused: textOf(refused[keyword]) }));
}

function textOf(value: unknown): string {
  const text = typeof value === 'string' ? value : value == null ? '' : JSON.stringify(value);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
