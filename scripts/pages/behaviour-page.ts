/** docs/behaviour.md as text, from the table of behaviour points. */
import { type Basis, BEHAVIOUR_POINTS } from '../../shared/healthimaging/behaviour-points.ts';
import { markdownTable } from './markdown-table.ts';

const BASES: readonly Basis[] = ['documented', 'observed', 'chosen'];

export function behaviourPage(): string {
  const counts = BASES.map(
    (basis) => `${BEHAVIOUR_POINTS.filter((point) => point.basis === basis).length} ${basis}`,
  );
  const areas = [...new Set(BEHAVIOUR_POINTS.map(({ area }) => area))];
  const sections = areas.map((area) => {
    const rows = BEHAVIOUR_POINTS.filter((point) => point.area === area).map(
      ({ point, basis, because, test }) => [point, basis, because, test],
    );
    return `## ${area}\n\n${markdownTable(['what the server does', 'basis', 'because', 'tested by'], rows)}`;
  });
  return [
    '# How the HealthImaging-compatible server behaves',
    '',
    'Rendered from `shared/healthimaging/behaviour-points.ts` by `node scripts/render-docs.mjs`; edit the table, not this page.',
    `**Documented** is what AWS publishes, **observed** what others recorded from the service, **chosen** is ours where neither says anything: ${counts.join(', ')}.`,
    "`2024` is the guide of May 2024, today is the guide of 2026 (`behaviour: 'current'`, the default).",
    '',
    sections.join('\n\n'),
    '',
  ].join('\n');
}
