/**
 * `isocenter retry`: puts rejected and failed objects of an execution back into the inbox, lets an upload that was
 * stopped or has used up its attempts start again, and follows what comes.
 */
import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import { forgetAttempts } from '../shared/ingest/attempts.ts';
import { readJson } from '../shared/ingest/ndjson.ts';
import type { Report } from '../shared/ingest/report.ts';
import { retryObjects } from '../shared/ingest/retry-objects.ts';
import { objectsOf, startIngest, uploadName } from '../shared/ingest/uploads.ts';
import { workKeys } from '../shared/ingest/work-keys.ts';
import { type ConnectOptions, connect, type Deployment } from './deployment.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { followAndShow, whatGoesOn } from './ingest.ts';
import { onInterruption } from './interruption.ts';
import { uploadDeps } from './pipeline.ts';
import { plural } from './progress.ts';
import { parseExecutionId } from './reports.ts';
import type { Terminal } from './terminal.ts';
import { holdUpload } from './upload/hold.ts';

export interface RetryOptions extends ConnectOptions {
  readonly stack?: string;
  readonly code?: string;
  readonly json?: boolean;
}

export async function retry(executionId: string, options: RetryOptions, terminal: Terminal): Promise<number> {
  parseExecutionId(executionId);
  const deployment = await connect({ ...options, mustExist: true }, terminal);
  let forget = () => {};
  try {
    const since = new Date();
    const { value: report } =
      (await readJson<Report>(deployment.store, deployment.workBucket, workKeys.report(executionId))) ?? {};
    const upload = report?.upload ?? (await uploadOfExecution(deployment, executionId));
    if (options.code !== undefined && report?.rejects[options.code] === undefined)
      throw new UsageError(
        `--code ${options.code}: the report has ${Object.keys(report?.rejects ?? {}).join(', ') || 'no code'}`,
      );
    forget = onInterruption(terminal, () => whatGoesOn(deployment, upload, false));
    const keys = await startAgain(deployment, upload, terminal, async () => {
      if (report !== undefined) await retryObjects(uploadDeps(deployment), executionId, options.code);
    });
    return await followAndShow(deployment, upload, keys, since, options, terminal);
  } finally {
    forget();
    await deployment.close();
  }
}

/** Runs `putBack`, then starts an ingest of what is in the inbox. Returns the keys that are there. */
async function startAgain(
  deployment: Deployment,
  upload: string,
  terminal: Terminal,
  putBack: () => Promise<void>,
): Promise<Set<string>> {
  const deps = uploadDeps(deployment);
  // Held until all are back, so that they are one ingest.
  const hold = await holdUpload(deployment.store, deployment.workBucket, upload);
  try {
    await putBack();
    const keys = new Set<string>();
    for await (const { key } of objectsOf(deployment.store, deployment.inboxBucket, upload)) keys.add(key);
    if (keys.size === 0) throw new CommandFailed(`nothing of upload ${upload} is left to try again`);
    await forgetAttempts(deps, hold.uploadId);
    await startIngest(deps, upload);
    terminal.say(`${plural(keys.size, 'object')} back in the inbox, as upload ${upload}`);
    return keys;
  } finally {
    await hold.release().catch(() => undefined); // an old hold is ignored after two minutes
  }
}

/** The upload of an execution that was stopped before it had a report. */
async function uploadOfExecution(deployment: Deployment, executionId: string): Promise<string> {
  const deps = uploadDeps(deployment);
  const none = new CommandFailed(`there is no execution ${executionId}`);
  const { input } = await deployment.sfn
    .send(new DescribeExecutionCommand({ executionArn: deps.executions.arnOf(executionId) }))
    .catch((error: Error) => {
      throw error.name === 'ExecutionDoesNotExist' ? none : error;
    });
  const { uploadId = '' } = JSON.parse(input ?? '{}') as { uploadId?: string };
  const upload = await uploadName(deps, uploadId);
  if (upload === undefined) throw none;
  return upload;
}
