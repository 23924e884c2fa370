/** One stored frame against its checksums, its source and its header (design invariant 3, reference section 8). */
import { crc32 } from 'node:zlib';
import type { CodecPool, FrameProof } from '../pixels/codec-pool.ts';
import { CodecError } from '../pixels/errors.ts';
import type { FrameSource } from '../pixels/frames.ts';
import { levelsToVerify } from '../pixels/judge-frame.ts';
import { canDecode } from '../pixels/syntaxes.ts';
import type { FrameEntry, InstanceEntry } from '../ports/imaging-service.ts';
import { type Difference, headerDifferences } from './frame-headers.ts';
import { type FrameCounts, NO_FRAMES, type Proof } from './verify-lines.ts';

export interface StoredFrame {
  readonly index: number;
  readonly entry: FrameEntry;
  readonly instance: InstanceEntry;
  /** The stored encoding. */
  readonly stored: Uint8Array;
  readonly source?: FrameSource;
}

export interface FrameFinding {
  readonly counts: FrameCounts;
  readonly proof: Proof;
  readonly unusedBits?: boolean;
  readonly code?: 'ChecksumMismatch' | 'FrameUndecodable';
  readonly message?: string;
  /** What differs, with both values; for a frame that cannot be had or decoded, why. */
  readonly differences?: readonly Difference[];
}

const HTJ2K = ['1.2.840.10008.1.2.4.201', '1.2.840.10008.1.2.4.202'];
/** What a document without StoredTransferSyntaxUID means (reference section 7). */
const STORED_BY_DEFAULT = '1.2.840.10008.1.2.4.202';

/** Frames that were kept as they came have a checksum over their encoded bytes; all others over their pixels. */
export const isKeptAsIs = (instance: InstanceEntry) =>
  !HTJ2K.includes(instance.StoredTransferSyntaxUID ?? STORED_BY_DEFAULT) &&
  instance.ChecksumType !== 'DECOMPRESSED';

export async function proveFrame(codecs: CodecPool, frame: StoredFrame): Promise<FrameFinding> {
  return isKeptAsIs(frame.instance) ? proveEncoded(frame) : proveDecoded(codecs, frame);
}

const one = (counts: Partial<FrameCounts>): FrameCounts => ({ ...NO_FRAMES, expected: 1, ...counts });

const lastChecksum = (entry: FrameEntry) => entry.PixelDataChecksumFromBaseToFullResolution?.at(-1)?.Checksum;

/** A frame index as people count: from 1. */
const named = (index: number) => `frame ${index + 1}`;

const mismatch = (frame: StoredFrame, message: string, differences: readonly Difference[]): FrameFinding => ({
  counts: one({ mismatched: 1 }),
  proof: 'none',
  code: 'ChecksumMismatch',
  message: `${named(frame.index)}: ${message}`,
  differences,
});

/** A frame that the metadata lists and the data store does not hold. */
export const missingFrame = (index: number): FrameFinding => ({
  counts: one({ undecodable: 1 }),
  proof: 'none',
  code: 'FrameUndecodable',
  message: `${named(index)}: the metadata lists it, the data store does not hold it`,
  differences: [{ what: 'frame', expected: 'listed', got: 'missing' }],
});

async function proveEncoded(frame: StoredFrame): Promise<FrameFinding> {
  const expected = lastChecksum(frame.entry);
  const got = crc32(frame.stored);
  if (expected !== undefined && expected !== got)
    return mismatch(frame, `checksum of the encoded frame: expected ${expected}, got ${got}`, [
      { what: 'checksum', expected, got },
    ]);
  const source = await frame.source?.encodedFrame(frame.index);
  if (source && !isSameEncoding(frame.stored, source))
    return mismatch(
      frame,
      `encoded bytes: expected the source's ${source.length}, got ${frame.stored.length}`,
      [{ what: 'encodedBytes', expected: source.length, got: frame.stored.length }],
    );
  const provenFromSource = source ? 1 : 0;
  const counts =
    expected === undefined
      ? one({ withoutChecksum: 1, verified: provenFromSource, provenFromSource })
      : one({ verified: 1, provenFromSource });
  return { counts, proof: source ? 'encoded' : expected === undefined ? 'none' : 'stored' };
}

/** PS3.5 A.4: fragments are padded to an even length. */
function isSameEncoding(stored: Uint8Array, source: Uint8Array): boolean {
  const length = Math.min(stored.length, source.length);
  if (Math.abs(stored.length - source.length) > 1) return false;
  return Buffer.from(stored.buffer, stored.byteOffset, length).equals(
    Buffer.from(source.buffer, source.byteOffset, length),
  );
}

async function proveDecoded(codecs: CodecPool, frame: StoredFrame): Promise<FrameFinding> {
  let proof: FrameProof;
  try {
    proof = await decodeAndCompare(codecs, frame);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return {
      counts: one({ undecodable: 1 }),
      proof: 'none',
      code: 'FrameUndecodable',
      message: `${named(frame.index)}: ${error.code}: ${error.message}`,
      differences: [{ what: 'codestream', expected: 'decodable', got: error.code }],
    };
  }
  const expected = lastChecksum(frame.entry);
  if (expected !== undefined && expected !== proof.crc32)
    return mismatch(frame, `checksum: expected ${expected}, got ${proof.crc32}`, [
      { what: 'checksum', expected, got: proof.crc32 },
    ]);
  const lower = lowerLevelMismatch(proof, frame.entry);
  if (lower) return mismatch(frame, `${lower.what}: expected ${lower.expected}, got ${lower.got}`, [lower]);
  const differing = headerDifferences(proof, frame.instance.DICOM, frame.source?.description);
  if (differing.length > 0) return mismatch(frame, headerMessage(frame, differing), differing);
  if (proof.source === 'differs') {
    const got = proof.maxDifference ?? 'their shape';
    return mismatch(frame, `pixels: differ from the source by up to ${got}`, [
      { what: 'pixels', expected: 0, got },
    ]);
  }
  return proven(proof, expected !== undefined);
}

const headerMessage = (frame: StoredFrame, differing: readonly Difference[]) =>
  `the codestream's header differs from the ${frame.source ? 'source' : 'metadata'} in ${differing.map(({ what }) => what).join(', ')}`;

function proven(proof: FrameProof, hasChecksum: boolean): FrameFinding {
  // Equal stored bits say nothing about set bits outside of them: only the raw words then prove the source.
  const isEqual = proof.source === 'equalRaw' || (proof.source === 'equal' && !proof.unusedBits);
  const isProven = isEqual || proof.source === 'withinTolerance';
  const counts = one({
    verified: hasChecksum || isProven ? 1 : 0,
    provenFromSource: isEqual ? 1 : 0,
    lossySource: proof.source === 'withinTolerance' ? 1 : 0,
    withoutChecksum: hasChecksum ? 0 : 1,
  });
  const strength: Proof = isProven ? 'source' : hasChecksum ? 'stored' : 'none';
  return { counts, proof: strength, ...(proof.unusedBits ? { unusedBits: true } : {}) };
}

/** With the source where our codecs can decode it; a source that turns out undecodable leaves the checksum alone. */
async function decodeAndCompare(codecs: CodecPool, frame: StoredFrame): Promise<FrameProof> {
  const { source, index, stored, entry } = frame;
  // Every resolution level that is listed, in the same trip to the codec.
  const levels = levelsToVerify({ checksums: entry.PixelDataChecksumFromBaseToFullResolution });
  const options = levels ? { levels } : {};
  const description = source?.description;
  if (!source || !description || description.pixelKeyword !== 'PixelData')
    return codecs.verify(stored, options);
  if (!canDecode(description.transferSyntaxUID)) return codecs.verify(stored, options);
  const encoded = await source.encodedFrame(index);
  try {
    const { transferSyntaxUID } = description;
    return await codecs.verify(stored, { ...options, source: { encoded, transferSyntaxUID, description } });
  } catch (error) {
    if (error instanceof CodecError) return codecs.verify(stored, options);
    throw error;
  }
}

/** 2024 documents list the checksums of lower levels too, base first. */
function lowerLevelMismatch(proof: FrameProof, entry: FrameEntry): Difference | undefined {
  const listed = entry.PixelDataChecksumFromBaseToFullResolution ?? [];
  for (const { Width, Height, Checksum } of listed.slice(0, -1)) {
    const got = proof.checksums?.find((one) => one.Width === Width && one.Height === Height);
    if (got?.Checksum !== Checksum)
      return {
        what: `checksum at ${Width}×${Height}`,
        expected: Checksum,
        got: got?.Checksum ?? 'no such level',
      };
  }
  return undefined;
}
