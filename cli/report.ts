/** `isocenter report`: one report again, by default the latest that is not coalesced. */
import { type ConnectOptions, connect } from './deployment.ts';
import { CommandFailed } from './errors.ts';
import { exitCodeOf } from './exit-code.ts';
import { printJson } from './ingest.ts';
import { readObjectLines, readReport, recentSummaries, type WorkBucket } from './reports.ts';
import { printSummary } from './summary.ts';
import type { Terminal } from './terminal.ts';

export async function report(
  executionId: string | undefined,
  options: ConnectOptions & { readonly json?: boolean; readonly stack?: string },
  terminal: Terminal,
): Promise<number> {
  const deployment = await connect({ ...options, mustExist: true }, terminal);
  try {
    const found = await readReport(deployment, executionId ?? (await latest(deployment)));
    if (options.json) await printJson(deployment, found, terminal);
    else await printSummary(found, readObjectLines(deployment, found), terminal);
    return await exitCodeOf(deployment, found);
  } finally {
    await deployment.close();
  }
}

async function latest(work: WorkBucket): Promise<string> {
  for await (const summary of recentSummaries(work, new Date()))
    if (summary.outcome !== 'Coalesced') return summary.executionId;
  throw new CommandFailed('there is no report yet: ingest something first');
}
