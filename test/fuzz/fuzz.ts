/** The fuzzer's loop: seeded inputs from the corpus and from generated objects, through one target. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type WriteElements, writeP10 } from '../../shared/dicom/write.ts';
import { BOMBS } from './bombs.ts';
import { mutate } from './mutations.ts';
import { randomOf } from './random.ts';
import { BATCH_TARGETS, type BatchTarget, TARGETS, type Target } from './targets.ts';

/** Bigger files of the corpus make slow runs, and no others. */
const LARGEST_SEED_BYTES = 160_000;

const elements: WriteElements = {
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.7',
  SOPInstanceUID: '1.2.3.4',
  StudyInstanceUID: '1.2.3',
  SeriesInstanceUID: '1.2.3.1',
  PatientName: 'Müller^Jürg=山田',
  PatientID: 'P1',
  DerivationCodeSequence: [{ CodeValue: 'A', PurposeOfReferenceCodeSequence: [{ CodeValue: 'B' }] }, {}],
  Rows: 2,
  Columns: 2,
  BitsAllocated: 16,
  NumberOfFrames: '1',
  '00090010': { vr: 'LO', value: 'ISOCENTER' },
  '00091001': { vr: 'SQ', value: [{ PatientID: 'x' }] },
};

/** Sound objects to break: one for each encoding, and the small files below `corpus`. */
export function seedsOf(corpus: string | undefined): Uint8Array[] {
  const seeds: Uint8Array[] = [];
  for (const suffix of ['', '.1', '.1.99', '.2', '.5', '.4.90'])
    for (const undefinedLengths of [false, true]) {
      const isNative = !/^\.[45]/.test(suffix);
      const pixelData = isNative ? new Uint8Array(8) : { fragments: [new Uint8Array(6), new Uint8Array(2)] };
      const transferSyntaxUID = `1.2.840.10008.1.2${suffix}`;
      seeds.push(writeP10({ transferSyntaxUID, elements, pixelData, undefinedLengths }));
    }
  for (const entry of corpus ? readdirSync(corpus, { recursive: true, withFileTypes: true }) : []) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && /\.dcm$/.test(path) && statSync(path).size < LARGEST_SEED_BYTES)
      seeds.push(new Uint8Array(readFileSync(path)));
  }
  return seeds;
}

/** The input of one run: a bomb now and then, else a broken seed. */
export function inputOf(seeds: readonly Uint8Array[], seed: number, run: number): Uint8Array {
  const random = randomOf(seed, run);
  if (random.below(25) === 0) return random.pick(BOMBS)(random);
  return mutate(random.pick(seeds), random, random.pick(seeds));
}

export interface FuzzReport {
  readonly target: string;
  readonly seed: number;
  readonly runs: number;
  /** How often each code came out. */
  readonly codes: Record<string, number>;
  readonly slowest: { readonly run: number; readonly milliseconds: number; readonly bytes: number };
  readonly findings: readonly { readonly run: number; readonly problem: string }[];
  readonly seconds: number;
  readonly peakMegabytes: number;
}

interface FuzzOptions {
  readonly target: string;
  readonly seed: number;
  readonly runs: number;
  readonly from?: number;
  readonly corpus?: string | undefined;
  /** Told the number of each run (of a batch: its first) before its input is tried. */
  readonly onRun?: (run: number) => void;
}

interface Input {
  readonly run: number;
  readonly bytes: Uint8Array;
}

/** Runs `from` to `from + runs`. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { size, target } = await openTarget(options.target);
  const seeds = seedsOf(options.corpus);
  const codes: Record<string, number> = {};
  const findings: { run: number; problem: string }[] = [];
  let slowest = { run: 0, milliseconds: 0, bytes: 0 };
  const start = performance.now();
  const from = options.from ?? 0;
  for (let run = from; run < from + options.runs; run += size) {
    options.onRun?.(run);
    const count = Math.min(size, from + options.runs - run);
    const inputs = Array.from({ length: count }, (_, at) => ({
      run: run + at,
      bytes: inputOf(seeds, options.seed, run + at),
    }));
    const before = performance.now();
    const answers = await target.run(inputs);
    answers.forEach((code, at) => {
      codes[code] = (codes[code] ?? 0) + 1;
      if (code.startsWith('!')) findings.push({ run: run + at, problem: code });
    });
    const milliseconds = Math.round(performance.now() - before);
    if (milliseconds > slowest.milliseconds)
      slowest = { run, milliseconds, bytes: inputs[0]?.bytes.length ?? 0 };
  }
  await target.close();
  return {
    target: options.target,
    seed: options.seed,
    runs: options.runs,
    codes,
    slowest,
    findings,
    seconds: Math.round((performance.now() - start) / 100) / 10,
    peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

async function openTarget(name: string): Promise<{ readonly size: number; readonly target: BatchTarget }> {
  const batch = BATCH_TARGETS[name];
  if (batch) return { size: batch.size, target: await batch.open() };
  const single = TARGETS[name];
  if (single) return { size: 1, target: oneByOne(single) };
  const known = [...Object.keys(TARGETS), ...Object.keys(BATCH_TARGETS)].join(', ');
  throw new Error(`expected a target of ${known}, got ${name}`);
}

/** Whatever a target throws is a finding. */
function oneByOne(target: Target): BatchTarget {
  const tryOne = async ({ run, bytes }: Input) => {
    try {
      return await target(bytes, run);
    } catch (error) {
      return `!${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    }
  };
  return { run: (inputs) => Promise.all(inputs.map(tryOne)), close: async () => {} };
}
