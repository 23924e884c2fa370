/**
 * VRs that the metadata document does not carry and the dictionary does not give: private elements inside of
 * sequences, and standard elements that the file has under another VR. Kept beside, to write the instance again.
 */
import type { DataSet } from '../../../shared/dicom/data-set.ts';
import { hexTag, isPrivate, lookUp } from '../../../shared/dicom/dictionary.ts';

/** By tag; empty for most instances. Pure. */
export function unusualVrs(dataSet: DataSet, isItem = false): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { tag, vr, items } of dataSet.elements.values()) {
    const entry = lookUp(tag);
    const isKnown = entry !== undefined && entry.vr === vr;
    if (!isKnown && (isItem || !isPrivate(tag))) found[hexTag(tag)] = vr;
    for (const item of items ?? []) Object.assign(found, unusualVrs(item, true));
  }
  return found;
}
