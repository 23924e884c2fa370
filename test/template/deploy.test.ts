import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/deploy.md'), 'utf8');
const { Parameters } = JSON.parse(readFileSync(join(root, 'local/template.json'), 'utf8')) as {
  Parameters: Record<string, { Default: string; Description: string }>;
};

it('has a line for each parameter, with its default and what it is', () => {
  const lines = [...page.matchAll(/^\| `(\w+)` \| (.+?) \| (.+?) \|/gm)].map(([, name, value, says]) => [
    name,
    value,
    says,
  ]);
  expect(lines).toEqual(
    Object.entries(Parameters).map(([name, { Default, Description }]) => [
      name,
      Default === '' ? 'empty' : `\`${Default}\``,
      Description,
    ]),
  );
});

it('names only parameters and scripts that exist', () => {
  for (const [, name] of page.matchAll(/--param (\w+)=/g)) expect(Object.keys(Parameters)).toContain(name);
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
  for (const [, name] of page.matchAll(/npm run (\w+)/g)) expect(Object.keys(scripts)).toContain(name);
});
