/** docs/outcomes.md as text, from the table of outcomes. */
import { OUTCOMES, type OutcomeEntry } from '../../shared/ingest/outcomes.ts';
import { markdownTable } from './markdown-table.ts';

const HEADINGS: readonly {
  readonly kind: OutcomeEntry['kind'];
  readonly title: string;
  readonly says: string;
}[] = [
  {
    kind: 'reject',
    title: 'Rejects',
    says: 'The input is unfit. The object moves to `rejected/` of the work bucket; benign ones do not count against an upload.',
  },
  {
    kind: 'fail',
    title: 'Fails',
    says: 'Our work, or a service, broke. The object stays in the inbox or moves to `failed/`; `isocenter retry` puts it back.',
  },
  { kind: 'note', title: 'Notes', says: 'Said of an object that was ingested.' },
];

function row([code, entry]: [string, OutcomeEntry]): string[] {
  const flags = [entry.benign ? 'benign' : '', entry.retry ? 'a retry can help' : '']
    .filter(Boolean)
    .join(', ');
  return [`\`${code}\``, entry.says, entry.advice, flags];
}

export function outcomesPage(): string {
  const sections = HEADINGS.map(({ kind, title, says }) => {
    const rows = Object.entries(OUTCOMES).filter(([, entry]) => entry.kind === kind);
    const table = markdownTable(['code', 'means', 'what to do', ''], rows.map(row));
    return `## ${title}\n\n${says}\n\n${table}\n`;
  });
  const opening =
    'Rendered from `shared/ingest/outcomes.ts` by `node scripts/render-docs.mjs`; edit the table, not this page.';
  return `# Outcomes\n\n${opening}\n\n${sections.join('\n')}`;
}
