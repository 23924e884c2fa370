/** The operations of the endpoint by name. One that is not here is answered with UnknownOperationException. */
import type { Engine } from '../runtime/engine.ts';
import {
  describeExecution,
  listExecutions,
  redriveExecution,
  startExecution,
  stopExecution,
} from './executions.ts';
import { getExecutionHistory } from './history.ts';
import { describeMapRun, listMapRuns } from './map-runs.ts';
import type { Request } from './parse.ts';
import {
  describeStateMachine,
  describeStateMachineForExecution,
  listStateMachines,
} from './state-machines.ts';
import { sendTaskFailure, sendTaskHeartbeat, sendTaskSuccess } from './task-tokens.ts';

export type Operation = (engine: Engine, request: Request) => Promise<object>;

export const OPERATIONS = {
  StartExecution: startExecution,
  DescribeExecution: describeExecution,
  ListExecutions: listExecutions,
  StopExecution: stopExecution,
  RedriveExecution: redriveExecution,
  GetExecutionHistory: getExecutionHistory,
  ListStateMachines: listStateMachines,
  DescribeStateMachine: describeStateMachine,
  DescribeStateMachineForExecution: describeStateMachineForExecution,
  ListMapRuns: listMapRuns,
  DescribeMapRun: describeMapRun,
  SendTaskSuccess: sendTaskSuccess,
  SendTaskFailure: sendTaskFailure,
  SendTaskHeartbeat: sendTaskHeartbeat,
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;

export const isOperation = (name: string): name is OperationName => Object.hasOwn(OPERATIONS, name);
