/**
 * Two small JPEG encoders (T.81), for streams that no tool here writes: lossless ones of any precision, predictor,
 * restart interval and point transform, and baseline ones of flat blocks with any sampling. dcmdjpeg judges both.
 */

interface LosslessJpeg {
  readonly rows: number;
  readonly columns: number;
  readonly precision: number;
  readonly components: number;
  readonly predictor: number;
  /** Samples are shifted down by this many bits before coding. */
  readonly pointTransform?: number;
  /** Rows between restart markers; 0: none. */
  readonly restartRows?: number;
  /** A scan a component, where the default is one for all. */
  readonly separateScans?: boolean;
}

/** 17 categories of 5 bits each: as good as any table. The code of all ones stays free (T.81 C.2). */
const CATEGORIES = Array.from({ length: 17 }, (_, index) => index);
const CODE_BITS = 5;

/** Interleaved samples of the whole precision. */
export function losslessJpeg(samples: ArrayLike<number>, image: LosslessJpeg): Uint8Array {
  const { rows, columns, precision, components, restartRows = 0 } = image;
  const out: number[] = [0xff, 0xd8];
  segment(out, 0xc3, frameHeader(precision, rows, columns, new Array(components).fill([1, 1])));
  segment(out, 0xc4, table(0));
  // Lossless restart intervals are whole rows of samples (T.81 H.1.2.1).
  if (restartRows > 0) segment(out, 0xdd, word(restartRows * columns));
  const all = Array.from({ length: components }, (_, index) => index);
  for (const scan of image.separateScans ? all.map((one) => [one]) : [all]) {
    const { predictor, pointTransform = 0 } = image;
    segment(out, 0xda, scanHeader(scan, [predictor, 0, pointTransform]));
    losslessScan(out, samples, image, scan);
  }
  out.push(0xff, 0xd9);
  return Uint8Array.from(out);
}

function losslessScan(
  out: number[],
  samples: ArrayLike<number>,
  image: LosslessJpeg,
  scan: readonly number[],
): void {
  const { rows, columns, precision, components, predictor, pointTransform = 0, restartRows = 0 } = image;
  const at = (x: number, y: number, c: number) =>
    samples[(y * columns + x) * components + c]! >> pointTransform;
  let bits = new BitWriter(out);
  for (let y = 0; y < rows; y++) {
    const isFirstRow = restartRows > 0 ? y % restartRows === 0 : y === 0;
    if (isFirstRow && y > 0) {
      bits.flush();
      out.push(0xff, 0xd0 + ((y / restartRows - 1) & 7));
      bits = new BitWriter(out);
    }
    for (let x = 0; x < columns; x++)
      for (const c of scan) {
        const predicted =
          x === 0
            ? isFirstRow
              ? 2 ** (precision - pointTransform - 1)
              : at(0, y - 1, c)
            : isFirstRow
              ? at(x - 1, y, c)
              : predict(predictor, at(x - 1, y, c), at(x, y - 1, c), at(x - 1, y - 1, c));
        writeDifference(bits, ((at(x, y, c) - predicted) << 16) >> 16);
      }
  }
  bits.flush();
}

/** T.81 table H.1. */
function predict(predictor: number, a: number, b: number, c: number): number {
  return [0, a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) >> 1][predictor]!;
}

/** A category, then its bits; 32768 stands for itself (T.81 H.1.2.2). */
function writeDifference(bits: BitWriter, difference: number): void {
  const category = difference === -32_768 ? 16 : 32 - Math.clz32(Math.abs(difference));
  bits.write(category, CODE_BITS);
  if (category === 0 || category === 16) return;
  bits.write(difference < 0 ? difference + 2 ** category - 1 : difference, category);
}

interface BaselineJpeg {
  readonly rows: number;
  readonly columns: number;
  /** Horizontal and vertical sampling factor of each component. */
  readonly sampling: readonly (readonly [number, number])[];
  /** Adobe's marker: 0 no transform, 1 YCbCr, 2 YCCK. */
  readonly adobeTransform?: number;
  /** MCUs between restart markers; 0: none. */
  readonly restartInterval?: number;
}

/** Each 8 × 8 block is flat; `level` gives its sample value. */
export function baselineJpeg(
  image: BaselineJpeg,
  level: (component: number, blockX: number, blockY: number) => number,
): Uint8Array {
  const { rows, columns, sampling, restartInterval = 0 } = image;
  const out: number[] = [0xff, 0xd8];
  if (image.adobeTransform !== undefined)
    segment(out, 0xee, [...ascii('Adobe'), 0, 100, 0, 0, 0, 0, image.adobeTransform]);
  segment(out, 0xdb, [0, ...new Array(64).fill(1)]);
  segment(out, 0xc0, frameHeader(8, rows, columns, sampling));
  segment(out, 0xc4, table(0));
  // AC: only "end of block", of one bit.
  segment(out, 0xc4, [0x10, 1, ...new Array(15).fill(0), 0]);
  if (restartInterval > 0) segment(out, 0xdd, word(restartInterval));
  const all = sampling.map((_, index) => index);
  segment(out, 0xda, scanHeader(all, [0, 63, 0]));
  // The blocks of a component alone in its scan come one by one, whatever its factors are (T.81 A.2.2).
  const factors = sampling.length === 1 ? [[1, 1] as const] : sampling;
  const [maxH, maxV] = [Math.max(...factors.map(([h]) => h)), Math.max(...factors.map(([, v]) => v))];
  const [across, down] = [Math.ceil(columns / (8 * maxH)), Math.ceil(rows / (8 * maxV))];
  let [bits, last, count] = [new BitWriter(out), sampling.map(() => 0), 0];
  for (let my = 0; my < down; my++)
    for (let mx = 0; mx < across; mx++, count++) {
      if (restartInterval > 0 && count > 0 && count % restartInterval === 0) {
        bits.flush();
        out.push(0xff, 0xd0 + ((count / restartInterval - 1) & 7));
        [bits, last] = [new BitWriter(out), sampling.map(() => 0)];
      }
      factors.forEach(([h, v], component) => {
        for (let y = 0; y < v; y++)
          for (let x = 0; x < h; x++) {
            const value = (level(component, mx * h + x, my * v + y) - 128) * 8;
            writeDifference(bits, value - last[component]!);
            bits.write(0, 1);
            last[component] = value;
          }
      });
    }
  bits.flush();
  out.push(0xff, 0xd9);
  return Uint8Array.from(out);
}

const frameHeader = (
  precision: number,
  rows: number,
  columns: number,
  sampling: readonly (readonly [number, number])[],
) => [
  precision,
  ...word(rows),
  ...word(columns),
  sampling.length,
  ...sampling.flatMap(([h, v], index) => [index + 1, (h << 4) | v, 0]),
];

const scanHeader = (components: readonly number[], rest: readonly number[]) => [
  components.length,
  ...components.flatMap((index) => [index + 1, 0]),
  ...rest,
];

const table = (slot: number) => [
  slot,
  0,
  0,
  0,
  0,
  CATEGORIES.length,
  ...new Array(11).fill(0),
  ...CATEGORIES,
];
const word = (value: number) => [value >> 8, value & 0xff];
const ascii = (text: string) => [...text].map((character) => character.charCodeAt(0));

function segment(out: number[], marker: number, body: readonly number[]): void {
  out.push(0xff, marker, ...word(body.length + 2), ...body);
}

class BitWriter {
  private readonly out: number[];
  private held = 0;
  private count = 0;

  constructor(out: number[]) {
    this.out = out;
  }

  write(value: number, bits: number): void {
    for (let bit = bits - 1; bit >= 0; bit--) {
      this.held = (this.held << 1) | ((value >> bit) & 1);
      if (++this.count === 8) this.put();
    }
  }

  /** Fills up with ones (T.81 F.1.2.3). */
  flush(): void {
    while (this.count > 0) this.write(1, 1);
  }

  private put(): void {
    this.out.push(this.held);
    if (this.held === 0xff) this.out.push(0);
    this.held = 0;
    this.count = 0;
  }
}
