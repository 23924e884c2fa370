/** Decoded (canonical) frames back to the words of native pixel data, little endian, interleaved. Pure. */
import type { DecodedFrame } from '../../../shared/pixels/codec-pool.ts';

/** Bytes of one sample in the file: as allocated where that holds the decoded sample, else the next that does. */
export function allocatedBits(bitsAllocated: number, bitsStored: number): 8 | 16 | 32 {
  const needed = bitsStored <= 8 ? 8 : bitsStored <= 16 ? 16 : 32;
  return bitsAllocated === 32 || bitsAllocated === 16 || bitsAllocated === 8
    ? (Math.max(needed, bitsAllocated) as 8 | 16 | 32)
    : needed;
}

/** The frame's samples in words of `bits`, sign-extended where they are signed. */
export function toWords({ pixels, bitsStored, signed }: DecodedFrame, bits: 8 | 16 | 32): Uint8Array {
  const from = bitsStored <= 8 ? 1 : bitsStored <= 16 ? 2 : 4;
  const to = bits / 8;
  if (from === to) return pixels;
  const samples = pixels.length / from;
  const out = new Uint8Array(samples * to);
  const source = new DataView(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  const target = new DataView(out.buffer);
  for (let i = 0; i < samples; i++) {
    const value = readSample(source, i * from, from, signed);
    if (to === 2) target.setInt16(i * 2, value, true);
    else target.setInt32(i * 4, value, true);
  }
  return out;
}

function readSample(view: DataView, at: number, width: 1 | 2 | 4, signed: boolean): number {
  if (width === 1) return signed ? view.getInt8(at) : view.getUint8(at);
  return signed ? view.getInt16(at, true) : view.getUint16(at, true);
}

/** Frames of single bits strung together without a gap (PS3.5 8.1.1), a frame at a time. */
export async function* joinBits(
  frames: AsyncIterable<Uint8Array>,
  bitsPerFrame: number,
): AsyncIterable<Uint8Array> {
  /** Bits of the last, unfinished byte. */
  let held = 0;
  let heldBits = 0;
  for await (const frame of frames) {
    const whole = Math.floor((heldBits + bitsPerFrame) / 8);
    const out = new Uint8Array(whole + 1);
    out[0] = held;
    for (let i = 0; i < bitsPerFrame; i++) {
      if (((frame[i >> 3] ?? 0) >> (i & 7)) & 1) {
        const at = heldBits + i;
        out[at >> 3] = (out[at >> 3] ?? 0) | (1 << (at & 7));
      }
    }
    heldBits = (heldBits + bitsPerFrame) % 8;
    held = out[whole] ?? 0;
    yield out.subarray(0, whole);
  }
  if (heldBits > 0) yield Uint8Array.of(held);
}
