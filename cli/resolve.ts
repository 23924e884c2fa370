/**
 * `isocenter resolve`: a person's decision about the image sets of a series, or about what was held back from it,
 * recorded with who and why; and its undo. Across differing patients both are shown, and a second yes is asked for.
 */
import { userInfo } from 'node:os';
import { UID_FORM } from '../shared/dicom/constraints.ts';
import type { MergeDeps } from '../shared/ingest/merge-journal.ts';
import {
  type HeldView,
  type Released,
  releaseAsOnePatient,
  releaseAsOtherPatients,
  viewHeld,
} from '../shared/ingest/release-held.ts';
import { replaceInstances } from '../shared/ingest/replace-instances.ts';
import type { HumanDecision } from '../shared/ingest/resolutions.ts';
import { CannotResolve, keepApart, mergeInto, viewSeries } from '../shared/ingest/resolve-series.ts';
import { undoMerges } from '../shared/ingest/undo-merge.ts';
import { CommandFailed, EXIT, UsageError } from './errors.ts';
import { plural } from './progress.ts';
import { askAgain, identityLines, showSeries } from './resolve-ask.ts';
import { connectForMerging, type MergingOptions } from './resolve-deps.ts';
import type { Terminal } from './terminal.ts';

export interface ResolveOptions extends MergingOptions {
  readonly show?: boolean;
  readonly values?: boolean;
  readonly keepApart?: boolean;
  readonly mergeInto?: string;
  readonly patient?: string;
  readonly replace?: string;
  readonly undo?: string;
  readonly reason?: string;
  readonly yes?: boolean;
}

interface Run {
  readonly deps: MergeDeps;
  readonly series: string;
  readonly options: ResolveOptions;
  readonly by: HumanDecision;
  /** Names the decision as an execution is named. */
  readonly resolutionId: string;
  readonly terminal: Terminal;
}

/** Each option is a decision of its own; one is wanted. */
const DECISIONS = {
  show,
  keepApart: apart,
  mergeInto: merge,
  patient: onePatient,
  replace,
  undo,
} as const satisfies Partial<Record<keyof ResolveOptions, (run: Run) => Promise<number>>>;

type Decision = keyof typeof DECISIONS;

export async function resolve(
  series: string | undefined,
  options: ResolveOptions,
  terminal: Terminal,
): Promise<number> {
  const given = (Object.keys(DECISIONS) as Decision[]).filter((name) => options[name] !== undefined);
  const [decision] = given;
  if (decision === undefined || given.length > 1)
    throw new UsageError(
      'give one of --show, --keep-apart, --merge-into ID, --patient LABEL, --replace SOP and --undo EXECUTION',
    );
  if (decision !== 'show' && !options.reason?.trim())
    throw new UsageError('--reason: expected a text, got none; it is recorded');
  if (decision !== 'undo' && series === undefined)
    throw new UsageError('SERIES: expected a Series Instance UID, got none');
  if (series !== undefined && !UID_FORM.usable.test(series))
    throw new UsageError('SERIES: expected a Series Instance UID of digits and dots');
  const now = new Date();
  const by = { actor: userInfo().username, reason: options.reason ?? '', at: now.toISOString() };
  const resolutionId = `resolve-${now.getTime().toString(36)}`;
  const { deps, close } = await connectForMerging(options, terminal);
  try {
    return await DECISIONS[decision]({ deps, series: series ?? '', options, by, resolutionId, terminal });
  } catch (error) {
    if (error instanceof CannotResolve) throw new CommandFailed(error.message, { cause: error });
    throw error;
  } finally {
    await close();
  }
}

async function show({ deps, series, options, terminal }: Run): Promise<number> {
  const view = await viewSeries(deps, series);
  const held = await viewHeld(deps, series);
  if (view.imageSets.length === 0 && !held)
    throw new CommandFailed(`series ${series}: no image set holds it, and nothing waits for a decision`);
  for (const line of showSeries(view, held)) terminal.result(line);
  if (options.values) {
    const all = [...view.imageSets, ...(held?.patients ?? [])].map(({ identity }) => identity);
    for (const line of identityLines(all)) terminal.say(line);
  }
  return EXIT.ok;
}

/** Nothing merges by itself any more; what was held as another patient's may come in, where it stays apart. */
async function apart({ deps, series, by, resolutionId, terminal }: Run): Promise<number> {
  await keepApart(deps, series, by);
  terminal.result(`series ${series}: nothing merges its image sets by itself any more`);
  const held = await viewHeld(deps, series);
  if (!held) return EXIT.ok;
  try {
    const released = await releaseAsOtherPatients(deps, { series, seen: labelsIn(held), resolutionId }, by);
    terminal.result(`${backInInbox(released)}; they become image sets of their own`);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof CannotResolve)) throw error;
    terminal.result(`what is held back stays so: ${error.message}`);
    return EXIT.refused;
  }
}

const labelsIn = ({ patients }: HeldView): string[] => patients.map(({ label }) => label);

async function onePatient({ deps, series, options, by, resolutionId, terminal }: Run): Promise<number> {
  const held = await viewHeld(deps, series);
  if (!held) throw new CommandFailed(`series ${series}: nothing waits for a decision about its patients`);
  const label = options.patient ?? '';
  const identities = held.patients.map(({ identity }) => identity);
  await askAgain(identities, held.keywords, `one patient, and ${label} is right`, options, terminal);
  const released = await releaseAsOnePatient(deps, { series, seen: labelsIn(held), label, resolutionId }, by);
  terminal.result(
    `${backInInbox(released)}; ${released.corrected} stored image sets were corrected. ${undoWith(resolutionId)}`,
  );
  return EXIT.ok;
}

const backInInbox = ({ retried }: Released): string => {
  const restored = retried.reduce((n, one) => n + one.restored, 0);
  return `${plural(restored, 'object')} back in the inbox, as upload ${[...new Set(retried.map((one) => one.upload))].join(', ')}`;
};

const undoWith = (id: string) => `Undo with: isocenter resolve --undo ${id} --reason TEXT`;

async function undo({ deps, options, by, terminal }: Run): Promise<number> {
  const execution = options.undo ?? '';
  const undone = await undoMerges(deps, execution, by);
  if (undone.length === 0) throw new CommandFailed(`execution ${execution} merged nothing`);
  for (const { seriesInstanceUID, isUndone, says } of undone)
    terminal.result(`series ${seriesInstanceUID}: ${isUndone ? 'undone' : 'not undone'}: ${says}`);
  return undone.every(({ isUndone }) => isUndone) ? EXIT.ok : EXIT.failed;
}

async function replace({ deps, series, options, by, terminal }: Run): Promise<number> {
  const sop = options.replace ?? '';
  const [retried] = (await replaceInstances(deps, series, new Map([[sop, undefined]]), by)) ?? [];
  if (!retried)
    throw new CommandFailed(`no refused object under SOP Instance UID ${sop} waits for a decision`);
  if (retried.restored === 0)
    throw new CommandFailed(`upload ${retried.upload}: the inbox has another object under this key`);
  terminal.result(
    `the refused object is back in the inbox, as upload ${retried.upload}; once it is proven, the stored instance gives way to it`,
  );
  return EXIT.ok;
}

async function merge({ deps, series, options, by, resolutionId, terminal }: Run): Promise<number> {
  const destination = options.mergeInto ?? '';
  const view = await viewSeries(deps, series);
  if (view.imageSets.length === 0) throw new CommandFailed(`series ${series}: no image set holds it`);
  if (view.identityKeywords.length > 0) {
    const identities = view.imageSets.map(({ identity }) => identity);
    const question = `one patient, and that of image set ${destination} is right`;
    await askAgain(identities, view.identityKeywords, question, options, terminal);
  }
  const outcome = await mergeInto(deps, { series, destination, resolutionId }, by);
  const [report] = outcome.reports;
  if (report?.outcome !== 'merged')
    throw new CommandFailed(`series ${series}: ${report?.reason ?? 'not merged'}; nothing was deleted`);
  terminal.result(
    `series ${series}: ${report.instances} instances are in image set ${report.destination} now; ` +
      `the sources stay for a week. ${undoWith(resolutionId)}`,
  );
  return EXIT.ok;
}
