/** The value representations of PS3.5 6.2: how their length is written, and what their bytes hold. */

export interface ValueRepresentation {
  /** Explicit VR: two reserved bytes and a 32-bit length (PS3.5 7.1.2). */
  readonly longHeader: boolean;
  readonly kind: 'text' | 'number' | 'binary' | 'sequence' | 'tags';
  /** Bytes of one binary value; 1 where order does not matter. */
  readonly width: number;
  /** Text: decoded by SpecificCharacterSet (PS3.5 6.1.2.2), else ASCII. */
  readonly usesCharacterSet: boolean;
  /** Text: the backslash parts values. */
  readonly splits: boolean;
}

function text(usesCharacterSet: boolean, splits: boolean, longHeader = false): ValueRepresentation {
  return { longHeader, kind: 'text', width: 1, usesCharacterSet, splits };
}
function number(width: number, longHeader = false): ValueRepresentation {
  return { longHeader, kind: 'number', width, usesCharacterSet: false, splits: false };
}
function binary(width: number): ValueRepresentation {
  return { longHeader: true, kind: 'binary', width, usesCharacterSet: false, splits: false };
}

export const VALUE_REPRESENTATIONS: Readonly<Record<string, ValueRepresentation>> = {
  AE: text(false, true),
  AS: text(false, true),
  AT: { longHeader: false, kind: 'tags', width: 2, usesCharacterSet: false, splits: false },
  CS: text(false, true),
  DA: text(false, true),
  DS: text(false, true),
  DT: text(false, true),
  FD: number(8),
  FL: number(4),
  IS: text(false, true),
  LO: text(true, true),
  LT: text(true, false),
  OB: binary(1),
  OD: binary(8),
  OF: binary(4),
  OL: binary(4),
  OV: binary(8),
  OW: binary(2),
  PN: text(true, true),
  SH: text(true, true),
  SL: number(4),
  SQ: { longHeader: true, kind: 'sequence', width: 1, usesCharacterSet: false, splits: false },
  SS: number(2),
  ST: text(true, false),
  SV: number(8, true),
  TM: text(false, true),
  UC: text(true, true, true),
  UI: text(false, true),
  UL: number(4),
  UN: binary(1),
  UR: text(false, false, true),
  US: number(2),
  UT: text(true, false, true),
  UV: number(8, true),
};

const byCode = new Map(
  Object.keys(VALUE_REPRESENTATIONS).map((vr) => [(vr.charCodeAt(0) << 8) | vr.charCodeAt(1), vr]),
);

/** The VR of its two bytes in a file (first byte high), or undefined. */
export function vrOfCode(code: number): string | undefined {
  return byCode.get(code);
}

/** The facts of a VR; those of UN for one that we do not know. */
export function representation(vr: string): ValueRepresentation {
  return VALUE_REPRESENTATIONS[vr] ?? (VALUE_REPRESENTATIONS.UN as ValueRepresentation);
}
