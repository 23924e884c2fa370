/** Something asked of the server: loading, there, or a problem that can be tried again. */
import { useSignal, useSignalEffect } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { ServerProblem } from '../server.ts';

export type Loading<T> =
  | { readonly state: 'loading' }
  | { readonly state: 'there'; readonly value: T }
  /** `status`: of HTTP; 0 where nothing answered. */
  | { readonly state: 'problem'; readonly message: string; readonly status: number };

/** Asks again whenever `about` changes or `again` is called; what was shown stays until the answer is there. */
export function useLoaded<T>(about: string, ask: (signal: AbortSignal) => Promise<T>) {
  const loading = useSignal<Loading<T>>({ state: 'loading' });
  const round = useSignal(0);
  const subject = useSignal(about);
  useEffect(() => {
    if (subject.value === about) return;
    loading.value = { state: 'loading' };
    subject.value = about;
  }, [about]);
  useSignalEffect(() => {
    const abort = new AbortController();
    void [round.value, subject.value];
    ask(abort.signal)
      .then((value) => {
        if (!abort.signal.aborted) loading.value = { state: 'there', value };
      })
      .catch((error: unknown) => {
        if (abort.signal.aborted) return;
        const status = error instanceof ServerProblem ? error.status : 0;
        loading.value = { state: 'problem', message: (error as Error).message, status };
      });
    return () => abort.abort();
  });
  const again = () => {
    round.value = round.peek() + 1;
  };
  return { loading, again };
}

export function Loaded<T>(props: {
  readonly of: Loading<T>;
  readonly again: () => void;
  readonly children: (value: T) => ComponentChildren;
}) {
  const { of: loading, again } = props;
  if (loading.state === 'loading') return <Busy />;
  if (loading.state === 'there') return <>{props.children(loading.value)}</>;
  return <Problem message={loading.message} again={again} />;
}

export function Busy() {
  return (
    <p class="busy" role="status">
      <span class="spinner" aria-hidden="true" /> Loading…
    </p>
  );
}

export function Problem({ message, again }: { readonly message: string; readonly again?: () => void }) {
  return (
    <div class="problem" role="alert">
      <p>{message}</p>
      {again && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}
