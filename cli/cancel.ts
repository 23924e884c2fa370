/** `isocenter cancel`: stops an execution. Nothing is lost: what it had not accounted for stays in the inbox. */
import { DescribeExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { type ConnectOptions, connect } from './deployment.ts';
import { CommandFailed, EXIT } from './errors.ts';
import type { Terminal } from './terminal.ts';

export async function cancel(
  executionId: string,
  options: ConnectOptions,
  terminal: Terminal,
): Promise<number> {
  const deployment = await connect({ ...options, mustExist: true }, terminal);
  try {
    const executionArn = `${deployment.ingestStateMachineArn.replace(':stateMachine:', ':execution:')}:${executionId}`;
    const { status } = await deployment.sfn
      .send(new DescribeExecutionCommand({ executionArn }))
      .catch((error: unknown) => {
        throw new CommandFailed(`there is no execution ${executionId}`, { cause: error });
      });
    if (status !== 'RUNNING') throw new CommandFailed(`execution ${executionId} does not run: ${status}`);
    await deployment.sfn.send(
      new StopExecutionCommand({ executionArn, error: 'Cancelled', cause: 'stopped with isocenter cancel' }),
    );
    terminal.result(
      `execution ${executionId} is stopped; its objects are in the inbox, and the sweep takes them again`,
    );
    return EXIT.ok;
  } finally {
    await deployment.close();
  }
}
