/** How a data set is really written, seen from its first element: some writers do otherwise than they say. */
import type { DicomWarning } from './dicom-error.ts';
import { isPrivate, lookUp } from './dictionary.ts';
import { type Encoding, looksExplicit, readTag } from './element-header.ts';

export interface SettledEncoding {
  readonly encoding: Encoding;
  readonly warnings: readonly DicomWarning[];
}

/** Of the data set whose first element lies at `at` of the view; only the main one may be in another byte order. */
export function settledEncoding(
  view: DataView,
  at: number,
  told: Encoding,
  place: { readonly isMain: boolean; readonly position: number; readonly end: number },
): SettledEncoding {
  const warnings: DicomWarning[] = [];
  const littleEndian = place.isMain ? settledByteOrder(view, at, told.littleEndian) : told.littleEndian;
  if (littleEndian !== told.littleEndian) {
    const found = littleEndian ? 'little' : 'big';
    warnings.push({ code: 'WrongByteOrder', message: `${found} endian where the other was expected` });
  }
  const explicit = settledExplicitness(view, at, { ...told, littleEndian }, place);
  if (explicit !== told.explicit) {
    const [found, wanted] = explicit ? ['explicit', 'implicit'] : ['implicit', 'explicit'];
    const message = `${found} VR where ${wanted} VR was expected, at byte ${place.position}`;
    warnings.push({ code: 'WrongEncoding', message });
  }
  return { encoding: { explicit, littleEndian }, warnings };
}

function settledByteOrder(view: DataView, at: number, littleEndian: boolean): boolean {
  const isAsTold =
    isPlausible(readTag(view, at, littleEndian)) || !isPlausible(readTag(view, at, !littleEndian));
  return isAsTold ? littleEndian : !littleEndian;
}

/** A tag that a data set may well begin with: a standard one, or the length of a standard group below 0060. */
function isPlausible(tag: number): boolean {
  return lookUp(tag) !== undefined || ((tag & 0xffff) === 0 && tag >>> 16 < 0x60 && !isPrivate(tag));
}

/** Explicit where it should not be only when the implicit length would not fit: two letters may be a length, too. */
function settledExplicitness(
  view: DataView,
  at: number,
  told: Encoding,
  place: { readonly isMain: boolean; readonly position: number; readonly end: number },
): boolean {
  if (readTag(view, at, told.littleEndian) >>> 16 === 0xfffe) return told.explicit;
  if (told.explicit) return looksExplicit(view, at);
  if (!place.isMain || !looksExplicit(view, at)) return false;
  return place.position + 8 + view.getUint32(at + 4, told.littleEndian) > place.end;
}
