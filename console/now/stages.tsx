/** The flow of one execution, stage by stage. */
import type { Stage } from '../../shared/console/api.ts';
import { seconds } from '../format.ts';

export function Stages({
  stages,
  counts = {},
}: {
  readonly stages: readonly Stage[];
  /** A line below a stage's name. */
  readonly counts?: Readonly<Record<string, string>>;
}) {
  return (
    <ol class="stages">
      {stages.map((stage) => (
        <li key={stage.name} class={stage.status}>
          <span class="stage-name">{stage.name}</span>
          {stage.status === 'running' && stage.share !== undefined && (
            <progress value={stage.share} max={1} aria-label={`${stage.name}: share done`} />
          )}
          <span class="stage-time">
            {stage.status === 'waiting' ? <span class="hidden">not yet</span> : seconds(stage.seconds)}
            {stage.status === 'running' &&
              stage.share !== undefined &&
              ` · ${Math.round(stage.share * 100)} %`}
            {stage.status === 'failed' && ' · stopped here'}
          </span>
          {counts[stage.name] && <span class="stage-count">{counts[stage.name]}</span>}
        </li>
      ))}
    </ol>
  );
}
