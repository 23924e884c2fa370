/**
 * `isocenter resolve`: a person's decision about the image sets of a series, recorded with who and why; and its undo.
 * Across differing patients both are shown, and a second yes is asked for.
 */
import { userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { MedicalImagingClient } from '@aws-sdk/client-medical-imaging';
import { healthImagingService } from '../shared/adapters/healthimaging-service.ts';
import { imageSetEditor } from '../shared/adapters/image-set-editor.ts';
import { stepFunctionsExecutions } from '../shared/adapters/step-functions-executions.ts';
import type { MergeDeps } from '../shared/ingest/merge-series.ts';
import type { HumanDecision } from '../shared/ingest/resolutions.ts';
import {
  allowReplacing,
  CannotResolve,
  findConflicting,
  keepApart,
  mergeInto,
  type SeriesView,
  viewSeries,
} from '../shared/ingest/resolve-series.ts';
import { retryObjects } from '../shared/ingest/retry-objects.ts';
import { undoMerges } from '../shared/ingest/undo-merge.ts';
import { systemClock } from '../shared/ports/clock.ts';
import {
  type ConnectOptions,
  connectToWorld,
  LOCAL_CREDENTIALS,
  type LocalDeployment,
} from './deployment.ts';
import { CommandFailed, EXIT, UsageError } from './errors.ts';
import type { Terminal } from './terminal.ts';

export interface ResolveOptions extends ConnectOptions {
  readonly keepApart?: boolean;
  readonly mergeInto?: string;
  readonly replace?: string;
  readonly undo?: string;
  readonly reason?: string;
  readonly yes?: boolean;
}

export async function resolve(
  series: string | undefined,
  options: ResolveOptions,
  terminal: Terminal,
): Promise<number> {
  const wanted = [options.keepApart, options.mergeInto, options.undo].filter(
    (choice) => choice !== undefined,
  );
  if (wanted.length !== 1)
    throw new UsageError('give one of --keep-apart, --merge-into ID, --replace SOP and --undo EXECUTION');
  if (!options.reason?.trim()) throw new UsageError('--reason: expected a text, got none; it is recorded');
  if (options.undo === undefined && series === undefined)
    throw new UsageError('SERIES: expected a Series Instance UID, got none');
  const deployment = await connectToWorld({ ...options, mustExist: true }, terminal);
  const by: HumanDecision = {
    actor: userInfo().username,
    reason: options.reason,
    at: new Date().toISOString(),
  };
  try {
    const deps = depsOf(deployment);
    if (options.undo !== undefined) return await undo(deps, options.undo, by, terminal);
    if (options.replace !== undefined)
      return await replace(deps, series ?? '', options.replace, by, terminal);
    if (options.mergeInto === undefined) {
      await keepApart(deps, series ?? '', by);
      terminal.result(`series ${series}: nothing merges its image sets by itself any more`);
      return EXIT.ok;
    }
    return await merge(deps, series ?? '', options.mergeInto, by, options.yes === true, terminal);
  } catch (error) {
    if (error instanceof CannotResolve) throw new CommandFailed(error.message, { cause: error });
    throw error;
  } finally {
    await deployment.close();
  }
}

async function undo(
  deps: MergeDeps,
  execution: string,
  by: HumanDecision,
  terminal: Terminal,
): Promise<number> {
  const undone = await undoMerges(deps, execution, by);
  if (undone.length === 0) throw new CommandFailed(`execution ${execution} merged nothing`);
  for (const { seriesInstanceUID, isUndone, says } of undone)
    terminal.result(`series ${seriesInstanceUID}: ${isUndone ? 'undone' : 'not undone'}: ${says}`);
  return undone.every(({ isUndone }) => isUndone) ? EXIT.ok : EXIT.failed;
}

/** Records the decision, then puts the refused object back into the inbox, where the next ingest takes it. */
async function replace(
  deps: MergeDeps,
  series: string,
  sop: string,
  by: HumanDecision,
  terminal: Terminal,
): Promise<number> {
  const found = await findConflicting(deps, series, sop);
  if (!found) throw new CommandFailed(`no refused object under SOP Instance UID ${sop} waits for a decision`);
  await allowReplacing(deps, series, sop, by);
  const { upload, restored } = await retryObjects(
    deps,
    found.executionId,
    'InstanceConflict',
    found.line.key,
  );
  if (restored === 0)
    throw new CommandFailed(`${found.line.key}: the inbox has another object under this key`);
  terminal.result(
    `${found.line.key} is back in the inbox, as upload ${upload}; its content takes the place of the stored one. ` +
      'In a data store of 2024 the older image set stays beside it.',
  );
  return EXIT.ok;
}

async function merge(
  deps: MergeDeps,
  series: string,
  destination: string,
  by: HumanDecision,
  isSure: boolean,
  terminal: Terminal,
): Promise<number> {
  const view = await viewSeries(deps, series);
  if (view.imageSets.length === 0) throw new CommandFailed(`series ${series}: no image set holds it`);
  if (view.identityKeywords.length > 0) await askAgain(view, isSure, terminal);
  const resolutionId = `resolve-${Date.now().toString(36)}`;
  const outcome = await mergeInto(deps, { series, destination, resolutionId }, by);
  const [report] = outcome.reports;
  if (report?.outcome !== 'merged')
    throw new CommandFailed(`series ${series}: ${report?.reason ?? 'not merged'}; nothing was deleted`);
  terminal.result(
    `series ${series}: ${report.instances} instances are in image set ${destination} now; the sources stay for a week. ` +
      `Undo with: isocenter resolve --undo ${resolutionId} --reason TEXT`,
  );
  return EXIT.ok;
}

/** Shows whose the image sets are, on the terminal only, and wants a second yes. */
async function askAgain(view: SeriesView, isSure: boolean, terminal: Terminal): Promise<void> {
  terminal.say(`the image sets are of differing patients: ${view.identityKeywords.join(', ')}`);
  for (const { imageSetId, instances, identity } of view.imageSets) {
    const { patientID, issuerOfPatientID, name, birthDate, sex } = identity;
    const issuer = issuerOfPatientID === '' ? '' : ` of ${issuerOfPatientID}`;
    terminal.say(
      `  ${imageSetId}: ${instances} instances: ${patientID}${issuer}, ${name}, ${birthDate}, ${sex}`,
    );
  }
  if (isSure) return;
  if (!process.stdin.isTTY)
    throw new UsageError('differing patients: say --yes when they are one, and this is a decision');
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asking.question('are these one patient? type yes to merge: ');
    if (answer.trim() !== 'yes') throw new CommandFailed('nothing was changed');
  } finally {
    asking.close();
  }
}

function depsOf({
  world,
  store,
  sfn,
  inboxBucket,
  workBucket,
  ingestStateMachineArn,
}: LocalDeployment): MergeDeps {
  const { datastoreId, dataAccessRoleArn, healthImagingUrl, region } = world;
  const client = new MedicalImagingClient({
    endpoint: healthImagingUrl,
    region,
    credentials: LOCAL_CREDENTIALS,
    disableHostPrefix: true,
  });
  return {
    objects: store,
    imaging: {
      ...healthImagingService(client, { datastoreId, dataAccessRoleArn }),
      ...imageSetEditor(client, datastoreId),
    },
    executions: stepFunctionsExecutions(sfn, ingestStateMachineArn),
    clock: systemClock,
    settings: {
      inboxBucket,
      workBucket,
      datastoreId,
      dataAccessRoleArn,
      ingestStateMachineArn,
      eventBusName: '',
      constraintProfile: 'current',
      verify: { mode: 'full' },
      merge: 'auto',
      quietSeconds: 0,
      maxWaitSeconds: 0,
      mergeGraceSeconds: 0,
      maxAttempts: 0,
      auditPercent: 0,
    },
  };
}
