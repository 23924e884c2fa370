/** In what the image sets of one series differ: keywords of normalised elements, never values. Pure. */
import type { DicomJson, ImageSetMetadata } from '../ports/imaging-service.ts';

/** The Patient, Study and Series levels of a document hold the normalised elements (reference section 7). */
function levels(metadata: ImageSetMetadata, series: string): DicomJson[] {
  return [metadata.Patient.DICOM, metadata.Study.DICOM, metadata.Study.Series[series]?.DICOM ?? {}];
}

/** Keywords whose values are not the same in all of them, sorted; absent and empty count as the same. */
export function variantKeywords(variants: readonly ImageSetMetadata[], series: string): string[] {
  const all = variants.map((variant) => Object.assign({}, ...levels(variant, series)) as DicomJson);
  const keywords = new Set(all.flatMap((elements) => Object.keys(elements)));
  return [...keywords]
    .filter((keyword) => new Set(all.map((elements) => canonical(elements[keyword]))).size > 1)
    .sort();
}

/** Equal for values that are equal whatever the order of their keys. */
export function canonical(value: unknown): string {
  if (value === undefined || value === null || value === '') return 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`)
      .sort()
      .join(',')}}`;
  return JSON.stringify(value);
}

/** Equal only for equal values, whatever the order of their keys; absent, null and empty are three things. */
export function exact(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(exact).join(',')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([key, member]) => `${JSON.stringify(key)}:${exact(member)}`)
      .sort()
      .join(',')}}`;
  return JSON.stringify(value) ?? 'undefined';
}
