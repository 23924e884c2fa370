/**
 * The constraints that the service puts on elements at import (shared/dicom/constraints.ts): what breaks them fails
 * the file; what today's service takes although the standard does not allow it comes in with a warning.
 */
import {
  COUNT_LIMITS,
  IDENTIFYING_UIDS,
  LENGTH_LIMITS,
  REQUIRED_ELEMENTS,
  UID_FORM,
} from '../../../shared/dicom/constraints.ts';
import { integer, type P10, text } from '../../../shared/dicom/p10.ts';
import type { Behaviour } from '../service.ts';
import { ImportFailure, missingAttribute, type Warning, warning } from './failures.ts';

/** Throws ImportFailure for the first breach; returns the warnings. */
export function checkElements(p10: P10, behaviour: Behaviour): Warning[] {
  if (!p10.hasFileMeta) throw new ImportFailure(missingAttribute('TransferSyntaxUID'));
  for (const { keyword } of REQUIRED_ELEMENTS) {
    if (!text(p10, keyword)?.trim()) throw new ImportFailure(missingAttribute(keyword));
  }
  checkCounts(p10, behaviour);
  return [...checkLengths(p10, behaviour), ...checkUids(p10, behaviour)];
}

function checkLengths(p10: P10, behaviour: Behaviour): Warning[] {
  return LENGTH_LIMITS.flatMap(({ keyword, standard, ...limits }) => {
    const limit = limits[behaviour];
    const length = [...(text(p10, keyword) ?? '')].length;
    const says = (maximum: number) =>
      `DICOM attribute ${keyword} is ${length} characters long, the maximum is ${maximum}`;
    if (length > limit) throw new ImportFailure(says(limit));
    // The service warns since December 2025.
    const isWarned = behaviour === 'current' && length > standard;
    return isWarned ? [warning('InvalidDicomValueLength', says(standard))] : [];
  });
}

function checkCounts(p10: P10, behaviour: Behaviour): void {
  for (const { keyword, ...limits } of COUNT_LIMITS) {
    const limit = limits[behaviour];
    const value = integer(p10, keyword);
    if (value !== undefined && (value < 0 || value > limit)) {
      throw new ImportFailure(`DICOM attribute ${keyword} is out of the range 0 to ${limit}`);
    }
  }
}

function checkUids(p10: P10, behaviour: Behaviour): Warning[] {
  return IDENTIFYING_UIDS.flatMap((keyword) => {
    const uid = text(p10, keyword)?.trim() ?? '';
    if (UID_FORM.standard.test(uid)) return [];
    const message = `DICOM attribute ${keyword} is not a valid UID`;
    if (behaviour === '2024' || !UID_FORM.usable.test(uid)) throw new ImportFailure(message);
    return [warning('InvalidUidFormat', message)];
  });
}
