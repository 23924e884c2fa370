/** What the index holds: LevelDB keys in UTF-8 byte order, values JSON. No object key ever becomes a file name. */
import type { ChecksumAlgorithm, Checksums, ChecksumType } from '../checksums.ts';
import type { CorsRule } from '../cors.ts';

/** A piece of content: a file named by a random id, or a row of the index when small. */
export interface Segment {
  readonly id: string;
  readonly size: number;
}

export interface BucketRecord {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly eventBridge: boolean;
  readonly cors?: readonly CorsRule[];
}

export interface ObjectRecord {
  /** One, or one a part for a multipart object; none are merged. */
  readonly segments: readonly Segment[];
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** Content-type and its kin, and user metadata (`x-amz-meta-…`), by lower-case header name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tags?: readonly Tag[];
  readonly checksums?: Checksums;
  readonly checksumType?: ChecksumType;
  /** Base64 SHA-256 of all the bytes where it was computed, shown or not: a copy that asks for it needs no reading. */
  readonly sha256?: string;
  /** Checksums of the parts, as many as segments. */
  readonly partChecksums?: readonly Checksums[];
}

export type Tag = readonly [key: string, value: string];

export interface UploadRecord {
  readonly bucket: string;
  readonly key: string;
  readonly initiated: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly tags?: readonly Tag[];
  readonly checksumAlgorithm?: ChecksumAlgorithm;
  readonly checksumType?: ChecksumType;
}

export interface PartRecord {
  readonly segments: readonly Segment[];
  readonly size: number;
  readonly etag: string;
  readonly modified: number;
  readonly checksums: Checksums;
}

/** Row keys. A bucket's name has no NUL, so the first NULs delimit; U+0001 ends the range of a NUL. */
export const rows = {
  bucket: (name: string) => `b\0${name}`,
  object: (bucket: string, key: string) => `o\0${bucket}\0${key}`,
  objects: (bucket: string) => `o\0${bucket}\0`,
  upload: (bucket: string, key: string, uploadId: string) => `u\0${bucket}\0${key}\0${uploadId}`,
  uploads: (bucket: string) => `u\0${bucket}\0`,
  part: (uploadId: string, number: number) => `p\0${uploadId}\0${String(number).padStart(5, '0')}`,
  parts: (uploadId: string) => `p\0${uploadId}\0`,
  /** Present while a committed object or part needs the file. */
  file: (id: string) => `f\0${id}`,
  inline: (id: string) => `i\0${id}`,
} as const;

/** The end (exclusive) of the rows that begin with a prefix which ends in NUL. */
export const endOf = (prefix: string): string => `${prefix.slice(0, -1)}\x01`;
