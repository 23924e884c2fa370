/** Asks where a file can be got, and gets it from there. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { Download } from '../../shared/console/backend.ts';
import { download } from '../server.ts';

export function DownloadButton({
  what,
  children,
}: {
  readonly what: Download;
  readonly children: ComponentChildren;
}) {
  const problem = useSignal('');
  const start = () => {
    problem.value = '';
    download(what).catch((error: Error) => {
      problem.value = error.message;
    });
  };
  return (
    <>
      <button type="button" onClick={start}>
        {children}
      </button>
      {problem.value !== '' && (
        <span class="bad" role="alert">
          {problem.value}
        </span>
      )}
    </>
  );
}
