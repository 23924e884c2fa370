/** A metadata document as lines of level, keyword and value, and what differs between two of them. Pure. */
import type { DicomValue, MetadataDocument } from './document.ts';

/** Of a document with thousands of instances, so many values are flattened. */
const LOOKED_AT = 200_000;

export interface Line {
  readonly level: string;
  /** Of an instance its SOP Instance UID, which unlike its number is its own; of others the level again. */
  readonly of: string;
  readonly path: string;
  readonly value: string;
}

/** Pure. */
export function linesOf(document: MetadataDocument): Line[] {
  const lines: Line[] = [];
  const walk = (level: string, path: string, value: DicomValue, of = level) => {
    if (lines.length >= LOOKED_AT) return;
    if (Array.isArray(value) && value.some((one: DicomValue) => typeof one === 'object' && one !== null))
      for (const [index, one] of (value as readonly DicomValue[]).entries())
        walk(level, `${path}[${index}]`, one, of);
    else if (typeof value === 'object' && value !== null && !Array.isArray(value))
      for (const [key, one] of Object.entries(value))
        walk(level, path === '' ? key : `${path}.${key}`, one, of);
    else
      lines.push({
        level,
        of,
        path,
        value: Array.isArray(value) ? value.join(' \\ ') : value === null ? '' : String(value),
      });
  };
  walk('Patient', '', document.Patient.DICOM);
  walk('Study', '', document.Study.DICOM);
  for (const series of Object.values(document.Study.Series)) {
    walk('Series', '', series.DICOM);
    for (const [uid, instance] of Object.entries(series.Instances))
      walk(`Instance ${String(instance.DICOM.InstanceNumber ?? '')}`.trim(), '', instance.DICOM, uid);
  }
  return lines;
}

export interface Change {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** An instance that came or went is one change; else every value that differs. Pure. */
export function changesBetween(before: MetadataDocument, after: MetadataDocument): Change[] {
  const [old, fresh] = [linesByPath(before), linesByPath(after)];
  const [oldOnes, freshOnes] = [old, fresh].map((lines) => new Set([...lines.values()].map(({ of }) => of)));
  const moved = new Map<string, Change>();
  const changes: Change[] = [];
  for (const path of new Set([...old.keys(), ...fresh.keys()])) {
    const [was, is] = [old.get(path), fresh.get(path)];
    const { level, of, path: keyword } = (is ?? was) as Line;
    if (!oldOnes?.has(of)) moved.set(of, { path: level, before: '', after: `added, ${of}` });
    else if (!freshOnes?.has(of)) moved.set(of, { path: level, before: `removed, ${of}`, after: '' });
    else if (was?.value !== is?.value)
      changes.push({ path: `${level} ${keyword}`, before: was?.value ?? '', after: is?.value ?? '' });
  }
  return [...moved.values(), ...changes];
}

const linesByPath = (document: MetadataDocument): Map<string, Line> =>
  new Map(linesOf(document).map((line) => [`${line.of} ${line.path}`, line]));
