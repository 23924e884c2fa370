/** Nobody is to wait for these objects any more; what is stored stays. */
import type { HeldCase } from '../../shared/console/api.ts';
import { plural } from '../format.ts';
import { DecisionForm } from './decision-form.tsx';

export function LeaveOut(props: {
  readonly which: HeldCase;
  readonly decided: (says: string) => void;
  readonly cancel: () => void;
}) {
  const { which, decided, cancel } = props;
  const { code, since, until } = which;
  const [series, ...alsoSeries] = which.series;
  return (
    <DecisionForm
      body={{ action: 'leave-out', code, series, alsoSeries, since, until }}
      name="Leave out"
      decided={decided}
      cancel={cancel}
    >
      what is stored stays as it is, and {which.isMore && 'at least '}
      {plural(which.objects, 'object is', 'objects are')} listed here no more, but not deleted: a retry of
      their ingest puts them to the decision again. What comes later is held again.
    </DecisionForm>
  );
}
