/**
 * What may differ between image sets of one series and still be spelling (design "Merging variants"): rules as data.
 * An element's value has a firm form, equal where the difference is spelling, and loose parts, which may be missing on
 * one side. What no rule names is compared but for padding; what changes meaning is compared exactly. Pure.
 */
import { lookUp, tagOf } from '../dicom/dictionary.ts';
import { dateForm, nameGroups, sexForm } from './identity.ts';
import { canonical } from './variants.ts';

export interface SpellingRule {
  /** Why a difference of this kind is the same to a clinician. */
  readonly because: string;
  readonly firm: (value: string) => string;
  /** Parts that may be empty on one side; all that are filled must be equal, over the whole series. */
  readonly loose?: (value: string) => readonly string[];
}

const EMPTY = () => '';
const inOneLine = (value: string) => value.trim().replace(/\s+/g, ' ').toUpperCase();

export const SPELLING_RULES: Readonly<Record<string, SpellingRule>> = {
  PatientName: {
    because: 'worklists and consoles differ in case and in the groups that they fill',
    firm: (value) => nameGroups(value)[0],
    loose: (value) => nameGroups(value).slice(1),
  },
  PatientBirthDate: {
    because: 'an emergency console leaves it out; PatientID, issuer and name agree',
    firm: EMPTY,
    loose: (value) => [dateForm(value)],
  },
  PatientSex: {
    because: 'an emergency console leaves it out; PatientID, issuer and name agree',
    firm: EMPTY,
    loose: (value) => [sexForm(value)],
  },
  StudyDescription: { because: 'white space and case carry no finding', firm: inOneLine },
  SeriesDescription: { because: 'white space and case carry no finding', firm: inOneLine },
};

/** By value representation, for elements that no rule names. */
const RULES_BY_VR: Readonly<Record<string, SpellingRule>> = {
  DA: { because: 'separators of the old ACR-NEMA form (PS3.5 6.2)', firm: dateForm },
  TM: {
    because: 'separators of the old ACR-NEMA form (PS3.5 6.2)',
    firm: (value) => value.replace(/:/g, '').trim(),
  },
};

/** Elements whose value changes what the pixels mean or whose they are: compared exactly, never aligned. */
export const NEVER_ALIGNED: ReadonlySet<string> = new Set([
  'Laterality',
  'PatientPosition',
  'FrameOfReferenceUID',
  'PositionReferenceIndicator',
  'PixelPaddingValue',
  'SmallestPixelValueInSeries',
  'LargestPixelValueInSeries',
  'PatientWeight',
  'PatientSize',
  'PatientAge',
  'BodyPartExamined',
  'Modality',
  'StudyInstanceUID',
  'SeriesInstanceUID',
  'AnatomicalOrientationType',
]);

/** Forms that an update must have (reference section 13, rule 6): a stored value of the old form cannot be written anew. */
const FORMS: Readonly<Record<string, RegExp>> = {
  DA: /^\d{8}$/,
  TM: /^\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?$/,
};

/**
 * What the service updates without `force` (reference section 13): single values of standard elements, no UIDs, no
 * StudyID. `values`: the source's and the one that it would get.
 */
export function isAlignable(keyword: string, values: readonly [from: unknown, to: unknown]): boolean {
  if (NEVER_ALIGNED.has(keyword) || keyword === 'StudyID' || /^[0-9A-F]{8}$/.test(keyword)) return false;
  const tag = tagOf(keyword);
  const vr = tag === undefined ? undefined : lookUp(tag)?.vr;
  if (vr === undefined || vr === 'SQ' || vr === 'UI') return false;
  const [, to] = values;
  if (typeof to === 'string' && to.trim() !== '' && FORMS[vr]?.test(to) === false) return false;
  return values.every((value) => value === undefined || value === null || typeof value === 'string');
}

/** The form in which values must be equal. */
export function firmForm(keyword: string, value: unknown): string {
  if (NEVER_ALIGNED.has(keyword)) return value === undefined ? 'absent' : JSON.stringify(value);
  const rule = ruleOf(keyword);
  if (typeof value === 'string')
    return JSON.stringify(rule ? rule.firm(value) : value.replace(/[ \0]+$/, ''));
  if (value === undefined || value === null) return JSON.stringify(rule ? rule.firm('') : '');
  return canonical(value);
}

/** The parts that may be missing on one side. */
export function looseForm(keyword: string, value: unknown): readonly string[] {
  const loose = ruleOf(keyword)?.loose;
  return loose ? loose(typeof value === 'string' ? value : '') : [];
}

function ruleOf(keyword: string): SpellingRule | undefined {
  const named = SPELLING_RULES[keyword];
  if (named) return named;
  const tag = tagOf(keyword);
  const vr = tag === undefined ? undefined : lookUp(tag)?.vr;
  return vr === undefined ? undefined : RULES_BY_VR[vr];
}
