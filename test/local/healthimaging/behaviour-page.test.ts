/** docs/behaviour.md says what the table of behaviour points says. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { behaviourPage } from '../../../scripts/pages/behaviour-page.ts';
import { BEHAVIOUR_POINTS } from '../../../shared/healthimaging/behaviour-points.ts';

test('the page is rendered from the table', () => {
  expect(readFileSync(new URL('../../../docs/behaviour.md', import.meta.url), 'utf8')).toBe(behaviourPage());
});

test('every point has a reason, and no two say the same', () => {
  expect(new Set(BEHAVIOUR_POINTS.map(({ point }) => point)).size).toBe(BEHAVIOUR_POINTS.length);
  for (const { because } of BEHAVIOUR_POINTS) expect(because.length).toBeGreaterThan(5);
});

test('the test that each point names exists', () => {
  const missing = BEHAVIOUR_POINTS.flatMap(({ point, test: named }) => {
    const [suite = '', ...title] = named.split(': ');
    const file = suite.includes('/') ? `../../${suite}.test.ts` : `./${suite}.test.ts`;
    const url = new URL(file, import.meta.url);
    const isThere = existsSync(url) && readFileSync(url, 'utf8').includes(title.join(': '));
    return isThere ? [] : [`${point}: ${named}`];
  });
  expect(missing).toEqual([]);
  const countOf = (basis: string) => BEHAVIOUR_POINTS.filter((point) => point.basis === basis).length;
  const counts = ['documented', 'observed', 'chosen'].map((basis) => `${countOf(basis)} ${basis}`);
  console.log(`behaviours, each with its test: ${counts.join(', ')}`);
});
