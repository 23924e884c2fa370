/**
 * A process with a runtime that the test kills: `node … DATA_DIR LOG`. Its functions write a line to LOG when they begin
 * and when they end. Starts the execution `x` where there is none, prints the address, and goes on until it is killed.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStepFunctions } from '../../../local/stepfunctions/server.ts';
import { ACCOUNT, distributed, invoke, machine, machineArn, REGION, Services, scope } from './runtime.ts';

const CHILDREN = 60;
const CONCURRENCY = 4;

const [dataDir = '', log = ''] = process.argv.slice(2);
const note = (line: string): void => appendFileSync(log, `${line}\n`);

const slowly =
  (name: string, milliseconds: number) =>
  async (payload: { n?: number }): Promise<unknown> => {
    const of = payload.n === undefined ? name : `${name}${payload.n}`;
    note(`begin ${of}`);
    await sleep(milliseconds);
    note(`end ${of}`);
    return { of };
  };

const services = new Services({
  first: slowly('first', 20),
  second: slowly('second', 20),
  express: slowly('express', 15),
  standard: slowly('standard', 15),
  branch: slowly('branch', 20),
  nested: slowly('nested', 30),
});

const children = (name: string, executionType: string): object => ({
  Type: 'Map',
  Items: `{% $range(1, ${CHILDREN}, 1) %}`,
  ItemSelector: { n: '{% $states.context.Map.Item.Value %}' },
  MaxConcurrency: CONCURRENCY,
  ItemProcessor: distributed(
    { [`Run ${name}`]: invoke(name, '{% $states.input %}', { Output: '{% $states.input.n %}' }) },
    executionType,
  ),
  Output: '{% $sum($states.result) %}',
});

const outer = machine({
  First: invoke('first', {}, { Assign: { first: '{% $states.result.Payload.of %}' }, Next: 'Express' }),
  Express: {
    ...children('express', 'EXPRESS'),
    Assign: { express: '{% $sum($states.result) %}' },
    Next: 'Second',
  },
  Second: invoke('second', {}, { Next: 'Standard' }),
  Standard: {
    ...children('standard', 'STANDARD'),
    Assign: { standard: '{% $sum($states.result) %}' },
    Next: 'Both',
  },
  Both: {
    Type: 'Parallel',
    Branches: [
      scope({ Left: invoke('branch', { n: 1 }) }),
      scope({ Pause: { Type: 'Wait', Seconds: 1, Next: 'Right' }, Right: invoke('branch', { n: 2 }) }),
    ],
    Next: 'Nested',
  },
  Nested: {
    Type: 'Task',
    Resource: 'arn:aws:states:::states:startExecution.sync:2',
    Arguments: { StateMachineArn: machineArn('inner'), Input: {} },
    Output: '{% [$first, $express, $standard, $states.result.Output.of] %}',
  },
});

const sfn = await startStepFunctions({
  dataDir,
  region: REGION,
  accountId: ACCOUNT,
  services,
  stateMachines: [
    { name: 'm', arn: machineArn('m'), roleArn: 'role', type: 'STANDARD', definition: outer },
    {
      name: 'inner',
      arn: machineArn('inner'),
      roleArn: 'role',
      type: 'STANDARD',
      definition: machine({ Inside: invoke('nested', {}) }),
    },
  ],
});
await sfn.call('StartExecution', { stateMachineArn: machineArn('m'), name: 'x' }).catch((error: Error) => {
  if (error.name !== 'ExecutionAlreadyExists') throw error;
});
process.stdout.write(`${sfn.url}\n`);
