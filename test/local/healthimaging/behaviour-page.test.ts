/** docs/behaviour.md says what the table of behaviour points says. */
import { readFileSync } from 'node:fs';
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
