/** Before something is decided: what will happen, why it is decided, and, across patients, a second yes. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Problem } from '../parts/loaded.tsx';
import { decide, newDecisionId, type ServerProblem } from '../server.ts';

export function DecisionForm(props: {
  /** What the server is asked to do, but for the reason. */
  readonly body: object;
  /** On the button. */
  readonly name: string;
  /** What somebody must have looked at before; ticked, or nothing is decided. */
  readonly secondYes?: string | undefined;
  readonly decided: (says: string) => void;
  readonly cancel: () => void;
  /** What will happen. */
  readonly children: ComponentChildren;
}) {
  const { body, name, secondYes, decided, cancel, children } = props;
  const form = useRef<HTMLFormElement>(null);
  const isBusy = useSignal(false);
  const problem = useSignal('');
  const decisionId = useRef(newDecisionId());
  useEffect(() => form.current?.querySelector('textarea')?.focus(), []);
  const submit = async (data: FormData) => {
    isBusy.value = true;
    problem.value = '';
    try {
      const reason = String(data.get('reason') ?? '');
      const isOnePatient = data.get('isOnePatient') === 'on';
      decided(await decide({ ...body, decisionId: decisionId.current, reason, isOnePatient }));
    } catch (error) {
      // It ended, or never began: the next one is another. Without an answer, asking again follows this one.
      if ([400, 409].includes((error as ServerProblem).status)) decisionId.current = newDecisionId();
      problem.value = (error as Error).message;
      isBusy.value = false;
    }
  };
  return (
    <form
      ref={form}
      class="decision"
      aria-label={`Decision: ${name}`}
      autocomplete="off"
      onKeyDown={(event) => event.key === 'Escape' && !isBusy.value && cancel()}
      onSubmit={(event) => {
        event.preventDefault();
        void submit(new FormData(event.currentTarget));
      }}
    >
      <p>
        <strong>What will happen: </strong>
        {children}
      </p>
      <label class="wide">
        Why? It is recorded with your name.
        <textarea name="reason" required maxLength={500} rows={2} />
      </label>
      {secondYes !== undefined && (
        <label class="check">
          <input type="checkbox" name="isOnePatient" required /> {secondYes}
        </label>
      )}
      {problem.value !== '' && <Problem message={problem.value} />}
      <p class="buttons">
        <button type="submit" class="main" disabled={isBusy.value}>
          {isBusy.value ? 'Working…' : name}
        </button>
        <button type="button" disabled={isBusy.value} onClick={cancel}>
          Change nothing
        </button>
      </p>
    </form>
  );
}
