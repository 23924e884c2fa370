/**
 * Verb of the state InspectObjects: reads the head of one object and says whether HealthImaging can take it, and whose
 * it is. Any bytes and any key end in a verdict; only an error of the source itself is thrown. Work is bounded by the
 * limits of readP10 (bytes, elements, reads), whatever the input says of itself.
 */
import { type ByteSource, withHead } from '../dicom/byte-source.ts';
import {
  COUNT_LIMITS,
  IDENTIFYING_UIDS,
  LENGTH_LIMITS,
  type Profile,
  REQUIRED_ELEMENTS,
  REQUIRED_WITH_PIXELS,
  SIZE_LIMITS,
  UID_FORM,
} from '../dicom/constraints.ts';
import { DicomError, type DicomWarning } from '../dicom/dicom-error.ts';
import { datasetDigest, normalisedDigest } from '../dicom/digest.ts';
import { groupingElements, type PatientIdentity, patientIdentity } from '../dicom/identity.ts';
import { integer, type P10, P10_LIMITS, readP10, text } from '../dicom/p10.ts';
import { declaredFrames, nativePixelBytes } from '../dicom/pixel-extent.ts';
import { transferSyntax } from '../dicom/transfer-syntaxes.ts';
import type { RejectCode } from './outcomes.ts';
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

interface Problem {
  readonly code: RejectCode;
  readonly message: string;
}

interface Findings {
  readonly problems: Problem[];
  readonly warnings: DicomWarning[];
}

const MEDIA_STORAGE_DIRECTORY = '1.2.840.10008.1.3.10';
const DIRECTORY_RECORD_SEQUENCE = 0x00041220;
/** Encapsulated pixel data up to this long is walked fragment by fragment; longer ones show their end in one read. */
const WALKED_BYTES = 1024 * 1024;
const SEQUENCE_END = 'feffdde000000000';

/** The verdict on one object under one profile. Pure but for the reads. */
export async function inspectObject(
  source: ByteSource,
  options: { readonly key: string; readonly profile: Profile },
): Promise<Verdict> {
  const headed = await withHead(source, P10_LIMITS.firstReadBytes);
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
  const findings: Findings = { problems: [], warnings: [...p10.warnings] };
  checkSyntax(p10, profile, findings);
  checkRequired(p10, findings);
  checkLengths(p10, profile, findings);
  checkUids(p10, profile, findings);
  checkCounts(p10, profile, findings);
  checkPixels(p10, findings);
  const [first] = findings.problems;
  if (first) return rejected(p10, first.code, findings.problems.map(({ message }) => message).join('; '));
  return accepted(p10, findings.warnings);
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

/** A UID that may be shown: what is no UID could be anything, also a name. */
function usableUid(p10: P10, keyword: string): string | undefined {
  const uid = text(p10, keyword)?.trim();
  return uid !== undefined && UID_FORM.usable.test(uid) ? uid : undefined;
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

function uidOf(p10: P10, keyword: string): string {
  return (text(p10, keyword) ?? '').trim();
}

function checkSyntax(p10: P10, profile: Profile, { problems, warnings }: Findings): void {
  const { transferSyntaxUID } = p10.meta;
  const syntax = transferSyntax(transferSyntaxUID);
  const treatment = syntax?.[profile] ?? (profile === '2024' ? 'refuse' : 'blob');
  const shown = UID_FORM.usable.test(transferSyntaxUID) ? transferSyntaxUID : 'something that is no UID';
  const got = `${shown}${syntax ? ` (${syntax.name})` : ''}`;
  const message = `TransferSyntaxUID: expected one that HealthImaging imports, got ${got}`;
  if (treatment === 'refuse') problems.push({ code: 'UnsupportedTransferSyntax', message });
  if (treatment === 'blob')
    warnings.push({ code: 'B120', message: `UNSUPPORTED_TRANSFER_SYNTAX: ${got} is kept as one blob` });
}

function checkRequired(p10: P10, { problems }: Findings): void {
  for (const { keyword } of REQUIRED_ELEMENTS)
    if (uidOf(p10, keyword) === '')
      problems.push({ code: 'MissingElement', message: `${keyword}: expected a UID, got none` });
  if (!p10.pixelData) return;
  for (const { keyword } of REQUIRED_WITH_PIXELS)
    if (!integer(p10, keyword))
      problems.push({
        code: 'MissingElement',
        message: `${keyword}: expected a number for the pixel data, got none`,
      });
}

/** Code points: what a reader counts, whatever the bytes. */
function charactersOf(value: string): number {
  let count = 0;
  for (const _ of value) count++;
  return count;
}

function checkLengths(p10: P10, profile: Profile, { problems, warnings }: Findings): void {
  for (const limit of LENGTH_LIMITS) {
    const { keyword } = limit;
    const length = charactersOf(text(p10, keyword) ?? '');
    if (length > limit[profile])
      problems.push({
        code: 'ElementTooLong',
        message: `${keyword}: expected at most ${limit[profile]} characters, got ${length}`,
      });
    else if (length > limit.standard)
      warnings.push({
        code: 'B202',
        message: `INVALID_DICOM_VALUE_LENGTH: ${keyword} has ${length} characters, the standard allows ${limit.standard}`,
      });
  }
}

function checkUids(p10: P10, profile: Profile, { problems, warnings }: Findings): void {
  for (const keyword of IDENTIFYING_UIDS) {
    const uid = uidOf(p10, keyword);
    if (uid === '' || UID_FORM.standard.test(uid)) continue;
    const got = `a value of ${uid.length} characters that is not one`;
    if (profile === '2024' || !UID_FORM.usable.test(uid))
      problems.push({
        code: 'InvalidUid',
        message: `${keyword}: expected a UID of digits and dots, got ${got}`,
      });
    else
      warnings.push({
        code: 'B201',
        message: `INVALID_UID_FORMAT: ${keyword} is not formed as PS3.5 9.1 wants it`,
      });
  }
}

function checkCounts(p10: P10, profile: Profile, { problems }: Findings): void {
  for (const limit of COUNT_LIMITS) {
    const count = integer(p10, limit.keyword) ?? 0;
    if (count > limit[profile])
      problems.push({
        code: 'CountTooLarge',
        message: `${limit.keyword}: expected at most ${limit[profile]}, got ${count}`,
      });
  }
}

function checkPixels(p10: P10, findings: Findings): void {
  const { pixelData } = p10;
  if (!pixelData) noPixels(p10, findings);
  else if (pixelData.encapsulated) checkFragments(p10, findings);
  else checkNative(p10, pixelData, findings);
}

function checkNative(p10: P10, pixelData: NonNullable<P10['pixelData']>, { problems }: Findings): void {
  const wanted = nativePixelBytes(p10);
  if (transferSyntax(p10.meta.transferSyntaxUID)?.encapsulated !== false) return;
  if (wanted === undefined || pixelData.lengthBytes >= wanted) return;
  problems.push({
    code: 'PixelDataTruncated',
    message: `${pixelData.keyword}: expected ${wanted} bytes for ${declaredFrames(p10)} frames, got ${pixelData.lengthBytes}`,
  });
}

/** Rows without pixel data: legal for some classes, but worth a word. */
function noPixels(p10: P10, { warnings }: Findings): void {
  if (integer(p10, 'Rows') && integer(p10, 'Columns'))
    warnings.push({ code: 'NoPixelData', message: 'Rows and Columns are there, pixel data is not' });
}

/** Each frame takes at least one byte of the fragments, and each fragment an item. */
function checkFragments(p10: P10, { problems }: Findings): void {
  const { pixelData } = p10;
  if (!pixelData) return;
  const [, ...fragments] = pixelData.fragments ?? [];
  const bytes = pixelData.fragments
    ? fragments.reduce((sum, { length }) => sum + length, 0)
    : pixelData.lengthBytes;
  const frames = declaredFrames(p10);
  if (bytes >= frames) return;
  problems.push({
    code: 'PixelDataTruncated',
    message: `${pixelData.keyword}: expected fragments for ${frames} frames, got ${bytes} bytes of them`,
  });
}
