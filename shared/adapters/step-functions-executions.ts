/** The Executions port over AWS Step Functions, for the ingest state machine. */
import {
  DescribeExecutionCommand,
  SendTaskSuccessCommand,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { ExecutionStatus, Executions } from '../ports/executions.ts';

/** A task that was answered, timed out, or whose execution has ended. */
const NOT_WAITING = new Set(['TaskTimedOut', 'TaskDoesNotExist']);

export function stepFunctionsExecutions(client: SFNClient, stateMachineArn: string): Executions {
  const arnOf = (name: string) => `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  return {
    arnOf,
    start: async (name, input) => {
      try {
        const command = new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) });
        await client.send(command);
        return 'started';
      } catch (error) {
        if ((error as Error).name === 'ExecutionAlreadyExists') return 'exists';
        throw error;
      }
    },
    succeed: async (taskToken, output) => {
      try {
        await client.send(new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(output) }));
        return true;
      } catch (error) {
        if (NOT_WAITING.has((error as Error).name)) return false;
        throw error;
      }
    },
    status: async (executionArn) => {
      try {
        const answer = await client.send(new DescribeExecutionCommand({ executionArn }));
        return answer.status === 'PENDING_REDRIVE' ? 'FAILED' : (answer.status as ExecutionStatus);
      } catch (error) {
        if ((error as Error).name === 'ExecutionDoesNotExist') return undefined;
        throw error;
      }
    },
  };
}
