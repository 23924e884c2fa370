/** docs/step-functions.md against the tables of the code; `UPDATE_DOCS=1` rewrites what stands between the marks. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  DISTRIBUTED_MAP_FIELDS,
  OBJECT_FIELDS,
  READER_RESOURCES,
  STATE_FIELDS,
  TASK_RESOURCES,
  WORDS,
  WRITER_RESOURCE,
} from '../../../local/stepfunctions/definition/fields.ts';
import { STATE_ERRORS } from '../../../local/stepfunctions/errors.ts';
import { EXTRA_FUNCTIONS } from '../../../local/stepfunctions/evaluate/functions.ts';
import { LIMITS } from '../../../local/stepfunctions/limits.ts';
import { OPERATIONS } from '../../../local/stepfunctions/operations/operations.ts';

const page = new URL('../../../docs/step-functions.md', import.meta.url);

interface Fields {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ') || 'none';
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const fieldsTable = (first: string, of: Readonly<Record<string, Fields>>): string =>
  table(
    [first, 'required', 'optional'],
    Object.entries(of).map(([name, { required, optional }]) => [
      `\`${name}\``,
      code(required),
      code(optional),
    ]),
  );

const BLOCKS: Readonly<Record<string, string>> = {
  states: fieldsTable('state', STATE_FIELDS),
  distributed: code(DISTRIBUTED_MAP_FIELDS),
  objects: `${fieldsTable('object', OBJECT_FIELDS)}\n\n${table(
    ['field', 'words'],
    Object.entries(WORDS).map(([name, words]) => [`\`${name}\``, code(words)]),
  )}`,
  resources: fieldsTable('resource', TASK_RESOURCES),
  readers: `${fieldsTable('resource', READER_RESOURCES)}\n\nResults are written with \`${WRITER_RESOURCE}\`.`,
  functions: code(Object.keys(EXTRA_FUNCTIONS).map((name) => `$${name}`)),
  errors: code(Object.keys(STATE_ERRORS)),
  limits: table(
    ['limit', 'at most', 'of'],
    Object.values(LIMITS).map(({ max, unit, says }) => [says, max.toLocaleString('en-US'), unit]),
  ),
  operations: code(Object.keys(OPERATIONS)),
};

const written = (text: string): string =>
  Object.entries(BLOCKS).reduce(
    (all, [name, block]) =>
      all.replace(
        new RegExp(`<!-- ${name} -->[\\s\\S]*?<!-- /${name} -->`),
        () => `<!-- ${name} -->\n${block}\n<!-- /${name} -->`,
      ),
    text,
  );

test('the page says what the tables say', () => {
  const text = readFileSync(page, 'utf8');
  for (const name of Object.keys(BLOCKS)) expect(text).toContain(`<!-- ${name} -->`);
  if (process.env.UPDATE_DOCS) writeFileSync(page, written(text));
  else expect(text).toBe(written(text));
});
