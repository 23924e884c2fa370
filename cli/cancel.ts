/**
 * `isocenter cancel`: stops an execution. Nothing is lost: what it had not accounted for stays in the inbox, and is not
 * tried again before something new arrives or somebody says `retry`.
 */
import { DescribeExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { parkUpload } from '../shared/ingest/attempts.ts';
import { uploadName } from '../shared/ingest/uploads.ts';
import { type ConnectOptions, connect } from './deployment.ts';
import { CommandFailed, EXIT } from './errors.ts';
import { uploadDeps } from './pipeline.ts';
import { parseExecutionId } from './reports.ts';
import type { Terminal } from './terminal.ts';

export async function cancel(
  executionId: string,
  options: ConnectOptions & { readonly stack?: string },
  terminal: Terminal,
): Promise<number> {
  parseExecutionId(executionId);
  const deployment = await connect({ ...options, mustExist: true }, terminal);
  try {
    const deps = uploadDeps(deployment);
    const executionArn = deps.executions.arnOf(executionId);
    const status = await deps.executions.status(executionArn);
    if (status === undefined) throw new CommandFailed(`there is no execution ${executionId}`);
    if (status !== 'RUNNING') throw new CommandFailed(`execution ${executionId} does not run: ${status}`);
    const { input } = await deployment.sfn.send(new DescribeExecutionCommand({ executionArn }));
    const { uploadId = '' } = JSON.parse(input ?? '{}') as { uploadId?: string };
    const upload = (await uploadName(deps, uploadId)) ?? '';
    // Parked first: whatever looks in between finds an upload that is not to be taken.
    await parkUpload(deps, uploadId, { upload, executionId, stoppedAt: new Date().toISOString() });
    await deployment.sfn.send(
      new StopExecutionCommand({ executionArn, error: 'Cancelled', cause: 'isocenter cancel' }),
    );
    terminal.result(
      `execution ${executionId} is stopped; its objects stay in the inbox until something new arrives or: isocenter retry ${executionId}`,
    );
    return EXIT.ok;
  } finally {
    await deployment.close();
  }
}
