/** `isocenter status`: what runs, what ran, what waits in the inbox and what needs attention. */
import { ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { readAttempts } from '../shared/ingest/attempts.ts';
import { readJson } from '../shared/ingest/ndjson.ts';
import { uploadIdOf, uploadOf, workKeys } from '../shared/ingest/work-keys.ts';
import { type ConnectOptions, connect, type Deployment } from './deployment.ts';
import { EXIT } from './errors.ts';
import { bytes, count, plural, seconds } from './progress.ts';
import { recentSummaries, type Summary } from './reports.ts';
import { table } from './table.ts';
import { printable, type Terminal } from './terminal.ts';

interface WaitingUpload {
  readonly upload: string;
  objects: number;
  bytes: number;
  oldest: string;
  /** Executions that failed since something last arrived. */
  failedAttempts: number;
  /** It was stopped, or its attempts are used up: it waits for `retry` or for something new. */
  needsAttention: boolean;
  /** The execution to name to `retry`. */
  lastExecutionId?: string;
}

interface Status {
  readonly running: readonly {
    readonly executionId: string;
    readonly upload: string;
    readonly startedAt: string;
  }[];
  readonly waiting: readonly WaitingUpload[];
  readonly recent: readonly Summary[];
}

const RECENT = 10;

export async function status(
  options: ConnectOptions & { readonly json?: boolean; readonly stack?: string },
  terminal: Terminal,
): Promise<number> {
  const deployment = await connect({ ...options, mustExist: true }, terminal);
  try {
    const found = await readStatus(deployment);
    if (options.json) terminal.result(JSON.stringify(found, null, 2));
    else for (const line of statusLines(found, new Date(), terminal)) terminal.result(line);
    return EXIT.ok;
  } finally {
    await deployment.close();
  }
}

async function readStatus(deployment: Deployment): Promise<Status> {
  const { executions = [] } = await deployment.sfn.send(
    new ListExecutionsCommand({
      stateMachineArn: deployment.ingestStateMachineArn,
      statusFilter: 'RUNNING',
      maxResults: 1000,
    }),
  );
  const recent: Summary[] = [];
  for await (const summary of recentSummaries(deployment, new Date())) {
    if (summary.outcome !== 'Coalesced') recent.push(summary);
    if (recent.length >= RECENT) break;
  }
  return {
    running: await Promise.all(
      executions.map(async ({ name = '', startDate }) => ({
        executionId: name,
        upload: await uploadOfExecution(deployment, name),
        startedAt: startDate?.toISOString() ?? '',
      })),
    ),
    waiting: await waitingUploads(deployment),
    recent,
  };
}

/** An execution is named by the beginning of its upload's digest; empty where nobody wrote down whose that is. */
async function uploadOfExecution({ store, workBucket }: Deployment, executionId: string): Promise<string> {
  const prefix = workKeys.upload(executionId.slice(0, 32)).replace(/\.json$/, '');
  for await (const { key } of store.list(workBucket, prefix))
    return (await readJson<{ upload: string }>(store, workBucket, key))?.value.upload ?? '';
  return '';
}

async function waitingUploads({ store, inboxBucket, workBucket }: Deployment): Promise<WaitingUpload[]> {
  const uploads = new Map<string, WaitingUpload>();
  for await (const { key, sizeBytes, lastModified } of store.list(inboxBucket, '')) {
    const upload = uploadOf(key);
    const waiting = uploads.get(upload) ?? {
      upload,
      objects: 0,
      bytes: 0,
      oldest: lastModified,
      failedAttempts: 0,
      needsAttention: false,
    };
    waiting.objects += 1;
    waiting.bytes += sizeBytes;
    if (lastModified < waiting.oldest) waiting.oldest = lastModified;
    uploads.set(upload, waiting);
  }
  for (const waiting of uploads.values()) {
    const found = await readAttempts(
      { objects: store, settings: { workBucket } },
      uploadIdOf(waiting.upload),
    );
    if (found === undefined) continue;
    waiting.failedAttempts = found.attempts;
    waiting.needsAttention = found.needsAttention;
    waiting.lastExecutionId = found.lastExecutionId;
  }
  return [...uploads.values()].sort((a, b) => a.oldest.localeCompare(b.oldest));
}

function attention(upload: WaitingUpload, colours: Terminal['colours']): string {
  if (upload.needsAttention) return colours.red(`needs attention: isocenter retry ${upload.lastExecutionId}`);
  return upload.failedAttempts > 0 ? colours.yellow(`${upload.failedAttempts} failed attempts`) : '';
}

function statusLines(found: Status, now: Date, { colours }: Terminal): string[] {
  const age = (iso: string) => seconds((now.getTime() - Date.parse(iso)) / 1000);
  const running = found.running.map(({ executionId, upload, startedAt }) => [
    `  ${executionId}`,
    `for ${age(startedAt)}`,
    printable(upload),
  ]);
  const waiting = found.waiting.map((upload) => [
    `  ${printable(upload.upload) || '(no name)'}`,
    plural(upload.objects, 'object'),
    bytes(upload.bytes),
    `oldest ${age(upload.oldest)}`,
    attention(upload, colours),
  ]);
  const recent = found.recent.map((summary) => [
    `  ${summary.executionId}`,
    summary.outcome,
    summary.counts === undefined
      ? ''
      : `${count(summary.counts.received)} received, ${count(summary.counts.rejected)} rejected, ${count(summary.counts.failed)} failed`,
    `${age(summary.finishedAt)} ago`,
    printable(summary.upload ?? ''),
  ]);
  const section = (title: string, rows: string[][], nothing: string) => [
    colours.bold(title),
    ...(rows.length === 0 ? [`  ${nothing}`] : table(rows)),
  ];
  return [
    ...section('Running', running, 'nothing'),
    ...section('In the inbox', waiting, 'nothing waits'),
    ...section('Finished', recent, 'nothing yet'),
  ];
}
