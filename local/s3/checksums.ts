/** The checksums of S3 objects: computing, naming, and joining those of parts (S3 user guide, "Checking object integrity"). */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { combineCrcs, crc32c, finishCrc64, startCrc64, updateCrc64 } from './crc.ts';

/** Each algorithm: the XML element and the header that carry it, its length, and whether parts join to a whole's. */
export const CHECKSUMS = {
  CRC32: { element: 'ChecksumCRC32', header: 'x-amz-checksum-crc32', bytes: 4, joins: true },
  CRC32C: { element: 'ChecksumCRC32C', header: 'x-amz-checksum-crc32c', bytes: 4, joins: true },
  CRC64NVME: { element: 'ChecksumCRC64NVME', header: 'x-amz-checksum-crc64nvme', bytes: 8, joins: true },
  SHA1: { element: 'ChecksumSHA1', header: 'x-amz-checksum-sha1', bytes: 20, joins: false },
  SHA256: { element: 'ChecksumSHA256', header: 'x-amz-checksum-sha256', bytes: 32, joins: false },
} as const;

export type ChecksumAlgorithm = keyof typeof CHECKSUMS;
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE';
/** MD5 makes ETags; it is no S3 checksum. */
export type Digest = ChecksumAlgorithm | 'MD5';
/** Base64 by algorithm. A composite one ends in `-<parts>`. */
export type Checksums = Partial<Record<ChecksumAlgorithm, string>>;

export const CHECKSUM_ALGORITHMS = Object.keys(CHECKSUMS) as ChecksumAlgorithm[];

export const isChecksumAlgorithm = (name: string): name is ChecksumAlgorithm =>
  Object.hasOwn(CHECKSUMS, name);

export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Big-endian, as S3 encodes it. Once only. */
  digest(): Buffer;
}

export function createHasher(digest: Digest): Hasher {
  if (digest === 'CRC32') return runningCrc32((bytes, previous) => crc32(bytes, previous));
  if (digest === 'CRC32C') return runningCrc32(crc32c);
  if (digest === 'CRC64NVME') return runningCrc64();
  const hash = createHash(digest.toLowerCase());
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
}

function runningCrc32(step: (bytes: Uint8Array, previous: number) => number): Hasher {
  let crc = 0;
  return {
    update(bytes) {
      crc = step(bytes, crc);
    },
    digest() {
      const out = Buffer.alloc(4);
      out.writeUInt32BE(crc >>> 0);
      return out;
    },
  };
}

function runningCrc64(): Hasher {
  const state = startCrc64();
  return {
    update: (bytes) => updateCrc64(state, bytes),
    digest() {
      const out = Buffer.alloc(8);
      out.writeBigUInt64BE(finishCrc64(state));
      return out;
    },
  };
}

/** Base64 digests of one buffer. */
export function digestsOf(bytes: Uint8Array, digests: readonly Digest[]): Record<string, string> {
  return Object.fromEntries(
    digests.map((name) => {
      const hasher = createHasher(name);
      hasher.update(bytes);
      return [name, hasher.digest().toString('base64')];
    }),
  );
}

/** The checksum of a multipart object from those of its parts. */
export function joinChecksums(
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  parts: readonly { checksum: string; sizeBytes: number }[],
): string {
  const raw = parts.map((part) => Buffer.from(part.checksum, 'base64'));
  if (type === 'COMPOSITE') {
    const whole = digestsOf(Buffer.concat(raw), [algorithm])[algorithm];
    return `${whole}-${parts.length}`;
  }
  const crcs = parts.map((part, n) => ({
    crc: BigInt(`0x${raw[n]!.toString('hex') || '0'}`),
    sizeBytes: part.sizeBytes,
  }));
  const whole = combineCrcs(algorithm as 'CRC32' | 'CRC32C' | 'CRC64NVME', crcs);
  return Buffer.from(whole.toString(16).padStart(CHECKSUMS[algorithm].bytes * 2, '0'), 'hex').toString(
    'base64',
  );
}

export const base64ToHex = (base64: string): string => Buffer.from(base64, 'base64').toString('hex');
