/**
 * `importConfiguration` (May 2026): DICOM JSON files below the input prefix that enrich the P10 objects of a study, or
 * of one of its series. What the JSON says wins; an entry with a SOP Instance UID is for that instance alone.
 */
import { fromDicomJson } from '../metadata/from-dicom-json.ts';
import type { ImportContext } from './context.ts';
import { JobFailure } from './list-input.ts';
import { type InputObject, parseS3Uri } from './s3-bucket.ts';
import type { StagedInstance } from './staged.ts';

interface Enrichment {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID?: string;
  readonly sopInstanceUID?: string;
  readonly elements: ReturnType<typeof fromDicomJson>;
}

export interface Enrichments {
  /** The metadata files: no P10 objects, so they are not imported. */
  readonly keys: ReadonlySet<string>;
  apply(instance: StagedInstance): StagedInstance;
}

const NONE: Enrichments = { keys: new Set(), apply: (instance) => instance };
const MAX_FILE_BYTES = 50 * 1024 * 1024;

/** Throws JobFailure when a mapped file is missing or is no DICOM JSON. */
export async function loadEnrichments(
  context: ImportContext,
  objects: readonly InputObject[],
): Promise<Enrichments> {
  const { job, service } = context;
  const mappings = job.importConfiguration?.dicomJsonMetadataImportConfiguration?.dicomMetadataMappings ?? [];
  if (mappings.length === 0 || service.behaviour === '2024') return NONE;
  const { prefix } = parseS3Uri(job.inputS3Uri);
  const folder = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
  const byKey = new Map(objects.map((object) => [object.key, object]));
  const keys = new Set<string>();
  const enrichments: Enrichment[] = [];
  for (const { studyInstanceUID, seriesInstanceUID, metadataFilePath } of mappings) {
    const key = folder + metadataFilePath;
    keys.add(key);
    for (const entry of await readEntries(context, byKey.get(key))) {
      const sopInstanceUID = uidOf(entry, '00080018');
      enrichments.push({
        studyInstanceUID,
        ...(seriesInstanceUID && { seriesInstanceUID }),
        ...(sopInstanceUID && { sopInstanceUID }),
        elements: fromDicomJson(entry),
      });
    }
  }
  return {
    keys,
    apply: (instance) => enrichments.filter((one) => isFor(one, instance)).reduce(enrich, instance),
  };
}

type Entry = Readonly<Record<string, unknown>>;

/** One object, or an array of them, as PS3.18 writes instances. */
async function readEntries(
  { buckets, job }: ImportContext,
  object: InputObject | undefined,
): Promise<Entry[]> {
  if (!object || object.sizeBytes > MAX_FILE_BYTES) throw new JobFailure('METADATA_FILE_NOT_ACCESSIBLE');
  const { bucket } = parseS3Uri(job.inputS3Uri);
  const bytes = await buckets.source(bucket, object, job.inputOwnerAccountId).read(0, object.sizeBytes);
  try {
    const json: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    const entries = Array.isArray(json) ? json : [json];
    if (entries.every((entry) => typeof entry === 'object' && entry !== null)) return entries as Entry[];
  } catch {
    // Said below, as for JSON of another shape.
  }
  throw new JobFailure('METADATA_FILE_NOT_VALID');
}

function uidOf(entry: Entry, tag: string): string | undefined {
  const value = (entry[tag] as { Value?: readonly unknown[] } | undefined)?.Value?.[0];
  return typeof value === 'string' ? value : undefined;
}

function isFor(enrichment: Enrichment, instance: StagedInstance): boolean {
  return (
    enrichment.studyInstanceUID === instance.studyInstanceUID &&
    (enrichment.seriesInstanceUID ?? instance.seriesInstanceUID) === instance.seriesInstanceUID &&
    (enrichment.sopInstanceUID ?? instance.sopInstanceUID) === instance.sopInstanceUID
  );
}

function enrich(instance: StagedInstance, { elements: { levels, vrs } }: Enrichment): StagedInstance {
  return {
    ...instance,
    patient: { ...instance.patient, ...levels.Patient },
    study: { ...instance.study, ...levels.Study },
    series: { ...instance.series, ...levels.Series },
    instance: {
      ...instance.instance,
      DICOM: { ...instance.instance.DICOM, ...levels.Instance },
      DICOMVRs: { ...instance.instance.DICOMVRs, ...vrs },
    },
  };
}
