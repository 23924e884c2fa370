/** What was refused or failed in a time, over all ingests: by reason, with what to do, the files, and another try. */

import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { DecideLink } from '../decisions/decide-link.tsx';
import { count, plural } from '../format.ts';
import { TIMES } from '../ingests/times.ts';
import { Advice } from '../parts/advice.tsx';
import { Busy, Empty, Problem } from '../parts/loaded.tsx';
import { linkTo } from '../route.ts';
import { byCode, KINDS, type Kind, type RefusalsOfCode, sumOf } from './by-code.ts';
import { type AskRetryable, makeRetryables, useRefusals } from './refusals.ts';
import { RefusingIngests } from './refusing-ingests.tsx';

const TITLES = { rejected: 'Rejected', failed: 'Failed' } as const;
const SAYS = {
  rejected: 'Not stored, because the file is unfit. Each waits until somebody tries it again or removes it.',
  failed: 'Not done, because our work or a service broke.',
} as const;

export function RefusedPanel(props: {
  readonly kind?: string | undefined;
  readonly when?: string | undefined;
}) {
  const kind = KINDS.find((one) => one === props.kind) ?? 'rejected';
  const [when, time] = TIMES.find(([one]) => one === props.when) ?? TIMES[2];
  const { found, state, goOn } = useRefusals(when);
  const codes = byCode(found.ingests);
  const retryableOf = useMemo(makeRetryables, [when]);
  const ofKind = codes.filter((one) => one.kind === kind);
  const serious = ofKind.filter(({ entry }) => !entry.benign);
  const benign = ofKind.filter(({ entry }) => entry.benign);
  const isLoading = state === 'loading';
  return (
    <>
      <h1>
        {TITLES[kind]}, {time}
      </h1>
      <Choices kind={kind} when={when} codes={codes} />
      <p class="dim">{SAYS[kind]}</p>
      {serious.map((one) => (
        <OneCode key={`${when} ${one.code}`} refusals={one} retryableOf={retryableOf} />
      ))}
      {benign.length > 0 && <Benign codes={benign} when={when} retryableOf={retryableOf} />}
      {isLoading && <Busy />}
      {state === 'there' && ofKind.length === 0 && <Empty>Nothing: all is well.</Empty>}
      {!isLoading && state !== 'there' && <Problem message={state} again={goOn} />}
      <p class="row">
        <span class="dim" role="status">
          {plural(found.looked, 'ingest')} looked at
        </span>
        {found.next !== undefined && !isLoading && (
          <button type="button" onClick={goOn}>
            Older ones
          </button>
        )}
      </p>
    </>
  );
}

function Choices(props: {
  readonly kind: Kind;
  readonly when: string;
  readonly codes: readonly RefusalsOfCode[];
}) {
  const { kind, when, codes } = props;
  const objects = (of: Kind) => count(sumOf(codes.filter((one) => one.kind === of)));
  return (
    <nav class="choices" aria-label="Which refusals">
      <span class="choice">
        {KINDS.map((one) => (
          <a key={one} href={linkTo('refused', one, when)} aria-current={one === kind ? 'page' : undefined}>
            {TITLES[one]} {objects(one)}
          </a>
        ))}
      </span>
      <span class="choice">
        {TIMES.map(([one, text]) => (
          <a key={one} href={linkTo('refused', kind, one)} aria-current={one === when ? 'page' : undefined}>
            {text}
          </a>
        ))}
      </span>
    </nav>
  );
}

function OneCode({
  refusals,
  retryableOf,
}: {
  readonly refusals: RefusalsOfCode;
  readonly retryableOf: AskRetryable;
}) {
  const { code, kind, entry, objects, ingests } = refusals;
  const id = `code-${code}`;
  return (
    <section class="card" aria-labelledby={id}>
      <h2 id={id}>
        <span class={`badge ${kind === 'failed' ? 'bad' : 'warn'}`}>{plural(objects, 'object')}</span> {code}
      </h2>
      <p class="advice">
        {entry.says}. <strong>What to do:</strong> <Advice text={entry.advice} />{' '}
        <span class="dim">
          {entry.retry
            ? 'Trying again may help.'
            : 'The same file will end the same way, unless it or the rules changed.'}
        </span>
      </p>
      <DecideLink code={code} />
      <RefusingIngests code={code} kind={kind} ingests={ingests} retryableOf={retryableOf} />
    </section>
  );
}

/** Told, so that the counts are whole; nobody has to read it. */
function Benign(props: {
  readonly codes: readonly RefusalsOfCode[];
  readonly when: string;
  readonly retryableOf: AskRetryable;
}) {
  const { codes, when, retryableOf } = props;
  const isOpen = useSignal(false);
  return (
    <details
      class="group benign"
      onToggle={(event) => {
        isOpen.value = event.currentTarget.open;
      }}
    >
      <summary>
        <span class="badge plain">{count(sumOf(codes))}</span> <strong>Nothing to do</strong>{' '}
        <span class="dim">{codes.map(({ code, objects }) => `${code} ${count(objects)}`).join(' · ')}</span>
      </summary>
      {isOpen.value &&
        codes.map(({ code, kind, entry, ingests }) => (
          <section key={`${when} ${code}`} aria-label={code}>
            <p class="dim">
              <strong>{code}</strong>: {entry.says}
            </p>
            <RefusingIngests code={code} kind={kind} ingests={ingests} retryableOf={retryableOf} />
          </section>
        ))}
    </details>
  );
}
