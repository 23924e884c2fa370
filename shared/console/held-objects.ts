/** Objects of one ingest that still wait for a decision: looked for in bounded time and memory, from any row on. */
import { concurrently } from '../ingest/concurrently.ts';
import { HELD_CODES, type HeldCode } from '../ingest/held-codes.ts';
import { exists } from '../ingest/ndjson.ts';
import type { ObjectLine } from '../ingest/report.ts';
import { workKeys } from '../ingest/work-keys.ts';
import type { ObjectsPage, Summary } from './api.ts';
import type { Backend } from './backend.ts';
import { HttpProblem } from './http.ts';
import { readObjects } from './objects.ts';

const HEADS_AT_ONCE = 32;

export interface HeldObject {
  readonly code: HeldCode;
  readonly line: ObjectLine;
  readonly of: Pick<Summary, 'executionId' | 'upload' | 'finishedAt'>;
}

/** Where a look stopped: a row among those that were refused with a code. */
export interface Row {
  /** Its place in `HELD_CODES`. */
  readonly code: number;
  readonly row: number;
}

export interface Limits {
  /** No new rows are looked at after this; milliseconds since 1970. */
  readonly untilMs: number;
  /** Nor when so many were found. */
  readonly most: number;
  readonly rowsAtOnce: number;
}

/** `next` where a limit was reached before the last row. */
export async function heldBy(
  backend: Backend,
  of: HeldObject['of'],
  from: Row,
  { untilMs, most, rowsAtOnce }: Limits,
): Promise<{ readonly held: readonly HeldObject[]; readonly next?: Row }> {
  const held: HeldObject[] = [];
  for (const [place, code] of [...HELD_CODES.entries()].slice(from.code))
    for (let row: number | undefined = place === from.code ? from.row : 0; row !== undefined; ) {
      if (
        row > 0 &&
        (held.length >= most || Date.now() > untilMs) &&
        !(place === from.code && row === from.row)
      )
        return { held, next: { code: place, row } };
      const page: ObjectsPage = await rowsOf(backend, of.executionId, { code, from: row, limit: rowsAtOnce });
      const waits = await concurrently(page.objects, HEADS_AT_ONCE, ({ key }) =>
        exists(backend.deps.objects, backend.workBucket, workKeys.refused('rejected', of.executionId, key)),
      );
      held.push(...page.objects.filter((_, n) => waits[n]).map((line) => ({ code, line, of })));
      row = page.next;
    }
  return { held };
}

/** None once the list has expired, which the summary and the objects outlive. */
async function rowsOf(
  backend: Backend,
  executionId: string,
  query: { readonly code: HeldCode; readonly from: number; readonly limit: number },
): Promise<ObjectsPage> {
  try {
    return await readObjects(backend, executionId, { ...query, outcome: 'rejected' });
  } catch (error) {
    if (error instanceof HttpProblem && error.status === 404) return { total: 0, objects: [] };
    throw error;
  }
}

/** Whether anything that was refused still lies there, of any code. */
export async function mayWait({ deps, workBucket }: Backend, executionId: string): Promise<boolean> {
  for await (const _ of deps.objects.list(workBucket, workKeys.refusedOf('rejected', executionId)))
    return true;
  return false;
}
