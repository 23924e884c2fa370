/**
 * Which image sets an audit looks at: a window over the digests of their ids, which moves on when it is done, so that
 * all are looked at within 100 / percent audits. Where an audit stops before its window is done, the next one goes on.
 */
import { sha256 } from './digest.ts';
import { readJson } from './ndjson.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import { workKeys } from './work-keys.ts';

export interface AuditCursor {
  /** Start of the window, in hundredths of a percent: 0 to 9,999. */
  readonly from: number;
  /** Image sets created before this (ISO 8601) are done in this window. */
  readonly createdFrom?: string;
}

const WHOLE = 10_000;

/** Digests are spread evenly: the window holds `percent` of all image sets, about. */
export const isInWindow = (cursor: AuditCursor, percent: number, imageSetId: string): boolean =>
  isDigestInWindow(cursor, percent, sha256(imageSetId));

export function isDigestInWindow({ from }: AuditCursor, percent: number, digest: string): boolean {
  const place = Math.floor((Number.parseInt(digest.slice(0, 8), 16) / 2 ** 32) * WHOLE);
  return (place - from + WHOLE) % WHOLE < percent * 100;
}

export const nextWindow = ({ from }: AuditCursor, percent: number): AuditCursor => ({
  from: Math.round(from + percent * 100) % WHOLE,
});

type CursorDeps = Pick<PipelineDeps, 'objects' | 'settings'>;

export async function readCursor({ objects, settings }: CursorDeps): Promise<AuditCursor> {
  const key = workKeys.auditCursor(settings.datastoreId);
  return (await readJson<AuditCursor>(objects, settings.workBucket, key))?.value ?? { from: 0 };
}

export async function writeCursor({ objects, settings }: CursorDeps, cursor: AuditCursor): Promise<void> {
  const location = { bucket: settings.workBucket, key: workKeys.auditCursor(settings.datastoreId) };
  await objects.write(location, JSON.stringify(cursor));
}

/** How far a walk has come without a gap, while several image sets are under way. */
export function createWatermark() {
  const open: { readonly id: string; readonly createdAt: string }[] = [];
  const finished = new Set<string>();
  let reached: string | undefined;
  return {
    begin(id: string, createdAt: string) {
      open.push({ id, createdAt });
    },
    end(id: string) {
      finished.add(id);
      while (open[0] && finished.delete(open[0].id)) reached = open.shift()?.createdAt || reached;
    },
    /** Creation of the last image set before which all are done. */
    reached: () => reached,
  };
}
