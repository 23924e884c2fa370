/** `isocenter verify`: proves again what a data store holds, frame by frame; nothing is changed but, with `--tag`, tags. */
import { healthImagingService } from '../shared/adapters/healthimaging-service.ts';
import { missingOf, seriesLedgers } from '../shared/ingest/missing-image-sets.ts';
import { verifyImageSets, type WalkedImageSet } from '../shared/ingest/verify-datastore.ts';
import type { VerifyProblem } from '../shared/ingest/verify-image-set.ts';
import { createCodecPool } from '../shared/pixels/codec-pool.ts';
import { systemClock } from '../shared/ports/clock.ts';
import type { ImageSetLister, ImagingService } from '../shared/ports/imaging-service.ts';
import { CommandFailed, oneLine } from './errors.ts';
import { progressLine } from './progress.ts';
import type { Terminal } from './terminal.ts';
import {
  accountLines,
  addImageSet,
  exitCodeOfAccount,
  newAccount,
  type VerifyAccount,
} from './verify-account.ts';
import { appendDone, readDone } from './verify-resume.ts';
import { knowledgeOf, type VerifyTarget, type VerifyTargetOptions, verifyTarget } from './verify-target.ts';

export interface VerifyOptions extends VerifyTargetOptions {
  readonly imageSet?: string;
  readonly series?: string;
  readonly study?: string;
  /** Percent. */
  readonly sample: number;
  readonly seed: string;
  readonly resume?: string;
  /** Tags image sets that differ. */
  readonly tag?: boolean;
  readonly json?: boolean;
}

export async function verify(
  datastore: string | undefined,
  options: VerifyOptions,
  terminal: Terminal,
): Promise<number> {
  const target = await verifyTarget(datastore, options, terminal);
  try {
    const account = await verified(target, options, terminal);
    terminal.endProgress();
    if (options.json) terminal.result(JSON.stringify(account, null, 2));
    else for (const line of accountLines(account, terminal)) terminal.result(line);
    return exitCodeOfAccount(account);
  } finally {
    await target.close();
  }
}

async function verified(
  target: VerifyTarget,
  options: VerifyOptions,
  terminal: Terminal,
): Promise<VerifyAccount> {
  const { datastoreId, client, ledger } = target;
  const scope = { datastoreId, percent: options.sample, seed: options.seed };
  const account = newAccount({ ...scope, comparedWithLedger: ledger !== undefined });
  const done = options.resume === undefined ? undefined : await readDone(options.resume, scope);
  const imaging = healthImagingService(client, { datastoreId, dataAccessRoleArn: '' });
  const startedAt = Date.now();
  const elapsed = () => (Date.now() - startedAt) / 1000;
  const seen = new Set<string>();

  async function* toDo(): AsyncGenerator<WalkedImageSet> {
    for await (const imageSet of imageSetsOf(imaging, options)) {
      seen.add(imageSet.imageSetId);
      const before = done?.get(imageSet.imageSetId);
      if (before?.versionId === imageSet.versionId && before.problems.length === 0) {
        addImageSet(account, before);
        account.resumed += 1;
      } else yield imageSet;
    }
  }

  const codecs = createCodecPool();
  try {
    await verifyImageSets(
      {
        imaging,
        codecs,
        clock: systemClock,
        ...(ledger ? knowledgeOf(ledger) : {}),
      },
      toDo(),
      scope,
      async ({ imageSetId, versionId }, result) => {
        if (!result) {
          account.deleted += 1;
          return;
        }
        addImageSet(account, result);
        if (options.tag && result.problems.length > 0) await tagUnverified(imaging, imageSetId);
        if (options.resume !== undefined)
          await appendDone(options.resume, { ...scope, imageSetId, versionId, ...result });
        terminal.progress(
          `${progressLine('verify', account.imageSets, seen.size, elapsed())}  ${account.counts.expected} frames`,
        );
      },
    );
  } catch (error) {
    throw failed(error, datastoreId);
  } finally {
    await codecs.close();
  }
  if (options.imageSet === undefined)
    for await (const problem of missingImageSets(target, imaging, options, seen))
      account.problems.push(problem);
  account.seconds = elapsed();
  return account;
}

/** As an ingest and the audit do; nothing is deleted. */
async function tagUnverified(imaging: ImagingService, imageSetId: string): Promise<void> {
  const imageSet = await imaging.imageSet(imageSetId);
  if (imageSet) await imaging.tag(imageSet.arn, { 'isocenter:unverified': 'true' });
}

function failed(error: unknown, datastoreId: string): unknown {
  const { name } = error as { name?: string };
  if (name === 'NotInDataStore')
    return new CommandFailed(`there is no data store ${datastoreId}`, { cause: error });
  return new CommandFailed(`data store ${datastoreId}: ${oneLine(error)}`, { cause: error });
}

async function* imageSetsOf(
  imaging: ImagingService & ImageSetLister,
  { imageSet, study, series }: VerifyOptions,
): AsyncGenerator<WalkedImageSet> {
  if (imageSet === undefined) {
    yield* imaging.listImageSets({
      ...(study === undefined ? {} : { studyInstanceUID: study }),
      ...(series === undefined ? {} : { seriesInstanceUID: series }),
    });
    return;
  }
  const found = await imaging.imageSet(imageSet);
  if (!found) throw new CommandFailed(`it holds no image set ${imageSet}`);
  yield found;
}

/** Image sets that the ledger knows, within what was asked for, and that the data store does not hold. */
async function* missingImageSets(
  { ledger }: VerifyTarget,
  imaging: ImagingService,
  { series, study }: VerifyOptions,
  seen: ReadonlySet<string>,
): AsyncGenerator<VerifyProblem> {
  if (!ledger) return;
  for await (const ledgerOfSeries of seriesLedgers(ledger)) {
    const { seriesInstanceUID, studyInstanceUID } = ledgerOfSeries;
    if (series !== undefined && seriesInstanceUID !== series) continue;
    if (study !== undefined && studyInstanceUID !== study) continue;
    yield* missingOf(imaging, ledgerOfSeries, (imageSetId) => seen.has(imageSetId));
  }
}
