/** What was decided before: by whom, when, why. */
import { clock, words } from '../format.ts';

export interface DecisionMade {
  readonly decision: string;
  readonly actor: string;
  readonly reason: string;
  readonly at: string;
}

export function DecisionsMade({ history }: { readonly history: readonly DecisionMade[] }) {
  if (history.length === 0) return null;
  return (
    <ul class="decisions" aria-label="Decisions">
      {history.map(({ decision, actor, reason, at }, index) => (
        <li key={`${index} ${at}`}>
          <strong>{words(decision.replace('-', ' '))}</strong>{' '}
          <span class="dim">
            {clock(at)} by {actor}
          </span>{' '}
          {reason}
        </li>
      ))}
    </ul>
  );
}
