/** Deciding about a series in several image sets: what can be done, why it is done, what will happen, and its undo. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { SeriesState } from '../../shared/console/api.ts';
import { clock, plural } from '../format.ts';
import { Loaded, useLoaded } from '../parts/loaded.tsx';
import { post } from '../server.ts';
import { DecisionForm } from './decision-form.tsx';
import { DecisionsMade } from './decisions-made.tsx';

/** What is about to be decided. */
type Choice =
  | { readonly action: 'keep-apart' }
  | { readonly action: 'merge-into'; readonly destination: string }
  | { readonly action: 'undo'; readonly executionId: string };

const shortSet = (id: string) => `${id.slice(0, 8)}…`;

export function Resolve({ series }: { readonly series: string }) {
  const { loading, again } = useLoaded(series, (signal) =>
    post<SeriesState>('series/view', { series }, { signal }),
  );
  const choice = useSignal<Choice | undefined>(undefined);
  const said = useSignal('');
  const decided = (says: string) => {
    said.value = says;
    choice.value = undefined;
    again();
  };
  return (
    <Loaded of={loading.value} again={again}>
      {(state) => (
        <div class="resolve">
          {said.value !== '' && (
            <p role="status" class="said">
              {said.value}
            </p>
          )}
          {choice.value ? (
            <Confirm
              key={JSON.stringify(choice.value)}
              state={state}
              choice={choice.value}
              decided={decided}
              cancel={() => {
                choice.value = undefined;
              }}
            />
          ) : (
            <Choices
              state={state}
              choose={(wanted) => {
                said.value = '';
                choice.value = wanted;
              }}
            />
          )}
          <DecisionsMade history={state.history} />
        </div>
      )}
    </Loaded>
  );
}

function Choices({
  state,
  choose,
}: {
  readonly state: SeriesState;
  readonly choose: (choice: Choice) => void;
}) {
  const { imageSets, isKeptApart, undoable } = state;
  const isSeveral = imageSets.length > 1;
  if (!isSeveral && undoable.length === 0)
    return (
      <p class="dim">
        Nothing is left to decide: one image set holds the series, and what was merged into it is deleted.
      </p>
    );
  return (
    <p class="buttons">
      {isSeveral &&
        imageSets.map(({ imageSetId, instances, isPrimary }) => (
          <button
            key={imageSetId}
            type="button"
            onClick={() => choose({ action: 'merge-into', destination: imageSetId })}
          >
            Merge into {shortSet(imageSetId)} ({plural(instances, 'instance')}
            {isPrimary && ', primary'})…
          </button>
        ))}
      {isSeveral && !isKeptApart && (
        <button type="button" onClick={() => choose({ action: 'keep-apart' })}>
          Keep apart for good…
        </button>
      )}
      {undoable.map(({ executionId, until }) => (
        <button key={executionId} type="button" onClick={() => choose({ action: 'undo', executionId })}>
          Undo the merge (until {clock(until)})…
        </button>
      ))}
    </p>
  );
}

function Confirm(props: {
  readonly state: SeriesState;
  readonly choice: Choice;
  readonly decided: (says: string) => void;
  readonly cancel: () => void;
}) {
  const { state, choice, decided, cancel } = props;
  const { seriesInstanceUID: series, identityKeywords } = state;
  const isAcross = choice.action === 'merge-into' && identityKeywords.length > 0;
  return (
    <DecisionForm
      body={{ series, ...choice }}
      name={ACTION_NAMES[choice.action]}
      secondYes={
        isAcross
          ? `They differ in ${identityKeywords.join(', ')}. I have looked, and they are one patient.`
          : undefined
      }
      decided={decided}
      cancel={cancel}
    >
      <Consequence state={state} choice={choice} />
    </DecisionForm>
  );
}

const ACTION_NAMES = { 'keep-apart': 'Keep apart', 'merge-into': 'Merge', undo: 'Undo the merge' } as const;

function Consequence({
  state,
  choice,
}: {
  readonly state: SeriesState;
  readonly choice: Choice;
}): ComponentChildren {
  if (choice.action === 'keep-apart')
    return `the ${plural(state.imageSets.length, 'image set')} of this series stay as they are, and no ingest merges them by itself from now on. Nothing is copied or deleted; merging by hand stays possible.`;
  if (choice.action === 'undo')
    return 'every image set of the merge goes back to its version from before, and the series is kept apart until somebody merges it again. Nothing is lost.';
  const others = state.imageSets.filter(({ imageSetId }) => imageSetId !== choice.destination);
  const moved = others.reduce((sum, { instances }) => sum + instances, 0);
  return (
    <>
      {plural(moved, 'instance')} of {plural(others.length, 'image set')} (
      {others.map(({ imageSetId }) => shortSet(imageSetId)).join(', ')}) {moved === 1 ? 'is' : 'are'} copied
      into <code>{choice.destination}</code>, whose patient, study and series stand for all
      {state.keywords.length > 0 && <>; what the others say in {state.keywords.join(', ')} gives way</>}. The
      sources stay for a week, and until then it can be undone here.
    </>
  );
}
