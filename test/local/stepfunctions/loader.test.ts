/** What the loader refuses, each with its path; and that asl-validator finds our accepted definitions good. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  DISTRIBUTED_MAP_FIELDS,
  OBJECT_FIELDS,
  STATE_FIELDS,
} from '../../../local/stepfunctions/definition/fields.ts';
import { loadDefinition } from '../../../local/stepfunctions/definition/loader.ts';
import { DefinitionError } from '../../../local/stepfunctions/errors.ts';
import { distributed, invoke, machine, scope } from './runtime.ts';

function problems(definition: unknown): readonly string[] {
  try {
    loadDefinition('m', definition);
    return [];
  } catch (error) {
    if (error instanceof DefinitionError) return error.problems;
    throw error;
  }
}
const one = (state: object) => problems(machine({ S: state }));

test.each(Object.keys(STATE_FIELDS))('an unknown field of a %s state is refused with its path', (type) => {
  const known = problems({
    QueryLanguage: 'JSONata',
    StartAt: 'S',
    States: { S: { Type: type, Colour: 'red' } },
  });
  expect(known).toContain('$.States.S.Colour: unknown or unsupported field');
});

test.each([...DISTRIBUTED_MAP_FIELDS])('%s is for a distributed Map only', (field) => {
  const found = one({ Type: 'Map', ItemProcessor: scope({ A: { Type: 'Pass' } }), [field]: {} });
  expect(found).toContain(`$.States.S.${field}: unknown or unsupported field`);
});

const far = (more: object, processor: object = distributed({ A: { Type: 'Pass' } })) => ({
  Type: 'Map',
  Items: [],
  ItemProcessor: processor,
  ...more,
});
const reader = (more: object) => {
  const { Items: _items, ...map } = far({
    ItemReader: {
      Resource: 'arn:aws:states:::s3:getObject',
      Arguments: { Bucket: 'b', Key: 'k' },
      ReaderConfig: { InputType: 'JSON' },
      ...more,
    },
  }) as Record<string, unknown>;
  return map;
};

test.each([
  ['an unknown state type', { Type: 'Sleep' }, '$.States.S.Type: expected Task, Pass'],
  [
    'a JSONPath state',
    { Type: 'Pass', QueryLanguage: 'JSONPath' },
    '$.States.S.QueryLanguage: expected JSONata',
  ],
  ['JSONPath fields', { Type: 'Pass', ResultPath: '$.x' }, '$.States.S.ResultPath: unknown'],
  ['keys of JSONPath', { Type: 'Pass', Output: { 'a.$': '$.b' } }, '$.States.S.Output/a.$: JSONPath fields'],
  [
    'an expression that does not parse',
    { Type: 'Pass', Output: { a: '{% 1 + %}' } },
    '$.States.S.Output/a: S0207',
  ],
  ['an expression that is not closed', { Type: 'Pass', Output: '{% 1' }, 'not closed by %}'],
  [
    'an unknown variable',
    { Type: 'Pass', Output: '{% $none %}' },
    '$.States.S.Output: $none is no function and no variable',
  ],
  ['$eval', { Type: 'Pass', Output: "{% $eval('1') %}" }, '$eval is no function'],
  ['an unknown function', { Type: 'Pass', Output: '{% $frobnicate(1) %}' }, '$frobnicate is no function'],
  ['a variable named states', { Type: 'Pass', Assign: { states: 1 } }, 'not a legal variable name'],
  [
    'a variable named __proto__',
    { Type: 'Pass', Assign: JSON.parse('{"__proto__":1}') },
    'not a legal variable name',
  ],
  ['a variable name with a blank', { Type: 'Pass', Assign: { 'a b': 1 } }, 'not a legal variable name'],
  [
    'an unknown resource',
    { Type: 'Task', Resource: 'arn:aws:states:::sqs:sendMessage' },
    'unsupported resource arn:aws:states:::sqs:sendMessage',
  ],
  [
    'a task token for another resource',
    { Type: 'Task', Resource: 'arn:aws:states:::sns:publish.waitForTaskToken' },
    'unsupported resource',
  ],
  [
    'a function ARN as resource',
    { Type: 'Task', Resource: 'arn:aws:lambda:us-east-1:0:function:f' },
    'unsupported resource',
  ],
  [
    'an unknown argument',
    invoke('f', {}, { Arguments: { FunctionName: 'f', Qualifier: '1' } }),
    '$.States.S.Arguments.Qualifier: unknown',
  ],
  [
    'a missing argument',
    { Type: 'Task', Resource: 'arn:aws:states:::sns:publish', Arguments: { Message: 'x' } },
    '$.States.S.Arguments: missing field TopicArn',
  ],
  [
    'a heartbeat over the timeout',
    invoke('f', {}, { TimeoutSeconds: 5, HeartbeatSeconds: 5 }),
    '$.States.S.HeartbeatSeconds: expected less',
  ],
  [
    'a timeout of 0',
    invoke('f', {}, { TimeoutSeconds: 0 }),
    '$.States.S.TimeoutSeconds: expected an integer from 1',
  ],
  [
    'both Seconds and Timestamp',
    { Type: 'Wait', Seconds: 1, Timestamp: '2026-01-01T00:00:00Z' },
    'expected either Seconds or Timestamp',
  ],
  ['neither of them', { Type: 'Wait' }, 'expected either Seconds or Timestamp'],
  ['no branches', { Type: 'Parallel', Branches: [] }, '$.States.S.Branches: expected a non-empty array'],
  ['no choices', { Type: 'Choice', Choices: [] }, '$.States.S.Choices: expected a non-empty array'],
  [
    'a condition that is text',
    { Type: 'Choice', Choices: [{ Condition: 'yes', Next: 'S' }] },
    '$.States.S.Choices[0].Condition: expected {% JSONata %}',
  ],
  ['Next and End', { Type: 'Pass', Next: 'S', End: true }, 'expected either Next or End: true'],
  ['a Next to nowhere', { Type: 'Pass', Next: 'T' }, 'there is no state T in this scope'],
  [
    'a reserved error that is none',
    invoke('f', {}, { Catch: [{ ErrorEquals: ['States.Oops'], Next: 'S' }] }),
    'States.Oops is not an error name',
  ],
  [
    'States.ALL with others',
    invoke('f', {}, { Retry: [{ ErrorEquals: ['States.ALL', 'A'] }] }),
    'States.ALL stands alone',
  ],
  [
    'States.ALL before others',
    invoke('f', {}, { Retry: [{ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['A'] }] }),
    'States.ALL stands alone',
  ],
  [
    'a backoff below 1',
    invoke('f', {}, { Retry: [{ ErrorEquals: ['A'], BackoffRate: 0.5 }] }),
    '$.States.S.Retry[0].BackoffRate: expected a number from 1',
  ],
  [
    'a maximal delay not over the interval',
    invoke('f', {}, { Retry: [{ ErrorEquals: ['A'], IntervalSeconds: 5, MaxDelaySeconds: 5 }] }),
    'MaxDelaySeconds: expected an integer from 6',
  ],
  [
    'an unknown jitter',
    invoke('f', {}, { Retry: [{ ErrorEquals: ['A'], JitterStrategy: 'HALF' }] }),
    'JitterStrategy: expected FULL or NONE',
  ],
  [
    'a distributed processor without ExecutionType',
    far({}, scope({ A: { Type: 'Pass' } }, { ProcessorConfig: { Mode: 'DISTRIBUTED' } })),
    'ExecutionType goes with Mode DISTRIBUTED',
  ],
  [
    'Items and ItemReader',
    far({ ItemReader: { Resource: 'arn:aws:states:::s3:listObjectsV2', Arguments: { Bucket: 'b' } } }),
    'expected either Items or ItemReader',
  ],
  [
    'an unknown reader',
    reader({ Resource: 'arn:aws:states:::s3:headObject' }),
    'unsupported resource arn:aws:states:::s3:headObject',
  ],
  ['CSV', reader({ ReaderConfig: { InputType: 'CSV' } }), 'InputType: expected JSON or JSONL, got "CSV"'],
  ['a reader without InputType', reader({ ReaderConfig: {} }), 'missing field InputType'],
  [
    'an unknown reader option',
    reader({ ReaderConfig: { InputType: 'JSON', CSVHeaders: [] } }),
    'ReaderConfig.CSVHeaders: unknown',
  ],
  [
    'a batcher without a size',
    far({ ItemBatcher: {} }),
    'expected MaxItemsPerBatch, MaxInputBytesPerBatch or both',
  ],
  ['an empty writer', far({ ResultWriter: {} }), 'expected Resource and Arguments, WriterConfig or both'],
  ['a label over 40 characters', far({ Label: 'x'.repeat(41) }), '$.States.S.Label: expected at most 40'],
  ['a percentage over 100', far({ ToleratedFailurePercentage: 101 }), 'expected an integer from 0 to 100'],
  [
    'an inner scope with a bad transition',
    { Type: 'Parallel', Branches: [{ StartAt: 'X', States: { A: { Type: 'Pass', End: true } } }] },
    '$.States.S.Branches[0].StartAt: there is no state X',
  ],
])('%s is refused', (_what, state, expected) => {
  expect(one(state as object).join('\n')).toContain(expected);
});

test.each([
  ['no object', 1, '$: expected an object, got number'],
  [
    'JSONPath',
    { ...machine({ A: { Type: 'Pass' } }), QueryLanguage: 'JSONPath' },
    '$.QueryLanguage: expected JSONata',
  ],
  [
    'no QueryLanguage',
    { StartAt: 'A', States: { A: { Type: 'Pass', End: true } } },
    '$: missing field QueryLanguage',
  ],
  ['an unknown field', machine({ A: { Type: 'Pass' } }, { Timeout: 5 }), '$.Timeout: unknown'],
  [
    'a state that nothing leads to',
    machine({ A: { Type: 'Pass' }, B: { Type: 'Pass' } }),
    '$.States.B: nothing leads to this state',
  ],
  [
    'the same name twice',
    machine({ A: { Type: 'Parallel', Branches: [scope({ A: { Type: 'Pass' } })] } }),
    'this state name is used twice',
  ],
  [
    'a name over 80 characters',
    machine({ ['x'.repeat(81)]: { Type: 'Pass' } }),
    'expected a name of 1 to 80 characters',
  ],
  [
    'an inner Assign to an outer variable',
    machine({
      A: { Type: 'Parallel', Assign: { x: 1 }, Branches: [scope({ B: { Type: 'Pass', Assign: { x: 2 } } })] },
    }),
    '$.States.A.Branches[0].States.B: variable x belongs to an outer scope',
  ],
])('a machine with %s is refused', (_what, definition, expected) => {
  expect(problems(definition).join('\n')).toContain(expected);
});

test.each([
  ['a Distributed Map', far({}), 'no Distributed Map in an EXPRESS execution'],
  [
    'a task that waits for a job',
    {
      Type: 'Task',
      Resource: 'arn:aws:states:::states:startExecution.sync:2',
      Arguments: { StateMachineArn: 'a' },
    },
    'does not go with an EXPRESS execution',
  ],
])('%s is refused in an EXPRESS machine and in EXPRESS children', (_what, state, expected) => {
  const inner = machine({ S: state });
  expect(() => loadDefinition('m', inner, 'EXPRESS')).toThrow(expected);
  expect(problems(inner)).toEqual([]);
  expect(one(far({}, distributed({ Inner: state }, 'EXPRESS'))).join()).toContain(expected);
  expect(one(far({}, distributed({ Inner: state }, 'STANDARD')))).toEqual([]);
});

test('all problems are told at once', () => {
  expect(one({ Type: 'Wait', Seconds: -1, Colour: 'red' }).length).toBe(2);
});

/** The package ships no types. */
interface Validator {
  default(definition: unknown): { isValid: boolean; errors: { Message: string }[] };
}

test.each(['ingest', 'import-batch'])(
  'the state machine %s loads, and asl-validator agrees',
  async (name) => {
    const definition: unknown = JSON.parse(
      readFileSync(new URL(`../../../statemachines/${name}.asl.json`, import.meta.url), 'utf8'),
    );
    expect(problems(definition)).toEqual([]);
    const { default: aslValidator } = (await import('asl-validator' as string)) as Validator;
    const { isValid, errors } = aslValidator(definition);
    expect(errors.map(({ Message }) => Message)).toEqual([]);
    expect(isValid).toBe(true);
  },
);

test('each object of the tables has its required fields asked for', () => {
  for (const { required, optional } of Object.values(OBJECT_FIELDS)) {
    expect(new Set([...required, ...optional]).size).toBe(required.length + optional.length);
  }
});
