/** Bytes that mean harm: each gets a typed refusal, soon, without a large allocation, and the pool lives on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CodecPool, createCodecPool } from '../../shared/pixels/codec-pool.ts';
import { openCodestream, tileParts } from '../../shared/pixels/htj2k/codestream.ts';
import { decodeRle } from '../../shared/pixels/rle.ts';
import { describeImage, randomPixels, seeded } from './material.ts';

const HTJ2K = '1.2.840.10008.1.2.4.202';
const description = describeImage({ rows: 70, columns: 90, bitsStored: 12 });
const pixels = randomPixels(description);
let pool: CodecPool;
let codestream: Uint8Array;
beforeAll(async () => {
  pool = createCodecPool({ workers: 1, deadlineMs: 5_000 });
  codestream = (await pool.encode(pixels, description)).codestream;
});
afterAll(() => pool.close());

/** The codestream with a 32-bit field of SIZ replaced: 0 Xsiz, 1 Ysiz, 2 XOsiz, 3 YOsiz, 4 XTsiz, 5 YTsiz. */
function withSizField(field: number, value: number): Uint8Array {
  const out = new Uint8Array(codestream);
  new DataView(out.buffer).setUint32(8 + 4 * field, value);
  return out;
}

describe('codestreams that lie', () => {
  it.each([
    ['a width of four thousand million', 0, 0xffffffff, 'FrameCorrupt'],
    ['a height that the bound allows but the tiles contradict', 1, 100_000, 'FrameCorrupt'],
    ['an empty image', 0, 0, 'FrameCorrupt'],
    ['tiles of one pixel', 4, 1, 'FrameCorrupt'],
    ['tiles of no pixel', 5, 0, 'FrameCorrupt'],
    ['an offset beyond the image', 2, 5_000, 'FrameCorrupt'],
  ])('are refused: %s', async (_name, field, value, code) => {
    await expect(pool.verify(withSizField(field, value))).rejects.toMatchObject({ name: 'CodecError', code });
  });

  it('are refused when one tile is beyond all memory', async () => {
    const wide = withSizField(0, 0xffff_0000);
    new DataView(wide.buffer).setUint32(8 + 4 * 4, 0xffff_0000);
    await expect(pool.verify(wide)).rejects.toMatchObject({ code: 'FrameTooLarge' });
  });

  it('are refused when they name other sizes than the data set', async () => {
    const other = { ...description, rows: 90, columns: 70 };
    await expect(pool.decode(codestream, HTJ2K, other)).rejects.toMatchObject({ code: 'HeaderMismatch' });
  });

  it('are refused when cut at any place', async () => {
    for (let cut = 0; cut < codestream.length - 2; cut += cut < 200 ? 1 : 97) {
      const failed = await pool.verify(codestream.subarray(0, cut)).catch((error) => error.code);
      expect(failed, `cut at ${cut}`).toBe('FrameCorrupt');
    }
  });

  it('are refused when their tile-parts overlap or stand still', () => {
    const opened = openCodestream(codestream);
    const [first] = tileParts(opened);
    for (const length of [1, 12, 13, 0x7fffffff, 0xffffffff]) {
      const out = new Uint8Array(codestream);
      new DataView(out.buffer).setUint32(first!.start + 6, length);
      expect(() => tileParts(openCodestream(out)), `length ${length}`).toThrowError(/codestream/);
    }
  });

  it('are refused when their JP2 boxes run in circles', () => {
    const box = new Uint8Array(16);
    for (const length of [0, 1, 2, 7, 0xffffffff]) {
      new DataView(box.buffer).setUint32(0, length);
      expect(() => openCodestream(box)).toThrowError(/codestream/);
    }
  });
});

describe('RLE frames that lie', () => {
  const image = describeImage({ rows: 100, columns: 100, bitsStored: 8 });
  const frame = (segments: number, offset: number, ...data: number[]) => {
    const bytes = new Uint8Array(64 + data.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, segments, true);
    view.setUint32(4, offset, true);
    bytes.set(data, 64);
    return bytes;
  };

  it.each([
    ['no header', new Uint8Array(10)],
    ['too many segments', frame(15, 64)],
    ['four thousand million segments', frame(0xffffffff, 64)],
    ['a segment in the header', frame(1, 0, 1, 2)],
    ['a segment past the end', frame(1, 4_000_000, 1, 2)],
    ['a segment that ends early', frame(1, 64, 129, 7)],
    ['nothing but no-operations', frame(1, 64, ...new Array<number>(500).fill(128))],
  ])('are refused: %s', (_name, bytes) => {
    expect(() => decodeRle(bytes, image)).toThrowError(/RLE/);
  });

  it('give no more than the frame, however much they hold', () => {
    const bomb = frame(1, 64, ...Array.from({ length: 100_000 }, (_, index) => (index % 2 ? 9 : 129)));
    expect(decodeRle(bomb, image)).toEqual(new Uint8Array(10_000).fill(9));
  });

  it('never give anything but a frame or a refusal (seed 7)', () => {
    const random = seeded(7);
    for (let round = 0; round < 2_000; round++) {
      const bytes = frame(1, 64, ...Array.from({ length: 300 }, () => Math.floor(random() * 256)));
      try {
        expect(decodeRle(bytes, image)).toHaveLength(10_000);
      } catch (error) {
        expect(error).toMatchObject({ name: 'CodecError', code: 'FrameCorrupt' });
      }
    }
  });
});

describe('the pool', () => {
  const syntaxes = ['50', '51', '57', '70', '80', '81', '90', '91', '201', '203'];
  it.each(syntaxes)('refuses rubbish in 1.2.840.10008.1.2.4.%s and goes on (seed 11)', async (syntax) => {
    const random = seeded(11);
    for (let round = 0; round < 20; round++) {
      const rubbish = Uint8Array.from({ length: 400 }, () => Math.floor(random() * 256));
      if (Number(syntax) >= 90) rubbish.set(codestream.subarray(0, 100));
      else rubbish.set([0xff, 0xd8, 0xff, 0xc3, 0, 11, 12, 0, 70, 0, 90, 1, 1, 0x11, 0]);
      const failed = await pool
        .decode(rubbish, `1.2.840.10008.1.2.4.${syntax}`, description)
        .catch((error) => error.name);
      expect(failed).toBe('CodecError');
    }
    expect((await pool.verify(codestream)).rows).toBe(70);
  });

  it('fails a frame that is cancelled and closes with frames in work', async () => {
    const small = createCodecPool({ workers: 1, maxQueued: 1 });
    const stop = new AbortController();
    const cancelled = small.verify(codestream, { signal: stop.signal });
    const others = [1, 2, 3, 4].map(() => small.verify(codestream).catch((error) => error.code));
    stop.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'Cancelled' });
    await small.close();
    for (const outcome of await Promise.all(others))
      expect(['Cancelled', undefined]).toContain(outcome?.code ?? outcome);
    await expect(small.verify(codestream)).rejects.toMatchObject({ code: 'Cancelled' });
  });

  it('fails only the frame that outlives the deadline', async () => {
    const hasty = createCodecPool({ workers: 1, deadlineMs: 1 });
    const large = describeImage({ rows: 3000, columns: 3000 });
    const late = hasty.encode(new Uint8Array(3000 * 3000 * 2), large).catch((error) => error.code);
    expect(await late).toBe('CodecDeadline');
    await hasty.close();
  });

  it('fails a frame that hangs alone, among small ones of the same message', async () => {
    const patient = createCodecPool({ workers: 1, deadlineMs: 4_000 });
    // The same level again and again: small to send, and far over the deadline.
    const levels = Array.from({ length: 400_000 }, () => ({ Width: 45, Height: 35 }));
    const before = Array.from({ length: 20 }, () => patient.verify(codestream));
    const endless = patient.verify(codestream, { levels }).catch((error) => error.code);
    const after = Array.from({ length: 20 }, () => patient.verify(codestream));
    for (const proof of await Promise.all([...before, ...after])) expect(proof.rows).toBe(70);
    expect(await endless).toBe('CodecDeadline');
    await patient.close();
  }, 60_000);

  it('gives native pixels that are a part of a message, whole (seed 5)', async () => {
    const random = seeded(5);
    const image = describeImage({ rows: 9, columns: 7, bitsStored: 8 });
    const frames = Array.from({ length: 30 }, () =>
      Uint8Array.from({ length: 63 }, () => Math.floor(random() * 256)),
    );
    const decoded = await Promise.all(
      frames.map((frame) => pool.decode(frame, '1.2.840.10008.1.2.1', image)),
    );
    expect(decoded.map(({ pixels }) => pixels)).toEqual(frames);
  });

  it('replaces a worker that holds too much memory, without losing a frame', async () => {
    const lean = createCodecPool({ workers: 1, maxHeapBytes: 1 });
    const proofs = await Promise.all([1, 2, 3, 4, 5].map(() => lean.verify(codestream)));
    expect(new Set(proofs.map((proof) => proof.crc32)).size).toBe(1);
    await lean.close();
  });

  it('leaves the bytes that it was given to the caller', async () => {
    const own = new Uint8Array(codestream);
    await pool.verify(own);
    expect(own.length).toBe(codestream.length);
  });
});
