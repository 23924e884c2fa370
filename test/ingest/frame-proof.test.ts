/** One stored frame against its source, with the real codecs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { proveFrame, type StoredFrame } from '../../shared/ingest/frame-proof.ts';
import { canonicalPixels } from '../../shared/pixels/canonical.ts';
import { type CodecPool, createCodecPool } from '../../shared/pixels/codec-pool.ts';
import { describeImage, randomPixels } from '../pixels/material.ts';

let codecs: CodecPool;
beforeAll(() => {
  codecs = createCodecPool({ workers: 1 });
});
afterAll(() => codecs.close());

const description = describeImage({ rows: 8, columns: 8, bitsStored: 12, bitsAllocated: 16 });
const clean = new Uint8Array(Uint16Array.from({ length: 64 }, (_, index) => index * 60).buffer);
/** The same pixels with an overlay bit above the stored ones. */
const filled = new Uint8Array(new Uint16Array(clean.buffer).map((word) => word | 0x8000).buffer);

/** `words` as they lie in the file, `stored` as the service encoded them: masked, or with all their bits. */
async function frameOf(words: Uint8Array, stored: 'masked' | 'raw'): Promise<StoredFrame> {
  const masked = await codecs.encode(canonicalPixels(words, description), description);
  const raw = await codecs.encode(words, { ...description, bitsStored: 16, highBit: 15 });
  const { codestream, checksums } = stored === 'raw' ? raw : masked;
  return {
    index: 0,
    entry: { ID: 'a', PixelDataChecksumFromBaseToFullResolution: checksums },
    instance: { DICOM: {}, StoredTransferSyntaxUID: '1.2.840.10008.1.2.4.202', ChecksumType: 'DECOMPRESSED' },
    stored: codestream,
    source: { description, frameCount: 1, encodedFrame: async () => words },
  };
}

describe('a source whose unused bits', () => {
  it('are zero is proven by its stored bits', async () => {
    const finding = await proveFrame(codecs, await frameOf(clean, 'masked'));
    expect(finding).toMatchObject({ proof: 'source', counts: { verified: 1, provenFromSource: 1 } });
    expect(finding.unusedBits).toBeUndefined();
  });

  it('are set is verified, but not proven, when only its stored bits are equal', async () => {
    const finding = await proveFrame(codecs, await frameOf(filled, 'masked'));
    expect(finding).toMatchObject({
      proof: 'stored',
      unusedBits: true,
      counts: { verified: 1, provenFromSource: 0 },
    });
  });

  it('are set is proven when the stored frame holds all the words', async () => {
    const finding = await proveFrame(codecs, await frameOf(filled, 'raw'));
    expect(finding).toMatchObject({
      proof: 'source',
      unusedBits: true,
      counts: { verified: 1, provenFromSource: 1 },
    });
  });
});

describe('a document that lists every resolution level', () => {
  const wide = describeImage({ rows: 240, columns: 320, bitsStored: 12 });
  const withLevels = async (change: (level: { Checksum: number }) => object): Promise<StoredFrame> => {
    const { codestream, checksums } = await codecs.encode(randomPixels(wide), wide, { levels: true });
    expect(checksums.map(({ Width }) => Width)).toEqual([160, 320]);
    const [base, ...rest] = checksums;
    return {
      index: 0,
      entry: {
        ID: 'a',
        PixelDataChecksumFromBaseToFullResolution: [{ ...base!, ...change(base!) }, ...rest],
      },
      instance: { DICOM: {} },
      stored: codestream,
    };
  };

  it('is proven by all of them, in one trip to the codec', async () => {
    let trips = 0;
    const counting: CodecPool = {
      ...codecs,
      verify: (...request) => {
        trips++;
        return codecs.verify(...request);
      },
    };
    const finding = await proveFrame(counting, await withLevels(() => ({})));
    expect(finding).toMatchObject({ proof: 'stored', counts: { verified: 1 } });
    expect(trips).toBe(1);
  });

  it('differs where a lower one differs', async () => {
    const finding = await proveFrame(
      codecs,
      await withLevels(({ Checksum }) => ({ Checksum: Checksum ^ 1 })),
    );
    expect(finding).toMatchObject({ code: 'ChecksumMismatch', counts: { mismatched: 1 } });
    expect(finding.message).toMatch(/frame 1: checksum at 160×120: expected \d+, got \d+/);
  });

  it('differs where it lists a level that the codestream does not have', async () => {
    const finding = await proveFrame(codecs, await withLevels(() => ({ Width: 77 })));
    expect(finding.message).toMatch(/checksum at 77×120: expected \d+, got no such level/);
  });
});
