/** How many bytes the pixel data of an image must have, from its description alone (PS3.3 C.7.6.3, PS3.5 8). */
import type { P10 } from './p10.ts';
import { integer, text } from './values.ts';

/** NumberOfFrames; 1 where it is absent or unreadable. */
export function declaredFrames(p10: P10): number {
  const frames = integer(p10, 'NumberOfFrames');
  return frames === undefined || frames < 1 ? 1 : frames;
}

/** Bytes of all native frames together; frames of one bit follow each other without a gap. Undefined when undescribed. */
export function nativePixelBytes(p10: P10): number | undefined {
  const rows = integer(p10, 'Rows');
  const columns = integer(p10, 'Columns');
  const bitsAllocated = integer(p10, 'BitsAllocated');
  if (!rows || !columns || !bitsAllocated) return undefined;
  const samples = integer(p10, 'SamplesPerPixel') ?? 1;
  const photometric = text(p10, 'PhotometricInterpretation') ?? '';
  // PS3.5 8.1: 4:2:2 keeps two samples a pixel, 4:2:0 one and a half.
  const perPixel = /422$/.test(photometric) ? 2 : /420$/.test(photometric) ? 1.5 : samples;
  return Math.ceil((rows * columns * perPixel * bitsAllocated * declaredFrames(p10)) / 8);
}
