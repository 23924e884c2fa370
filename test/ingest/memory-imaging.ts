/**
 * The ImagingService port in memory, for tests of the pipeline: jobs by client token, grouping as the reference says
 * (section 6), frames kept as they came. It reads and writes the same object store as the pipeline.
 */
import { crc32 } from 'node:zlib';
import { bufferSource } from '../../shared/dicom/byte-source.ts';
import { readP10, text } from '../../shared/dicom/p10.ts';
import { sha256 } from '../../shared/ingest/digest.ts';
import { inspectObject } from '../../shared/ingest/inspect.ts';
import { parseS3Uri } from '../../shared/ingest/read-import-output.ts';
import { exact } from '../../shared/ingest/variants.ts';
import {
  type ImageSetEditor,
  type ImageSetMetadata,
  type ImagingService,
  type InstanceEntry,
  NotConsistentYet,
  NotInDataStore,
  RefusedByService,
} from '../../shared/ports/imaging-service.ts';
import type { ObjectStore } from '../../shared/ports/object-store.ts';

interface Levels {
  patient: Record<string, unknown>;
  studyLevel: Record<string, unknown>;
  seriesLevel: Record<string, unknown>;
  instances: Map<string, InstanceEntry>;
}

const exactly = ({ patient, studyLevel, seriesLevel }: Levels) => exact([patient, studyLevel, seriesLevel]);

interface StoredSet extends Levels {
  readonly study: string;
  readonly series: string;
  readonly isPrimary: boolean;
  version: number;
  readonly versions: Map<number, Levels>;
}

export interface MemoryImaging extends ImagingService, ImageSetEditor {
  /** How often each instance was imported, by series and SOP Instance UID. */
  readonly imports: ReadonlyMap<string, number>;
  readonly sets: ReadonlyMap<string, StoredSet>;
  readonly tags: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Import keys ending so are refused; the next jobs fail as often as `failJobs` says. */
  faults: {
    failJobs: number;
    leaveOut: (key: string) => boolean;
    damage: (sop: string) => boolean;
    lose: (sop: string) => boolean;
  };
}

/** Reference section 6: what today's service groups by. */
const STUDY_GROUPING = ['StudyDate', 'AccessionNumber', 'PatientID', 'StudyID'];
const SERIES_GROUPING = ['SeriesNumber'];
const STUDY_LEVEL = ['StudyDate', 'AccessionNumber', 'StudyID', 'StudyDescription'] as const;
const SERIES_LEVEL = ['SeriesNumber', 'SeriesDescription'] as const;
const valuesOf = (keywords: readonly string[], levels: Levels) =>
  JSON.stringify(
    keywords.map(
      (keyword) => ({ ...levels.patient, ...levels.studyLevel, ...levels.seriesLevel })[keyword] ?? '',
    ),
  );
const studyGroup = (levels: Levels) => valuesOf(STUDY_GROUPING, levels);
const seriesGroup = (levels: Levels) => valuesOf(SERIES_GROUPING, levels);

export function memoryImaging(objects: ObjectStore, profile: 'current' | '2024'): MemoryImaging {
  const jobs = new Map<string, { jobId: string; outputS3Uri: string; jobStatus: 'COMPLETED' | 'FAILED' }>();
  const sets = new Map<string, StoredSet>();
  const frames = new Map<string, Uint8Array>();
  const imports = new Map<string, number>();
  const tags = new Map<string, Readonly<Record<string, string>>>();
  const faults: MemoryImaging['faults'] = {
    failJobs: 0,
    leaveOut: () => false,
    damage: () => false,
    lose: () => false,
  };

  /** Today: the series' primary where the grouping elements agree, else a set that is none; 2024: one a job. */
  function placeOf(jobId: string, study: string, series: string, made: Levels) {
    const primaries = [...sets].filter(([, set]) => set.study === study && set.isPrimary);
    const own = primaries.find(([, set]) => set.series === series);
    const isConflicting =
      primaries.some(([, set]) => studyGroup(set) !== studyGroup(made)) ||
      (own !== undefined && seriesGroup(own[1]) !== seriesGroup(made));
    if (profile === 'current' && own && !isConflicting) {
      newVersion(own[1]);
      return { imageSetId: own[0], set: own[1] };
    }
    const group = [jobId, series, made.patient, made.studyLevel, made.seriesLevel];
    const imageSetId = sha256(JSON.stringify(group)).slice(0, 32);
    const isPrimary = profile === 'current' && !isConflicting;
    const known = sets.get(imageSetId);
    const set: StoredSet = known ?? { ...made, study, series, isPrimary, version: 1, versions: new Map() };
    sets.set(imageSetId, set);
    return { imageSetId, set };
  }

  const levelsOf = ({ patient, studyLevel, seriesLevel, instances }: StoredSet): Levels => ({
    patient,
    studyLevel,
    seriesLevel,
    instances: new Map(instances),
  });
  const newVersion = (set: StoredSet) => {
    set.versions.set(set.version, levelsOf(set));
    set.version++;
  };
  const found = ({ imageSetId, versionId }: { imageSetId: string; versionId?: string }): StoredSet => {
    const set = sets.get(imageSetId);
    if (!set) throw new NotInDataStore('no such image set');
    if (versionId !== undefined && String(set.version) !== versionId) throw new NotConsistentYet('version');
    return set;
  };
  const edited = (values: Record<string, unknown>, set: object, gone: readonly string[]) =>
    Object.fromEntries(Object.entries({ ...values, ...set }).filter(([key]) => !gone.includes(key)));

  const editor: ImageSetEditor = {
    update: async (at, _, { set: added, remove }, { studyWide } = { studyWide: false }) => {
      const one = found(at);
      const all = studyWide ? [...sets.values()].filter((s) => s.study === one.study && s.isPrimary) : [one];
      for (const set of all) {
        newVersion(set);
        set.patient = edited(set.patient, added.Patient, remove.Patient);
        set.studyLevel = edited(set.studyLevel, added.Study, remove.Study);
        set.seriesLevel = edited(set.seriesLevel, added.Series, remove.Series);
      }
    },
    removeInstances: async (at, _, sops) => {
      const set = found(at);
      newVersion(set);
      set.instances = new Map([...set.instances].filter(([sop]) => !sops.includes(sop)));
    },
    copy: async (from, to, _, sops, { force } = { force: false }) => {
      const [source, destination] = [found(from), found(to)];
      if (!force && exactly(source) !== exactly(destination)) throw new RefusedByService('levels differ');
      if (sops.some((sop) => destination.instances.has(sop))) throw new RefusedByService('instances twice');
      newVersion(destination);
      destination.instances = new Map([
        ...destination.instances,
        ...sops.map((sop) => [sop, source.instances.get(sop)!] as const),
      ]);
    },
    promote: async (from, series, sops) => {
      const source = found(from);
      if (profile === '2024') throw new RefusedByService('promoteToPrimary is not known in 2024');
      const rivals = [...sets.values()].filter((set) => set.study === source.study && set.isPrimary);
      if (rivals.some((set) => set.series === series || studyGroup(set) !== studyGroup(source)))
        throw new RefusedByService('conflict');
      const imageSetId = sha256(`promoted ${from.imageSetId} ${sets.size}`).slice(0, 32);
      const instances = new Map(sops.map((sop) => [sop, source.instances.get(sop)!]));
      const { study, patient, studyLevel, seriesLevel } = source;
      const levels = { patient, studyLevel, seriesLevel, instances };
      sets.set(imageSetId, { ...levels, study, series, isPrimary: true, version: 1, versions: new Map() });
      return { imageSetId };
    },
    revert: async (at, toVersionId) => {
      const set = found(at);
      const old = set.versions.get(Number(toVersionId));
      if (!old) throw new RefusedByService('no such version');
      newVersion(set);
      Object.assign(set, { ...old, instances: new Map(old.instances) });
    },
    delete: async (imageSetId) => {
      found({ imageSetId });
      sets.delete(imageSetId);
    },
  };

  async function importAll(inputS3Uri: string, outputS3Uri: string, jobId: string) {
    const input = parseS3Uri(inputS3Uri);
    const output = parseS3Uri(outputS3Uri);
    const success: object[] = [];
    const failure: object[] = [];
    for await (const { key, sizeBytes } of objects.list(input.bucket, input.key)) {
      const { bytes } = await objects.read({ bucket: input.bucket, key });
      if (faults.leaveOut(key)) continue;
      const verdict = await inspectObject(bufferSource(bytes), { key, profile });
      if (verdict.verdict === 'rejected') {
        const exception = { exceptionType: 'ValidationException', message: verdict.code };
        failure.push({ inputFile: key, exception });
        continue;
      }
      const { studyInstanceUID, seriesInstanceUID, sopInstanceUID, identity } = verdict;
      const file = await readP10(bufferSource(bytes));
      const level = (keywords: readonly string[]) =>
        Object.fromEntries(
          keywords.flatMap((keyword) => {
            const value = text(file, keyword);
            return value === undefined ? [] : [[keyword, value]];
          }),
        );
      const made: Levels = {
        patient: {
          PatientID: identity.patientID,
          ...(identity.issuerOfPatientID === '' ? {} : { IssuerOfPatientID: identity.issuerOfPatientID }),
          PatientBirthDate: identity.birthDate,
          PatientSex: identity.sex,
          PatientName: identity.name,
        },
        studyLevel: { StudyInstanceUID: studyInstanceUID, ...level(STUDY_LEVEL) },
        seriesLevel: { SeriesInstanceUID: seriesInstanceUID, ...level(SERIES_LEVEL) },
        instances: new Map(),
      };
      const { imageSetId, set } = placeOf(jobId, studyInstanceUID, seriesInstanceUID, made);
      const frameBytes = bytes.subarray(sizeBytes - 8);
      const ID = sha256(`${imageSetId}${sopInstanceUID}`).slice(0, 32);
      const stored = faults.damage(sopInstanceUID) ? frameBytes.map((b) => b ^ 1) : frameBytes;
      if (!faults.lose(sopInstanceUID)) frames.set(ID, stored);
      const ImageFrames = verdict.hasPixelData
        ? [
            {
              ID,
              PixelDataChecksumFromBaseToFullResolution: [
                { Width: 2, Height: 2, Checksum: crc32(frameBytes) },
              ],
            },
          ]
        : [];
      set.instances.set(sopInstanceUID, {
        DICOM: { SOPInstanceUID: sopInstanceUID, ...level(['ImageComments']) },
        StoredTransferSyntaxUID: '1.2.840.10008.1.2.1',
        ImageFrames,
      });
      const name = `${seriesInstanceUID}/${sopInstanceUID}`;
      imports.set(name, (imports.get(name) ?? 0) + 1);
      success.push({ inputFile: key, importResponse: { imageSetId, isPrimary: set.isPrimary } });
    }
    const lines = (values: object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');
    const write = (name: string, body: string) =>
      objects.write({ bucket: output.bucket, key: `${output.key}${name}` }, body);
    await write('SUCCESS/success.ndjson', lines(success));
    await write('FAILURE/failure.ndjson', lines(failure));
    await write(
      'job-output-manifest.json',
      JSON.stringify({
        jobSummary: {
          jobId,
          numberOfImportedFiles: success.length,
          numberOfFilesWithCustomerError: failure.length,
          numberOfFilesWithServerError: 0,
        },
      }),
    );
  }

  const documentOf = (imageSetId: string, set: StoredSet): ImageSetMetadata => ({
    ImageSetID: imageSetId,
    Patient: { DICOM: set.patient },
    Study: {
      DICOM: set.studyLevel,
      Series: {
        [set.series]: {
          DICOM: set.seriesLevel,
          Instances: Object.fromEntries(set.instances),
        },
      },
    },
  });

  return {
    ...editor,
    imports,
    sets,
    tags,
    faults,
    startImportJob: async ({ inputS3Uri, outputS3Uri, clientToken }) => {
      const known = jobs.get(clientToken);
      if (known) return { jobId: known.jobId };
      const jobId = sha256(clientToken).slice(0, 32);
      const folder = `${outputS3Uri}ds-DicomImport-${jobId}/`;
      const isFailing = faults.failJobs > 0;
      if (isFailing) faults.failJobs--;
      jobs.set(clientToken, { jobId, outputS3Uri: folder, jobStatus: isFailing ? 'FAILED' : 'COMPLETED' });
      if (!isFailing) await importAll(inputS3Uri, folder, jobId);
      return { jobId };
    },
    importJob: async (jobId) => {
      const job = [...jobs.values()].find((candidate) => candidate.jobId === jobId);
      if (!job) throw new NotInDataStore('no such job');
      return job;
    },
    searchImageSets: async function* (by) {
      for (const [imageSetId, { study, series }] of sets) {
        const isMatch =
          'studyInstanceUID' in by ? by.studyInstanceUID === study : by.seriesInstanceUID === series;
        if (isMatch) yield { imageSetId, studyInstanceUID: study, seriesInstanceUID: series };
      }
    },
    imageSet: async (imageSetId) =>
      sets.has(imageSetId)
        ? {
            imageSetId,
            versionId: String(found({ imageSetId }).version),
            state: 'ACTIVE',
            workflowStatus: 'CREATED',
            isPrimary: found({ imageSetId }).isPrimary,
            createdAt: '2026-01-01T00:00:00.000Z',
            arn: `arn:aws:medical-imaging:us-east-1:000000000000:datastore/ds/imageset/${imageSetId}`,
          }
        : undefined,
    metadata: async (imageSetId) => {
      const set = sets.get(imageSetId);
      if (!set) throw new NotInDataStore('no such image set');
      return documentOf(imageSetId, set);
    },
    frame: async (_, imageFrameId) => {
      const bytes = frames.get(imageFrameId);
      if (!bytes) throw new NotInDataStore('no such frame');
      return bytes;
    },
    tag: async (arn, added) => {
      tags.set(arn, { ...tags.get(arn), ...added });
    },
  };
}
