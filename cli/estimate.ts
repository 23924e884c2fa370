/** `isocenter estimate`: what so many instances will ask of AWS and cost, from counted runs of the local world. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import countedRuns from '../shared/estimate/counted-runs.json' with { type: 'json' };
import { type CountedRun, type Estimate, estimate, type Workload } from '../shared/estimate/estimate.ts';
import { UNPRICED } from '../shared/estimate/prices.ts';
import { EXIT, UsageError } from './errors.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

export interface EstimateOptions {
  readonly instances?: number;
  readonly frames: number;
  readonly bytes?: number;
  readonly perUpload: number;
  readonly perSeries: number;
  readonly retentionDays: number;
  readonly healthimagingPrice?: number;
  readonly json?: boolean;
}

const DEFAULT_INSTANCES = 1_000_000;
/** A CT slice of 512 × 512, 16 bits. */
const DEFAULT_BYTES = 525_000;
const CURVE = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/** Files and bytes below a path. */
async function measure(path: string): Promise<{ files: number; bytes: number }> {
  const entry = await stat(path).catch(() => undefined);
  if (!entry) throw new UsageError(`no such file or folder: ${path}`);
  if (!entry.isDirectory()) return { files: 1, bytes: entry.size };
  let files = 0;
  let bytes = 0;
  for (const child of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!child.isFile()) continue;
    files++;
    bytes += (await stat(join(child.parentPath, child.name))).size;
  }
  return { files, bytes };
}

async function workloadOf(path: string | undefined, options: EstimateOptions): Promise<Workload> {
  const found = path === undefined ? undefined : await measure(path);
  const instances = options.instances ?? found?.files ?? DEFAULT_INSTANCES;
  if (instances < 1) throw new UsageError('expected at least one instance');
  return {
    instances,
    framesPerInstance: options.frames,
    bytesPerInstance: options.bytes ?? (found ? found.bytes / Math.max(1, found.files) : DEFAULT_BYTES),
    instancesPerUpload: options.perUpload,
    instancesPerSeries: options.perSeries,
    retentionDays: options.retentionDays,
    ...(options.healthimagingPrice === undefined ? {} : { healthImagingDollars: options.healthimagingPrice }),
  };
}

const number = (value: number) =>
  value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 2 : 0 }).replaceAll(',', ' ');
const dollars = (value: number) =>
  `$${value.toLocaleString('en-US', { maximumFractionDigits: value < 1 ? 4 : 2 })}`;
const hours = (value: number) => (value < 1 ? `${number(value * 60)} min` : `${number(value)} h`);

function show({ workload, lines, dollars: sum, quotas }: Estimate, curve: readonly Estimate[]): string[] {
  const { instances, framesPerInstance, bytesPerInstance } = workload;
  const [binding] = quotas;
  return [
    `${number(instances)} instances of ${framesPerInstance} frames and ${number(bytesPerInstance)} bytes`,
    '',
    ...table(
      lines.map((line) => [line.what, number(line.amount), line.unit, dollars(line.dollars)]),
      { right: [1, 3] },
    ),
    ...table([['together, with the first month', dollars(sum)]]),
    `unpriced: ${UNPRICED.join('; ')}`,
    '',
    'How long each quota alone makes it take:',
    ...table(quotas.filter((one) => one.hours > 0).map((one) => [`  ${one.quota}`, hours(one.hours)])),
    '',
    ...table(
      [
        ['instances', 'together', 'each 1,000', 'at least', 'because of'],
        ...curve.map((one) => [
          number(one.workload.instances),
          dollars(one.dollars),
          dollars((one.dollars / one.workload.instances) * 1000),
          hours(one.quotas[0]?.hours ?? 0),
          one.quotas[0]?.quota ?? '',
        ]),
      ],
      { right: [0, 1, 2, 3] },
    ),
    '',
    `List prices of US East (N. Virginia), free tiers left out (shared/estimate/prices.ts). ${binding ? `First to bind: ${binding.quota}.` : ''}`,
  ];
}

export async function estimateCost(
  path: string | undefined,
  options: EstimateOptions,
  terminal: Terminal,
): Promise<number> {
  const runs = countedRuns as readonly CountedRun[];
  const workload = await workloadOf(path, options);
  const result = estimate(runs, workload);
  const curve = CURVE.map((instances) => estimate(runs, { ...workload, instances }));
  if (options.json) terminal.result(JSON.stringify({ ...result, curve }, null, 2));
  else for (const line of show(result, curve)) terminal.result(line);
  return EXIT.ok;
}
