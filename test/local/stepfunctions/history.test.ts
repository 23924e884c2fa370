/**
 * The history as the real service links it: type and previousEventId of each event, and what the details leave out. The
 * expected links are facts of recordings of the service (LocalStack's snapshots validated on AWS, 2024-03 to 2025-07).
 */
import { expect, test } from 'vitest';
import { invoke, machine, NamedError, Services, scope, startRuntime } from './runtime.ts';

interface Event {
  readonly id: number;
  readonly type: string;
  readonly previousEventId: number;
  readonly [details: string]: unknown;
}

async function historyOf(
  states: Record<string, object>,
  functions: ConstructorParameters<typeof Services>[0] = {},
): Promise<Event[]> {
  await using runtime = await startRuntime({ m: machine(states) }, { services: new Services(functions) });
  const { executionArn } = await runtime.run();
  const { events } = await runtime.sfn.call<{ events: Event[] }>('GetExecutionHistory', { executionArn });
  return events;
}
const links = (events: readonly Event[]) =>
  events.map(({ type, previousEventId }) => [type, previousEventId]);

test('a task that times out', async () => {
  const events = await historyOf(
    { Start: invoke('slow', {}, { TimeoutSeconds: 1 }) },
    { slow: () => new Promise(() => {}) },
  );
  expect(links(events)).toEqual([
    ['ExecutionStarted', 0],
    ['TaskStateEntered', 0],
    ['TaskScheduled', 2],
    ['TaskStarted', 3],
    ['TaskTimedOut', 4],
    ['ExecutionFailed', 5],
  ]);
  const of = { resource: 'invoke', resourceType: 'lambda' };
  expect(events[2]?.taskScheduledEventDetails).toEqual({
    ...of,
    region: 'us-east-1',
    parameters: '{"FunctionName":"slow","Payload":{}}',
    timeoutInSeconds: 1,
  });
  expect(events[4]?.taskTimedOutEventDetails).toEqual({ ...of, error: 'States.Timeout' });
  expect(events[5]?.executionFailedEventDetails).toEqual({ error: 'States.Timeout' });
});

test('a task that fails and is caught', async () => {
  const events = await historyOf(
    {
      Task: invoke('fails', {}, { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Fallback' }] }),
      Fallback: { Type: 'Pass' },
    },
    {
      fails: () => {
        throw new NamedError('Exception', '{"errorType":"Exception"}');
      },
    },
  );
  expect(links(events)).toEqual([
    ['ExecutionStarted', 0],
    ['TaskStateEntered', 0],
    ['TaskScheduled', 2],
    ['TaskStarted', 3],
    ['TaskFailed', 4],
    ['TaskStateExited', 5],
    ['PassStateEntered', 6],
    ['PassStateExited', 7],
    ['ExecutionSucceeded', 8],
  ]);
  expect(events[5]?.stateExitedEventDetails).toMatchObject({
    output: '{"Error":"Exception","Cause":"{\\"errorType\\":\\"Exception\\"}"}',
  });
});

test('an inline Map, one iteration at a time', async () => {
  const events = await historyOf({
    Start: {
      Type: 'Map',
      Items: [1, 2],
      MaxConcurrency: 1,
      ItemProcessor: scope({ Process: { Type: 'Pass' } }),
    },
  });
  expect(links(events)).toEqual([
    ['ExecutionStarted', 0],
    ['MapStateEntered', 0],
    ['MapStateStarted', 2],
    ['MapIterationStarted', 3],
    ['PassStateEntered', 4],
    ['PassStateExited', 5],
    ['MapIterationSucceeded', 6],
    ['MapIterationStarted', 6],
    ['PassStateEntered', 8],
    ['PassStateExited', 9],
    ['MapIterationSucceeded', 10],
    ['MapStateSucceeded', 11],
    ['MapStateExited', 11],
    ['ExecutionSucceeded', 13],
  ]);
  expect(events[3]?.mapIterationStartedEventDetails).toEqual({ name: 'Start', index: 0 });
});

test('assigned variables are told as JSON text', async () => {
  const events = await historyOf({ Set: { Type: 'Pass', Assign: { n: 1, text: 'x' }, Output: {} } });
  expect(events[2]?.stateExitedEventDetails).toEqual({
    name: 'Set',
    output: '{}',
    outputDetails: { truncated: false },
    assignedVariables: { n: '1', text: '"x"' },
    assignedVariablesDetails: { truncated: false },
  });
});

test('a Fail without Error and Cause tells neither', async () => {
  const events = await historyOf({ End: { Type: 'Fail' } });
  expect(links(events)).toEqual([
    ['ExecutionStarted', 0],
    ['FailStateEntered', 0],
    ['ExecutionFailed', 2],
  ]);
  expect(events[2]?.executionFailedEventDetails).toEqual({});
});
