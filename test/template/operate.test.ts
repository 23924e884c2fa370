import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { notificationsPage } from '../../scripts/pages/notifications-page.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const { Resources } = JSON.parse(read('local/template.json')) as {
  Resources: Record<string, { Type: string; Properties: { Namespace?: string; MetricName?: string } }>;
};
const alarms = Object.entries(Resources).filter(([, { Type }]) => Type === 'AWS::CloudWatch::Alarm');

it('has a section for each alarm, and none for others', () => {
  const sections = [...read('docs/operate.md').matchAll(/^## (\w+Alarm)$/gm)].map(([, name]) => name);
  expect(sections.sort()).toEqual(alarms.map(([id]) => id).sort());
});

it('alarms and graphs only on metrics that somebody writes', () => {
  const written = [...read('shared/ingest/metrics.ts').matchAll(/\['(\w+)', /g)].map(([, name]) => name);
  const ours = alarms.filter(([, { Properties }]) => Properties.Namespace === 'Isocenter');
  const graphed = [...JSON.stringify(Resources.Dashboard).matchAll(/Isocenter\\",\\"(\w+)/g)].map(
    ([, name]) => name,
  );
  expect(graphed.length).toBeGreaterThan(10);
  for (const name of [...ours.map(([, { Properties }]) => Properties.MetricName), ...graphed])
    expect(written).toContain(name);
});

it('shows what people are told as the rule of the template tells it', () => {
  expect(read('docs/notifications.md'), 'node scripts/render-docs.mjs').toBe(notificationsPage());
});
