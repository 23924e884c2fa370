/** One element's header (PS3.5 7.1): tag, VR and length, in explicit or implicit VR and either byte order. */
import { isPrivate, lookUp } from './dictionary.ts';
import { representation, vrOfCode } from './value-representations.ts';

export interface Encoding {
  readonly explicit: boolean;
  readonly littleEndian: boolean;
}

/** What undefined lengths are written as. */
export const UNDEFINED_LENGTH = 0xffffffff;

export interface ElementHeader {
  readonly tag: number;
  /** As written; `undefined` in implicit VR. */
  readonly vr: string | undefined;
  readonly headerBytes: 8 | 12;
  /** Bytes, or UNDEFINED_LENGTH. */
  readonly length: number;
  /** Written with a VR that PS3.5 does not know, or with no VR where one belongs. */
  readonly oddity?: 'unknownVr' | 'noVr';
}

export function readTag(view: DataView, at: number, littleEndian: boolean): number {
  return ((view.getUint16(at, littleEndian) << 16) | view.getUint16(at + 2, littleEndian)) >>> 0;
}

function isLetter(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a;
}

/** Two upper-case letters where an explicit VR stands. */
export function looksExplicit(view: DataView, at: number): boolean {
  return isLetter(view.getUint8(at + 4)) && isLetter(view.getUint8(at + 5));
}

/** Reads the header at `at`; `undefined` when the view ends inside of it. Needs 8 bytes, some need 12. */
export function readHeader(view: DataView, at: number, encoding: Encoding): ElementHeader | undefined {
  if (at + 8 > view.byteLength) return undefined;
  const { littleEndian } = encoding;
  const tag = readTag(view, at, littleEndian);
  if (tag >>> 16 === 0xfffe || !encoding.explicit)
    return { tag, vr: undefined, headerBytes: 8, length: view.getUint32(at + 4, littleEndian) };
  const vr = vrOfCode(view.getUint16(at + 4, false));
  if (vr === undefined) return readOddHeader(view, at, tag, littleEndian);
  if (!representation(vr).longHeader)
    return { tag, vr, headerBytes: 8, length: view.getUint16(at + 6, littleEndian) };
  if (at + 12 > view.byteLength) return undefined;
  return { tag, vr, headerBytes: 12, length: view.getUint32(at + 8, littleEndian) };
}

/**
 * A VR that is none: unknown letters are a VR of the future, with a 32-bit length (PS3.5 6.2, note of UN), unless the
 * reserved bytes say otherwise; no letters is an element of implicit VR inside of an explicit data set.
 */
function readOddHeader(
  view: DataView,
  at: number,
  tag: number,
  littleEndian: boolean,
): ElementHeader | undefined {
  if (!looksExplicit(view, at))
    return {
      tag,
      vr: undefined,
      headerBytes: 8,
      length: view.getUint32(at + 4, littleEndian),
      oddity: 'noVr',
    };
  const short = view.getUint16(at + 6, littleEndian);
  if (short !== 0) return { tag, vr: 'UN', headerBytes: 8, length: short, oddity: 'unknownVr' };
  if (at + 12 > view.byteLength) return undefined;
  return {
    tag,
    vr: 'UN',
    headerBytes: 12,
    length: view.getUint32(at + 8, littleEndian),
    oddity: 'unknownVr',
  };
}

/** The VR of an element that says none or UN: from the dictionary; private creators are LO (PS3.5 7.8.1), others stay UN. */
export function impliedVr(tag: number, isSigned: () => boolean): string {
  if ((tag & 0xffff) === 0) return 'UL';
  if (isPrivate(tag)) return (tag & 0xffff) >= 0x10 && (tag & 0xffff) <= 0xff ? 'LO' : 'UN';
  const entry = lookUp(tag);
  if (!entry) return 'UN';
  if (!entry.vrDepends || entry.vr !== 'US') return entry.vr;
  // PS3.5 annex A: LUT data in implicit VR is OW; the pixel-valued ones follow PixelRepresentation.
  if (tag === 0x00283006 || tag === 0x00281200) return 'OW';
  return isSigned() ? 'SS' : 'US';
}
