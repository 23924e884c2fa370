/** State ReadImportOutput: what became of each object of a batch; writes the ledgers. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import type { PipelineDeps } from '../shared/ingest/pipeline-deps.ts';
import { readImportOutput } from '../shared/ingest/read-import-output.ts';

export const makeHandler = (deps: PipelineDeps) =>
  handle(SHAPES.output, async (event) => {
    await readImportOutput(deps, event);
    return {};
  });

export const handler = makeHandler(awsDeps());
