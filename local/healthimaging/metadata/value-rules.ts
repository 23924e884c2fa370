/** Whether a JSON value suits a value representation (PS3.5 table 6.2-1), typed as in the metadata document. Pure. */
import { LENGTH_LIMITS } from '../../../shared/dicom/constraints.ts';
import { representation } from '../../../shared/dicom/value-representations.ts';
import type { Behaviour } from '../service.ts';

interface TextRule {
  readonly max?: number;
  readonly form?: RegExp;
}

const TEXT_RULES: Readonly<Record<string, TextRule>> = {
  AE: { max: 16 },
  AS: { form: /^\d{3}[DWMY]$/ },
  CS: { max: 16, form: /^[A-Z0-9 _]*$/ },
  DA: { form: /^\d{8}$/ },
  DS: { max: 16, form: /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/ },
  DT: { max: 26, form: /^\d{4}[\d.+-]*$/ },
  IS: { max: 12, form: /^\s*[+-]?\d+\s*$/ },
  LO: { max: 64 },
  LT: { max: 10_240 },
  PN: { max: 324 },
  SH: { max: 16 },
  ST: { max: 1_024 },
  TM: { max: 14, form: /^\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?$/ },
  UI: { max: 64, form: /^[0-9.]+$/ },
};

const INTEGER_RANGES: Readonly<Record<string, readonly [number, number]>> = {
  US: [0, 0xffff],
  SS: [-0x8000, 0x7fff],
  UL: [0, 0xffffffff],
  SL: [-0x80000000, 0x7fffffff],
  UV: [0, Number.MAX_SAFE_INTEGER],
  SV: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

/** Undefined when the value fits, else what was wanted. An array is judged value by value; null is an empty value. */
export function misfit(
  keyword: string,
  vr: string,
  value: unknown,
  behaviour: Behaviour,
): string | undefined {
  if (value === null) return undefined;
  if (Array.isArray(value) && vr !== 'SQ') {
    return value.map((item) => misfit(keyword, vr, item, behaviour)).find((problem) => problem !== undefined);
  }
  const { kind } = representation(vr);
  if (kind === 'sequence') return isItems(value) ? undefined : 'a list of items';
  if (kind === 'number') return misfitNumber(vr, value);
  if (typeof value !== 'string') return 'a string';
  if (kind === 'text') return misfitText(keyword, vr, value, behaviour);
  if (kind === 'binary') return /^[A-Za-z0-9+/]*={0,2}$/.test(value) ? undefined : 'base64';
  return /^[0-9A-Fa-f]{8}$/.test(value) ? undefined : 'a tag of eight hexadecimal digits';
}

const isItems = (value: unknown) =>
  Array.isArray(value) &&
  value.every((item) => typeof item === 'object' && item !== null && !Array.isArray(item));

function misfitNumber(vr: string, value: unknown): string | undefined {
  if (typeof value !== 'number') return 'a number';
  const range = INTEGER_RANGES[vr];
  if (!range) return undefined;
  const [least, most] = range;
  return Number.isInteger(value) && value >= least && value <= most
    ? undefined
    : `an integer from ${least} to ${most}`;
}

/** What the service imports it also takes in an update: its own limits win over the standard's where it has some. */
function misfitText(keyword: string, vr: string, value: string, behaviour: Behaviour): string | undefined {
  const rule = TEXT_RULES[vr] ?? {};
  const max = LENGTH_LIMITS.find((limit) => limit.keyword === keyword)?.[behaviour] ?? rule.max;
  if (max !== undefined && [...value].length > max) return `at most ${max} characters`;
  if (value.trim() !== '' && rule.form && !rule.form.test(value)) return `a value of VR ${vr}`;
  return undefined;
}
