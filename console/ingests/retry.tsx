/** Puts objects of an ingest back into the inbox, and leads to the ingest that takes them. */
import { useSignal } from '@preact/signals';
import { count, plural } from '../format.ts';
import { overview } from '../live.ts';
import { linkTo } from '../route.ts';
import { post } from '../server.ts';

/** What was put back, and which ingests of its upload there were before. */
interface PutBack {
  readonly objects: number;
  readonly upload: string;
  readonly before: ReadonlySet<string>;
}

export function Retry(props: {
  readonly executionId: string;
  readonly count: number;
  /** Without one everything that was refused or failed. */
  readonly code?: string;
  readonly hint: string;
}) {
  const { executionId, code, hint } = props;
  const says = useSignal('');
  const putBack = useSignal<PutBack | undefined>(undefined);
  const busy = useSignal(false);
  const retry = async () => {
    busy.value = true;
    putBack.value = undefined;
    try {
      const path = `executions/${encodeURIComponent(executionId)}/retry`;
      const before = new Set([executionId, ...ingests().map((one) => one.executionId)]);
      const done = await post<{ restored: number; skipped: number; upload: string }>(path, { code });
      if (done.restored > 0) putBack.value = { objects: done.restored, upload: done.upload, before };
      else says.value = 'Nothing to put back: these objects are in the inbox again, or gone.';
    } catch (error) {
      says.value = (error as Error).message;
    }
    busy.value = false;
  };
  return (
    <p class="row retry">
      <button type="button" disabled={busy.value} onClick={() => void retry()}>
        Retry all {count(props.count)}
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
function Started({ objects, upload, before }: PutBack) {
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
