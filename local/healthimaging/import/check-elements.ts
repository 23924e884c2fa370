/** The element constraints of the year: a reason to refuse a file in 2024, a warning today (since December 2025). */
import { integer, type P10, text } from '../../../shared/dicom/p10.ts';
import { LENGTH_LIMITS, VALUE_LIMITS } from '../../../shared/healthimaging/element-limits.ts';
import type { Behaviour } from '../service.ts';
import { ImportFailure, type Warning, warning } from './failures.ts';

const UIDS = ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID'] as const;

/** Throws ImportFailure at the first breach in 2024; returns all breaches as warnings today. */
export function checkElements(p10: P10, behaviour: Behaviour): Warning[] {
  const warnings = [...lengths(p10, behaviour), ...values(p10, behaviour), ...uids(p10)];
  const [first] = warnings;
  if (behaviour === '2024' && first) throw new ImportFailure(first.message);
  return warnings;
}

function lengths(p10: P10, behaviour: Behaviour): Warning[] {
  return LENGTH_LIMITS.flatMap(({ keyword, ...limits }) => {
    const limit = limits[behaviour];
    const length = [...(text(p10, keyword) ?? '')].length;
    if (limit === undefined || length <= limit) return [];
    const message = `DICOM attribute ${keyword} is ${length} characters long, the maximum is ${limit}`;
    return [warning('InvalidDicomValueLength', message)];
  });
}

function values(p10: P10, behaviour: Behaviour): Warning[] {
  return VALUE_LIMITS.flatMap(({ keyword, ...limits }) => {
    const limit = limits[behaviour];
    const value = integer(p10, keyword);
    if (limit === undefined || value === undefined || (value >= 0 && value <= limit)) return [];
    return [warning('Other', `DICOM attribute ${keyword} is out of the range 0 to ${limit}`)];
  });
}

function uids(p10: P10): Warning[] {
  return UIDS.filter((keyword) => !/^[0-9.]+$/.test(text(p10, keyword) ?? '0')).map((keyword) =>
    warning('InvalidUidFormat', `DICOM attribute ${keyword} is not a valid UID`),
  );
}
