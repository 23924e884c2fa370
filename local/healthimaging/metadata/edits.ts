/**
 * The payload of UpdateImageSetMetadata, read into a plain list of edits, and the nine rules of the guide ("DICOM
 * metadata constraints") that hold for the payload alone. Rule 9 (what is addressed exists) needs the document.
 */
import { validation } from '../errors.ts';
import { parseJson } from '../input.ts';
import type { Behaviour } from '../service.ts';
import { type AttributeName, attributeName } from './attribute-names.ts';
import type { DicomValue } from './document.ts';
import { misfit } from './value-rules.ts';

export type EditLevel = 'Patient' | 'Study' | 'Series' | 'Instance';

/** Where an edit lands; the UIDs are those of the document before the edit. */
export interface Target {
  readonly level: EditLevel;
  readonly seriesUID?: string;
  readonly sopUID?: string;
}

export type Edit =
  | {
      readonly act: 'set';
      readonly target: Target;
      readonly name: string;
      readonly value: DicomValue;
      readonly vr?: string;
    }
  | { readonly act: 'remove'; readonly target: Target; readonly name: string }
  | { readonly act: 'removeInstance' | 'removeSeries'; readonly target: Target };

export interface EditOptions {
  readonly force: boolean;
  readonly isPrimary: boolean;
  readonly behaviour: Behaviour;
}

/** Rule 2: facts about frames and documents, never attributes. */
const NEVER = new Set([
  'SchemaVersion',
  'DatastoreID',
  'ImageSetID',
  'PixelData',
  'Checksum',
  'Width',
  'Height',
  'MinPixelValue',
  'MaxPixelValue',
  'FrameSizeInBytes',
  'ImageFrames',
  'StoredTransferSyntaxUID',
  'ChecksumType',
]);
/** Rule 3: what identifies; `force` lifts it but for the UIDs of primary image sets. */
const IDENTIFYING = new Set(['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID', 'StudyID']);

type Json = Readonly<Record<string, unknown>>;
type Act = 'set' | 'remove';

/** All edits of a blob. Throws ValidationException with a message of its own for each rule. */
export function parseEdits(blob: Uint8Array, act: Act, options: EditOptions): Edit[] {
  const document = objectOf(parseJson(blob), 'the payload');
  const { SchemaVersion: version, Patient, Study, ...rest } = document;
  if (version !== 1.1 && version !== '1.1') throw validation('SchemaVersion must be 1.1');
  refuseOthers(rest, 'the payload');
  const edits = [
    ...(Patient === undefined ? [] : levelEdits(Patient, { level: 'Patient' }, act, options)),
    ...(Study === undefined ? [] : studyEdits(Study, act, options)),
  ];
  if (edits.length === 0) throw validation('The payload names nothing to change');
  return edits;
}

function levelEdits(json: unknown, target: Target, act: Act, options: EditOptions): Edit[] {
  const { DICOM, ...rest } = objectOf(json, target.level);
  refuseOthers(rest, target.level);
  return attributeEdits(DICOM, {}, target, act, options);
}

function studyEdits(json: unknown, act: Act, options: EditOptions): Edit[] {
  const { DICOM, Series, ...rest } = objectOf(json, 'Study');
  refuseOthers(rest, 'Study');
  return [
    ...attributeEdits(DICOM, {}, { level: 'Study' }, act, options),
    ...entriesOf(Series, 'Series').flatMap(([seriesUID, series]) =>
      seriesEdits(seriesUID, series, act, options),
    ),
  ];
}

function seriesEdits(seriesUID: string, json: unknown, act: Act, options: EditOptions): Edit[] {
  const target: Target = { level: 'Series', seriesUID };
  const series = objectOf(json, 'Series');
  if (act === 'remove' && Object.keys(series).length === 0) return [removal('removeSeries', target, options)];
  const { DICOM, Instances, ...rest } = series;
  refuseOthers(rest, 'Series');
  return [
    ...attributeEdits(DICOM, {}, target, act, options),
    ...entriesOf(Instances, 'Instances').flatMap(([sopUID, instance]) =>
      instanceEdits({ level: 'Instance', seriesUID, sopUID }, instance, act, options),
    ),
  ];
}

function instanceEdits(target: Target, json: unknown, act: Act, options: EditOptions): Edit[] {
  const instance = objectOf(json, 'Instances');
  if (act === 'remove' && Object.keys(instance).length === 0) {
    return [removal('removeInstance', target, options)];
  }
  const { DICOM, DICOMVRs, ...rest } = instance;
  refuseOthers(rest, 'Instances');
  return attributeEdits(DICOM, objectOf(DICOMVRs ?? {}, 'DICOMVRs'), target, act, options);
}

/** Since July 2024 the removal of an instance needs `force`. */
function removal(act: 'removeInstance' | 'removeSeries', target: Target, options: EditOptions): Edit {
  if (options.behaviour === 'current' && !options.force) {
    const what = act === 'removeInstance' ? 'an instance' : 'a series';
    throw validation(`Removing ${what} needs force`);
  }
  return { act, target };
}

function attributeEdits(dicom: unknown, vrs: Json, target: Target, act: Act, options: EditOptions): Edit[] {
  if (dicom === undefined) return [];
  return Object.entries(objectOf(dicom, `${target.level}.DICOM`)).map(([name, value]): Edit => {
    const attribute = checkName(name, target, options);
    if (act === 'remove') {
      if (NEEDED.has(name)) throw validation(`${name} cannot be removed`);
      return { act, target, name };
    }
    const vr = checkValue(attribute, value, vrs[name], options);
    return { act, target, name, value: value as DicomValue, ...(vr !== undefined && { vr }) };
  });
}

/** A document without these could not be addressed. */
const NEEDED = new Set(['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID']);

/** Rules 1, 2, 3, 7 and 8. */
function checkName(
  name: string,
  target: Target,
  { force, isPrimary, behaviour }: EditOptions,
): AttributeName {
  if (NEVER.has(name)) throw validation(`${name} can never be changed`);
  const attribute = attributeName(name);
  if (attribute?.isPrivate && target.level !== 'Instance') {
    throw validation(`Private attributes cannot be changed at ${target.level} level`);
  }
  if (attribute?.isPrivate && !force) throw validation('Private attributes can be changed with force only');
  if (attribute && attribute.tag >>> 16 <= 2)
    throw validation(`${name} describes the file and cannot be changed`);
  if (!attribute || (!attribute.isKnown && !attribute.isPrivate && !force)) {
    throw validation('An attribute of the payload is not in the DICOM standard');
  }
  if (IDENTIFYING.has(name) && !force) throw validation(`${name} can be changed with force only`);
  if (NEEDED.has(name) && isPrimary && behaviour === 'current') {
    throw validation(`${name} of a primary image set cannot be changed`);
  }
  if (attribute.level !== target.level) {
    throw validation(`${name} belongs to the ${attribute.level} level, not to ${target.level}`);
  }
  return attribute;
}

/** Rules 4, 5 and 6; returns the VR of a private attribute. */
function checkValue(
  attribute: AttributeName,
  value: unknown,
  givenVr: unknown,
  { force, behaviour }: EditOptions,
): string | undefined {
  const { name } = attribute;
  if (givenVr !== undefined && !(typeof givenVr === 'string' && /^[A-Z]{2}$/.test(givenVr))) {
    throw validation(`DICOMVRs: ${name} needs a VR of two letters`);
  }
  if (attribute.isPrivate) return givenVr as string | undefined;
  if (attribute.vr === 'SQ' && !force)
    throw validation(`${name} is a sequence and can be changed with force only`);
  if (attribute.isMultiple && attribute.vr !== 'SQ' && !force) {
    throw validation(`${name} is multi-valued and can be changed with force only`);
  }
  const wanted = misfit(name, attribute.vr ?? 'UN', value, behaviour);
  const isList = Array.isArray(value) && attribute.vr !== 'SQ' && !attribute.isMultiple;
  if (!force && (wanted !== undefined || isList)) {
    throw validation(`${name} does not fit its VR ${attribute.vr}: expected ${wanted ?? 'one value'}`);
  }
  return undefined;
}

function refuseOthers(rest: Json, where: string): void {
  const [name] = Object.keys(rest);
  if (name === undefined) return;
  if (NEVER.has(name)) throw validation(`${name} can never be changed`);
  throw validation(`An unexpected member stands in ${where}`);
}

function entriesOf(json: unknown, where: string): [string, unknown][] {
  return json === undefined ? [] : Object.entries(objectOf(json, where));
}

function objectOf(json: unknown, where: string): Json {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Json;
  throw validation(`A JSON object is expected at ${where}`);
}
