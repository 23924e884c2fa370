/** The ingests in which objects were refused for one reason: the objects themselves, and another try. */
import { useSignal } from '@preact/signals';
import { age, count, plural } from '../format.ts';
import { Objects } from '../ingests/objects.tsx';
import { Retry } from '../ingests/retry.tsx';
import { now } from '../live.ts';
import { Loaded, useLoaded } from '../parts/loaded.tsx';
import { linkTo } from '../route.ts';
import type { Kind, RefusalsOfCode } from './by-code.ts';
import type { AskRetryable } from './refusals.ts';

const SHOWN = 10;

export function RefusingIngests(props: {
  readonly code: string;
  readonly kind: Kind;
  readonly ingests: RefusalsOfCode['ingests'];
  readonly retryableOf: AskRetryable;
}) {
  const { code, kind, ingests, retryableOf } = props;
  const shown = useSignal(SHOWN);
  const more = ingests.length - shown.value;
  return (
    <>
      <ul class="refusing">
        {ingests.slice(0, shown.value).map((one) => (
          <OneIngest
            key={one.ingest.executionId}
            code={code}
            kind={kind}
            having={one}
            retryableOf={retryableOf}
          />
        ))}
      </ul>
      {more > 0 && (
        <button
          type="button"
          onClick={() => {
            shown.value += 10 * SHOWN;
          }}
        >
          {plural(more, 'more ingest')}
        </button>
      )}
    </>
  );
}

function OneIngest(props: {
  readonly code: string;
  readonly kind: Kind;
  readonly having: RefusalsOfCode['ingests'][number];
  readonly retryableOf: AskRetryable;
}) {
  const { code, kind, having, retryableOf } = props;
  const { ingest, objects } = having;
  const { executionId, upload, finishedAt } = ingest;
  const isOpen = useSignal(false);
  const { loading, again } = useLoaded(executionId, () => retryableOf(executionId));
  return (
    <li>
      <div class="refusing-row">
        <span>
          <a href={linkTo('ingests', executionId, code)}>{upload}</a>{' '}
          <span class="dim">{age(finishedAt, now.value)} ago</span>
        </span>
        <button
          type="button"
          aria-expanded={isOpen.value}
          onClick={() => {
            isOpen.value = !isOpen.value;
          }}
        >
          {isOpen.value ? 'Hide' : 'Show'} {count(objects)} {objects === 1 ? 'file' : 'files'}
        </button>
        <Loaded of={loading.value} again={again}>
          {(retryable) => (
            <Retry
              executionId={executionId}
              upload={upload}
              total={objects}
              retryable={retryable}
              code={code}
              hint=""
            />
          )}
        </Loaded>
      </div>
      {isOpen.value && <Objects executionId={executionId} outcome={kind} code={code} total={objects} />}
    </li>
  );
}
