/** docs/constraints.md as text, from the tables of constraints and transfer syntaxes. */
import {
  COUNT_LIMITS,
  LENGTH_LIMITS,
  REQUIRED_ELEMENTS,
  REQUIRED_WITH_PIXELS,
  SIZE_LIMITS,
  UID_FORM,
} from '../../shared/dicom/constraints.ts';
import {
  TRANSFER_SYNTAXES,
  type TransferSyntax,
  type Treatment,
} from '../../shared/dicom/transfer-syntaxes.ts';
import { markdownTable } from './markdown-table.ts';

const number = (value: number) => value.toLocaleString('en');

const TREATMENTS: Readonly<Record<Treatment, string>> = {
  transcode: 'transcoded',
  keep: 'kept',
  blob: 'one blob, warning B120',
  refuse: 'refused',
};

function syntaxRow(syntax: TransferSyntax): string[] {
  return [`${syntax.uid}`, syntax.name, TREATMENTS[syntax[2024]], TREATMENTS[syntax.current]];
}

function sizeRows(): (string | number)[][] {
  return Object.entries(SIZE_LIMITS).map(([what, limit]) => [
    what === 'fileBytes' ? 'one object' : 'data elements besides the pixels',
    number(limit[2024]),
    number(limit.current),
    limit.source,
  ]);
}

export function constraintsPage(): string {
  const required = [
    ...REQUIRED_ELEMENTS,
    ...REQUIRED_WITH_PIXELS.map((it) => ({ ...it, when: 'with pixel data' })),
  ];
  const sections = [
    '# What an object must be to be imported',
    'Rendered from `shared/dicom/constraints.ts` and `shared/dicom/transfer-syntaxes.ts` by `node scripts/render-docs.mjs`; edit the tables, not this page. `isocenter inspect` and the state InspectObjects hold every object against them before anything is imported.',
    '## Lengths',
    'Characters after decoding, trailing padding not counted. Above the limit: `ElementTooLong`. In `current`, a value above what PS3.5 allows is accepted with warning B202.',
    markdownTable(
      ['element', '2024', 'current', 'PS3.5', 'source'],
      LENGTH_LIMITS.map((limit) => [limit.keyword, limit[2024], limit.current, limit.standard, limit.source]),
    ),
    '## Counts and sizes',
    'Values: `CountTooLarge`. Bytes: `FileTooLarge`, `MetadataTooLarge`.',
    markdownTable(
      ['what', '2024', 'current', 'source'],
      [
        ...COUNT_LIMITS.map((limit) => [
          limit.keyword,
          number(limit[2024]),
          number(limit.current),
          limit.source,
        ]),
        ...sizeRows(),
      ],
    ),
    '## Elements that must be there',
    '`MissingElement` otherwise.',
    markdownTable(
      ['element', 'when', 'source'],
      required.map((it) => [it.keyword, 'when' in it ? String(it.when) : 'always', it.source]),
    ),
    `UIDs of study, series and instance: in \`2024\` as PS3.5 9.1 forms them, in \`current\` digits and dots (warning B201 where the form is bad); else \`InvalidUid\`. Source: ${UID_FORM.source}.`,
    '## Transfer syntaxes',
    'Any other UID is refused in `2024`, and one blob with warning B120 in `current`.',
    markdownTable(['UID', 'name', '2024', 'current'], TRANSFER_SYNTAXES.map(syntaxRow)),
  ];
  return `${sections.join('\n\n')}\n`;
}
