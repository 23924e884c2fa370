/**
 * The ImagingService port in memory, for tests of the pipeline: jobs by client token, grouping as the reference says
 * (section 6), frames kept as they came. It reads and writes the same object store as the pipeline.
 */
import { crc32 } from 'node:zlib';
import { bufferSource } from '../../shared/dicom/byte-source.ts';
import { sha256 } from '../../shared/ingest/digest.ts';
import { inspectObject } from '../../shared/ingest/inspect.ts';
import { parseS3Uri } from '../../shared/ingest/read-import-output.ts';
import {
  type ImageSetMetadata,
  type ImagingService,
  type InstanceEntry,
  NotInDataStore,
} from '../../shared/ports/imaging-service.ts';
import type { ObjectStore } from '../../shared/ports/object-store.ts';

interface StoredSet {
  readonly study: string;
  readonly series: string;
  readonly patient: Record<string, unknown>;
  /** What decides whether an instance joins it. */
  readonly group: string;
  readonly instances: Map<string, InstanceEntry>;
}

export interface MemoryImaging extends ImagingService {
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
      const group =
        profile === 'current'
          ? JSON.stringify([seriesInstanceUID, verdict.grouping])
          : JSON.stringify([jobId, seriesInstanceUID, verdict.normalisedDigest]);
      const imageSetId = sha256(group).slice(0, 32);
      const set = sets.get(imageSetId) ?? {
        study: studyInstanceUID,
        series: seriesInstanceUID,
        patient: {
          PatientID: identity.patientID,
          IssuerOfPatientID: identity.issuerOfPatientID,
          PatientBirthDate: identity.birthDate,
          PatientSex: identity.sex,
          PatientName: identity.name,
        },
        group,
        instances: new Map(),
      };
      sets.set(imageSetId, set);
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
        DICOM: {},
        StoredTransferSyntaxUID: '1.2.840.10008.1.2.1',
        ImageFrames,
      });
      const name = `${seriesInstanceUID}/${sopInstanceUID}`;
      imports.set(name, (imports.get(name) ?? 0) + 1);
      success.push({ inputFile: key, importResponse: { imageSetId, isPrimary: true } });
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
      DICOM: { StudyInstanceUID: set.study },
      Series: {
        [set.series]: {
          DICOM: { SeriesInstanceUID: set.series },
          Instances: Object.fromEntries(set.instances),
        },
      },
    },
  });

  return {
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
            versionId: '1',
            state: 'ACTIVE',
            workflowStatus: 'CREATED',
            isPrimary: true,
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
