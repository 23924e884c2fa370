/** The parsed tree of one DICOM data set: elements with their place in the file, sequences with their items. */

/** One data element. Offsets and lengths are bytes in `P10.source`. */
export interface Element {
  /** `0xGGGGEEEE`. */
  readonly tag: number;
  /** As in the file; in implicit VR, and for a known element written as UN (CP-246), as in the dictionary. */
  readonly vr: string;
  /** Where the value field starts. */
  readonly offset: number;
  /** Length of the value field; of an undefined length, what lies before its delimiter. */
  readonly length: number;
  /** The value field; absent for sequences, pixel data, and binary values too big to hold (read them from the source). */
  readonly value?: Uint8Array | undefined;
  /** Byte order of numbers in the value. */
  readonly littleEndian: boolean;
  /** Items of a sequence. */
  readonly items?: readonly DataSet[];
  /** Pixel data of undefined length, as fragments: the main one, or an icon's inside of a sequence item. */
  readonly encapsulated?: boolean;
}

/** A data set, or an item of a sequence. Elements are in file order. */
export interface DataSet {
  readonly elements: ReadonlyMap<number, Element>;
  /** The data set that holds the sequence of this item: an item inherits its character set. */
  readonly parent?: DataSet;
}

/** A leaf whose value is a view of the bytes that were read, made when it is asked for (a spread copy loses it). */
export class HeldElement implements Element {
  readonly tag: number;
  readonly vr: string;
  readonly offset: number;
  readonly length: number;
  readonly littleEndian: boolean;
  /** What was read, and where in it the value starts: to look at a value without making a view. */
  readonly bytes: Uint8Array;
  readonly at: number;

  constructor(
    tag: number,
    vr: string,
    offset: number,
    length: number,
    littleEndian: boolean,
    bytes: Uint8Array,
    at: number,
  ) {
    this.tag = tag;
    this.vr = vr;
    this.offset = offset;
    this.length = length;
    this.littleEndian = littleEndian;
    this.bytes = bytes;
    this.at = at;
  }

  get value(): Uint8Array {
    return this.bytes.subarray(this.at, this.at + this.length);
  }
}
