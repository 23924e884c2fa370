/** Frames that stretch the codec: tiny, flat, and alternating between the extremes; OpenJPEG decodes each again. */
import { expect, it } from 'vitest';
import { encodeFrame } from '../../shared/pixels/frame-operations.ts';
import { openCodestream } from '../../shared/pixels/htj2k/codestream.ts';
import { decodeOpenJpeg, suitsOpenJpeg } from '../../shared/pixels/htj2k/openjpeg.ts';
import { describeImage, seeded } from './material.ts';
import { nodeTools } from './node-tools.ts';

const tools = nodeTools();
const random = seeded(20261124);
const sides = [1, 2, 3, 5, 17, 64, 65, 130];

function extremes(count: number, low: number, bits: number, kind: string): number[] {
  const high = low + 2 ** bits - 1;
  const value = {
    flat: () => low,
    alternating: (index: number) => (index % 2 ? low : high),
    noise: () => low + Math.floor(random() * 2 ** bits),
  }[kind]!;
  return Array.from({ length: count }, (_, index) => value(index));
}

for (const bitsStored of [1, 2, 8, 9, 12, 16])
  for (const signed of [false, true])
    it(`keeps tiny and extreme frames of ${bitsStored} bits ${signed ? 'signed' : 'unsigned'} (seed 20261124)`, async () => {
      const Samples = bitsStored <= 8 ? Int8Array : Int16Array;
      for (const rows of sides)
        for (const columns of sides)
          for (const photometricInterpretation of ['MONOCHROME2', 'RGB', 'YBR_FULL'])
            for (const kind of ['flat', 'alternating', 'noise']) {
              const samplesPerPixel = photometricInterpretation === 'MONOCHROME2' ? 1 : 3;
              const shape = { rows, columns, samplesPerPixel, photometricInterpretation };
              const description = describeImage({ bitsStored, signed, ...shape });
              const low = signed ? -(2 ** (bitsStored - 1)) : 0;
              const values = extremes(rows * columns * samplesPerPixel, low, bitsStored, kind);
              const pixels = new Uint8Array(Samples.from(values).buffer);
              const codestream = openCodestream((await encodeFrame(tools, pixels, description)).codestream);
              if (!suitsOpenJpeg(codestream.header, 0)) continue;
              const judged = await tools.modules.use('openJpeg', (module) =>
                decodeOpenJpeg(module, codestream, 0),
              );
              expect(Buffer.compare(judged.pixels, pixels), JSON.stringify({ ...shape, kind })).toBe(0);
            }
    });
