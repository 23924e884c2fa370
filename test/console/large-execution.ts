/**
 * An execution of any number of objects as the console finds it: its inventory and the sayings of each step are made up,
 * its report, its lines and its summary are written by WriteReport itself.
 */
import type { InspectedLine } from '../../shared/ingest/inspect-objects.ts';
import { ndjsonOf } from '../../shared/ingest/ndjson.ts';
import type { PipelineDeps } from '../../shared/ingest/pipeline-deps.ts';
import type { StagingLine } from '../../shared/ingest/plan-lines.ts';
import { shardName, writeShardList } from '../../shared/ingest/shards.ts';
import { nameUpload } from '../../shared/ingest/uploads.ts';
import { NO_FRAMES, type VerifiedLine } from '../../shared/ingest/verify-lines.ts';
import { workKeys } from '../../shared/ingest/work-keys.ts';
import { writeReport } from '../../shared/ingest/write-report.ts';
import type { ObjectStore } from '../../shared/ports/object-store.ts';

const SHARD = 1_000;
/** One object in ten was there before, one in fifty is no DICOM; line 777 alone is too long. */
export const THE_ONE = 777;

const uid = (...parts: readonly number[]) => `1.2.826.0.1.3680043.10.999.${parts.join('.')}`;
const digest = (n: number) => n.toString(16).padStart(64, '0');

function inspectedLine(upload: string, n: number): InspectedLine {
  const seen = {
    n,
    key: `${upload}/study ${Math.floor(n / 400)}/series ${Math.floor(n / 100) % 4}/IM${String(n).padStart(7, '0')}.dcm`,
    sizeBytes: 500_000 + (n % 1_000),
    etag: `"${n}"`,
    lastModified: '2026-11-24T08:00:00.000Z',
  };
  if (n === THE_ONE)
    return {
      ...seen,
      inspected: { verdict: 'rejected', code: 'ElementTooLong', message: 'StudyID: 17 of 16 characters' },
    } as InspectedLine;
  if (n % 50 === 49)
    return {
      ...seen,
      inspected: { verdict: 'rejected', code: 'NotP10', message: 'no DICM marker at byte 128' },
    } as InspectedLine;
  const inspected = {
    verdict: 'accepted',
    sopInstanceUID: uid(3, n),
    seriesInstanceUID: uid(2, Math.floor(n / 100)),
    studyInstanceUID: uid(1, Math.floor(n / 400)),
    transferSyntaxUID: '1.2.840.10008.1.2.1',
    frames: 1,
    warnings: [],
  };
  return { ...seen, inspected } as unknown as InspectedLine;
}

/** What the later steps said of an accepted object. */
function laterLines(n: number): { staging: StagingLine; verified?: VerifiedLine } {
  const imageSetId = digest(Math.floor(n / 100)).slice(32);
  if (n % 10 === 9) return { staging: { n, outcome: 'duplicate', imageSetId, sha256: digest(n) } };
  const counts = { ...NO_FRAMES, expected: 1, verified: 1, provenFromSource: 1 };
  return {
    staging: { n, outcome: 'reverify', imageSetId, sha256: digest(n) },
    verified: { n, imageSetId, proof: 'source', counts } as unknown as VerifiedLine,
  };
}

export async function writeLargeExecution(
  objects: ObjectStore,
  workBucket: string,
  wanted: { readonly executionId: string; readonly upload: string; readonly objects: number },
  nowMs = Date.now(),
): Promise<void> {
  const { executionId, upload } = wanted;
  const deps = {
    objects,
    clock: { now: () => nowMs, sleep: async () => {} },
    settings: { workBucket, inboxBucket: '', eventBusName: '', verify: { mode: 'full' } },
  } as unknown as PipelineDeps;
  const shards: string[] = [];
  for (let from = 0; from < wanted.objects; from += SHARD) {
    const numbers = Array.from({ length: Math.min(SHARD, wanted.objects - from) }, (_, n) => from + n);
    const inspected = numbers.map((n) => inspectedLine(upload, n));
    const accepted = inspected.filter(({ inspected: { verdict } }) => verdict === 'accepted');
    const later = accepted.map(({ n }) => laterLines(n));
    const name = shardName(shards.length);
    const write = (folder: string, lines: readonly unknown[]) =>
      objects.write({ bucket: workBucket, key: workKeys.shard(executionId, folder, name) }, ndjsonOf(lines));
    await Promise.all([
      write(
        'inventory',
        inspected.map(({ inspected: _verdict, ...seen }) => seen),
      ),
      write('inspected', inspected),
      write(
        'staging',
        later.map(({ staging }) => staging),
      ),
      write(
        'verified',
        later.flatMap(({ verified }) => (verified ? [verified] : [])),
      ),
    ]);
    shards.push(name);
  }
  await writeShardList({ objects, workBucket }, executionId, 'inspect', shards);
  const uploadId = await nameUpload(deps, upload);
  const executionStartedAt = new Date(nowMs - 600_000).toISOString();
  await writeReport(deps, { executionId, uploadId, executionArn: '', executionStartedAt });
}
