/** How many decisions wait for a person; looked at when the page opens, and whenever an ingest has ended. */
import { useEffect, useRef } from 'preact/hooks';
import type { HeldPage } from '../../shared/console/api.ts';
import { count } from '../format.ts';
import { Figure } from '../parts/figure.tsx';
import { useLoaded } from '../parts/loaded.tsx';
import { linkTo } from '../route.ts';
import { get } from '../server.ts';

export function HeldFigure({ lastEnded }: { readonly lastEnded: string }) {
  const { loading, again } = useLoaded('held', (signal) => get<HeldPage>('held', signal));
  const seen = useRef(lastEnded);
  useEffect(() => {
    if (seen.current !== lastEnded) again();
    seen.current = lastEnded;
  }, [lastEnded]);
  const { state } = loading.value;
  const found = state === 'there' ? loading.value.value : undefined;
  const waiting = found?.cases.length ?? 0;
  // Older ingests may hold more.
  const more = found?.next === undefined ? '' : '+';
  return (
    <Figure
      name="Held for a decision"
      value={found ? `${count(waiting)}${more}` : state === 'loading' ? '…' : '–'}
      tone={waiting > 0 ? 'warn' : 'plain'}
      to={linkTo('held')}
    />
  );
}
