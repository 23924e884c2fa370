/** Expressions: the functions that Step Functions adds, and that plain paths mean what JSONata says they mean. */
import fc from 'fast-check';
import jsonata from 'jsonata';
import { expect, test } from 'vitest';
import { compileExpression } from '../../../local/stepfunctions/evaluate/expression.ts';
import { type Json, plainJson } from '../../../local/stepfunctions/json.ts';

const evaluate = (text: string, variables: Record<string, Json> = {}, input: Json = null) =>
  compileExpression(text).evaluate({ states: { input }, variables }, 'Output');

test.each([
  ['$partition([1,2,3,4,5], 2)', [[1, 2], [3, 4], [5]]],
  ['$partition([], 2)', []],
  ['$range(1, 9, 2)', [1, 3, 5, 7, 9]],
  ['$range(3, 1, -1)', [3, 2, 1]],
  ['$range(1, 0, 1)', []],
  ["$hash('abc', 'MD5')", '900150983cd24fb0d6963f7d28e17f72'],
  ["$hash('abc', 'SHA-1')", 'a9993e364706816aba3e25717850c26c9cd0d89d'],
  ["$hash('ä', 'MD5')", '8419b71c87a225a2c70b50486fbee545'],
  ['$parse(\'{"a":[1]}\')', { a: [1] }],
])('%s', async (text, expected) => {
  expect(await evaluate(text)).toEqual(expected);
});

test('$uuid is a version 4 UUID, $random is below 1 and repeats for a seed', async () => {
  expect(await evaluate('$uuid()')).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  expect(await evaluate('$random(7) = $random(7)')).toBe(true);
  expect(await evaluate('$random(7) != $random(8)')).toBe(true);
  const value = (await evaluate('$random()')) as number;
  expect(value >= 0 && value < 1).toBe(true);
});

test.each([
  '$partition([1], 0)',
  "$hash('a', 'CRC')",
  '$range(1, 2, 0)',
  '$range(1, 5000, 1)',
  "$parse('{')",
])('%s is States.QueryEvaluationError', async (text) => {
  await expect(evaluate(text)).rejects.toMatchObject({ error: 'States.QueryEvaluationError' });
});

test('a thousand evaluations side by side do not disturb each other', async () => {
  const text = '($sum := $n + 1; $sum * 2)';
  const expression = compileExpression(text);
  const results = await Promise.all(
    Array.from({ length: 1000 }, (_, n) => expression.evaluate({ states: {}, variables: { n } }, 'Output')),
  );
  expect(results).toEqual(Array.from({ length: 1000 }, (_, n) => (n + 1) * 2));
});

test('a plain path gives what JSONata gives, whatever lies on the way', async () => {
  const names = ['a', 'b', 'constructor', '__proto__'];
  const json = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<Json>(null, true, 0, 1.5, '', 'x'),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b'), tie('value'), { maxKeys: 2 }),
    ),
  })).value;
  const seed = Date.now();
  console.log(`seed ${seed}`);
  await fc.assert(
    fc.asyncProperty(
      json,
      fc.array(fc.constantFrom(...names.slice(0, 2)), { maxLength: 3 }),
      fc.boolean(),
      async (value, steps, isInput) => {
        const text = ['$states.input', '$v'][isInput ? 0 : 1] + steps.map((name) => `.${name}`).join('');
        const bindings = { states: { input: value }, v: value };
        const wanted = plainJson(await jsonata(text).evaluate(undefined, bindings));
        const got = await evaluate(text, { v: value }, value).catch(() => undefined);
        expect(got).toEqual(wanted);
      },
    ),
    { seed, numRuns: 500 },
  );
});
