/**
 * Verb of the state InspectObjects: reads the head of one object and says whether HealthImaging can take it, and whose
 * it is. Any bytes and any key end in a verdict; only an error of the source itself is thrown. Work is bounded by the
 * limits of readP10 (bytes, elements, reads) and a deadline, whatever the input says of itself.
 */
import { type ByteSource, withHead } from '../dicom/byte-source.ts';
import { type Profile, SIZE_LIMITS } from '../dicom/constraints.ts';
import { type Deadline, withDeadline } from '../dicom/deadline.ts';
import { DicomError, type DicomWarning } from '../dicom/dicom-error.ts';
import { datasetDigest, normalisedDigest } from '../dicom/digest.ts';
import { groupingElements, type PatientIdentity, patientIdentity } from '../dicom/identity.ts';
import { type P10, P10_LIMITS, readP10, text } from '../dicom/p10.ts';
import { declaredFrames } from '../dicom/pixel-extent.ts';
import { checkConstraints, uidOf, usableUid } from './check-constraints.ts';
import type { RejectCode } from './outcomes.ts';
import { predictFrames } from './predict-frames.ts';
import { systemFileKind } from './system-files.ts';

export type { Profile } from '../dicom/constraints.ts';

export interface AcceptedVerdict {
  readonly verdict: 'accepted';
  readonly sopInstanceUID: string;
  readonly sopClassUID: string;
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly transferSyntaxUID: string;
  readonly modality?: string;
  readonly identity: PatientIdentity;
  /** Elements by which today's service groups, by keyword. */
  readonly grouping: Record<string, string>;
  /** SHA-256, hex, over all normalised elements. */
  readonly normalisedDigest: string;
  /** SHA-256, hex, of the canonical data set without pixel values. */
  readonly datasetDigest: string;
  /** 0 when there are no pixels. */
  readonly frames: number;
  readonly hasPixelData: boolean;
  readonly metadataBytes: number;
  readonly warnings: readonly DicomWarning[];
}

export interface RejectedVerdict {
  readonly verdict: 'rejected';
  readonly code: RejectCode;
  /** Where, what was wanted, what came; all problems, `; ` between. Never a patient's values. */
  readonly message: string;
  readonly sopInstanceUID?: string;
  readonly seriesInstanceUID?: string;
  readonly studyInstanceUID?: string;
  readonly transferSyntaxUID?: string;
}

export type Verdict = AcceptedVerdict | RejectedVerdict;

const MEDIA_STORAGE_DIRECTORY = '1.2.840.10008.1.3.10';
const DIRECTORY_RECORD_SEQUENCE = 0x00041220;
/** Encapsulated pixel data up to this long is walked fragment by fragment; longer ones show their end in one read. */
const WALKED_BYTES = 1024 * 1024;
const SEQUENCE_END = 'feffdde000000000';

/** Far more than the heaviest object within the limits takes. */
const DEADLINE: Deadline = { seconds: 60, now: () => performance.now() };

export interface InspectOptions {
  readonly key: string;
  readonly profile: Profile;
  readonly deadline?: Deadline;
}

/** The verdict on one object under one profile. Pure but for the reads and the clock. */
export async function inspectObject(source: ByteSource, options: InspectOptions): Promise<Verdict> {
  const timed = withDeadline(source, options.deadline ?? DEADLINE);
  const headed = await withHead(timed, P10_LIMITS.firstReadBytes);
  try {
    checkFileSize(headed, options.profile);
    const p10 = await readForInspection(headed, options.profile);
    return await judge(p10, options.profile);
  } catch (error) {
    if (!(error instanceof DicomError)) throw error;
    const isNoDicom = error.code === 'NotP10' || error.code === 'Empty';
    const kind = isNoDicom ? systemFileKind(options.key, headed.head) : undefined;
    if (kind !== undefined) return { verdict: 'rejected', code: 'SystemFile', message: kind };
    return { verdict: 'rejected', code: error.code, message: error.message };
  }
}

function checkFileSize(source: ByteSource, profile: Profile): void {
  const limit = SIZE_LIMITS.fileBytes[profile];
  if (source.sizeBytes <= limit) return;
  throw new DicomError('FileTooLarge', 'file', `expected at most ${limit} bytes, got ${source.sizeBytes}`, {
    limit,
    got: source.sizeBytes,
  });
}

async function readForInspection(source: ByteSource, profile: Profile): Promise<P10> {
  const limits = { maxMetadataBytes: SIZE_LIMITS.metadataBytes[profile], fragments: WALKED_BYTES };
  const p10 = await readP10(source, limits);
  const { pixelData } = p10;
  if (!pixelData?.encapsulated || pixelData.fragments || (await endsWithDelimiter(p10.source))) return p10;
  return readP10(source, { ...limits, fragments: 'walk' });
}

/** Most encapsulated objects end with the delimiter of their pixel data: then all fragments are there. */
async function endsWithDelimiter(source: ByteSource): Promise<boolean> {
  const tail = await source.read(source.sizeBytes - 8, source.sizeBytes);
  return Buffer.from(tail).toString('hex') === SEQUENCE_END;
}

async function judge(p10: P10, profile: Profile): Promise<Verdict> {
  if (isDirectory(p10)) return rejected(p10, 'DicomDirectory', 'a DICOMDIR, not an instance');
  if (!p10.hasFileMeta)
    return rejected(
      p10,
      'NotP10',
      'byte 128: expected the DICM marker, got a data set without file meta information',
    );
  const { problems, warnings } = checkConstraints(p10, profile);
  const [first] = problems;
  if (first) return rejected(p10, first.code, problems.map(({ message }) => message).join('; '));
  const { problem, warning } = await predictFrames(p10, profile);
  if (problem) return rejected(p10, problem.code, problem.message);
  return accepted(p10, [...p10.warnings, ...warnings, ...(warning ? [warning] : [])]);
}

function isDirectory(p10: P10): boolean {
  return (
    p10.meta.mediaStorageSOPClassUID === MEDIA_STORAGE_DIRECTORY ||
    p10.dataset.elements.has(DIRECTORY_RECORD_SEQUENCE)
  );
}

function rejected(p10: P10, code: RejectCode, message: string): RejectedVerdict {
  const uids = {
    sopInstanceUID: usableUid(p10, 'SOPInstanceUID'),
    seriesInstanceUID: usableUid(p10, 'SeriesInstanceUID'),
    studyInstanceUID: usableUid(p10, 'StudyInstanceUID'),
    transferSyntaxUID: p10.hasFileMeta ? p10.meta.transferSyntaxUID : undefined,
  };
  const known = Object.fromEntries(Object.entries(uids).filter(([, uid]) => uid !== undefined));
  return { verdict: 'rejected', code, message, ...known };
}

async function accepted(p10: P10, warnings: readonly DicomWarning[]): Promise<AcceptedVerdict> {
  const modality = text(p10, 'Modality');
  return {
    verdict: 'accepted',
    sopInstanceUID: uidOf(p10, 'SOPInstanceUID'),
    sopClassUID: uidOf(p10, 'SOPClassUID'),
    studyInstanceUID: uidOf(p10, 'StudyInstanceUID'),
    seriesInstanceUID: uidOf(p10, 'SeriesInstanceUID'),
    transferSyntaxUID: p10.meta.transferSyntaxUID,
    ...(modality === undefined ? {} : { modality }),
    identity: patientIdentity(p10),
    grouping: groupingElements(p10),
    normalisedDigest: await normalisedDigest(p10),
    datasetDigest: await datasetDigest(p10),
    frames: p10.pixelData ? declaredFrames(p10) : 0,
    hasPixelData: p10.pixelData !== undefined,
    metadataBytes: p10.metadataBytes,
    warnings,
  };
}
