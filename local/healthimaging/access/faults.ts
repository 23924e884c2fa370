/**
 * Faults on demand, for tests of clients: by a file of rules, or for one request by the header `x-isocenter-fault`.
 * Each rule draws from its own seeded numbers, so that a run can be had again.
 */
import { readFileSync } from 'node:fs';
import { isFalseMetadata } from './false-metadata.ts';

export const FAULTS = {
  throttle: 'answers ThrottlingException (429)',
  error: 'answers InternalServerException (500)',
  unavailable: 'answers ServiceUnavailableException (503)',
  conflict: 'answers ConflictException (409): metadata is not consistent yet',
  slow: 'answers after `milliseconds` (default 1,000)',
  corruptFrame: 'GetImageFrame: one byte in the middle of the frame is another',
  missingFrame: 'GetImageFrame answers ResourceNotFoundException (404)',
  swappedFrames: 'GetImageSetMetadata: the first two frames of an instance are exchanged',
  changedChecksum: 'GetImageSetMetadata: the checksum of the first frame is another',
  unlistedFrame: 'GetImageSetMetadata: the last frame of an instance is not listed',
  lostFrames: 'GetImageSetMetadata: an instance lists no frames',
  missingInstance: 'GetImageSetMetadata: an instance is not listed',
  exchangedRows: 'GetImageSetMetadata: Rows and Columns of an instance are exchanged',
  flippedSign: 'GetImageSetMetadata: PixelRepresentation of an instance is the other one',
  otherPrecision: 'GetImageSetMetadata: BitsStored and HighBit of an instance are one less',
  otherColours: 'GetImageSetMetadata: PhotometricInterpretation of an instance is another',
  otherSamples: 'GetImageSetMetadata: an instance is colour instead of grey, or grey instead of colour',
  jobFailed: 'the import job ends FAILED',
  lateManifest: 'the manifest appears `milliseconds` (default 1,000) after COMPLETED',
  missingManifestLine: 'the last line of success.ndjson is missing',
} as const;
export type FaultName = keyof typeof FAULTS;

export interface FaultRule {
  readonly fault: FaultName;
  /** Only this operation; all that the fault suits otherwise. */
  readonly operation?: string;
  /** 0 to 1, default 1. */
  readonly probability?: number;
  /** At most so many times. */
  readonly times?: number;
  readonly milliseconds?: number;
}

export interface FaultPlan {
  readonly seed?: number;
  readonly faults: readonly FaultRule[];
}

export interface Fault {
  readonly name: FaultName;
  readonly milliseconds: number;
}

export interface Faults {
  /** What goes wrong with this call, most often nothing. */
  of(operation: string, header: string | undefined): Fault[];
}

const JOB_FAULTS: readonly FaultName[] = ['jobFailed', 'lateManifest', 'missingManifestLine'];
const DEFAULT_MILLISECONDS = 1_000;

const FRAME_FAULTS: readonly FaultName[] = ['corruptFrame', 'missingFrame'];

/** Job faults strike the start of a job, those of frames and metadata the call that gives these. */
function suits(fault: FaultName, operation: string): boolean {
  if (JOB_FAULTS.includes(fault)) return operation === 'StartDICOMImportJob';
  if (isFalseMetadata(fault)) return operation === 'GetImageSetMetadata';
  return !FRAME_FAULTS.includes(fault) || operation === 'GetImageFrame';
}

/** Throws with the place for a plan that is none. */
export function readFaultPlan(file: string): FaultPlan {
  return parseFaultPlan(JSON.parse(readFileSync(file, 'utf8')), file);
}

export function parseFaultPlan(json: unknown, where: string): FaultPlan {
  const { seed, faults } = (json ?? {}) as Partial<FaultPlan>;
  if (!Array.isArray(faults)) throw new Error(`${where}: faults: expected a list of rules`);
  faults.forEach((rule, i) => {
    const name = (rule as FaultRule | null)?.fault;
    if (!name || !Object.hasOwn(FAULTS, name)) {
      throw new Error(`${where}: faults[${i}].fault: expected one of ${Object.keys(FAULTS).join(', ')}`);
    }
  });
  return { faults, ...(seed !== undefined && { seed }) };
}

export function createFaults(plan: FaultPlan): Faults {
  const rules = plan.faults.map((rule, i) => ({
    rule,
    random: seeded((plan.seed ?? 1) * 7919 + i),
    left: rule.times ?? Number.POSITIVE_INFINITY,
  }));
  return {
    of(operation, header) {
      const found: Fault[] = [];
      for (const state of rules) {
        const { fault, operation: only, probability = 1, milliseconds = DEFAULT_MILLISECONDS } = state.rule;
        if (only !== undefined && only !== operation) continue;
        if (!suits(fault, operation) || state.left <= 0 || state.random() >= probability) continue;
        state.left--;
        found.push({ name: fault, milliseconds });
      }
      return [...found, ...fromHeader(operation, header)];
    },
  };
}

/** `x-isocenter-fault: slow=250, conflict`. Unknown names are left alone. */
function fromHeader(operation: string, header: string | undefined): Fault[] {
  return (header ?? '').split(',').flatMap((part) => {
    const [name = '', milliseconds] = part.trim().split('=');
    if (!Object.hasOwn(FAULTS, name) || !suits(name as FaultName, operation)) return [];
    const wait = Number(milliseconds);
    return [
      {
        name: name as FaultName,
        milliseconds: Number.isFinite(wait) ? Math.min(wait, 60_000) : DEFAULT_MILLISECONDS,
      },
    ];
  });
}

/** Mulberry32: small, seeded, good enough to toss coins. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
