/** A video is one frame of any size: importing it must not take its size in memory. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ImportContext } from '../../../local/healthimaging/import/context.ts';
import { storeFrames } from '../../../local/healthimaging/import/store-frames.ts';
import { type Blobs, openBlobs } from '../../../local/healthimaging/store/blobs.ts';
import type { ByteSource } from '../../../shared/dicom/byte-source.ts';
import { readP10 } from '../../../shared/dicom/p10.ts';
import { writeP10 } from '../../../shared/dicom/write.ts';

const MPEG4 = '1.2.840.10008.1.2.4.102';
const MIB = 1024 * 1024;
const FRAGMENT_BYTES = 100 * MIB;
const PIECE = Buffer.alloc(MIB, 'moving pictures ');

let folder: string;
let blobs: Blobs;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isocenter-video-'));
  blobs = await openBlobs(folder, { fsync: false });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** An object of three fragments of 100 MB, made as it is read; `largestRead` is what was asked for at once. */
function videoObject(): ByteSource & { readonly largestRead: () => number } {
  const written = Buffer.from(
    writeP10({
      transferSyntaxUID: MPEG4,
      elements: {
        SOPClassUID: '1.2.840.10008.5.1.4.1.1.77.1.4.1',
        SOPInstanceUID: '2.25.11',
        StudyInstanceUID: '2.25.12',
        SeriesInstanceUID: '2.25.13',
        SamplesPerPixel: 3,
        PhotometricInterpretation: 'YBR_PARTIAL_420',
        NumberOfFrames: '1000',
        Rows: 1080,
        Columns: 1920,
        BitsAllocated: 8,
        BitsStored: 8,
        HighBit: 7,
        PixelRepresentation: 0,
      },
      pixelData: { fragments: [] },
    }),
  );
  const head = written.subarray(0, written.length - 8);
  const itemHeader = Buffer.from('feff00e000000000', 'hex');
  itemHeader.writeUInt32LE(FRAGMENT_BYTES, 4);
  const unit = itemHeader.length + FRAGMENT_BYTES;
  const end = head.length + 3 * unit;
  const delimiter = Buffer.from('feffdde000000000', 'hex');
  let largest = 0;
  const byteAt = (at: number): number => {
    if (at < head.length) return head[at]!;
    if (at >= end) return delimiter[at - end]!;
    const place = (at - head.length) % unit;
    return place < 8 ? itemHeader[place]! : PIECE[(place - 8) % PIECE.length]!;
  };
  return {
    sizeBytes: end + delimiter.length,
    largestRead: () => largest,
    async read(start, stop) {
      const out = new Uint8Array(Math.min(stop, end + delimiter.length) - start);
      largest = Math.max(largest, out.length);
      for (let index = 0; index < out.length; ) {
        const at = start + index;
        const place = at < head.length || at >= end ? 0 : (at - head.length) % unit;
        const from = (place - 8) % PIECE.length;
        const run = PIECE.subarray(from, from + Math.min(unit - place, out.length - index));
        if (place < 8) out[index] = byteAt(at);
        else out.set(run, index);
        index += place < 8 ? 1 : run.length;
      }
      return out;
    },
  };
}

it('of 300 MB is stored piece by piece, with the CRC of its fragments strung together', async () => {
  const source = videoObject();
  const p10 = await readP10(source);
  const context = {
    service: { behaviour: 'current', store: { blobs } },
    job: { jobId: 'job' },
    signal: new AbortController().signal,
  } as unknown as ImportContext;
  const stored = await storeFrames(context, p10, { key: 'video.dcm', source });
  let checksum = 0;
  for (let piece = 0; piece < 300; piece++) checksum = crc32(PIECE, checksum);
  const [frame, ...others] = stored.imageFrames;
  expect(others).toEqual([]);
  expect(frame).toMatchObject({
    FrameSizeInBytes: 3 * FRAGMENT_BYTES,
    PixelDataChecksumFromBaseToFullResolution: [{ Width: 1920, Height: 1080, Checksum: checksum }],
  });
  expect(stored.warnings).toEqual([]);
  expect(await blobs.sizeOf(Object.values(stored.records)[0]!.blob)).toBe(3 * FRAGMENT_BYTES);
  expect(source.largestRead()).toBeLessThanOrEqual(MIB);
}, 120_000);
