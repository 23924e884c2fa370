/** docs/notifications.md as text: what the rule of the template makes of each announcement, for five reports. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileInput } from '../../local/world/event-input.ts';
import { announcementsOf } from '../../shared/ingest/notifications.ts';
import type { Report } from '../../shared/ingest/report.ts';

const EXECUTION = '3f1c0a9be2d84c6790a1b2c3d4e5f607-dh2k1';
const PROVEN = { lossySource: 0, mismatched: 0, undecodable: 0, withoutChecksum: 0 };

const well: Report = {
  schema: 'isocenter.report/1',
  executionId: EXECUTION,
  upload: 'never named',
  startedAt: '2026-01-31T03:00:00.000Z',
  finishedAt: '2026-01-31T03:04:10.000Z',
  outcome: 'Ingested',
  verify: 'full',
  counts: { received: 412, ingested: 410, duplicate: 2, rejected: 0, failed: 0 },
  bytes: 216_000_000,
  instancesWithoutFrames: 0,
  frames: { expected: 410, verified: 410, provenFromSource: 410, ...PROVEN },
  rejects: {},
  batches: [],
  imageSets: [],
  merges: [],
  timings: { inspect: 4, import: 180, verify: 30, merge: 2, total: 250 },
  objects: '',
};
const series = '1.2.826.0.1.3680043.8.498.1';
const imageSet = {
  imageSetId: '0f1e2d3c4b5a69788796a5b4c3d2e1f0',
  version: '1',
  isPrimary: true,
  studyInstanceUID: '1.2.826.0.1.3680043.8.498',
  seriesInstanceUID: series,
  modality: 'CT',
  instances: 100,
  frames: 100,
  verified: 98,
};

/** What happened → its report. */
const CASES: Readonly<Record<string, Partial<Report>>> = {
  'All well': {},
  'Some refused': {
    outcome: 'PartlyIngested',
    counts: { received: 412, ingested: 400, duplicate: 0, rejected: 11, failed: 1 },
    frames: { expected: 400, verified: 400, provenFromSource: 400, ...PROVEN },
    rejects: { ElementTooLong: 7, DicomDirectory: 3, NotP10: 1, Throttled: 1 },
  },
  'Kept apart': {
    merges: [
      {
        seriesInstanceUID: series,
        outcome: 'keptApart',
        reason: 'they differ',
        keywords: ['PatientBirthDate', 'PatientSex'],
        sources: ['a'],
        destination: 'b',
        instances: 24,
      },
    ],
  },
  Mismatch: {
    outcome: 'PartlyIngested',
    counts: { received: 100, ingested: 98, duplicate: 0, rejected: 0, failed: 2 },
    frames: { expected: 100, verified: 98, provenFromSource: 98, ...PROVEN, mismatched: 2 },
    rejects: { ChecksumMismatch: 2 },
    imageSets: [imageSet],
  },
  Failed: {
    outcome: 'Failed',
    counts: { received: 412, ingested: 0, duplicate: 0, rejected: 0, failed: 412 },
    frames: { expected: 0, verified: 0, provenFromSource: 0, ...PROVEN },
    rejects: { Unfinished: 412 },
  },
};

/** The rule's own transformer, with the values of a deployment. */
function rule(): (event: unknown) => string {
  const template = JSON.parse(readFileSync(join(process.cwd(), 'local/template.json'), 'utf8')) as {
    Resources: { NotificationRule: { Properties: { Targets: [{ InputTransformer: unknown }] } } };
  };
  const text = JSON.stringify(template.Resources.NotificationRule.Properties.Targets[0].InputTransformer)
    .replace(/\{"Fn::Sub":("(?:[^"\\]|\\.)*")\}/g, '$1')
    .replaceAll(`\${AWS::StackName}`, 'isocenter-prod')
    .replaceAll(`\${AWS::Region}`, 'eu-west-1')
    .replaceAll(`\${AWS::Partition}`, 'aws')
    .replaceAll(`\${AWS::AccountId}`, '111122223333');
  return compileInput({ InputTransformer: JSON.parse(text) }, 'NotificationRule');
}

/** One message as a mail shows it: EventBridge hands on a quoted text a line. */
function messagesOf(report: Report, toText: (event: unknown) => string): string[] {
  const reportUri = `s3://isocenter-prod-work-111122223333-eu-west-1/executions/${EXECUTION}/report.json`;
  return announcementsOf(report).map(({ detailType, ...text }) => {
    const lines = toText({ detail: { executionId: EXECUTION, reportUri, ...text } })
      .trim()
      .split('\n');
    return ['```text', `# ${detailType}`, ...lines.map((line) => JSON.parse(line) as string), '```'].join(
      '\n',
    );
  });
}

export function notificationsPage(): string {
  const toText = rule();
  const sections = Object.entries(CASES).map(([name, report]) =>
    [`## ${name}`, ...messagesOf({ ...well, ...report }, toText)].join('\n\n'),
  );
  return [
    '# What people are told',
    '',
    'Rendered by `node scripts/render-docs.mjs` from `shared/ingest/notifications.ts` and the rule of the template, for five reports. Each block is one message; the line with `#` is its kind. They name executions, counts, codes, keywords and UIDs; never a patient, an upload or a file.',
    '',
    sections.join('\n\n'),
    '',
  ].join('\n');
}
