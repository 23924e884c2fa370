/** ListStateMachines, DescribeStateMachine, DescribeStateMachineForExecution: they are fixed when the runtime starts. */
import { KEYS } from '../journal/records.ts';
import type { Engine } from '../runtime/engine.ts';
import type { LoadedMachine } from '../runtime/machines.ts';
import { findExecution, seconds } from './executions.ts';
import { arnOf, pageSize, type Request } from './parse.ts';

export async function listStateMachines(engine: Engine, request: Request): Promise<object> {
  pageSize(request);
  const stateMachines = engine.machines.all().map(({ arn, name, type, creationDate }) => ({
    stateMachineArn: arn,
    name,
    type,
    creationDate: seconds(creationDate),
  }));
  return { stateMachines };
}

export async function describeStateMachine(engine: Engine, request: Request): Promise<object> {
  const arn = arnOf(request, 'stateMachineArn', 'stateMachine');
  const machine = engine.machines.get(arn);
  return {
    ...common(machine),
    stateMachineArn: arn,
    status: 'ACTIVE',
    type: machine.type,
    creationDate: seconds(machine.creationDate),
    definition: JSON.stringify(machine.definition),
  };
}

export async function describeStateMachineForExecution(engine: Engine, request: Request): Promise<object> {
  const record = await findExecution(engine, arnOf(request, 'executionArn', 'execution'));
  const definition = await engine.journal.get<object>(KEYS.definition(record.definition));
  return {
    ...common({ name: record.machineName, roleArn: record.roleArn }),
    stateMachineArn: record.machineArn,
    updateDate: seconds(record.startDate),
    definition: JSON.stringify(definition ?? {}),
    ...(record.mapRunArn !== undefined && { mapRunArn: record.mapRunArn }),
  };
}

const common = ({ name, roleArn }: Pick<LoadedMachine, 'name' | 'roleArn'>): object => ({
  name,
  roleArn,
  loggingConfiguration: { level: 'OFF', includeExecutionData: false, destinations: [] },
  tracingConfiguration: { enabled: false },
});
