/**
 * Pictures of nobody: phantoms drawn from ellipses, smoothed as a scanner's optics would, with a little noise. Every
 * value follows from the seed. Distances are shares of the picture's half width, so that any matrix size works.
 */

/** An ellipse in the picture: centre and half axes in -1…1, turned by `degrees`; painted over what is below. */
interface Ellipse {
  readonly x: number;
  readonly y: number;
  readonly halfWidth: number;
  readonly halfHeight: number;
  readonly degrees?: number;
  readonly value: number;
}

export interface Matrix {
  readonly rows: number;
  readonly columns: number;
}

/** Numbers in 0…1 that follow from the seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const NOISE_SIZE = 1 << 16;
/** Nearly normal noise, mean 0, deviation 1, drawn once: adding it to a picture is a table look-up. */
const NOISE = (() => {
  const random = randomOf(20_260_131);
  return Float32Array.from({ length: NOISE_SIZE }, () => {
    let sum = 0;
    for (let i = 0; i < 6; i += 1) sum += random();
    return (sum - 3) * Math.SQRT2;
  });
})();

/** A transverse CT slice through a chest, in Hounsfield units. `level`: 0 (shoulders) … 1 (diaphragm). */
export function chestCt(matrix: Matrix, level: number, seed: number): Int16Array {
  const lung = 0.55 + 0.45 * Math.sin(Math.PI * Math.min(1, level + 0.15));
  const heart = Math.max(0, Math.sin(Math.PI * (level - 0.25)));
  const picture = paint(matrix, -1000, [
    { x: 0, y: 0.86, halfWidth: 0.7, halfHeight: 0.05, value: -200 }, // the table
    { x: 0, y: 0.05, halfWidth: 0.84, halfHeight: 0.62, value: -95 }, // fat below the skin
    { x: 0, y: 0.05, halfWidth: 0.79, halfHeight: 0.57, value: 45 }, // muscle
    ...ribs(level),
    { x: -0.38, y: 0.02, halfWidth: 0.31 * lung, halfHeight: 0.42 * lung, degrees: 8, value: -840 },
    { x: 0.38, y: 0.02, halfWidth: 0.31 * lung, halfHeight: 0.42 * lung, degrees: -8, value: -830 },
    { x: -0.33, y: 0.12, halfWidth: 0.012, halfHeight: 0.07, degrees: 30, value: -80 }, // a vessel in the lung
    { x: 0.36, y: -0.08, halfWidth: 0.014, halfHeight: 0.06, degrees: -50, value: -60 },
    {
      x: 0.09,
      y: -0.12,
      halfWidth: 0.1 + 0.2 * heart,
      halfHeight: 0.1 + 0.16 * heart,
      degrees: 35,
      value: 55,
    },
    { x: 0.14, y: -0.12, halfWidth: 0.12 * heart, halfHeight: 0.09 * heart, degrees: 35, value: 210 }, // contrast
    { x: 0.13, y: 0.25, halfWidth: 0.055, halfHeight: 0.055, value: 260 }, // aorta
    { x: 0, y: -0.02, halfWidth: 0.035, halfHeight: 0.04, value: -960 }, // trachea
    { x: 0, y: 0.38, halfWidth: 0.12, halfHeight: 0.1, value: 620 }, // vertebra, hard outside,
    { x: 0, y: 0.38, halfWidth: 0.095, halfHeight: 0.078, value: 190 }, // soft inside
    { x: 0, y: 0.5, halfWidth: 0.05, halfHeight: 0.045, value: 25 }, // spinal canal
  ]);
  return toInt16(smooth(picture, matrix), 9, seed, -1024, 3071);
}

function ribs(level: number): Ellipse[] {
  return [-1, 1].flatMap((side) =>
    [0, 1, 2, 3].map((index) => {
      const angle = Math.PI * (0.12 + 0.25 * index + 0.1 * (level % 0.3));
      return {
        x: side * 0.74 * Math.sin(angle),
        y: 0.05 - 0.52 * Math.cos(angle),
        halfWidth: 0.05,
        halfHeight: 0.02,
        degrees: side * (angle * 57.3),
        value: 780,
      };
    }),
  );
}

/**
 * A transverse MR slice through a head, as a real-part image: signed values of 12 bits, below zero where the phase has
 * turned (fluid). `level`: 0 (base) … 1 (vertex).
 */
export function headMr(matrix: Matrix, level: number, seed: number): Int16Array {
  const size = 0.35 + 0.6 * Math.sqrt(Math.max(0, 1 - level * level));
  const ventricle = Math.max(0, Math.sin(Math.PI * (level + 0.2))) * 0.9;
  const picture = paint(matrix, 0, [
    { x: 0, y: 0, halfWidth: 0.72 * size, halfHeight: 0.92 * size, value: 1500 }, // scalp fat
    { x: 0, y: 0, halfWidth: 0.67 * size, halfHeight: 0.87 * size, value: 60 }, // skull: no signal
    { x: 0, y: 0, halfWidth: 0.63 * size, halfHeight: 0.83 * size, value: -420 }, // fluid
    { x: 0, y: 0, halfWidth: 0.6 * size, halfHeight: 0.8 * size, value: 640 }, // grey matter
    { x: -0.22 * size, y: 0, halfWidth: 0.28 * size, halfHeight: 0.66 * size, value: 930 }, // white matter
    { x: 0.22 * size, y: 0, halfWidth: 0.28 * size, halfHeight: 0.66 * size, value: 930 },
    {
      x: -0.1,
      y: -0.05,
      halfWidth: 0.06 * ventricle,
      halfHeight: 0.24 * ventricle,
      degrees: 12,
      value: -520,
    },
    {
      x: 0.1,
      y: -0.05,
      halfWidth: 0.06 * ventricle,
      halfHeight: 0.24 * ventricle,
      degrees: -12,
      value: -520,
    },
    { x: 0.31, y: 0.28, halfWidth: 0.05, halfHeight: 0.06, value: 1250 }, // a lesion to look for
  ]);
  return toInt16(smooth(picture, matrix), 22, seed, -2048, 2047);
}

/** A hand of a phantom on a detector plate: 12 bits, bright where little came through. */
export function plateRadiograph(matrix: Matrix, seed: number): Int16Array {
  const fingers = [-0.5, -0.22, 0.06, 0.34].flatMap((x, index): Ellipse[] => [
    { x, y: -0.42, halfWidth: 0.11, halfHeight: 0.42 - 0.04 * Math.abs(index - 1), value: 1350 },
    { x, y: -0.64, halfWidth: 0.045, halfHeight: 0.13, value: 2450 },
    { x, y: -0.34, halfWidth: 0.05, halfHeight: 0.15, value: 2600 },
  ]);
  const picture = paint(matrix, 240, [
    { x: -0.08, y: 0.32, halfWidth: 0.5, halfHeight: 0.46, value: 1500 },
    { x: -0.08, y: 0.85, halfWidth: 0.3, halfHeight: 0.4, value: 1550 },
    ...fingers,
    ...[-0.4, -0.18, 0.04, 0.24].map((x) => ({
      x,
      y: 0.12,
      halfWidth: 0.055,
      halfHeight: 0.22,
      value: 2750,
    })),
    { x: -0.08, y: 0.52, halfWidth: 0.28, halfHeight: 0.12, value: 2900 },
    { x: -0.2, y: 0.86, halfWidth: 0.09, halfHeight: 0.3, value: 3000 },
    { x: 0.05, y: 0.86, halfWidth: 0.07, halfHeight: 0.3, value: 2950 },
  ]);
  return toInt16(smooth(picture, matrix), 14, seed, 0, 4095);
}

/** One frame of a colour Doppler sector: RGB, interleaved, 8 bits. `phase`: 0…1 of a heart beat. */
export function dopplerFrame(matrix: Matrix, phase: number, seed: number): Uint8Array {
  const { rows, columns } = matrix;
  const pixels = new Uint8Array(rows * columns * 3);
  const pulse = Math.sin(2 * Math.PI * phase);
  const start = Math.floor(randomOf(seed)() * NOISE_SIZE);
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1) {
      const x = (column / (columns - 1)) * 2 - 1;
      const depth = Math.hypot(x, row / rows + 0.08);
      if (depth > 1.05 || depth < 0.1 || Math.abs(Math.atan2(x, row / rows + 0.08)) > 0.65) continue;
      const speckle = 1 + 0.45 * (NOISE[(start + row * 977 + column * 31) % NOISE_SIZE] ?? 0);
      const wall = Math.exp(-(((Math.hypot(x, row / rows - 0.55) - 0.25 - 0.03 * pulse) / 0.04) ** 2));
      const echo = Math.max(0, Math.min(255, (55 + 130 * wall) * speckle * (1.1 - 0.5 * depth)));
      const flow = Math.hypot(x * 1.4, row / rows - 0.55) < 0.16 ? pulse : 0;
      const at = (row * columns + column) * 3;
      pixels[at] = flow > 0.1 ? 90 + 160 * flow : flow < -0.1 ? 20 : echo;
      pixels[at + 1] = Math.abs(flow) > 0.1 ? 40 : echo;
      pixels[at + 2] = flow < -0.1 ? 90 - 160 * flow : flow > 0.1 ? 20 : echo;
    }
  return pixels;
}

/** Paints the ellipses in order, row by row, onto a ground of one value. */
function paint({ rows, columns }: Matrix, ground: number, ellipses: readonly Ellipse[]): Float32Array {
  const picture = new Float32Array(rows * columns).fill(ground);
  for (const ellipse of ellipses)
    if (ellipse.halfWidth > 0 && ellipse.halfHeight > 0) paintOne(picture, { rows, columns }, ellipse);
  return picture;
}

function paintOne(picture: Float32Array, { rows, columns }: Matrix, ellipse: Ellipse): void {
  const turn = ((ellipse.degrees ?? 0) * Math.PI) / 180;
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const a = 1 / ellipse.halfWidth ** 2;
  const b = 1 / ellipse.halfHeight ** 2;
  // The ellipse on one row, as q2·x² + q1·x + q0 ≤ 0 with x measured from the centre.
  const q2 = a * cos * cos + b * sin * sin;
  for (let row = 0; row < rows; row += 1) {
    const y = (row / (rows - 1)) * 2 - 1 - ellipse.y;
    const q1 = 2 * cos * sin * y * (a - b);
    const q0 = (a * sin * sin + b * cos * cos) * y * y - 1;
    const root = q1 * q1 - 4 * q2 * q0;
    if (root < 0) continue;
    const toColumn = (x: number) => ((x + ellipse.x + 1) / 2) * (columns - 1);
    const from = Math.max(0, Math.ceil(toColumn((-q1 - Math.sqrt(root)) / (2 * q2))));
    const to = Math.min(columns - 1, Math.floor(toColumn((-q1 + Math.sqrt(root)) / (2 * q2))));
    if (from <= to) picture.fill(ellipse.value, row * columns + from, row * columns + to + 1);
  }
}

/** A 3 × 3 mean in place of the scanner's point spread; edges are no steps in a real picture. */
function smooth(picture: Float32Array, { rows, columns }: Matrix): Float32Array {
  const out = new Float32Array(picture);
  for (let row = 1; row < rows - 1; row += 1)
    for (let at = row * columns + 1; at < (row + 1) * columns - 1; at += 1) {
      let sum = 0;
      for (let line = at - columns; line <= at + columns; line += columns)
        sum += (picture[line - 1] as number) + (picture[line] as number) + (picture[line + 1] as number);
      out[at] = sum / 9;
    }
  return out;
}

function toInt16(
  picture: Float32Array,
  deviation: number,
  seed: number,
  low: number,
  high: number,
): Int16Array {
  const random = randomOf(seed);
  const pixels = new Int16Array(picture.length);
  let at = 0;
  for (let i = 0; i < picture.length; i += 1) {
    if ((i & 1023) === 0) at = Math.floor(random() * NOISE_SIZE); // another place of the table now and then
    const value = Math.round(
      (picture[i] as number) + deviation * (NOISE[(at + i) & (NOISE_SIZE - 1)] as number),
    );
    pixels[i] = Math.max(low, Math.min(high, value));
  }
  return pixels;
}
