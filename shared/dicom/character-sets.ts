/**
 * Character sets of PS3.3 C.12.1.1.2 and PS3.5 chapter 6.1: bytes to unicode, with the code extensions of ISO 2022.
 * Nothing throws: bytes that a set does not know become U+FFFD, unknown sets are read as Latin-1.
 */
import type { DataSet } from './data-set.ts';
import { latin1Text } from './latin1.ts';

/** A single-byte or multi-byte set that goes into G0 (7-bit) or G1 (8-bit). */
interface CodedSet {
  readonly decode: (bytes: Uint8Array) => string;
  /** Two bytes a character in G0: a backslash byte in there is none. */
  readonly isMultiByte?: boolean;
}

const decoders = new Map<string, InstanceType<typeof TextDecoder>>();

function decodeWith(label: string, bytes: Uint8Array): string {
  let decoder = decoders.get(label);
  if (!decoder) {
    decoder = new TextDecoder(label, { ignoreBOM: true });
    decoders.set(label, decoder);
  }
  return decoder.decode(bytes);
}

const latin1: CodedSet = { decode: latin1Text };
const encoded = (label: string): CodedSet => ({ decode: (bytes) => decodeWith(label, bytes) });

/** JIS X 0201: romaji below (yen and overline where ASCII has backslash and tilde), half-width katakana above. */
const jisX0201: CodedSet = {
  decode: (bytes) =>
    Array.from(bytes, (byte) => {
      if (byte === 0x5c) return '\u00a5';
      if (byte === 0x7e) return '\u203e';
      if (byte >= 0xa1 && byte <= 0xdf) return String.fromCharCode(0xff61 + byte - 0xa1);
      return byte < 0x80 ? String.fromCharCode(byte) : '\ufffd';
    }).join(''),
};

/** JIS X 0208 and 0212 in G0: their 7-bit bytes are EUC-JP's with the high bit set. */
const jisX0208: CodedSet = {
  isMultiByte: true,
  decode: (bytes) =>
    decodeWith(
      'euc-jp',
      Uint8Array.from(bytes, (byte) => byte | 0x80),
    ),
};
const jisX0212: CodedSet = {
  isMultiByte: true,
  decode: (bytes) => {
    const shifted: number[] = [];
    for (let at = 0; at < bytes.length; at += 2)
      shifted.push(0x8f, (bytes[at] ?? 0) | 0x80, (bytes[at + 1] ?? 0) | 0x80);
    return decodeWith('euc-jp', Uint8Array.from(shifted));
  },
};

/** Sets by the number in their defined term; `ISO_IR n` and `ISO 2022 IR n` name the same. */
const BY_NUMBER: Readonly<Record<string, CodedSet>> = {
  6: latin1,
  13: jisX0201,
  87: jisX0208,
  58: encoded('gbk'),
  100: latin1,
  101: encoded('iso-8859-2'),
  109: encoded('iso-8859-3'),
  110: encoded('iso-8859-4'),
  126: encoded('iso-8859-7'),
  127: encoded('iso-8859-6'),
  138: encoded('iso-8859-8'),
  144: encoded('iso-8859-5'),
  148: encoded('windows-1254'),
  149: encoded('euc-kr'),
  159: jisX0212,
  166: encoded('windows-874'),
  192: encoded('utf-8'),
  203: encoded('iso-8859-15'),
};

/** Terms without a number, and the spellings that files have. */
const BY_NAME: Readonly<Record<string, CodedSet>> = {
  GB18030: encoded('gb18030'),
  GBK: encoded('gbk'),
  GB2312: encoded('gbk'),
  UTF8: encoded('utf-8'),
  'UTF-8': encoded('utf-8'),
  'ISO-8859-1': latin1,
  LATIN1: latin1,
};

/** Escape sequences (PS3.3 tables C.12-3, C.12-4) without the ESC, as latin1, to the register and the set. */
const ESCAPES: Readonly<Record<string, { readonly register: 'g0' | 'g1'; readonly set: CodedSet }>> = {
  '(B': { register: 'g0', set: latin1 },
  '(J': { register: 'g0', set: jisX0201 },
  ')I': { register: 'g1', set: jisX0201 },
  $B: { register: 'g0', set: jisX0208 },
  '$@': { register: 'g0', set: jisX0208 },
  '$(D': { register: 'g0', set: jisX0212 },
  '$)C': { register: 'g1', set: encoded('euc-kr') },
  '$)A': { register: 'g1', set: encoded('gbk') },
  '-A': { register: 'g1', set: latin1 },
  '-B': { register: 'g1', set: encoded('iso-8859-2') },
  '-C': { register: 'g1', set: encoded('iso-8859-3') },
  '-D': { register: 'g1', set: encoded('iso-8859-4') },
  '-F': { register: 'g1', set: encoded('iso-8859-7') },
  '-G': { register: 'g1', set: encoded('iso-8859-6') },
  '-H': { register: 'g1', set: encoded('iso-8859-8') },
  '-L': { register: 'g1', set: encoded('iso-8859-5') },
  '-M': { register: 'g1', set: encoded('windows-1254') },
  '-T': { register: 'g1', set: encoded('windows-874') },
  '-b': { register: 'g1', set: encoded('iso-8859-15') },
};

/** How the text of one data set is encoded. */
export interface CharacterSet {
  readonly terms: readonly string[];
  readonly g0: CodedSet;
  readonly g1: CodedSet;
  /** Several values, or a term of ISO 2022: escape sequences may switch. */
  readonly hasExtensions: boolean;
  /** ASCII bytes mean ASCII at the start of each value: not so in JIS X 0201. */
  readonly isAsciiBased: boolean;
  /** A term that is not of the standard. */
  readonly unknownTerm?: string;
}

const DEFAULT: CharacterSet = { terms: [], g0: latin1, g1: latin1, hasExtensions: false, isAsciiBased: true };
const SPECIFIC_CHARACTER_SET = 0x00080005;
const bySpelling = new Map<string, CharacterSet>();

function findSet(term: string): CodedSet | undefined {
  const number = /^ISO[ _-]?(?:2022[ _-]?)?(?:IR)?[ _-]?(\d+)$/i.exec(term)?.[1];
  if (number !== undefined) return BY_NUMBER[number];
  return BY_NAME[term.toUpperCase()];
}

function parseTerms(spelling: string): CharacterSet {
  const terms = spelling.split('\\').map((term) => term.trim());
  const first = terms[0] ? findSet(terms[0]) : latin1;
  const unknownTerm = terms.find((term) => term !== '' && !findSet(term));
  const hasExtensions = terms.length > 1 || /2022/.test(spelling);
  // G0 is ASCII at first, also where the first term is a multi-byte set that an escape sequence brings in.
  const isWhole = first !== undefined && !hasExtensions;
  const isRomaji = first === jisX0201;
  return {
    terms,
    g0: isWhole || isRomaji ? (first ?? latin1) : latin1,
    g1: first === undefined || first.isMultiByte ? latin1 : first,
    hasExtensions,
    isAsciiBased: !isRomaji,
    ...(unknownTerm === undefined ? {} : { unknownTerm }),
  };
}

/** The character set of a data set: its own, else that of what holds it (PS3.5 6.1.2.5). */
export function characterSetOf(dataSet: DataSet): CharacterSet {
  for (let at: DataSet | undefined = dataSet; at; at = at.parent) {
    const value = at.elements.get(SPECIFIC_CHARACTER_SET)?.value;
    if (!value) continue;
    const spelling = latin1Text(value).replace(/[\0 ]+$/, '');
    if (spelling === '' && at.parent) continue;
    let found = bySpelling.get(spelling);
    if (!found) {
      found = spelling === '' ? DEFAULT : parseTerms(spelling);
      if (bySpelling.size < 1000) bySpelling.set(spelling, found);
    }
    return found;
  }
  return DEFAULT;
}

/** Nothing but ASCII, no escape sequence, from `start` to `end`. */
export function isPlainAscii(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte >= 0x80 || byte === 0x1b) return false;
  }
  return true;
}

/** Decodes the value field of a text element, all its values at once. The VR tells where ISO 2022 falls back to the start. */
export function decodeText(bytes: Uint8Array, set: CharacterSet, vr: string): string {
  if (set.isAsciiBased && isPlainAscii(bytes)) return latin1Text(bytes);
  if (!set.hasExtensions) return decodeWhole(bytes, set, vr);
  return decodeExtended(bytes, set, vr);
}

/** One set for all. In JIS X 0201 the byte of the yen sign is the delimiter where values part. */
function decodeWhole(bytes: Uint8Array, set: CharacterSet, vr: string): string {
  const decoded = set.g0.decode(bytes);
  return set.g0 === jisX0201 && splitsValues(vr) ? decoded.replaceAll('\u00a5', '\\') : decoded;
}

function splitsValues(vr: string): boolean {
  return vr !== 'LT' && vr !== 'ST' && vr !== 'UT';
}

/** Bytes at which G0 and G1 go back to their first sets (PS3.5 6.1.2.5.3). */
function isResetting(byte: number, vr: string): boolean {
  if (byte === 0x09 || byte === 0x0a || byte === 0x0c || byte === 0x0d) return true;
  if (byte === 0x5c) return splitsValues(vr);
  return vr === 'PN' && (byte === 0x5e || byte === 0x3d);
}

function decodeExtended(bytes: Uint8Array, set: CharacterSet, vr: string): string {
  let { g0, g1 } = set;
  let decoded = '';
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at] as number;
    if (byte === 0x1b) {
      const escaped = readEscape(bytes, at + 1);
      if (escaped) {
        if (escaped.entry.register === 'g0') g0 = escaped.entry.set;
        else g1 = escaped.entry.set;
      }
      at += 1 + (escaped?.length ?? 0);
    } else if (isResetting(byte, vr) && !(g0.isMultiByte && byte > 0x20)) {
      decoded += String.fromCharCode(byte);
      ({ g0, g1 } = set);
      at++;
    } else {
      const end = endOfRun(bytes, at, vr, g0.isMultiByte === true);
      decoded += (byte < 0x80 ? g0 : g1).decode(bytes.subarray(at, end));
      at = end;
    }
  }
  return decoded;
}

/** The bytes from `at` that the same register decodes. */
function endOfRun(bytes: Uint8Array, at: number, vr: string, isMultiByte: boolean): number {
  const isHigh = (bytes[at] as number) >= 0x80;
  let end = at + 1;
  while (end < bytes.length) {
    const byte = bytes[end] as number;
    if (byte >= 0x80 !== isHigh || byte === 0x1b) break;
    if (!isHigh && isResetting(byte, vr) && !(isMultiByte && byte > 0x20)) break;
    end++;
  }
  return end;
}

function readEscape(
  bytes: Uint8Array,
  at: number,
): { entry: (typeof ESCAPES)[string]; length: number } | undefined {
  for (const length of [3, 2]) {
    const entry = ESCAPES[latin1Text(bytes.subarray(at, at + length))];
    if (entry) return { entry, length };
  }
  return undefined;
}
