/** The examples are run as they stand: the Vitest one here, the script by the README's commands. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import '../../examples/vitest/healthimaging.test.ts';

it('the README shows the examples as they are', async () => {
  const { withExamples } = (await import('../../scripts/include-examples.mjs' as string)) as {
    withExamples(page: string): string;
  };
  const page = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  expect(withExamples(page)).toBe(page);
});
