/** `isocenter retry`: puts rejected and failed objects of an execution back into the inbox, and follows what comes. */

import type { ObjectLine, Report } from '../shared/ingest/report.ts';
import { uploadIdOf, workKeys } from '../shared/ingest/work-keys.ts';
import { type ConnectOptions, connect, type Deployment } from './deployment.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { followAndShow } from './ingest.ts';
import { count } from './progress.ts';
import { readObjectLines, readReport } from './reports.ts';
import type { Terminal } from './terminal.ts';
import { holdUpload } from './upload/hold.ts';

export interface RetryOptions extends ConnectOptions {
  readonly code?: string;
  readonly json?: boolean;
}

const AT_A_TIME = 16;

export async function retry(executionId: string, options: RetryOptions, terminal: Terminal): Promise<number> {
  const deployment = await connect({ ...options, mustExist: true }, terminal);
  try {
    const report = await readReport(deployment, executionId);
    const since = new Date();
    const keys = await putBack(deployment, report, options.code, terminal);
    return await followAndShow(deployment, report.upload, keys, since, options, terminal);
  } finally {
    await deployment.close();
  }
}

/** Moves the objects back, and lets an upload whose attempts are used up start again. Returns the keys. */
async function putBack(
  deployment: Deployment,
  report: Report,
  code: string | undefined,
  terminal: Terminal,
): Promise<Set<string>> {
  if (code !== undefined && report.rejects[code] === undefined)
    throw new UsageError(
      `--code ${code}: the report has ${Object.keys(report.rejects).join(', ') || 'no code'}`,
    );
  const { store, workBucket } = deployment;
  const hold = await holdUpload(store, workBucket, report.upload);
  try {
    const keys = new Set<string>();
    const underWay = new Set<Promise<void>>();
    for await (const line of readObjectLines(deployment, report)) {
      if (line.outcome !== 'rejected' && line.outcome !== 'failed') continue;
      if (code !== undefined && line.code !== code) continue;
      const move = putOneBack(deployment, report.executionId, line)
        .then((isThere) => {
          if (isThere) keys.add(line.key);
          else terminal.say(`not there any more: ${line.key}`);
        })
        .finally(() => underWay.delete(move));
      underWay.add(move);
      if (underWay.size >= AT_A_TIME) await Promise.race(underWay);
    }
    await Promise.all(underWay);
    await store.remove(workBucket, [{ key: workKeys.attempts(uploadIdOf(report.upload)) }]);
    if (keys.size === 0) throw new CommandFailed(`execution ${report.executionId}: nothing to put back`);
    terminal.say(`${count(keys.size)} objects are back in the inbox, as upload ${report.upload}`);
    return keys;
  } finally {
    await hold.release().catch(() => undefined); // an old hold is ignored after two minutes
  }
}

/** Copies the object back, then removes the put-aside one. What never left the inbox counts as there. */
async function putOneBack(
  { store, workBucket, inboxBucket }: Deployment,
  executionId: string,
  { key, outcome }: ObjectLine,
): Promise<boolean> {
  const from = {
    bucket: workBucket,
    key: workKeys.refused(outcome === 'failed' ? 'failed' : 'rejected', executionId, key),
  };
  const aside = await store.head(from);
  if (aside === undefined) return (await store.head({ bucket: inboxBucket, key })) !== undefined;
  if ((await store.head({ bucket: inboxBucket, key })) === undefined)
    await store.copy({ ...from, etag: aside.etag, sizeBytes: aside.sizeBytes }, { bucket: inboxBucket, key });
  await store.remove(workBucket, [{ key: from.key, etag: aside.etag }]);
  return true;
}
