/** Puts objects of an ingest back into the inbox, tells what was put back before, and leads to the ingest that takes them. */
import { useSignal } from '@preact/signals';
import type { Retryable } from '../../shared/console/api.ts';
import { clock, count, plural } from '../format.ts';
import { overview } from '../live.ts';
import { linkTo } from '../route.ts';
import { post } from '../server.ts';

/** A move in the store for each object. */
const LONGEST_RETRY_MS = 15 * 60_000;

/** What was put back just now, and which ingests of its upload there were before. */
interface Done {
  readonly objects: number;
  readonly upload: string;
  readonly before: ReadonlySet<string>;
}

export function Retry(props: {
  readonly executionId: string;
  readonly upload: string;
  /** Of this code, or in all. */
  readonly total: number;
  readonly retryable: Retryable;
  /** Without one everything that was refused or failed. */
  readonly code?: string;
  readonly hint: string;
}) {
  const { executionId, upload, total, retryable, code, hint } = props;
  const left = code === undefined ? sumOf(retryable.left) : (retryable.left[code] ?? 0);
  return (
    <>
      {retryable.putBacks.map((putBack) => (
        <Before key={putBack.at} putBack={putBack} upload={upload} code={code} />
      ))}
      {left === 0 ? (
        <p class="dim">Nothing of it is left to be tried again.</p>
      ) : (
        <Again executionId={executionId} left={left} isAll={left === total} code={code} hint={hint} />
      )}
    </>
  );
}

const sumOf = (objects: Readonly<Record<string, number>>) =>
  Object.values(objects).reduce((sum, one) => sum + one, 0);

function Before(props: {
  readonly putBack: Retryable['putBacks'][number];
  readonly upload: string;
  readonly code: string | undefined;
}) {
  const { putBack, upload, code } = props;
  const objects = code === undefined ? sumOf(putBack.objects) : (putBack.objects[code] ?? 0);
  if (objects === 0) return null;
  return (
    <p class="said">
      {plural(objects, 'object')} put back at <time dateTime={putBack.at}>{clock(putBack.at)}</time> as upload{' '}
      {upload}
      {putBack.ingest && (
        <>
          :{' '}
          <a href={linkTo('ingests', putBack.ingest)}>the ingest that took {objects === 1 ? 'it' : 'them'}</a>
        </>
      )}
    </p>
  );
}

function Again(props: {
  readonly executionId: string;
  readonly left: number;
  readonly isAll: boolean;
  readonly code: string | undefined;
  readonly hint: string;
}) {
  const { executionId, left, isAll, code, hint } = props;
  const says = useSignal('');
  const putBack = useSignal<Done | undefined>(undefined);
  const busy = useSignal(false);
  const retry = async () => {
    busy.value = true;
    putBack.value = undefined;
    try {
      const path = `executions/${encodeURIComponent(executionId)}/retry`;
      const before = new Set([executionId, ...ingests().map((one) => one.executionId)]);
      const done = await post<{ restored: number; skipped: number; upload: string }>(
        path,
        { code },
        { longestMs: LONGEST_RETRY_MS },
      );
      if (done.restored > 0) putBack.value = { objects: done.restored, upload: done.upload, before };
      else says.value = 'Nothing to put back: these objects are in the inbox again, or gone.';
    } catch (error) {
      says.value = (error as Error).message;
    }
    busy.value = false;
  };
  return (
    <p class="row retry">
      <button type="button" disabled={busy.value || putBack.value !== undefined} onClick={() => void retry()}>
        {isAll ? 'Retry all' : 'Retry the other'} {count(left)}
        {code !== undefined && ` of ${code}`}
      </button>
      <span class={putBack.value || says.value ? '' : 'dim'} role="status">
        {putBack.value ? <Started {...putBack.value} /> : says.value || hint}
      </span>
    </p>
  );
}

const ingests = () => [...(overview.value?.running ?? []), ...(overview.value?.recent ?? [])];

/** Until the new ingest has begun, the first page shows the upload waiting. */
function Started({ objects, upload, before }: Done) {
  const begun = ingests().find((one) => one.upload === upload && !before.has(one.executionId));
  return (
    <>
      {plural(objects, 'object')} back in the inbox as upload {upload}:{' '}
      {begun ? (
        <a href={linkTo('ingests', begun.executionId)}>the new ingest</a>
      ) : (
        <a href={linkTo()}>a new ingest starts</a>
      )}
    </>
  );
}
