/** What the parser of data sets takes, gives, and keeps on its stack. */
import type { DataSet, Element } from './data-set.ts';
import type { DicomWarning } from './dicom-error.ts';
import type { Encoding } from './element-header.ts';

export interface ParseLimits {
  /** Sequences inside of sequences. */
  readonly maxDepth: number;
  /** Elements, items and fragments of the whole object. */
  readonly maxElements: number;
  /** Bytes of all elements but pixel data and private binary values over 1 MB (which HealthImaging stores aside). */
  readonly maxMetadataBytes: number;
  /** Binary values longer than this are not held in memory. */
  readonly maxHeldBytes: number;
}

export interface Fragment {
  readonly offset: number;
  readonly length: number;
}

export interface PixelElement {
  readonly tag: number;
  readonly vr: string;
  readonly offset: number;
  readonly lengthBytes: number;
  readonly encapsulated: boolean;
  readonly littleEndian: boolean;
  /** First byte after the element; the end of the source where the fragments were not walked. */
  readonly endBytes: number;
  /** All items of the encapsulated value, the basic offset table first; absent when native or not walked. */
  readonly fragments?: readonly Fragment[];
}

export interface ParsedDataSet {
  readonly dataSet: DataSet;
  readonly pixelData?: PixelElement;
  readonly metadataBytes: number;
  /** Where reading stopped: the first byte not belonging to the data set. */
  readonly end: number;
  readonly warnings: readonly DicomWarning[];
}

export interface ParseOptions {
  readonly limits: ParseLimits;
  /** Fragments of the main pixel data: walk them all, or only when at most this many bytes are left. */
  readonly walkFragmentsUpTo: number;
  /** Stops in front of the first element of the main data set that is not of this group. */
  readonly onlyGroup?: number;
}

export interface MutableDataSet extends DataSet {
  elements: ReadonlyMap<number, Element>;
}
/** An element whose value is being read, item by item. */
export interface OpenElement {
  readonly tag: number;
  readonly vr: string;
  /** Of its header, and of its value. */
  readonly at: number;
  readonly offset: number;
}

/** One open data set, sequence or run of fragments. */
export interface Frame {
  readonly kind: 'dataSet' | 'items' | 'fragments';
  readonly dataSet: MutableDataSet;
  encoding: Encoding;
  /** Where it ends; the end of what holds it when `delimited`. */
  readonly end: number;
  readonly delimited: boolean;
  isFirst: boolean;
  /** Of 'items' and 'fragments': the element that they are the value of. */
  readonly element?: OpenElement | undefined;
  readonly items: DataSet[];
  readonly fragments: Fragment[];
  /** An UN element taken for a sequence: when it is none after all, counters go back to these. */
  readonly guess?: { readonly elements: number; readonly metadataBytes: number } | undefined;
}

/** Pixel data of the main data set: integers, floats, doubles. */
export function isPixelTag(tag: number): boolean {
  return tag === 0x7fe00010 || tag === 0x7fe00008 || tag === 0x7fe00009;
}
