/** What keeps one parsed instance from being imported under a profile, and what the service would only warn of. Pure. */
import {
  COUNT_LIMITS,
  IDENTIFYING_UIDS,
  LENGTH_LIMITS,
  ONE_BIT_PIXELS,
  type Profile,
  REQUIRED_ELEMENTS,
  REQUIRED_WITH_PIXELS,
  UID_FORM,
} from '../dicom/constraints.ts';
import type { DicomWarning } from '../dicom/dicom-error.ts';
import { integer, type P10, text } from '../dicom/p10.ts';
import { declaredFrames, nativePixelBytes } from '../dicom/pixel-extent.ts';
import { transferSyntax } from '../dicom/transfer-syntaxes.ts';
import type { RejectCode } from './outcomes.ts';

interface Problem {
  readonly code: RejectCode;
  readonly message: string;
}

export interface Findings {
  /** All that is wrong; the first gives the verdict its code. */
  readonly problems: Problem[];
  readonly warnings: DicomWarning[];
}

/** Holds an instance against every constraint of the profile. */
export function checkConstraints(p10: P10, profile: Profile): Findings {
  const findings: Findings = { problems: [], warnings: [] };
  checkSyntax(p10, profile, findings);
  checkRequired(p10, findings);
  checkLengths(p10, profile, findings);
  checkUids(p10, profile, findings);
  checkCounts(p10, profile, findings);
  checkPixels(p10, profile, findings);
  return findings;
}

/** A UID that may be shown: what is no UID could be anything, also a name. */
export function usableUid(p10: P10, keyword: string): string | undefined {
  const uid = text(p10, keyword)?.trim();
  return uid !== undefined && UID_FORM.usable.test(uid) ? uid : undefined;
}

/** A UID without padding; empty where absent. */
export function uidOf(p10: P10, keyword: string): string {
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
    const value = text(p10, keyword) ?? '';
    if (value.length <= Math.min(limit[profile], limit.standard)) continue;
    const length = charactersOf(value);
    if (length > limit[profile])
      problems.push({
        code: 'ElementTooLong',
        message: `${keyword}: expected at most ${limit[profile]} characters, got ${length}`,
      });
    else if (profile === 'current' && length > limit.standard)
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
    const got = `a value of ${uid.length} characters ${whatIsWrong(uid)}`;
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

/** Of a UID that is none: the first thing wrong with it, without its value. */
function whatIsWrong(uid: string): string {
  const wrong = uid.search(/[^0-9.]/);
  if (wrong >= 0) return `with another character than these at ${wrong + 1}`;
  if (/^\.|\.\.|\.$/.test(uid)) return 'with a dot that has no number beside it';
  return 'with a component that begins with 0';
}

function checkCounts(p10: P10, profile: Profile, { problems }: Findings): void {
  for (const limit of COUNT_LIMITS) {
    const count = integer(p10, limit.keyword) ?? 0;
    if (count < 0 || count > limit[profile])
      problems.push({
        code: 'CountTooLarge',
        message: `${limit.keyword}: expected 0 to ${limit[profile]}, got ${count}`,
      });
  }
}

function checkPixels(p10: P10, profile: Profile, findings: Findings): void {
  const { pixelData } = p10;
  if (pixelData && integer(p10, 'BitsAllocated') === 1 && !ONE_BIT_PIXELS[profile])
    findings.problems.push({
      code: 'UnsupportedPixelData',
      message: 'BitsAllocated: expected 8 or more under the profile of 2024, got 1',
    });
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

/**
 * Rows without pixel data: legal for some classes (MR spectroscopy), headers of images exist on purpose, but an image cut
 * off in front of its pixels looks the same: it comes in, counted as an instance without frames, with a warning.
 */
function noPixels(p10: P10, { warnings }: Findings): void {
  if (!integer(p10, 'Rows') || !integer(p10, 'Columns')) return;
  const isImage = integer(p10, 'BitsAllocated') && !text(p10, 'PixelDataProviderURL');
  const message = isImage
    ? 'an image is described (Rows, Columns, BitsAllocated) and its pixel data is not there: header only, or cut off'
    : 'Rows and Columns are there, pixel data is not';
  warnings.push({ code: 'NoPixelData', message });
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
