/**
 * Files from the browser to the inbox. The page begins an upload, holds it while it sends (TakeUpload waits for it), and
 * asks file by file where it goes.
 */
import { randomBytes } from 'node:crypto';
import { ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { holdUpload, releaseHold } from '../ingest/holds.ts';
import { uploadIdOf } from '../ingest/work-keys.ts';
import type { Summary, UploadState } from './api.ts';
import type { Backend } from './backend.ts';
import { HttpProblem } from './http.ts';
import { makeSummaryReader, summaryKeys } from './reports.ts';

const UPLOAD = /^console-[0-9TZ-]{20}-[0-9a-f]{6}$/;
/** S3's own limit of a key, in UTF-8 bytes. */
const MAX_KEY_BYTES = 1_024;

const holdDeps = ({ deps, workBucket }: Backend) => ({ objects: deps.objects, workBucket });

function requireUpload(upload: string): string {
  if (!UPLOAD.test(upload)) throw new HttpProblem(400, 'not an upload of this console');
  return upload;
}

/** A new upload, held for two minutes: refresh it while sending. */
export async function beginUpload(backend: Backend): Promise<{ upload: string }> {
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  const upload = `console-${time}Z-${randomBytes(3).toString('hex')}`;
  await holdUpload(holdDeps(backend), upload);
  return { upload };
}

export const refreshUpload = (backend: Backend, upload: string): Promise<void> =>
  holdUpload(holdDeps(backend), requireUpload(upload));

export const endUpload = (backend: Backend, upload: string): Promise<void> =>
  releaseHold(holdDeps(backend), requireUpload(upload));

/** Throws HttpProblem 400. */
export function keyOf(upload: string, path: string): string {
  const key = `${requireUpload(upload)}/${path.replace(/^\/+/, '')}`;
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw new HttpProblem(400, 'the path is too long for a key');
  return key;
}

/** Which executions took the upload, and how they ended. */
export async function readUpload(backend: Backend, upload: string): Promise<UploadState> {
  const prefix = `${uploadIdOf(requireUpload(upload)).slice(0, 32)}-`;
  const { executions = [] } = await backend.sfn.send(
    new ListExecutionsCommand({ stateMachineArn: backend.ingestStateMachineArn, maxResults: 200 }),
  );
  const ours = executions.filter(({ name }) => name?.startsWith(prefix));
  const readSummary = makeSummaryReader(backend);
  const finished: Summary[] = [];
  let looked = 0;
  for await (const key of summaryKeys(backend, new Date())) {
    if (++looked > 100) break;
    if (!key.includes(`-${prefix}`)) continue;
    const summary = await readSummary(key);
    if (summary !== undefined && summary.outcome !== 'Coalesced') finished.push(summary);
  }
  return {
    upload,
    waiting: await countWaiting(backend, upload),
    running: ours.filter(({ status }) => status === 'RUNNING').map(({ name = '' }) => name),
    finished,
  };
}

const COUNTED = 1_000;

async function countWaiting({ deps, inboxBucket }: Backend, upload: string): Promise<number> {
  let waiting = 0;
  for await (const _entry of deps.objects.list(inboxBucket, `${upload}/`)) if (++waiting >= COUNTED) break;
  return waiting;
}
