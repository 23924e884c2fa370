/** From the metadata document back to data elements, as shared/dicom/write.ts takes them. Pure. */

import { representation } from '../../../shared/dicom/value-representations.ts';
import type { WriteElement, WriteElements, WriteValue } from '../../../shared/dicom/write.ts';
import { attributeName } from '../metadata/attribute-names.ts';
import type { DicomJson, DicomValue } from '../metadata/document.ts';

/** VRs by tag that the dictionary does not give: private elements, and what the file had otherwise. */
export type KnownVrs = Readonly<Record<string, string>>;

/** Elements of one level or item. Group 0002 and pixel data are left out: they belong to the file that is written. */
export function toElements(dicom: DicomJson, vrs: KnownVrs): WriteElements {
  const elements: Record<string, WriteElements[string]> = {};
  for (const [name, value] of Object.entries(dicom)) {
    const attribute = attributeName(name);
    if (!attribute || attribute.tag >>> 16 <= 2 || attribute.tag >>> 16 === 0x7fe0) continue;
    const tag = attribute.tag.toString(16).toUpperCase().padStart(8, '0');
    const vr = vrs[tag] ?? vrs[name] ?? attribute.vr;
    elements[name] = toElement(suits(vr, value) ? vr : guessVr(value), value, vrs);
  }
  return elements;
}

/** One tag may have had several VRs in the file: the value itself has the last word. */
function suits(vr: string | undefined, value: DicomValue): vr is string {
  if (vr === undefined) return false;
  const { kind } = representation(vr);
  const values = Array.isArray(value) ? (value as readonly DicomValue[]) : [value];
  return values.every((item) => {
    if (item === null || item === '') return true;
    if (kind === 'number') return typeof item === 'number';
    return kind === 'sequence' ? typeof item === 'object' : typeof item === 'string';
  });
}

/** A private element in an item, after its sequence was replaced: text stays text, the rest is bytes. */
function guessVr(value: DicomValue): string {
  if (Array.isArray(value) && value.some((item) => typeof item === 'object')) return 'SQ';
  if (typeof value === 'number') return 'FD';
  return typeof value === 'string' &&
    /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value)
    ? 'UN'
    : 'UT';
}

function toElement(vr: string, value: DicomValue, vrs: KnownVrs): WriteElement {
  if (value === null || value === '') return { vr, value: null };
  const values = Array.isArray(value) ? (value as readonly DicomValue[]) : [value];
  const { kind } = representation(vr);
  if (kind === 'sequence') {
    return { vr, value: values.filter(isItem).map((item) => toElements(item, vrs)) };
  }
  if (kind === 'binary') {
    return { vr, value: values.map((text) => new Uint8Array(Buffer.from(String(text), 'base64'))) };
  }
  // JSON has no NaN: the document says null where a number was none.
  const nothing = kind === 'number' ? Number.NaN : '';
  return { vr, value: values.map((item) => (item === null ? nothing : item) as WriteValue) };
}

const isItem = (value: DicomValue): value is DicomJson =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
