/** The state of things at a glance: what waits, what runs, what ended. */
import { DescribeExecutionCommand, ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { readAttempts } from '../ingest/attempts.ts';
import { uploadName } from '../ingest/uploads.ts';
import { uploadIdOf, uploadOf } from '../ingest/work-keys.ts';
import type { Overview, RunningExecution, Summary, WaitingUpload } from './api.ts';
import type { Backend } from './backend.ts';
import { DAY_MS, makeDayReader } from './day.ts';
import { makeRejectReader, makeSummaryReader, summaryKeyAt, summaryKeys } from './reports.ts';
import { stagesOf } from './stages.ts';

const RECENT = 60;
const RUNNING_SHOWN = 20;
/** The inbox is counted up to here; a fuller one is shown as "more than". */
const COUNTED_OBJECTS = 20_000;
const INBOX_SLOWEST_MS = 30_000;
const UPLOADS_SHOWN = 200;
/** The last ones with troubles are told with their codes. */
const TROUBLED = 5;

/** Reads the overview; names of uploads and summaries are remembered between calls. */
export function makeOverview(backend: Backend): () => Promise<Overview> {
  const names = new Map<string, string>();
  const readSummary = makeSummaryReader(backend);
  const withRejects = makeRejectReader(backend);
  const inbox = makeInboxReader(backend);
  const readDay = makeDayReader(backend);
  return async () => {
    const running = await readRunning(backend, names);
    const { waiting, isPartial } = await inbox(new Set(running.map(({ upload }) => upload)));
    const received = new Map(waiting.map(({ upload, objects }) => [upload, objects]));
    const recent: Summary[] = [];
    const nowMs = Date.now();
    const dayAgo = summaryKeyAt('day', new Date(nowMs - DAY_MS).toISOString());
    const dayKeys: string[] = [];
    for await (const key of summaryKeys(backend, new Date(nowMs))) {
      if (key >= dayAgo) dayKeys.push(key);
      else if (recent.length >= RECENT) break;
      if (recent.length >= RECENT) continue;
      const summary = await readSummary(key);
      if (summary !== undefined && summary.outcome !== 'Coalesced') recent.push(summary);
    }
    const { hours, isPartial: hoursArePartial } = await readDay(dayKeys, nowMs);
    let troubled = 0;
    for (const [index, summary] of recent.entries())
      if (summary.outcome !== 'Ingested' && troubled++ < TROUBLED) recent[index] = await withRejects(summary);
    return {
      at: new Date().toISOString(),
      waiting,
      waitingIsPartial: isPartial,
      running: running.map((one) => {
        const objects = received.get(one.upload);
        return objects === undefined ? one : { ...one, received: objects };
      }),
      recent,
      hours,
      hoursArePartial,
    };
  };
}

async function readRunning(backend: Backend, names: Map<string, string>): Promise<RunningExecution[]> {
  const { executions = [] } = await backend.sfn.send(
    new ListExecutionsCommand({
      stateMachineArn: backend.ingestStateMachineArn,
      statusFilter: 'RUNNING',
      maxResults: RUNNING_SHOWN,
    }),
  );
  return Promise.all(
    executions.map(async ({ name = '', executionArn = '', startDate }) => ({
      executionId: name,
      upload: await nameOf(backend, executionArn, names),
      startedAt: startDate?.toISOString() ?? '',
      stages: await stagesOf(backend, name, true),
    })),
  );
}

/** The upload's name, which executions do not carry: only its digest is in their input. */
export async function nameOf(
  backend: Backend,
  executionArn: string,
  names: Map<string, string>,
): Promise<string> {
  const known = names.get(executionArn);
  if (known !== undefined) return known;
  const { input = '{}' } = await backend.sfn.send(new DescribeExecutionCommand({ executionArn }));
  const { uploadId } = JSON.parse(input) as { uploadId?: string };
  const name = uploadId === undefined ? undefined : await uploadName(backend.deps, uploadId);
  if (name !== undefined) names.set(executionArn, name);
  return name ?? '';
}

interface Tally {
  objects: number;
  bytes: number;
  oldest: string;
}

/** A full inbox takes thousands of keys to count: it is counted again only after twenty times what that took. */
function makeInboxReader(backend: Backend) {
  let known: Inbox = { uploads: new Map(), isPartial: false };
  let againAtMs = 0;
  return async (running: ReadonlySet<string>) => {
    if (performance.now() >= againAtMs) {
      const startedMs = performance.now();
      known = await countInbox(backend);
      const nowMs = performance.now();
      againAtMs = nowMs + Math.min(INBOX_SLOWEST_MS, Math.max(0, 20 * (nowMs - startedMs) - 1_000));
    }
    return readWaiting(backend, known, running);
  };
}

interface Inbox {
  readonly uploads: ReadonlyMap<string, Tally>;
  readonly isPartial: boolean;
}

async function countInbox(backend: Backend): Promise<Inbox> {
  const uploads = new Map<string, Tally>();
  let counted = 0;
  let isPartial = false;
  for await (const { key, sizeBytes, lastModified } of backend.deps.objects.list(backend.inboxBucket, '')) {
    if (counted++ >= COUNTED_OBJECTS) {
      isPartial = true;
      break;
    }
    const upload = uploadOf(key);
    const tally = uploads.get(upload) ?? { objects: 0, bytes: 0, oldest: lastModified };
    tally.objects += 1;
    tally.bytes += sizeBytes;
    if (lastModified < tally.oldest) tally.oldest = lastModified;
    uploads.set(upload, tally);
  }
  return { uploads, isPartial };
}

async function readWaiting(
  backend: Backend,
  { uploads, isPartial }: Inbox,
  running: ReadonlySet<string>,
): Promise<{ waiting: WaitingUpload[]; isPartial: boolean }> {
  const oldestFirst = [...uploads].sort(([, a], [, b]) => a.oldest.localeCompare(b.oldest));
  const waiting = await Promise.all(
    oldestFirst.slice(0, UPLOADS_SHOWN).map(async ([upload, tally]) => {
      const attempts = await readAttempts(backend.deps, uploadIdOf(upload));
      return {
        upload,
        ...tally,
        failedAttempts: attempts?.attempts ?? 0,
        needsAttention: attempts?.needsAttention ?? false,
        isRunning: running.has(upload),
      };
    }),
  );
  return { waiting, isPartial: isPartial || oldestFirst.length > UPLOADS_SHOWN };
}
