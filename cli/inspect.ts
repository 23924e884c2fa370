/** `isocenter inspect`: what an ingest would reject and why, from the files alone; nothing is uploaded. */
import { open } from 'node:fs/promises';
import type { ByteSource } from '../shared/dicom/byte-source.ts';
import { inspectObject, type Verdict } from '../shared/ingest/inspect.ts';
import { OUTCOMES } from '../shared/ingest/outcomes.ts';
import { EXIT, oneLine } from './errors.ts';
import { count, progressLine } from './progress.ts';
import { table, wrap } from './table.ts';
import type { Terminal } from './terminal.ts';
import { type PlannedFile, planUpload } from './upload/plan-upload.ts';

export interface InspectOptions {
  readonly profile?: 'current' | '2024';
  readonly json?: boolean;
}

interface Inspected {
  readonly path: string;
  readonly verdict: 'accepted' | 'rejected' | 'unreadable';
  readonly code?: string;
  readonly message?: string;
  readonly advice?: string;
  readonly warnings?: readonly { readonly code: string; readonly message: string }[];
  readonly sopInstanceUID?: string;
  readonly seriesInstanceUID?: string;
  readonly studyInstanceUID?: string;
  readonly transferSyntaxUID?: string;
  readonly modality?: string;
  readonly frames?: number;
}

const AT_A_TIME = 8;

/** Exit code: 1 when a file cannot be read, else 2 when one would be rejected (benign aside), else 0. */
export async function inspect(
  paths: readonly string[],
  options: InspectOptions,
  terminal: Terminal,
): Promise<number> {
  const plan = planUpload(paths, '.');
  for (const { path, why } of plan.skipped) terminal.say(`skipped: ${path}: ${why}`);
  const results = await inspectAll(plan.files, options.profile ?? 'current', terminal);
  if (options.json)
    terminal.result(JSON.stringify(documentOf(results, options.profile ?? 'current'), null, 2));
  else for (const line of summaryLines(results, terminal)) terminal.result(line);
  const unreadable =
    plan.skipped.some(({ isProblem }) => isProblem) ||
    results.some(({ verdict }) => verdict === 'unreadable');
  if (unreadable) return EXIT.failed;
  return results.some((result) => result.verdict === 'rejected' && !isBenign(result.code))
    ? EXIT.refused
    : EXIT.ok;
}

async function inspectAll(
  files: readonly PlannedFile[],
  profile: 'current' | '2024',
  terminal: Terminal,
): Promise<Inspected[]> {
  const results = new Array<Inspected>(files.length);
  const started = Date.now();
  let next = 0;
  let done = 0;
  const worker = async () => {
    for (let index = next++; index < files.length; index = next++) {
      const file = files[index] as PlannedFile;
      results[index] = await inspectFile(file, profile);
      done += 1;
      terminal.progress(progressLine('inspect', done, files.length, (Date.now() - started) / 1000));
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  terminal.endProgress();
  return results;
}

async function inspectFile(file: PlannedFile, profile: 'current' | '2024'): Promise<Inspected> {
  const path = file.path.toString();
  try {
    const handle = await open(file.path, 'r');
    try {
      const { size } = await handle.stat();
      return inspectedOf(
        path,
        await inspectObject(fileSource(handle, size), { key: file.key.slice(2), profile }),
      );
    } finally {
      await handle.close();
    }
  } catch (error) {
    return { path, verdict: 'unreadable', message: oneLine(error).replace(/^.*: /, '') };
  }
}

/** Ranged reads of an open file. */
function fileSource(handle: Awaited<ReturnType<typeof open>>, sizeBytes: number): ByteSource {
  return {
    sizeBytes,
    async read(start, end) {
      const bytes = new Uint8Array(Math.max(0, Math.min(end, sizeBytes) - start));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
      return bytes.subarray(0, bytesRead);
    },
  };
}

function inspectedOf(path: string, verdict: Verdict): Inspected {
  const uids = {
    ...(verdict.sopInstanceUID === undefined ? {} : { sopInstanceUID: verdict.sopInstanceUID }),
    ...(verdict.seriesInstanceUID === undefined ? {} : { seriesInstanceUID: verdict.seriesInstanceUID }),
    ...(verdict.studyInstanceUID === undefined ? {} : { studyInstanceUID: verdict.studyInstanceUID }),
    ...(verdict.transferSyntaxUID === undefined ? {} : { transferSyntaxUID: verdict.transferSyntaxUID }),
  };
  if (verdict.verdict === 'rejected')
    return {
      path,
      verdict: 'rejected',
      code: verdict.code,
      message: verdict.message,
      advice: OUTCOMES[verdict.code].advice,
      ...uids,
    };
  const { modality, frames, warnings } = verdict;
  return {
    path,
    verdict: 'accepted',
    ...uids,
    ...(modality === undefined ? {} : { modality }),
    frames,
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

function isBenign(code: string | undefined): boolean {
  return (OUTCOMES as Record<string, { benign: boolean }>)[code ?? '']?.benign === true;
}

function byCode(results: readonly Inspected[]): [string, Inspected[]][] {
  const groups = new Map<string, Inspected[]>();
  for (const result of results)
    if (result.verdict !== 'accepted') {
      const code = result.code ?? 'Unreadable';
      groups.set(code, [...(groups.get(code) ?? []), result]);
    }
  return [...groups].sort(([, a], [, b]) => b.length - a.length);
}

function documentOf(results: readonly Inspected[], profile: string) {
  return {
    schema: 'isocenter.inspection/1',
    profile,
    counts: {
      inspected: results.length,
      accepted: results.filter(({ verdict }) => verdict === 'accepted').length,
      rejected: results.filter(({ verdict }) => verdict === 'rejected').length,
      unreadable: results.filter(({ verdict }) => verdict === 'unreadable').length,
    },
    rejects: Object.fromEntries(byCode(results).map(([code, group]) => [code, group.length])),
    files: results,
  };
}

function summaryLines(results: readonly Inspected[], { colours, columns }: Terminal): string[] {
  const width = Math.max(40, Math.min(110, columns) - 6);
  const rejected = results.filter(({ verdict }) => verdict !== 'accepted');
  const lines = table(
    [
      ['inspected', count(results.length)],
      ['would be accepted', count(results.length - rejected.length)],
      ['would be rejected', rejected.length > 0 ? colours.yellow(count(rejected.length)) : '0'],
    ],
    { right: [1] },
  );
  for (const [code, group] of byCode(results)) {
    lines.push(
      '',
      `${colours.bold(colours.yellow(code))}  ${count(group.length)}${isBenign(code) ? ' (benign)' : ''}`,
    );
    for (const { path, message } of group.slice(0, 5))
      lines.push(...wrap(`${path}: ${message ?? ''}`, width).map((line) => `  ${line}`));
    if (group.length > 5) lines.push(`  and ${count(group.length - 5)} more`);
    const advice = group[0]?.advice;
    if (advice) lines.push(...wrap(`→ ${advice}`, width).map((line) => colours.dim(`  ${line}`)));
  }
  const warnings = results.flatMap((result) => result.warnings ?? []);
  if (warnings.length > 0) {
    const counts = new Map<string, number>();
    for (const { code } of warnings) counts.set(code, (counts.get(code) ?? 0) + 1);
    lines.push('', 'Warnings on accepted files', ...[...counts].map(([code, n]) => `  ${code}  ${count(n)}`));
  }
  return lines;
}
