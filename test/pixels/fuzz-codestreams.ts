/**
 * Damaged codestreams through the pool: each is verified only when its pixels are the true ones, else it is reported;
 * none outlives its deadline. bench/fuzz-codestreams.mjs runs this at length, codestream-fuzz.test.ts a slice.
 */
import { createCodecPool } from '../../shared/pixels/codec-pool.ts';
import { CodecError } from '../../shared/pixels/errors.ts';
import type { ImageDescription } from '../../shared/pixels/frames.ts';
import { judgeFrame } from '../../shared/pixels/judge-frame.ts';
import { describeImage, randomPixels } from './material.ts';
import { mutate } from './mutations.ts';

const HTJ2K = '1.2.840.10008.1.2.4.202';

const KINDS: readonly ImageDescription[] = [
  describeImage({ rows: 120, columns: 97, bitsStored: 16, signed: true }),
  describeImage({ rows: 64, columns: 200, bitsStored: 12 }),
  describeImage({ rows: 70, columns: 70, bitsStored: 8, signed: true }),
  describeImage({
    rows: 150,
    columns: 66,
    bitsStored: 8,
    samplesPerPixel: 3,
    photometricInterpretation: 'RGB',
  }),
  describeImage({
    rows: 66,
    columns: 80,
    bitsStored: 8,
    samplesPerPixel: 3,
    photometricInterpretation: 'YBR_FULL',
  }),
  describeImage({
    rows: 40,
    columns: 40,
    bitsStored: 16,
    samplesPerPixel: 3,
    photometricInterpretation: 'RGB',
  }),
  describeImage({ rows: 33, columns: 90, bitsStored: 1 }),
];

export interface FuzzReport {
  readonly inputs: number;
  /** Damage that did not reach the pixels: verified, and truly equal. */
  readonly equal: number;
  readonly mismatched: number;
  /** By code of the CodecError. */
  readonly refused: Readonly<Record<string, number>>;
  /** Seeds of inputs that were verified although their pixels differ: must be empty. */
  readonly wronglyVerified: readonly number[];
  /** Seeds of inputs that ended in anything but a CodecError: must be empty. */
  readonly otherErrors: readonly number[];
  readonly slowestMs: number;
  readonly residentAtStart: number;
  readonly residentAtEnd: number;
}

/** Resident memory, with the given share of the inputs done as warm-up before the first reading. */
export async function fuzzCodestreams(options: {
  readonly inputs: number;
  readonly seed: number;
  readonly deadlineMs: number;
  readonly workers: number;
}): Promise<FuzzReport> {
  const pool = createCodecPool({ workers: options.workers, deadlineMs: options.deadlineMs });
  const sound = await Promise.all(
    KINDS.map(async (description, index) => {
      const pixels = randomPixels(description, index + 1);
      const { codestream, checksums } = await pool.encode(pixels, description);
      return { description, pixels, codestream, checksums };
    }),
  );
  const counts = { equal: 0, mismatched: 0, slowestMs: 0 };
  const refused: Record<string, number> = {};
  const [wronglyVerified, otherErrors]: [number[], number[]] = [[], []];

  async function one(seed: number): Promise<void> {
    const truth = sound[seed % sound.length]!;
    const { bytes } = mutate(truth.codestream, seed);
    const started = performance.now();
    try {
      const proof = await pool.verify(bytes);
      const { rows, columns, samplesPerPixel, bitsStored, signed } = truth.description;
      const expected = { checksums: truth.checksums, rows, columns, samplesPerPixel, bitsStored, signed };
      if (judgeFrame(proof, expected).length > 0) counts.mismatched++;
      else if (await isTrue(bytes, truth)) counts.equal++;
      else wronglyVerified.push(seed);
    } catch (error) {
      if (error instanceof CodecError) refused[error.code] = (refused[error.code] ?? 0) + 1;
      else otherErrors.push(seed);
    }
    counts.slowestMs = Math.max(counts.slowestMs, performance.now() - started);
  }

  async function isTrue(bytes: Uint8Array, truth: (typeof sound)[number]): Promise<boolean> {
    const decoded = await pool.decode(bytes, HTJ2K, truth.description);
    return Buffer.compare(decoded.pixels, truth.pixels) === 0;
  }

  const warmUp = Math.ceil(options.inputs / 10);
  let residentAtStart = 0;
  for (let index = 0; index < options.inputs; index += options.workers) {
    if (residentAtStart === 0 && index >= warmUp) residentAtStart = process.memoryUsage.rss();
    const batch = Array.from(
      { length: Math.min(options.workers, options.inputs - index) },
      (_, at) => index + at,
    );
    await Promise.all(batch.map((at) => one(options.seed + at)));
  }
  const residentAtEnd = process.memoryUsage.rss();
  await pool.close();
  return {
    inputs: options.inputs,
    ...counts,
    refused,
    wronglyVerified,
    otherErrors,
    residentAtStart,
    residentAtEnd,
  };
}
