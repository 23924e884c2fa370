/** From samples to grey and colour: the rules of PS3.3 C.7.6.3.1.2 and C.11.2, on values worked out by hand. */
import { describe, expect, it } from 'vitest';
import { type Frame, grey, type Look, lookOf, toRgba, windowOfValues } from '../../console/viewer/pixels.ts';

const PLAIN: Look = { slope: 1, intercept: 0, photometric: 'MONOCHROME2' };

function frameOf(samples: ArrayLike<number> & ArrayBufferView, facts: Partial<Frame>): Frame {
  const pixels = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  const columns = samples.length / (facts.samplesPerPixel ?? 1);
  return { pixels, rows: 1, columns, samplesPerPixel: 1, bitsStored: 16, signed: false, ...facts };
}
const greys = (rgba: Uint8ClampedArray) => [...rgba].filter((_, index) => index % 4 === 0);

describe('the linear window', () => {
  it.each([
    [-161, 0],
    [-160, 0],
    [39.5, 128],
    [239, 255],
    [240, 255],
  ])('of 40, 400 shows %d as %d', (value, shade) => {
    expect(grey(value, { centre: 40, width: 400 })).toBe(shade);
  });

  it('of width 1 is a threshold', () => {
    expect([9, 9.5, 10].map((value) => grey(value, { centre: 10, width: 1 }))).toEqual([0, 0, 255]);
  });
});

describe('a frame', () => {
  it('of signed 16-bit samples keeps its order through the rescale', () => {
    const frame = frameOf(Int16Array.of(-32768, -1000, 0, 1000, 32767), { signed: true });
    const shades = greys(toRgba(frame, PLAIN, { centre: 0.5, width: 2001 }));
    expect(shades).toEqual([0, 0, 128, 255, 255]);
  });

  it('of 12-bit samples with slope and intercept is windowed in rescaled values', () => {
    const frame = frameOf(Uint16Array.of(0, 1024, 4095), { bitsStored: 12 });
    const look = { ...PLAIN, slope: 1, intercept: -1024 };
    expect(greys(toRgba(frame, look, { centre: 0.5, width: 3 }))).toEqual([0, 128, 255]);
  });

  it('in MONOCHROME1 is light where its values are low', () => {
    const frame = frameOf(Uint8Array.of(0, 255), { bitsStored: 8 });
    const look = { ...PLAIN, photometric: 'MONOCHROME1' };
    expect(greys(toRgba(frame, look, { centre: 128, width: 256 }))).toEqual([255, 0]);
  });

  it('of signed bytes is read as signed', () => {
    const frame = frameOf(Int8Array.of(-128, 127), { bitsStored: 8, signed: true });
    expect(windowOfValues(frame, PLAIN)).toEqual({ centre: 0, width: 256 });
  });

  it('in RGB is shown as it is, in YBR_FULL turned into RGB', () => {
    const rgb = frameOf(Uint8Array.of(10, 20, 30), { bitsStored: 8, samplesPerPixel: 3 });
    expect([...toRgba(rgb, { ...PLAIN, photometric: 'RGB' }, { centre: 0, width: 1 })]).toEqual([
      10, 20, 30, 255,
    ]);
    const ybr = frameOf(Uint8Array.of(76, 85, 255), { bitsStored: 8, samplesPerPixel: 3 });
    const [red = 0, green = 0, blue = 0] = toRgba(
      ybr,
      { ...PLAIN, photometric: 'YBR_FULL' },
      { centre: 0, width: 1 },
    );
    expect([red >= 253, green <= 1, blue <= 1]).toEqual([true, true, true]);
  });

  it('with a palette is shown in its colours, clamped at both ends', () => {
    const table = (values: number[]) => Buffer.from(Uint16Array.from(values).buffer).toString('base64');
    const look = lookOf({
      PhotometricInterpretation: 'PALETTE COLOR',
      RedPaletteColorLookupTableDescriptor: [2, 10, 16],
      RedPaletteColorLookupTableData: table([0xff00, 0x0000]),
      GreenPaletteColorLookupTableData: table([0x0000, 0x8000]),
      BluePaletteColorLookupTableData: table([0x0000, 0x0000]),
    });
    const frame = frameOf(Uint8Array.of(0, 10, 11, 200), { bitsStored: 8 });
    const rgba = [...toRgba(frame, look, { centre: 0, width: 1 })];
    expect(rgba).toEqual([255, 0, 0, 255, 255, 0, 0, 255, 0, 128, 0, 255, 0, 128, 0, 255]);
  });

  it('without a window of its own gets one over its values, padding left out', () => {
    const frame = frameOf(Int16Array.of(-2000, 0, 99), { signed: true });
    expect(windowOfValues(frame, { ...PLAIN, padding: -2000 })).toEqual({ centre: 50, width: 100 });
  });
});
